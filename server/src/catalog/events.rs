//! The order of changes: every one takes the repository's next revision, which also locks it, and leaves an event.

use chart::Timestamp;
use sqlx::FromRow;

use super::connection::{Connection, on, read};
use super::{Catalog, CatalogError};

/// What a transaction needs to know of a version that is there.
#[derive(FromRow)]
pub(super) struct Existing {
    pub(super) id: i64,
    pub(super) archive_digest: String,
    pub(super) archive_key: String,
    pub(super) archive_size_bytes: i64,
    pub(super) provenance_digest: Option<String>,
    pub(super) provenance_key: Option<String>,
    pub(super) provenance_size_bytes: Option<i64>,
}

impl Existing {
    /// Returns how much the version counts in its repository.
    pub(super) fn weight(&self) -> Weight {
        Weight {
            versions: 1,
            bytes: self.archive_size_bytes + self.provenance_size_bytes.unwrap_or_default(),
        }
    }
}

/// How much something counts in its repository; negative for what goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Weight {
    pub(super) versions: i64,
    pub(super) bytes: i64,
}

impl std::ops::Neg for Weight {
    type Output = Self;

    fn neg(self) -> Self {
        Self { versions: -self.versions, bytes: -self.bytes }
    }
}

/// A repository as a transaction that has locked it sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Locked {
    pub(super) revision: i64,
    /// The time of the change: later than that of every change before.
    pub(super) at: Timestamp,
    pub(super) most_versions: Option<i64>,
    pub(super) most_bytes: Option<i64>,
    /// What the repository holds once the change is made.
    pub(super) holds: Weight,
}

/// A limit of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quota {
    /// It may hold so many versions.
    Versions(u64),
    /// It may hold so many bytes.
    Bytes(u64),
}

impl Locked {
    /// Returns the first limit that the repository would pass with the change.
    pub(super) fn passed_quota(&self) -> Option<Quota> {
        if let Some(most) = self.most_versions.filter(|most| self.holds.versions > *most) {
            return Some(Quota::Versions(most.unsigned_abs()));
        }
        let most = self.most_bytes.filter(|most| self.holds.bytes > *most)?;
        Some(Quota::Bytes(most.unsigned_abs()))
    }
}

/// Why a repository was not locked for a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NotLocked {
    /// There is none with this id.
    Gone,
    /// Nothing may be written at the moment.
    ReadOnly {
        /// Why.
        reason: String,
    },
}

/// What happened to which version, and who did it.
pub(super) struct Event<'a> {
    pub(super) kind: &'static str,
    pub(super) chart: &'a str,
    pub(super) version: &'a str,
    pub(super) actor: &'a str,
}

/// Moves the repository's revision on, which also locks it for the rest of the transaction, and counts what will change.
pub(super) async fn next_revision(
    connection: &mut Connection,
    repository_id: i64,
    now: Timestamp,
    weight: Weight,
) -> Result<Result<Locked, NotLocked>, CatalogError> {
    type Row = (i64, i64, Option<i64>, Option<i64>, i64, i64);
    let row: Option<Row> = on!(connection, |database| sqlx::query_as(
        "UPDATE repository SET revision = revision + 1, \
         changed_at = CASE WHEN changed_at < $2 THEN $2 ELSE changed_at + 1 END, \
         version_count = version_count + $3, stored_bytes = stored_bytes + $4 \
         WHERE id = $1 AND (SELECT read_only_reason FROM server_state) IS NULL \
         RETURNING revision, changed_at, most_versions, most_bytes, version_count, stored_bytes",
    )
    .bind(repository_id)
    .bind(now.micros())
    .bind(weight.versions)
    .bind(weight.bytes)
    .fetch_optional(database)
    .await)?;
    let Some((revision, at, most_versions, most_bytes, versions, bytes)) = row else {
        return Ok(Err(why_not_locked(connection).await?));
    };
    let (at, holds) = (Timestamp::from_micros(at), Weight { versions, bytes });
    Ok(Ok(Locked { revision, at, most_versions, most_bytes, holds }))
}

/// Returns why a repository was not locked.
pub(super) async fn why_not_locked(connection: &mut Connection) -> Result<NotLocked, CatalogError> {
    let reason: Option<String> =
        on!(connection, |database| sqlx::query_scalar("SELECT read_only_reason FROM server_state")
            .fetch_one(database)
            .await)?;
    Ok(reason.map_or(NotLocked::Gone, |reason| NotLocked::ReadOnly { reason }))
}

/// Corrects what the repository holds by `weight`.
pub(super) async fn count(
    connection: &mut Connection,
    repository_id: i64,
    weight: Weight,
) -> Result<(), CatalogError> {
    if weight == Weight::default() {
        return Ok(());
    }
    on!(connection, |database| {
        sqlx::query(
        "UPDATE repository SET version_count = version_count + $2, stored_bytes = stored_bytes + $3 WHERE id = $1"
    )
    .bind(repository_id)
    .bind(weight.versions)
    .bind(weight.bytes)
    .execute(database)
    .await
    .map(drop)
    })
}

/// Returns the version that is there under this name.
pub(super) async fn find_existing(
    connection: &mut Connection,
    repository_id: i64,
    chart: &str,
    version: &str,
) -> Result<Option<Existing>, CatalogError> {
    on!(connection, |database| {
        sqlx::query_as(
        "SELECT v.id, a.digest AS archive_digest, a.storage_key AS archive_key, a.size_bytes AS archive_size_bytes, \
         p.digest AS provenance_digest, p.storage_key AS provenance_key, p.size_bytes AS provenance_size_bytes \
         FROM version v JOIN blob a ON a.id = v.archive_blob_id LEFT JOIN blob p ON p.id = v.provenance_blob_id \
         WHERE v.repository_id = $1 AND v.chart = $2 AND v.version = $3",
    )
    .bind(repository_id)
    .bind(chart)
    .bind(version)
    .fetch_optional(database)
    .await
    })
}

/// Writes the event of a revision.
pub(super) async fn insert_event(
    connection: &mut Connection,
    repository_id: i64,
    locked: Locked,
    event: &Event<'_>,
    digest: &str,
) -> Result<(), CatalogError> {
    on!(connection, |database| sqlx::query(
        "INSERT INTO event (repository_id, revision, kind, chart, version, digest, actor, at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(repository_id)
    .bind(locked.revision)
    .bind(event.kind)
    .bind(event.chart)
    .bind(event.version)
    .bind(digest)
    .bind(event.actor)
    .bind(locked.at.micros())
    .execute(database)
    .await
    .map(drop))
}

/// One change of a repository, as the feed tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChangeRow {
    pub(crate) revision: i64,
    /// `published`, `overwritten`, `provenance`, `deleted` or `restored`.
    pub(crate) kind: String,
    pub(crate) chart: String,
    pub(crate) version: String,
    /// The archive's digest.
    pub(crate) digest: String,
    pub(crate) actor: String,
    pub(crate) at: Timestamp,
}

impl Catalog {
    /// Returns up to `limit` changes of a repository after `revision`, in order and without gaps.
    pub(crate) async fn list_changes(
        &self,
        repository_id: i64,
        revision: i64,
        limit: u32,
    ) -> Result<Vec<ChangeRow>, CatalogError> {
        type Row = (i64, String, String, String, String, String, i64);
        let rows: Vec<Row> = read!(self, |database| sqlx::query_as(
            "SELECT revision, kind, chart, version, digest, actor, at FROM event \
             WHERE repository_id = $1 AND revision > $2 ORDER BY revision LIMIT $3",
        )
        .bind(repository_id)
        .bind(revision)
        .bind(i64::from(limit))
        .fetch_all(database)
        .await)?;
        let rows = rows.into_iter().map(|(revision, kind, chart, version, digest, actor, at)| ChangeRow {
            revision,
            kind,
            chart,
            version,
            digest,
            actor,
            at: Timestamp::from_micros(at),
        });
        Ok(rows.collect())
    }
}
