//! Records a version, or provenance for one: blobs, row, event and index entry in one transaction.

use std::sync::Arc;

use bytes::Bytes;
use chart::{ChartName, ChartVersion, Timestamp};
use oci::Digest;

use super::blobs::{BlobToRecord, record_blob};
use super::changes::{IndexChange, IndexRow};
use super::connection::{Connection, on};
use super::events::{
    Event, Existing, Locked, NotLocked, Weight, count, find_existing, insert_event, next_revision,
};
use super::remove_version::evict;
use super::removed_versions::set_aside;
use super::writer::{Change, Outcome};
use super::{Catalog, CatalogError};
use crate::blobs::BlobKey;

/// Makes the index entry of a version from the time of its publication.
pub(crate) type EntryWriter = Arc<dyn Fn(Timestamp) -> Vec<u8> + Send + Sync>;

/// A version to be recorded.
#[derive(Clone)]
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
    /// Whether what gives way may be brought back, which needs its bytes to stay.
    pub(crate) keeps_replaced: bool,
}

impl NewVersion {
    fn weight(&self) -> Weight {
        let bytes = self.archive.size_bytes() + self.provenance.as_ref().map_or(0, BlobToRecord::size_bytes);
        Weight { versions: 1, bytes: i64::try_from(bytes).unwrap_or(i64::MAX) }
    }
}

/// A version with its entry made, on its way into the tables.
struct Row<'a> {
    new: &'a NewVersion,
    entry: Bytes,
    created_at: Timestamp,
}

impl<'a> Row<'a> {
    fn of(new: &'a NewVersion, at: Timestamp) -> Self {
        let created_at = new.created_at.unwrap_or(at);
        Self { new, entry: (new.entry)(created_at).into(), created_at }
    }

    fn has_archive_of(&self, existing: &Existing) -> bool {
        existing.archive_digest == self.new.archive.digest().to_string()
    }

    fn event(&self, kind: &'static str) -> Event<'a> {
        let (chart, version) = (self.new.chart.as_str(), self.new.version.as_str());
        Event { kind, chart, version, actor: &self.new.actor }
    }

    /// Returns the row as the index will read it.
    fn into_change(self, revision: i64, at: Timestamp) -> IndexChange {
        let shown = IndexRow {
            chart: self.new.chart.clone(),
            version: self.new.version.clone(),
            created_at: self.created_at,
            entry: self.entry,
            archive: self.new.archive.key().clone(),
            archive_size_bytes: self.new.archive.size_bytes(),
            provenance: self.new.provenance.as_ref().map(|blob| blob.key().clone()),
        };
        let (chart, version) = (self.new.chart.clone(), self.new.version.clone());
        IndexChange { revision, at, chart, version, shown: Some(shown) }
    }
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
        /// What the index has to show, when this is all that changed.
        change: Option<Box<IndexChange>>,
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
    /// The repository would hold more versions than it may.
    TooManyVersions {
        /// How many it may hold.
        most: u64,
    },
    /// The repository would hold more bytes than it may.
    TooManyBytes {
        /// How many it may hold.
        most: u64,
    },
    /// Nothing may be written at the moment.
    ReadOnly {
        /// Why.
        reason: String,
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
        let recorded = self.make(RecordVersion { version, now }).await?;
        if matches!(recorded, Recorded::Done { .. }) {
            self.hints.send();
        }
        Ok(recorded)
    }
}

struct RecordVersion {
    version: NewVersion,
    now: Timestamp,
}

impl Change for RecordVersion {
    type Answer = Recorded;

    fn repository_id(&self) -> Option<i64> {
        Some(self.version.repository_id)
    }

    async fn make(&self, connection: &mut Connection) -> Result<Outcome<Recorded>, CatalogError> {
        let recorded = record(connection, &self.version, self.now).await?;
        Ok(match recorded {
            Recorded::Done { .. } => Outcome::Commit(recorded),
            Recorded::Unchanged { .. }
            | Recorded::Exists { .. }
            | Recorded::ProvenanceExists
            | Recorded::FileNameTaken { .. }
            | Recorded::Full { .. }
            | Recorded::TooManyVersions { .. }
            | Recorded::TooManyBytes { .. }
            | Recorded::ReadOnly { .. }
            | Recorded::BlobGone
            | Recorded::RepositoryGone
            | Recorded::VersionUnknown => Outcome::Discard(recorded),
        })
    }
}

async fn record(
    connection: &mut Connection,
    new: &NewVersion,
    now: Timestamp,
) -> Result<Recorded, CatalogError> {
    let locked = match next_revision(connection, new.repository_id, now, new.weight()).await? {
        Ok(locked) => locked,
        Err(NotLocked::Gone) => return Ok(Recorded::RepositoryGone),
        Err(NotLocked::ReadOnly { reason }) => return Ok(Recorded::ReadOnly { reason }),
    };
    let row = Row::of(new, locked.at);
    // Before the bytes are recorded: a flat file keeps its key, so its row would already speak of the new ones.
    let existing =
        find_existing(connection, new.repository_id, new.chart.as_str(), new.version.as_str()).await?;
    if let Some(refusal) = match &existing {
        Some(existing) => {
            refuse(&row, existing, locked.revision).or_else(|| refuse_larger(&row, existing, locked))
        }
        None => refuse_new(connection, &row, locked).await?,
    } {
        return Ok(refusal);
    }
    let Some(ids) = record_blobs(connection, &row, locked.at).await? else { return Ok(Recorded::BlobGone) };
    let is_new = existing.is_none();
    let (kind, mut released) = match existing {
        None if insert_version(connection, &row, ids).await? => ("published", Vec::new()),
        None => return holder_of(connection, &row).await,
        Some(existing) => {
            let kind = if row.has_archive_of(&existing) { "provenance" } else { "overwritten" };
            let (released, weight) = replace_version(connection, &row, &existing, ids, locked.at).await?;
            count(connection, new.repository_id, weight).await?;
            (kind, released)
        }
    };
    let event = row.event(kind);
    insert_event(connection, new.repository_id, locked, &event, &new.archive.digest().to_string()).await?;
    let last = match new.limits.versions_per_chart {
        None => None,
        Some(limit) => evict(connection, new, limit, &mut released, locked.at).await?,
    };
    let revision = locked.revision;
    let change = (is_new && last.is_none()).then(|| Box::new(row.into_change(revision, locked.at)));
    Ok(Recorded::Done { revision: last.unwrap_or(revision), released, change })
}

/// The ids of the rows of the archive's and the provenance's bytes.
#[derive(Clone, Copy)]
struct BlobIds {
    archive: i64,
    provenance: Option<i64>,
}

/// Decides whether a version that is not there may come; `None` lets it through.
async fn refuse_new(
    connection: &mut Connection,
    row: &Row<'_>,
    locked: Locked,
) -> Result<Option<Recorded>, CatalogError> {
    if row.new.must_exist {
        return Ok(Some(Recorded::VersionUnknown));
    }
    if let Some(refusal) = beyond_quota(locked) {
        return Ok(Some(refusal));
    }
    let Some(objects) = row.new.limits.objects else { return Ok(None) };
    let count = count_objects(connection, row.new.repository_id).await?;
    Ok((count >= objects).then_some(Recorded::Full { objects }))
}

/// Refuses bytes that take more room than those in whose place they come, where there is none.
fn refuse_larger(row: &Row<'_>, existing: &Existing, locked: Locked) -> Option<Recorded> {
    let (new, old) = (row.new.weight(), existing.weight());
    let holds =
        Weight { versions: locked.holds.versions - old.versions, bytes: locked.holds.bytes - old.bytes };
    let is_larger = new.bytes > old.bytes;
    beyond_quota(Locked { holds, ..locked }).filter(|_| is_larger)
}

/// Compares what the repository would hold with what it may.
fn beyond_quota(locked: Locked) -> Option<Recorded> {
    if let Some(most) = locked.most_versions.filter(|most| locked.holds.versions > *most) {
        return Some(Recorded::TooManyVersions { most: most.unsigned_abs() });
    }
    let most = locked.most_bytes.filter(|most| locked.holds.bytes > *most)?;
    Some(Recorded::TooManyBytes { most: most.unsigned_abs() })
}

/// Records the bytes of archive and provenance; `None` when known ones were collected meanwhile.
async fn record_blobs(
    connection: &mut Connection,
    row: &Row<'_>,
    at: Timestamp,
) -> Result<Option<BlobIds>, CatalogError> {
    let Some(archive) = record_blob(connection, &row.new.archive, at).await? else { return Ok(None) };
    let Some(blob) = &row.new.provenance else { return Ok(Some(BlobIds { archive, provenance: None })) };
    let provenance = record_blob(connection, blob, at).await?;
    Ok(provenance.map(|id| BlobIds { archive, provenance: Some(id) }))
}

/// Decides between what is there and what comes; `None` lets it through.
fn refuse(row: &Row<'_>, existing: &Existing, revision: i64) -> Option<Recorded> {
    let same_archive = row.has_archive_of(existing);
    if !same_archive && !row.new.may_overwrite {
        // What the catalog holds is a digest, so this always parses.
        return existing.archive_digest.parse().ok().map(|digest| Recorded::Exists { digest });
    }
    let same_provenance = match (&existing.provenance_digest, &row.new.provenance) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(there), Some(comes)) => {
            if *there != comes.digest().to_string() && !row.new.may_overwrite {
                return Some(Recorded::ProvenanceExists);
            }
            *there == comes.digest().to_string()
        }
    };
    (same_archive && same_provenance).then_some(Recorded::Unchanged { revision: revision - 1 })
}

async fn count_objects(connection: &mut Connection, repository_id: i64) -> Result<u64, CatalogError> {
    let count: i64 = on!(connection, |database| sqlx::query_scalar(
        "SELECT COUNT(*) + COUNT(provenance_blob_id) FROM version WHERE repository_id = $1",
    )
    .bind(repository_id)
    .fetch_one(database)
    .await)?;
    Ok(count.unsigned_abs())
}

/// Inserts the version's row; returns false when its name or its file name is taken.
async fn insert_version(
    connection: &mut Connection,
    row: &Row<'_>,
    ids: BlobIds,
) -> Result<bool, CatalogError> {
    let inserted = on!(connection, |database| {
        sqlx::query(
        "INSERT INTO version (repository_id, chart, version, file_name, state, archive_blob_id, provenance_blob_id, \
         entry, created_at) VALUES ($1, $2, $3, $4, 'approved', $5, $6, $7, $8) ON CONFLICT DO NOTHING",
    )
    .bind(row.new.repository_id)
    .bind(row.new.chart.as_str())
    .bind(row.new.version.as_str())
    .bind(&row.new.file_name)
    .bind(ids.archive)
    .bind(ids.provenance)
    .bind(&*row.entry)
    .bind(row.created_at.micros())
    .execute(database)
    .await
    .map(|done| done.rows_affected())
    })?;
    Ok(inserted == 1)
}

/// Says who has the file name that this version would have.
async fn holder_of(connection: &mut Connection, row: &Row<'_>) -> Result<Recorded, CatalogError> {
    let (chart, version) = on!(connection, |database| sqlx::query_as(
        "SELECT chart, version FROM version WHERE repository_id = $1 AND file_name = $2"
    )
    .bind(row.new.repository_id)
    .bind(&row.new.file_name)
    .fetch_one(database)
    .await)?;
    Ok(Recorded::FileNameTaken { chart, version })
}

/// Puts new bytes or provenance in the place of what is there; returns the keys that lost their last reference, and by
/// how much the repository was counted too high for a new version.
async fn replace_version(
    connection: &mut Connection,
    row: &Row<'_>,
    existing: &Existing,
    ids: BlobIds,
    at: Timestamp,
) -> Result<(Vec<BlobKey>, Weight), CatalogError> {
    let same_archive = row.has_archive_of(existing);
    let new = row.new;
    if new.keeps_replaced {
        set_aside(connection, existing.id, &new.actor, at).await?;
    }
    let mut released = Vec::new();
    if same_archive {
        on!(connection, |database| sqlx::query(
            "UPDATE version SET provenance_blob_id = COALESCE($2, provenance_blob_id) WHERE id = $1"
        )
        .bind(existing.id)
        .bind(ids.provenance)
        .execute(database)
        .await
        .map(drop))?;
    } else {
        // The old provenance names other bytes, so it goes with them.
        on!(connection, |database| {
            sqlx::query(
            "UPDATE version SET archive_blob_id = $2, provenance_blob_id = $3, entry = $4, created_at = $5 WHERE id = $1",
        )
        .bind(existing.id)
        .bind(ids.archive)
        .bind(ids.provenance)
        .bind(&*row.entry)
        .bind(row.created_at.micros())
        .execute(database)
        .await
        .map(drop)
        })?;
        released.push(existing.archive_key.clone());
    }
    let keeps_provenance = same_archive && new.provenance.is_none();
    if !keeps_provenance {
        released.extend(existing.provenance_key.clone());
    }
    let in_use = [Some(new.archive.key()), new.provenance.as_ref().map(BlobToRecord::key)];
    released.retain(|key| !in_use.iter().flatten().any(|used| used.as_str() == key));
    let mut weight = -existing.weight();
    if keeps_provenance {
        weight.bytes += existing.provenance_size_bytes.unwrap_or_default();
    }
    Ok((released.into_iter().map(BlobKey::from_catalog).collect(), weight))
}
