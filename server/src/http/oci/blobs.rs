//! `/v2/{name}/blobs/{digest}`.

use axum::body::Body;
use axum::extract::Request;
use axum::http::Response;
use oci::{Digest, OciName};

use super::super::request::Asked;
use super::super::{Server, wrong_verb};
use super::error::OciFailure;

/// Answers a request by its verb.
pub(super) async fn answer(
    server: &Server,
    asked: &Asked,
    _name: &OciName,
    _digest: &Digest,
    _request: Request,
) -> Result<Response<Body>, OciFailure> {
    Err(wrong_verb(server, asked).into())
}
