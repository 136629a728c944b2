//! `GET /catalog/v1/status`: which program this is, and whether it takes writes.

use axum::body::Body;
use axum::http::{Response, StatusCode};

use super::super::Server;
use super::super::error::Failure;

/// Answers with the version, and `read-only` with its reason while the operator has stopped all writing.
pub(crate) async fn get(server: &Server) -> Result<Response<Body>, Failure> {
    let reason = server.app.catalog.read_only_reason().await?;
    let status = serde_json::json!({
        "version": env!("CARGO_PKG_VERSION"),
        "writes": if reason.is_some() { "read-only" } else { "on" },
        "reason": reason,
    });
    super::respond(StatusCode::OK, &status)
}
