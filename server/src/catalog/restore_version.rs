//! Brings a removed version back as it was, with an event that says so.

use chart::Timestamp;
use sqlx::FromRow;

use super::chart_manifests::bring_manifests_back;
use super::connection::{Connection, on};
use super::events::{Event, NotLocked, Weight, insert_event, next_revision};
use super::writer::{Change, Outcome};
use super::{Catalog, CatalogError, Hint};

/// What became of a version that was to be brought back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Restored {
    /// It is there again, with its bytes and the time of its publication.
    Done {
        /// The repository's revision with it.
        revision: i64,
    },
    /// A version of this name, or of its file name, is there.
    Exists,
    /// Nothing of that name was removed lately.
    Unknown,
    /// The repository would hold more than it may.
    BeyondQuota,
    /// Nothing may be written at the moment.
    ReadOnly {
        /// Why.
        reason: String,
    },
}

/// A version that is to come back.
#[derive(Debug, Clone)]
pub(crate) struct Restoration {
    pub(crate) repository_id: i64,
    pub(crate) chart: String,
    pub(crate) version: String,
    pub(crate) actor: String,
}

impl Catalog {
    /// Brings back the version as it was when it was last removed.
    pub(crate) async fn restore_version(
        &self,
        restoration: Restoration,
        now: Timestamp,
    ) -> Result<Restored, CatalogError> {
        let repository_id = restoration.repository_id;
        let restored = self.make(RestoreVersion { restoration, now }).await?;
        if matches!(restored, Restored::Done { .. }) {
            self.hints.send(Hint::Repository(repository_id));
        }
        Ok(restored)
    }
}

struct RestoreVersion {
    restoration: Restoration,
    now: Timestamp,
}

#[derive(FromRow)]
struct Aside {
    id: i64,
    digest: String,
    bytes: i64,
}

impl Change for RestoreVersion {
    type Answer = Restored;

    fn repository_id(&self) -> Option<i64> {
        Some(self.restoration.repository_id)
    }

    async fn make(&self, connection: &mut Connection) -> Result<Outcome<Restored>, CatalogError> {
        let restored = restore(connection, &self.restoration, self.now).await?;
        Ok(match restored {
            Restored::Done { .. } => Outcome::Commit(restored),
            Restored::Exists | Restored::Unknown | Restored::BeyondQuota | Restored::ReadOnly { .. } => {
                Outcome::Discard(restored)
            }
        })
    }
}

async fn restore(
    connection: &mut Connection,
    restoration: &Restoration,
    now: Timestamp,
) -> Result<Restored, CatalogError> {
    let Restoration { repository_id, chart, version, actor } = restoration;
    let Some(aside) = find_aside(connection, restoration).await? else { return Ok(Restored::Unknown) };
    let weight = Weight { versions: 1, bytes: aside.bytes };
    let locked = match next_revision(connection, *repository_id, now, weight).await? {
        Ok(locked) => locked,
        Err(NotLocked::Gone) => return Ok(Restored::Unknown),
        Err(NotLocked::ReadOnly { reason }) => return Ok(Restored::ReadOnly { reason }),
    };
    if locked.passed_quota().is_some() {
        return Ok(Restored::BeyondQuota);
    }
    let inserted = on!(connection, |database| {
        sqlx::query(
        "INSERT INTO version (repository_id, chart, version, file_name, state, archive_blob_id, provenance_blob_id, \
         entry, created_at, manifest, manifest_digest, config, config_digest) \
         SELECT repository_id, chart, version, file_name, state, archive_blob_id, \
         provenance_blob_id, entry, created_at, manifest, manifest_digest, config, config_digest FROM removed_version WHERE id = $1 ON CONFLICT DO NOTHING"
    )
    .bind(aside.id)
    .execute(database)
    .await
    .map(|done| done.rows_affected())
    })?;
    if inserted == 0 {
        return Ok(Restored::Exists);
    }
    on!(connection, |database| sqlx::query("DELETE FROM removed_version WHERE id = $1")
        .bind(aside.id)
        .execute(database)
        .await
        .map(drop))?;
    bring_manifests_back(connection, *repository_id, chart, version, &aside.digest).await?;
    let event = Event { kind: "restored", chart, version, actor };
    insert_event(connection, *repository_id, locked, &event, &aside.digest).await?;
    Ok(Restored::Done { revision: locked.revision })
}

async fn find_aside(
    connection: &mut Connection,
    restoration: &Restoration,
) -> Result<Option<Aside>, CatalogError> {
    on!(connection, |database| sqlx::query_as(
        "SELECT r.id, a.digest, a.size_bytes + COALESCE(p.size_bytes, 0) AS bytes FROM removed_version r \
         JOIN blob a ON a.id = r.archive_blob_id LEFT JOIN blob p ON p.id = r.provenance_blob_id \
         WHERE r.repository_id = $1 AND r.chart = $2 AND r.version = $3 ORDER BY r.id DESC LIMIT 1"
    )
    .bind(restoration.repository_id)
    .bind(&restoration.chart)
    .bind(&restoration.version)
    .fetch_optional(database)
    .await)
}
