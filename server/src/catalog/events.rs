//! The order of changes: every one takes the repository's next revision, which also locks it, and leaves an event.

use chart::Timestamp;
use sqlx::{FromRow, SqliteConnection};

use super::CatalogError;

/// What a transaction needs to know of a version that is there.
#[derive(FromRow)]
pub(super) struct Existing {
    pub(super) id: i64,
    pub(super) archive_digest: String,
    pub(super) archive_key: String,
    pub(super) provenance_digest: Option<String>,
    pub(super) provenance_key: Option<String>,
}

/// What happened to which version, and who did it.
pub(super) struct Event<'a> {
    pub(super) kind: &'static str,
    pub(super) chart: &'a str,
    pub(super) version: &'a str,
    pub(super) actor: &'a str,
}

/// Moves the repository's revision on, which also locks it for the rest of the transaction.
pub(super) async fn next_revision(
    connection: &mut SqliteConnection,
    repository_id: i64,
    now: Timestamp,
) -> Result<Option<(i64, Timestamp)>, CatalogError> {
    let row: Option<(i64, i64)> = sqlx::query_as(
        "UPDATE repository SET revision = revision + 1, changed_at = MAX($2, changed_at + 1) WHERE id = $1 \
         RETURNING revision, changed_at",
    )
    .bind(repository_id)
    .bind(now.micros())
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|(revision, at)| (revision, Timestamp::from_micros(at))))
}

/// Returns the version that is there under this name.
pub(super) async fn find_existing(
    connection: &mut SqliteConnection,
    repository_id: i64,
    chart: &str,
    version: &str,
) -> Result<Option<Existing>, CatalogError> {
    Ok(sqlx::query_as(
        "SELECT v.id, a.digest AS archive_digest, a.storage_key AS archive_key, p.digest AS provenance_digest, \
         p.storage_key AS provenance_key FROM version v JOIN blob a ON a.id = v.archive_blob_id \
         LEFT JOIN blob p ON p.id = v.provenance_blob_id \
         WHERE v.repository_id = $1 AND v.chart = $2 AND v.version = $3",
    )
    .bind(repository_id)
    .bind(chart)
    .bind(version)
    .fetch_optional(connection)
    .await?)
}

/// Writes the event of `revision`.
pub(super) async fn insert_event(
    connection: &mut SqliteConnection,
    repository_id: i64,
    revision: i64,
    event: &Event<'_>,
    digest: &str,
    at: Timestamp,
) -> Result<(), CatalogError> {
    sqlx::query(
        "INSERT INTO event (repository_id, revision, kind, chart, version, digest, actor, at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(repository_id)
    .bind(revision)
    .bind(event.kind)
    .bind(event.chart)
    .bind(event.version)
    .bind(digest)
    .bind(event.actor)
    .bind(at.micros())
    .execute(connection)
    .await?;
    Ok(())
}
