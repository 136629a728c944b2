//! Changes what an administrator decides about a repository; the index follows before the answer.

use super::create_repository::{CreateRepositoryError, refuse_when_read_only};
use crate::access::{Caller, Permission};
use crate::app::App;
use crate::catalog::{RepositoryRow, SettingsChange};
use crate::repository_path::RepositoryPath;

/// Changes the settings of the repository at `path` and returns it as it then is.
///
/// # Errors
/// [`CreateRepositoryError`]: not allowed, not there, or the catalog is away.
pub(crate) async fn change_settings(
    app: &App,
    path: &RepositoryPath,
    change: SettingsChange,
    caller: &Caller,
) -> Result<RepositoryRow, CreateRepositoryError> {
    if !caller.has(Permission::Administer, path) {
        return Err(CreateRepositoryError::denied(caller, Permission::Administer, path));
    }
    refuse_when_read_only(app).await?;
    let unknown = || CreateRepositoryError::Unknown { path: path.clone() };
    let repository = app.repositories.find(path).await?.ok_or_else(unknown)?;
    let row = app.catalog.change_settings(repository.id(), change).await?.ok_or_else(unknown)?;
    app.repositories.reload(&repository).await?;
    tracing::info!(repository = %path, caller = caller.name(), "changed the settings of a repository");
    Ok(row)
}
