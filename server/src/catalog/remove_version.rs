//! Removes a version's rows with an event that says so; its bytes stay until they are collected.

use chart::Timestamp;

use super::chart_manifests::withdraw_manifests;
use super::connection::{Connection, on};
use super::events::{Event, NotLocked, Weight, count, find_existing, insert_event, next_revision};
use super::removed_versions::set_aside;
use super::writer::{Change, Outcome};
use super::{Catalog, CatalogError, Hint, NewVersion};
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
    /// Nothing may be written at the moment.
    ReadOnly {
        /// Why.
        reason: String,
    },
}

/// A version that is to go.
#[derive(Debug, Clone)]
pub(crate) struct Removal {
    pub(crate) repository_id: i64,
    pub(crate) chart: String,
    pub(crate) version: String,
    pub(crate) actor: String,
    /// Whether it may be brought back, which needs its bytes to stay.
    pub(crate) may_return: bool,
}

impl Catalog {
    /// Removes a version's rows; its bytes stay until they are collected.
    pub(crate) async fn remove_version(
        &self,
        removal: Removal,
        now: Timestamp,
    ) -> Result<Removed, CatalogError> {
        let repository_id = removal.repository_id;
        let removed = self.make(RemoveVersion { removal, now }).await?;
        if matches!(removed, Removed::Done { .. }) {
            self.hints.send(Hint::Repository(repository_id));
        }
        Ok(removed)
    }
}

struct RemoveVersion {
    removal: Removal,
    now: Timestamp,
}

impl Change for RemoveVersion {
    type Answer = Removed;

    fn repository_id(&self) -> Option<i64> {
        Some(self.removal.repository_id)
    }

    async fn make(&self, connection: &mut Connection) -> Result<Outcome<Removed>, CatalogError> {
        let removed = remove(connection, &self.removal, self.now).await?;
        Ok(match removed {
            Removed::Done { .. } => Outcome::Commit(removed),
            Removed::Unknown | Removed::ReadOnly { .. } => Outcome::Discard(removed),
        })
    }
}

/// Removes a version with its event; returns the revision and the keys it held.
async fn remove(
    connection: &mut Connection,
    removal: &Removal,
    now: Timestamp,
) -> Result<Removed, CatalogError> {
    let Removal { repository_id, chart, version, actor, may_return } = removal;
    let locked = match next_revision(connection, *repository_id, now, Weight::default()).await? {
        Ok(locked) => locked,
        Err(NotLocked::Gone) => return Ok(Removed::Unknown),
        Err(NotLocked::ReadOnly { reason }) => return Ok(Removed::ReadOnly { reason }),
    };
    let Some(existing) = find_existing(connection, *repository_id, chart, version).await? else {
        return Ok(Removed::Unknown);
    };
    if *may_return {
        set_aside(connection, existing.id, actor, locked.at).await?;
    }
    on!(connection, |database| sqlx::query("DELETE FROM version WHERE id = $1")
        .bind(existing.id)
        .execute(database)
        .await
        .map(drop))?;
    withdraw_manifests(connection, *repository_id, chart, version, locked.at).await?;
    count(connection, *repository_id, -existing.weight()).await?;
    let event = Event { kind: "deleted", chart, version, actor };
    insert_event(connection, *repository_id, locked, &event, &existing.archive_digest).await?;
    let keys = std::iter::once(existing.archive_key).chain(existing.provenance_key);
    Ok(Removed::Done { revision: locked.revision, released: keys.map(BlobKey::from_catalog).collect() })
}

/// Removes the oldest versions of a chart beyond `limit`, never the one just recorded; returns the last revision.
pub(super) async fn evict(
    connection: &mut Connection,
    recorded: &NewVersion,
    limit: u32,
    released: &mut Vec<BlobKey>,
    at: Timestamp,
) -> Result<Option<i64>, CatalogError> {
    let mut versions: Vec<String> = on!(connection, |database| sqlx::query_scalar(
        "SELECT version FROM version WHERE repository_id = $1 AND chart = $2 AND version <> $3 \
         ORDER BY created_at DESC, id DESC",
    )
    .bind(recorded.repository_id)
    .bind(recorded.chart.as_str())
    .bind(recorded.version.as_str())
    .fetch_all(database)
    .await)?;
    let others = usize::try_from(limit.saturating_sub(1)).unwrap_or(usize::MAX);
    let mut last = None;
    for version in versions.drain(others.min(versions.len())..) {
        let removal = Removal {
            repository_id: recorded.repository_id,
            chart: recorded.chart.as_str().to_owned(),
            version,
            actor: recorded.actor.clone(),
            may_return: recorded.keeps_replaced,
        };
        match remove(connection, &removal, at).await? {
            Removed::Done { revision, released: keys } => {
                last = Some(revision);
                released.extend(keys);
            }
            Removed::Unknown | Removed::ReadOnly { .. } => {}
        }
    }
    Ok(last)
}
