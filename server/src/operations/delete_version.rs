//! Deletes a version: rows now, bytes when they are collected.

use super::create_repository::CreateRepositoryError;
use super::keep_blob::release;
use crate::access::{Caller, Permission};
use crate::app::App;
use crate::catalog::{CatalogError, Removal, Removed};
use crate::faults::{self, Step};
use crate::repository_path::RepositoryPath;

/// Why a version was not deleted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeleteVersionError {
    /// It is not there.
    #[error("`{chart}` `{version}` is not published in `{path}`")]
    Unknown {
        /// The chart asked for.
        chart: String,
        /// The version asked for.
        version: String,
        /// The repository.
        path: RepositoryPath,
    },
    /// Nothing may be written at the moment.
    #[error("the server is read-only at the moment: {reason}")]
    ReadOnly {
        /// Why.
        reason: String,
    },
    /// The caller may not, or the repository is not there.
    #[error(transparent)]
    Repository(#[from] CreateRepositoryError),
}

impl From<CatalogError> for DeleteVersionError {
    fn from(error: CatalogError) -> Self {
        Self::Repository(error.into())
    }
}

/// Deletes `chart` at `version` with its provenance; it is out of the index when this returns.
///
/// Scripts split a file name at its last hyphen, so `a-1` and `2.0.0` also stand for `a` at `1-2.0.0` when the exact
/// pair is unknown.
///
/// # Errors
/// [`DeleteVersionError`]; nothing has changed then.
pub(crate) async fn delete_version(
    app: &App,
    path: &RepositoryPath,
    chart: &str,
    version: &str,
    caller: &Caller,
) -> Result<(), DeleteVersionError> {
    if !caller.has(Permission::Delete, path) {
        return Err(CreateRepositoryError::denied(caller, Permission::Delete, path).into());
    }
    let unknown =
        || DeleteVersionError::Unknown { chart: chart.into(), version: version.into(), path: path.clone() };
    let repository = app.repositories.find(path).await?.ok_or_else(unknown)?;
    let found = match app.catalog.find_version(repository.id(), chart, version).await? {
        Some(row) => Some(row),
        None => {
            let file_name = format!("{chart}-{version}.tgz");
            app.catalog.find_version_by_file_name(repository.id(), &file_name).await?
        }
    };
    let row = found.ok_or_else(unknown)?;
    let removal = Removal {
        repository_id: repository.id(),
        chart: row.chart.as_str().to_owned(),
        version: row.version.as_str().to_owned(),
        actor: caller.name().to_owned(),
        may_return: app.blobs.layout().keeps_replaced(),
    };
    match app.catalog.remove_version(removal, app.clock.now()).await? {
        Removed::Done { revision, released } => {
            app.repositories.catch_up(&repository, revision).await?;
            faults::reach(Step::ChangeListed);
            release(app, &released).await;
            Ok(())
        }
        Removed::Unknown => Err(unknown()),
        Removed::ReadOnly { reason } => Err(DeleteVersionError::ReadOnly { reason }),
    }
}
