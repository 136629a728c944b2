//! `POST /api/{repository}/prov`: provenance for a version that is published.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{Response, StatusCode};

use super::super::error::Failure;
use super::super::request::Asked;
use super::super::{Server, announced_length};
use crate::operations::add_provenance::add_provenance;
use crate::repository_path::RepositoryPath;

/// Adds the body as provenance of the version it names.
pub(crate) async fn post(
    server: &Server,
    asked: &Asked,
    path: &RepositoryPath,
    request: Request,
) -> Result<Response<Body>, Failure> {
    server.admit_upload(asked, path, announced_length(&request)).await?;
    let staged = server.stage(request).await?;
    add_provenance(&server.app, path, staged, asked.query("force").is_some(), &asked.caller).await?;
    Ok(super::json(StatusCode::CREATED, r#"{"saved":true}"#))
}
