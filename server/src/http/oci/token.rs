//! `/v2/token`: short tokens for registry clients, with the caller's rights and no more.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, Response};

use super::super::request::Asked;
use super::super::{Server, wrong_verb};
use super::error::OciFailure;

/// Answers `/v2/`, which clients ask to learn whether this is a registry and how to log in.
pub(super) fn base(server: &Server, asked: &Asked) -> Result<Response<Body>, OciFailure> {
    if asked.method != Method::GET && asked.method != Method::HEAD {
        return Err(wrong_verb(server, asked).into());
    }
    Ok(Response::new(Body::from("{}")))
}

/// Answers a request by its verb.
pub(super) async fn answer(
    server: &Server,
    asked: &Asked,
    _request: Request,
) -> Result<Response<Body>, OciFailure> {
    Err(wrong_verb(server, asked).into())
}
