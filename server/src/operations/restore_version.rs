//! Brings a deleted or replaced version back as it was, while its bytes are still kept.

use std::sync::Arc;
use std::time::Duration;

use chart::Timestamp;

use super::create_repository::CreateRepositoryError;
use crate::access::{Caller, Permission};
use crate::app::App;
use crate::catalog::{CatalogError, RemovedVersionRow, Restoration, Restored};
use crate::repositories::OpenRepository;
use crate::repository_path::RepositoryPath;

/// A deleted or replaced version that may be brought back.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeptVersion {
    pub(crate) chart: String,
    pub(crate) version: String,
    /// The archive's digest.
    digest: String,
    created: Timestamp,
    pub(crate) removed: Timestamp,
    pub(crate) removed_by: String,
    /// When the grace ends: the next collection after that takes it away.
    pub(crate) kept_until: Timestamp,
}

impl KeptVersion {
    fn of(row: RemovedVersionRow, grace: Duration) -> Self {
        let RemovedVersionRow { chart, version, digest, created_at, removed_at, removed_by } = row;
        let grace = i64::try_from(grace.as_micros()).unwrap_or(i64::MAX);
        let kept_until = Timestamp::from_micros(removed_at.micros().saturating_add(grace));
        Self { chart, version, digest, created: created_at, removed: removed_at, removed_by, kept_until }
    }
}

/// Why a version was not brought back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RestoreVersionError {
    /// Nothing of that name is kept.
    #[error(
        "no removed `{chart}` `{version}` is kept in `{path}`: it was never removed, or the grace is over; publish it again"
    )]
    Unknown {
        /// The chart asked for.
        chart: String,
        /// The version asked for.
        version: String,
        /// The repository.
        path: RepositoryPath,
    },
    /// Its place is taken.
    #[error("`{chart}` `{version}` or its file name is published in `{path}`: delete that first")]
    Exists {
        /// The chart asked for.
        chart: String,
        /// The version asked for.
        version: String,
        /// The repository.
        path: RepositoryPath,
    },
    /// The repository may not hold so much.
    #[error(
        "the repository `{path}` would hold more than it may: delete versions, or let an admin raise `mostVersions` or `mostBytes`"
    )]
    BeyondQuota {
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

impl From<CatalogError> for RestoreVersionError {
    fn from(error: CatalogError) -> Self {
        Self::Repository(error.into())
    }
}

/// Brings back `chart` at `version` as it was when it was last removed, with its bytes, its provenance and the time of its
/// publication; it is in the index when this returns. Returns the repository's revision with it.
///
/// # Errors
/// [`RestoreVersionError`]; nothing has changed then.
pub(crate) async fn restore_version(
    app: &App,
    path: &RepositoryPath,
    chart: &str,
    version: &str,
    caller: &Caller,
) -> Result<i64, RestoreVersionError> {
    let repository = deletable(app, path, caller).await?;
    let (name, number) = (chart.to_owned(), version.to_owned());
    let restoration = Restoration {
        repository_id: repository.id(),
        chart: name.clone(),
        version: number.clone(),
        actor: caller.name().to_owned(),
    };
    let path = path.clone();
    match app.catalog.restore_version(restoration, app.clock.now()).await? {
        Restored::Done { revision } => {
            app.repositories.catch_up(&repository, revision).await?;
            tracing::info!(repository = %path, chart, version, caller = caller.name(), "brought a version back");
            Ok(revision)
        }
        Restored::Unknown => Err(RestoreVersionError::Unknown { chart: name, version: number, path }),
        Restored::Exists => Err(RestoreVersionError::Exists { chart: name, version: number, path }),
        Restored::BeyondQuota => Err(RestoreVersionError::BeyondQuota { path }),
        Restored::ReadOnly { reason } => Err(RestoreVersionError::ReadOnly { reason }),
    }
}

/// Returns up to `limit` versions that may be brought back, the last removed first, to a caller who may do so.
///
/// # Errors
/// [`CreateRepositoryError`]: not allowed, not there, or the catalog is away.
pub(crate) async fn list_removed(
    app: &App,
    path: &RepositoryPath,
    limit: u32,
    caller: &Caller,
) -> Result<Vec<KeptVersion>, CreateRepositoryError> {
    let repository = deletable(app, path, caller).await?;
    let rows = app.catalog.list_removed_versions(repository.id(), limit).await?;
    Ok(rows.into_iter().map(|row| KeptVersion::of(row, app.rules.grace)).collect())
}

/// Returns the repository when the caller may delete from it, and so undo what was deleted.
async fn deletable(
    app: &App,
    path: &RepositoryPath,
    caller: &Caller,
) -> Result<Arc<OpenRepository>, CreateRepositoryError> {
    if !caller.has(Permission::Delete, path) {
        return Err(CreateRepositoryError::denied(caller, Permission::Delete, path));
    }
    let unknown = || CreateRepositoryError::Unknown { path: path.clone() };
    app.repositories.find(path).await?.ok_or_else(unknown)
}
