//! `DELETE /api/{repository}/charts/{name}/{version}`: takes a version out of every view.

use axum::body::Body;
use axum::http::{Response, StatusCode};

use super::super::Server;
use super::super::error::Failure;
use super::super::request::Asked;
use crate::operations::delete_version::delete_version;
use crate::repository_path::RepositoryPath;

/// Deletes the version and its provenance.
pub(crate) async fn delete(
    server: &Server,
    asked: &Asked,
    path: &RepositoryPath,
    name: &str,
    version: &str,
) -> Result<Response<Body>, Failure> {
    delete_version(&server.app, path, name, version, &asked.caller).await?;
    Ok(super::json(StatusCode::OK, r#"{"deleted":true}"#))
}
