//! Records a version, or provenance for one: blobs, row, event and index entry in one transaction.

use chart::{ChartName, ChartVersion, Timestamp};
use oci::Digest;
use sqlx::SqliteConnection;

use super::blobs::{BlobToRecord, record_blob};
use super::events::{Event, Existing, find_existing, insert_event, next_revision};
use super::remove_version::evict;
use super::writer::Outcome;
use super::{Catalog, CatalogError};
use crate::blobs::BlobKey;

/// Makes the index entry of a version from the time of its publication.
pub(crate) type EntryWriter = Box<dyn FnOnce(Timestamp) -> Vec<u8> + Send>;

/// A version to be recorded.
pub(crate) struct NewVersion {
    pub(crate) repository_id: i64,
    pub(crate) chart: ChartName,
    pub(crate) version: ChartVersion,
    pub(crate) file_name: String,
    pub(crate) archive: BlobToRecord,
    pub(crate) provenance: Option<BlobToRecord>,
    pub(crate) entry: EntryWriter,
    /// Whether other bytes may take the place of what is there.
    pub(crate) may_overwrite: bool,
    /// Refuses to make the version: it only gets its provenance.
    pub(crate) must_exist: bool,
    /// The time of publication when it is not now: a file found in a folder has its own.
    pub(crate) created_at: Option<Timestamp>,
    pub(crate) actor: String,
    pub(crate) limits: VersionLimits,
}

/// How much a repository may hold; `None` for no limit.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct VersionLimits {
    /// Archives and provenance files together.
    pub(crate) objects: Option<u64>,
    /// Versions of one chart: the oldest give way.
    pub(crate) versions_per_chart: Option<u32>,
}

/// What became of a version that was to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Recorded {
    /// It is new, or took the place of other bytes.
    Done {
        /// The repository's revision with it.
        revision: i64,
        /// Keys that nothing refers to any longer.
        released: Vec<BlobKey>,
    },
    /// The same bytes were there; nothing changed.
    Unchanged {
        /// The repository's revision, which has it.
        revision: i64,
    },
    /// Other bytes are published under the same name and version.
    Exists {
        /// Their digest.
        digest: Digest,
    },
    /// Another provenance file is published for this version.
    ProvenanceExists,
    /// Another chart and version share the archive's file name.
    FileNameTaken {
        /// That chart.
        chart: String,
        /// Its version.
        version: String,
    },
    /// The repository holds as many objects as it may.
    Full {
        /// How many that is.
        objects: u64,
    },
    /// A blob that was known has been collected since: keep the bytes again.
    BlobGone,
    /// The repository is gone.
    RepositoryGone,
    /// Provenance came for a version that is not there.
    VersionUnknown,
}

impl Catalog {
    /// Records a version with its blobs, event and index entry, or says what stands against it.
    pub(crate) async fn record_version(
        &self,
        version: NewVersion,
        now: Timestamp,
    ) -> Result<Recorded, CatalogError> {
        self.writer
            .change(move |connection| {
                Box::pin(async move {
                    let recorded = record(connection, version, now).await?;
                    Ok(match recorded {
                        Recorded::Done { .. } => Outcome::Commit(recorded),
                        Recorded::Unchanged { .. }
                        | Recorded::Exists { .. }
                        | Recorded::ProvenanceExists
                        | Recorded::FileNameTaken { .. }
                        | Recorded::Full { .. }
                        | Recorded::BlobGone
                        | Recorded::RepositoryGone
                        | Recorded::VersionUnknown => Outcome::Discard(recorded),
                    })
                })
            })
            .await
    }
}

async fn record(
    connection: &mut SqliteConnection,
    new: NewVersion,
    now: Timestamp,
) -> Result<Recorded, CatalogError> {
    let Some((revision, at)) = next_revision(connection, new.repository_id, now).await? else {
        return Ok(Recorded::RepositoryGone);
    };
    let existing =
        find_existing(connection, new.repository_id, new.chart.as_str(), new.version.as_str()).await?;
    if new.must_exist && existing.is_none() {
        return Ok(Recorded::VersionUnknown);
    }
    if let Some(refusal) = refuse(&new, existing.as_ref(), revision) {
        return Ok(refusal);
    }
    if let Some(limit) = new.limits.objects
        && existing.is_none()
        && count_objects(connection, new.repository_id).await? >= limit
    {
        return Ok(Recorded::Full { objects: limit });
    }
    let Some(archive_id) = record_blob(connection, &new.archive, at).await? else {
        return Ok(Recorded::BlobGone);
    };
    let provenance_id = match &new.provenance {
        None => None,
        Some(blob) => match record_blob(connection, blob, at).await? {
            Some(id) => Some(id),
            None => return Ok(Recorded::BlobGone),
        },
    };
    let kind = match &existing {
        None => "published",
        Some(existing) if existing.archive_digest == new.archive.digest().to_string() => "provenance",
        Some(_) => "overwritten",
    };
    let event_actor = new.actor.clone();
    let (repository_id, chart, version) = (new.repository_id, new.chart.clone(), new.version.clone());
    let (digest, limit) = (new.archive.digest().clone(), new.limits.versions_per_chart);
    let mut released = match existing {
        None => match insert_version(connection, new, archive_id, provenance_id, at).await? {
            None => Vec::new(),
            Some((chart, version)) => return Ok(Recorded::FileNameTaken { chart, version }),
        },
        Some(existing) => replace_version(connection, new, &existing, archive_id, provenance_id, at).await?,
    };
    let event = Event { kind, chart: chart.as_str(), version: version.as_str(), actor: &event_actor };
    insert_event(connection, repository_id, revision, &event, &digest.to_string(), at).await?;
    let mut last = revision;
    if let Some(limit) = limit {
        last = evict(connection, repository_id, &event, limit, &mut released, at).await?.unwrap_or(revision);
    }
    Ok(Recorded::Done { revision: last, released })
}

/// Decides between what is there and what comes; `None` lets it through.
fn refuse(new: &NewVersion, existing: Option<&Existing>, revision: i64) -> Option<Recorded> {
    let existing = existing?;
    let same_archive = existing.archive_digest == new.archive.digest().to_string();
    if !same_archive && !new.may_overwrite {
        // What the catalog holds is a digest, so this always parses.
        return existing.archive_digest.parse().ok().map(|digest| Recorded::Exists { digest });
    }
    let same_provenance = match (&existing.provenance_digest, &new.provenance) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(there), Some(comes)) => {
            if *there != comes.digest().to_string() && !new.may_overwrite {
                return Some(Recorded::ProvenanceExists);
            }
            *there == comes.digest().to_string()
        }
    };
    (same_archive && same_provenance).then_some(Recorded::Unchanged { revision: revision - 1 })
}

async fn count_objects(connection: &mut SqliteConnection, repository_id: i64) -> Result<u64, CatalogError> {
    let count: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) + COUNT(provenance_blob_id) FROM version WHERE repository_id = $1",
    )
    .bind(repository_id)
    .fetch_one(connection)
    .await?;
    Ok(count.unsigned_abs())
}

/// Inserts the version's row; returns the chart and version that hold its file name when it is taken.
async fn insert_version(
    connection: &mut SqliteConnection,
    new: NewVersion,
    archive_id: i64,
    provenance_id: Option<i64>,
    at: Timestamp,
) -> Result<Option<(String, String)>, CatalogError> {
    let created_at = new.created_at.unwrap_or(at);
    let inserted = sqlx::query(
        "INSERT INTO version (repository_id, chart, version, file_name, state, archive_blob_id, provenance_blob_id, \
         entry, created_at) VALUES ($1, $2, $3, $4, 'approved', $5, $6, $7, $8) ON CONFLICT DO NOTHING",
    )
    .bind(new.repository_id)
    .bind(new.chart.as_str())
    .bind(new.version.as_str())
    .bind(&new.file_name)
    .bind(archive_id)
    .bind(provenance_id)
    .bind((new.entry)(created_at))
    .bind(created_at.micros())
    .execute(&mut *connection)
    .await?;
    if inserted.rows_affected() == 1 {
        return Ok(None);
    }
    let holder: (String, String) =
        sqlx::query_as("SELECT chart, version FROM version WHERE repository_id = $1 AND file_name = $2")
            .bind(new.repository_id)
            .bind(&new.file_name)
            .fetch_one(connection)
            .await?;
    Ok(Some(holder))
}

/// Puts new bytes or provenance in the place of what is there; returns the keys that lost their last reference.
async fn replace_version(
    connection: &mut SqliteConnection,
    new: NewVersion,
    existing: &Existing,
    archive_id: i64,
    provenance_id: Option<i64>,
    at: Timestamp,
) -> Result<Vec<BlobKey>, CatalogError> {
    let same_archive = existing.archive_digest == new.archive.digest().to_string();
    let mut released = Vec::new();
    if same_archive {
        sqlx::query("UPDATE version SET provenance_blob_id = COALESCE($2, provenance_blob_id) WHERE id = $1")
            .bind(existing.id)
            .bind(provenance_id)
            .execute(connection)
            .await?;
    } else {
        let created_at = new.created_at.unwrap_or(at);
        // The old provenance names other bytes, so it goes with them.
        sqlx::query(
            "UPDATE version SET archive_blob_id = $2, provenance_blob_id = $3, entry = $4, created_at = $5 WHERE id = $1",
        )
        .bind(existing.id)
        .bind(archive_id)
        .bind(provenance_id)
        .bind((new.entry)(created_at))
        .bind(created_at.micros())
        .execute(connection)
        .await?;
        released.push(existing.archive_key.clone());
    }
    if !same_archive || new.provenance.is_some() {
        released.extend(existing.provenance_key.clone());
    }
    let in_use = [Some(new.archive.key()), new.provenance.as_ref().map(BlobToRecord::key)];
    released.retain(|key| !in_use.iter().flatten().any(|used| used.as_str() == key));
    Ok(released.into_iter().map(BlobKey::from_catalog).collect())
}
