//! `GET /v2/_catalog`: the names the caller may read.

use axum::body::Body;
use axum::extract::Request;
use axum::http::Response;

use super::super::request::Asked;
use super::super::{Server, wrong_verb};
use super::error::OciFailure;

/// Answers a request by its verb.
pub(super) async fn answer(
    server: &Server,
    asked: &Asked,
    _request: Request,
) -> Result<Response<Body>, OciFailure> {
    Err(wrong_verb(server, asked).into())
}
