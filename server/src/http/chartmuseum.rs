//! ChartMuseum's API, complete: what cm-push, CI scripts and chartpack speak.

pub(super) mod charts;
pub(super) mod contents;
pub(super) mod delete;
pub(super) mod provenance;
pub(super) mod upload;
pub(super) mod versions;

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};

use super::Server;
use super::error::Failure;
use super::request::Asked;
use crate::repositories::OpenRepository;
use crate::repository_path::RepositoryPath;

/// Returns an answer of this API: JSON, with the status of its kind.
fn json(status: StatusCode, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    response
}

/// Returns the repository, or `None` for one that ChartMuseum would show as empty.
async fn find(
    server: &Server,
    asked: &Asked,
    path: &RepositoryPath,
) -> Result<Option<std::sync::Arc<OpenRepository>>, Failure> {
    match server.find_readable(asked, path).await? {
        Some(repository) => Ok(Some(repository)),
        None if server.surface.unknown_is_empty => Ok(None),
        None => Err(server.unknown_repository(asked, path)),
    }
}
