//! Versions that were deleted or replaced: kept aside with their bytes until the grace is over.

use chart::Timestamp;
use sqlx::FromRow;

use super::connection::{Connection, on, read};
use super::writer::{Change, Outcome};
use super::{Catalog, CatalogError};

/// A version that may be brought back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RemovedVersionRow {
    pub(crate) chart: String,
    pub(crate) version: String,
    /// The archive's digest.
    pub(crate) digest: String,
    pub(crate) created_at: Timestamp,
    pub(crate) removed_at: Timestamp,
    pub(crate) removed_by: String,
}

#[derive(FromRow)]
struct RawRemoved {
    chart: String,
    version: String,
    digest: String,
    created_at: i64,
    removed_at: i64,
    removed_by: String,
}

impl From<RawRemoved> for RemovedVersionRow {
    fn from(raw: RawRemoved) -> Self {
        Self {
            chart: raw.chart,
            version: raw.version,
            digest: raw.digest,
            created_at: Timestamp::from_micros(raw.created_at),
            removed_at: Timestamp::from_micros(raw.removed_at),
            removed_by: raw.removed_by,
        }
    }
}

impl Catalog {
    /// Returns what was removed from a repository and may be brought back, the last first, `limit` rows at most.
    pub(crate) async fn list_removed_versions(
        &self,
        repository_id: i64,
        limit: u32,
    ) -> Result<Vec<RemovedVersionRow>, CatalogError> {
        let raw: Vec<RawRemoved> = read!(self, |database| {
            sqlx::query_as(
            "SELECT r.chart, r.version, a.digest, r.created_at, r.removed_at, r.removed_by FROM removed_version r \
             JOIN blob a ON a.id = r.archive_blob_id WHERE r.repository_id = $1 ORDER BY r.id DESC LIMIT $2"
        )
        .bind(repository_id)
        .bind(i64::from(limit))
        .fetch_all(database)
        .await
        })?;
        Ok(raw.into_iter().map(RemovedVersionRow::from).collect())
    }

    /// Forgets up to `limit` versions that were removed before `before`; returns how many. Their bytes are then
    /// unreferenced, unless another version has them too.
    pub(crate) async fn forget_removed_versions(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, CatalogError> {
        self.make(ForgetRemoved { before, limit }).await
    }
}

/// Keeps the version's row aside as it is now.
pub(super) async fn set_aside(
    connection: &mut Connection,
    version_id: i64,
    actor: &str,
    at: Timestamp,
) -> Result<(), CatalogError> {
    on!(connection, |database| {
        sqlx::query(
        "INSERT INTO removed_version (repository_id, chart, version, file_name, state, archive_blob_id, \
         provenance_blob_id, entry, created_at, removed_at, removed_by, manifest, manifest_digest, config, \
         config_digest) SELECT repository_id, chart, version, file_name, state, archive_blob_id, provenance_blob_id, \
         entry, created_at, $2, $3, manifest, manifest_digest, config, config_digest FROM version WHERE id = $1"
    )
    .bind(version_id)
    .bind(at.micros())
    .bind(actor)
    .execute(database)
    .await
    .map(drop)
    })
}

struct ForgetRemoved {
    before: Timestamp,
    limit: u32,
}

impl Change for ForgetRemoved {
    type Answer = u64;

    fn repository_id(&self) -> Option<i64> {
        None
    }

    async fn make(&self, connection: &mut Connection) -> Result<Outcome<u64>, CatalogError> {
        // What clients pushed for such versions goes with them.
        on!(connection, |database| sqlx::query("DELETE FROM manifest WHERE removed_at < $1")
            .bind(self.before.micros())
            .execute(database)
            .await
            .map(drop))?;
        let forgotten = on!(connection, |database| sqlx::query(
            "DELETE FROM removed_version WHERE id IN \
             (SELECT id FROM removed_version WHERE removed_at < $1 ORDER BY id LIMIT $2)"
        )
        .bind(self.before.micros())
        .bind(i64::from(self.limit))
        .execute(database)
        .await
        .map(|done| done.rows_affected()))?;
        Ok(Outcome::Commit(forgotten))
    }
}
