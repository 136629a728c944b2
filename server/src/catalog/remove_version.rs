//! Removes a version's rows with an event that says so; its bytes stay until they are collected.

use chart::Timestamp;
use sqlx::SqliteConnection;

use super::events::{Event, find_existing, insert_event, next_revision};
use super::writer::Outcome;
use super::{Catalog, CatalogError};
use crate::blobs::BlobKey;

/// What became of a version that was to be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Removed {
    /// It is no longer there.
    Done {
        /// The repository's revision without it.
        revision: i64,
        /// The keys of its archive and provenance.
        released: Vec<BlobKey>,
    },
    /// It was not there.
    Unknown,
}

impl Catalog {
    /// Removes a version's rows; its bytes stay until they are collected.
    pub(crate) async fn remove_version(
        &self,
        repository_id: i64,
        chart: &str,
        version: &str,
        actor: &str,
        now: Timestamp,
    ) -> Result<Removed, CatalogError> {
        let (chart, version, actor) = (chart.to_owned(), version.to_owned(), actor.to_owned());
        self.writer
            .change(move |connection| {
                Box::pin(async move {
                    let event = Event { kind: "deleted", chart: &chart, version: &version, actor: &actor };
                    match remove(connection, repository_id, event, now).await? {
                        Some((revision, released)) => {
                            Ok(Outcome::Commit(Removed::Done { revision, released }))
                        }
                        None => Ok(Outcome::Discard(Removed::Unknown)),
                    }
                })
            })
            .await
    }
}

/// Removes a version with its event; returns the revision and the keys it held, or `None` when it was not there.
async fn remove(
    connection: &mut SqliteConnection,
    repository_id: i64,
    event: Event<'_>,
    now: Timestamp,
) -> Result<Option<(i64, Vec<BlobKey>)>, CatalogError> {
    let Some(existing) = find_existing(connection, repository_id, event.chart, event.version).await? else {
        return Ok(None);
    };
    let Some((revision, at)) = next_revision(connection, repository_id, now).await? else { return Ok(None) };
    sqlx::query("DELETE FROM version WHERE id = $1").bind(existing.id).execute(&mut *connection).await?;
    insert_event(connection, repository_id, revision, &event, &existing.archive_digest, at).await?;
    let keys = std::iter::once(existing.archive_key).chain(existing.provenance_key);
    Ok(Some((revision, keys.map(BlobKey::from_catalog).collect())))
}

/// Removes the oldest versions of a chart beyond `limit`, never the one just recorded; returns the last revision.
pub(super) async fn evict(
    connection: &mut SqliteConnection,
    repository_id: i64,
    recorded: &Event<'_>,
    limit: u32,
    released: &mut Vec<BlobKey>,
    at: Timestamp,
) -> Result<Option<i64>, CatalogError> {
    let others: Vec<String> = sqlx::query_scalar(
        "SELECT version FROM version WHERE repository_id = $1 AND chart = $2 AND version <> $3 \
         ORDER BY created_at DESC, id DESC LIMIT -1 OFFSET $4",
    )
    .bind(repository_id)
    .bind(recorded.chart)
    .bind(recorded.version)
    .bind(limit.saturating_sub(1))
    .fetch_all(&mut *connection)
    .await?;
    let mut last = None;
    for version in others {
        let event =
            Event { kind: "deleted", chart: recorded.chart, version: &version, actor: recorded.actor };
        if let Some((revision, keys)) = remove(connection, repository_id, event, at).await? {
            last = Some(revision);
            released.extend(keys);
        }
    }
    Ok(last)
}
