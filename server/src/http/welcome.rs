//! `GET /`: tells a person with a browser what this is and what to type.

use axum::body::Body;
use axum::http::{HeaderValue, Response, header};

use super::Server;
use super::origin::base_url;
use crate::config::RequestOrigin;

/// Answers with a page that needs nothing from elsewhere and has the server's address as the reader should type it.
pub(super) fn get(server: &Server, origin: &RequestOrigin) -> Response<Body> {
    let context = server.surface.context_path.as_deref().unwrap_or_default();
    let address = base_url(server, origin).unwrap_or_else(|| "ADDRESS".to_owned());
    let page = include_str!("../../../web/welcome.html")
        .replace("{context}", &escaped(context))
        .replace("{address}", &escaped(&address));
    let mut response = Response::new(Body::from(page));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    );
    response
}

/// Returns the text as it stands in HTML: a host comes from whoever asks.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_an_address_becomes_markup() {
        assert_eq!(escaped("http://a\"><b>&"), "http://a&quot;&gt;&lt;b&gt;&amp;");
    }
}
