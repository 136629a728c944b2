//! `GET /{repository}/artifacthub-repo.yml`: proves to Artifact Hub who owns the repository.

use axum::body::Body;
use axum::http::{HeaderValue, Response, header};

use super::super::Server;
use super::super::error::{ErrorKind, Failure};
use super::super::request::Asked;
use crate::repository_path::RepositoryPath;

/// Answers with the repository's id at Artifact Hub.
pub(crate) async fn get(
    server: &Server,
    asked: &Asked,
    path: &RepositoryPath,
) -> Result<Response<Body>, Failure> {
    let repository = server.find_readable(asked, path).await?;
    let own = repository.and_then(|repository| repository.row().settings.artifact_hub_id.clone());
    let id = own.or_else(|| server.surface.artifact_hub_ids.get(path.as_str()).cloned());
    let Some(id) = id else {
        return Err(Failure::new(ErrorKind::NotFound, "Artifact Hub repository ID not found"));
    };
    // JSON strings are YAML strings too.
    let mut response = Response::new(Body::from(format!("repositoryID: {}\n", serde_json::Value::from(id))));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(server.surface.index_type));
    Ok(response)
}
