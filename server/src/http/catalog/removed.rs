//! `/catalog/v1/repositories/{path}/removed`: what was deleted or replaced lately, and bringing it back.

use axum::body::Body;
use axum::http::{Response, StatusCode};

use super::super::Server;
use super::super::error::Failure;
use super::super::request::Asked;
use crate::operations::restore_version::{list_removed, restore_version};
use crate::repository_path::RepositoryPath;

/// How many rows an answer has unless the request says otherwise, and at most.
const USUAL: u32 = 100;
const MOST: u32 = 1_000;

/// Answers with what may be brought back and until when, the last removed first.
pub(crate) async fn list(
    server: &Server,
    asked: &Asked,
    path: &RepositoryPath,
) -> Result<Response<Body>, Failure> {
    let limit = super::number(asked, "limit", USUAL, 1..=MOST)?;
    let rows = list_removed(&server.app, path, limit, &asked.caller).await?;
    super::respond(StatusCode::OK, &serde_json::json!({ "removed": rows }))
}

/// Brings a version back and answers once it is listed.
pub(crate) async fn restore(
    server: &Server,
    asked: &Asked,
    path: &RepositoryPath,
    name: &str,
    version: &str,
) -> Result<Response<Body>, Failure> {
    let revision = restore_version(&server.app, path, name, version, &asked.caller).await?;
    super::respond(StatusCode::OK, &serde_json::json!({ "restored": true, "revision": revision }))
}
