//! `/catalog/v1/repositories[/{path}]`: lists, shows, creates and configures repositories.

use axum::body::{self, Body};
use axum::extract::Request;
use axum::http::{Response, StatusCode};

use super::super::Server;
use super::super::error::{ErrorKind, Failure};
use super::super::request::Asked;
use super::respond;
use crate::catalog::{RepositoryRow, SettingsChange};
use crate::operations::change_settings::change_settings;
use crate::operations::create_repository::{CreateRepositoryError, create_repository};
use crate::repository_path::RepositoryPath;

/// Settings are a few hundred bytes of JSON.
const LARGEST_BODY: usize = 64 * 1024;

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct RepositoryView {
    path: String,
    #[serde(flatten)]
    settings: crate::catalog::RepositorySettings,
    /// How many versions it holds, and how many bytes their files have: what its limits count.
    versions: u64,
    stored_bytes: u64,
    revision: i64,
    created: String,
    changed: String,
}

impl From<RepositoryRow> for RepositoryView {
    fn from(row: RepositoryRow) -> Self {
        Self {
            path: row.path.as_str().to_owned(),
            settings: row.settings,
            versions: row.version_count,
            stored_bytes: row.stored_bytes,
            revision: row.revision,
            created: row.created_at.to_string(),
            changed: row.changed_at.to_string(),
        }
    }
}

/// Answers with the repositories the caller may read.
pub(crate) async fn list(server: &Server, asked: &Asked) -> Result<Response<Body>, Failure> {
    let rows = server.app.catalog.list_repositories().await?;
    let views: Vec<RepositoryView> = rows
        .into_iter()
        .filter(|row| asked.caller.may_read(row.settings.visibility, &row.path))
        .map(RepositoryView::from)
        .collect();
    respond(StatusCode::OK, &serde_json::json!({ "repositories": views }))
}

/// Answers with one repository.
pub(crate) async fn get(
    server: &Server,
    asked: &Asked,
    path: &RepositoryPath,
) -> Result<Response<Body>, Failure> {
    match server.find_readable(asked, path).await? {
        // What is in memory knows the settings, not what the repository holds by now.
        Some(repository) => {
            let row = server.app.catalog.find_repository(path).await?;
            let row = row.unwrap_or_else(|| RepositoryRow::clone(&repository.row()));
            respond(StatusCode::OK, &RepositoryView::from(row))
        }
        None => Err(server.unknown_repository(asked, path)),
    }
}

/// Creates a repository (201), or changes the settings of one that exists (200); what the body leaves out stays.
pub(crate) async fn put(
    server: &Server,
    asked: &Asked,
    path: &RepositoryPath,
    request: Request,
) -> Result<Response<Body>, Failure> {
    let change = read_change(request).await?;
    let settings = change.apply_to(&server.app.rules.new_repository);
    match create_repository(&server.app, path, settings, &asked.caller).await {
        Ok(row) => respond(StatusCode::CREATED, &RepositoryView::from(row)),
        Err(CreateRepositoryError::Exists { .. }) => {
            let row = change_settings(&server.app, path, change, &asked.caller).await?;
            respond(StatusCode::OK, &RepositoryView::from(row))
        }
        Err(error) => Err(error.into()),
    }
}

async fn read_change(request: Request) -> Result<SettingsChange, Failure> {
    let bytes = body::to_bytes(request.into_body(), LARGEST_BODY).await.map_err(|_| {
        Failure::new(ErrorKind::TooLarge, format!("the settings are larger than {LARGEST_BODY} bytes"))
    })?;
    if bytes.is_empty() {
        return Ok(SettingsChange::default());
    }
    serde_json::from_slice(&bytes)
        .map_err(|error| Failure::new(ErrorKind::Invalid, format!("the settings cannot be read: {error}")))
}
