//! `GET /`: tells a person with a browser what this is and what to type.

use axum::body::Body;
use axum::http::{HeaderValue, Response, header};

use super::Server;

/// Answers with a page that needs nothing from elsewhere.
pub(super) fn get(server: &Server) -> Response<Body> {
    let context = server.surface.context_path.as_deref().unwrap_or_default();
    let page = include_str!("../../../web/welcome.html").replace("{context}", context);
    let mut response = Response::new(Body::from(page));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    );
    response
}
