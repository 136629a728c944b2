//! `GET` and `HEAD /api/{repository}/charts/{name}[/{version}]`: one chart, or one version of it.

use axum::body::Body;
use axum::http::{Response, StatusCode};
use chart::VersionConstraint;

use super::super::Server;
use super::super::error::{ErrorKind, Failure};
use super::super::request::Asked;
use crate::catalog::VersionRow;
use crate::repository_path::RepositoryPath;

/// Answers with the versions of a chart, newest first.
pub(crate) async fn list(
    server: &Server,
    asked: &Asked,
    path: &RepositoryPath,
    name: &str,
) -> Result<Response<Body>, Failure> {
    let rows = match super::find(server, asked, path).await? {
        Some(repository) => server.app.catalog.list_versions(repository.id(), name).await?,
        None => Vec::new(),
    };
    if rows.is_empty() {
        return Err(Failure::new(ErrorKind::NotFound, "chart not found"));
    }
    let mut out = Vec::new();
    super::charts::array(&rows, &mut out);
    Ok(super::json(StatusCode::OK, out))
}

/// Answers with one version: by its exact text, `latest` for the newest stable one, or a constraint.
pub(crate) async fn get(
    server: &Server,
    asked: &Asked,
    path: &RepositoryPath,
    name: &str,
    version: &str,
) -> Result<Response<Body>, Failure> {
    let row = select(server, asked, path, name, version).await?;
    Ok(super::json(StatusCode::OK, row.entry))
}

/// Returns the version a request names.
///
/// # Errors
/// 404 in Helm's words when there is none, or when the text is neither a version nor a constraint.
pub(super) async fn select(
    server: &Server,
    asked: &Asked,
    path: &RepositoryPath,
    name: &str,
    version: &str,
) -> Result<VersionRow, Failure> {
    let not_found = |text: String| Failure::new(ErrorKind::NotFound, text);
    let Some(repository) = super::find(server, asked, path).await? else {
        return Err(not_found("no chart name found".into()));
    };
    if let Some(row) = server.app.catalog.find_version(repository.id(), name, version).await? {
        return Ok(row);
    }
    let rows = server.app.catalog.list_versions(repository.id(), name).await?;
    if rows.is_empty() {
        return Err(not_found("no chart name found".into()));
    }
    // An empty constraint is any stable version (Helm's IndexFile.Get).
    let wanted = if version == "latest" || version.is_empty() { "*" } else { version };
    let constraint: VersionConstraint =
        wanted.parse().map_err(|_| not_found(format!("improper constraint: {version}")))?;
    rows.into_iter()
        .find(|row| constraint.matches(&row.version))
        .ok_or_else(|| not_found(format!("no chart version found for {name}-{version}")))
}
