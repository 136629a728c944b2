//! Records a version, or provenance for one: blobs, row, event and index entry in one transaction.

use bytes::Bytes;
use chart::{ChartName, ChartVersion, Timestamp};
use oci::Digest;
use sqlx::SqliteConnection;

use super::blobs::{BlobToRecord, record_blob};
use super::changes::{IndexChange, IndexRow};
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

/// A version with its entry made, on its way into the tables.
struct Row {
    repository_id: i64,
    chart: ChartName,
    version: ChartVersion,
    file_name: String,
    archive: BlobToRecord,
    provenance: Option<BlobToRecord>,
    entry: Bytes,
    may_overwrite: bool,
    must_exist: bool,
    created_at: Timestamp,
    actor: String,
    limits: VersionLimits,
}

impl NewVersion {
    fn into_row(self, at: Timestamp) -> Row {
        let created_at = self.created_at.unwrap_or(at);
        Row {
            entry: (self.entry)(created_at).into(),
            repository_id: self.repository_id,
            chart: self.chart,
            version: self.version,
            file_name: self.file_name,
            archive: self.archive,
            provenance: self.provenance,
            may_overwrite: self.may_overwrite,
            must_exist: self.must_exist,
            created_at,
            actor: self.actor,
            limits: self.limits,
        }
    }
}

impl Row {
    fn has_archive_of(&self, existing: &Existing) -> bool {
        existing.archive_digest == self.archive.digest().to_string()
    }

    /// Returns the row as the index will read it.
    fn into_change(self, revision: i64, at: Timestamp) -> IndexChange {
        let shown = IndexRow {
            chart: self.chart.clone(),
            version: self.version.clone(),
            created_at: self.created_at,
            entry: self.entry,
            archive: self.archive.key().clone(),
            archive_size_bytes: self.archive.size_bytes(),
            provenance: self.provenance.map(|blob| blob.key().clone()),
        };
        IndexChange { revision, at, chart: self.chart, version: self.version, shown: Some(shown) }
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
    let row = new.into_row(at);
    // Before the bytes are recorded: a flat file keeps its key, so its row would already speak of the new ones.
    let (chart, version) = (row.chart.as_str(), row.version.as_str());
    let existing = find_existing(connection, row.repository_id, chart, version).await?;
    if let Some(refusal) = match &existing {
        Some(existing) => refuse(&row, existing, revision),
        None => refuse_new(connection, &row).await?,
    } {
        return Ok(refusal);
    }
    let Some(ids) = record_blobs(connection, &row, at).await? else { return Ok(Recorded::BlobGone) };
    let is_new = existing.is_none();
    let (kind, mut released) = match existing {
        None if insert_version(connection, &row, ids).await? => ("published", Vec::new()),
        None => return holder_of(connection, &row).await,
        Some(existing) => {
            let kind = if row.has_archive_of(&existing) { "provenance" } else { "overwritten" };
            (kind, replace_version(connection, &row, &existing, ids).await?)
        }
    };
    let event = Event { kind, chart: row.chart.as_str(), version: row.version.as_str(), actor: &row.actor };
    insert_event(connection, row.repository_id, revision, &event, &row.archive.digest().to_string(), at)
        .await?;
    let last = match row.limits.versions_per_chart {
        None => None,
        Some(limit) => evict(connection, row.repository_id, &event, limit, &mut released, at).await?,
    };
    let change = (is_new && last.is_none()).then(|| Box::new(row.into_change(revision, at)));
    Ok(Recorded::Done { revision: last.unwrap_or(revision), released, change })
}

/// The ids of the rows of the archive's and the provenance's bytes.
#[derive(Clone, Copy)]
struct BlobIds {
    archive: i64,
    provenance: Option<i64>,
}

/// Decides whether a version that is not there may come; `None` lets it through.
async fn refuse_new(connection: &mut SqliteConnection, row: &Row) -> Result<Option<Recorded>, CatalogError> {
    if row.must_exist {
        return Ok(Some(Recorded::VersionUnknown));
    }
    let Some(objects) = row.limits.objects else { return Ok(None) };
    let count = count_objects(connection, row.repository_id).await?;
    Ok((count >= objects).then_some(Recorded::Full { objects }))
}

/// Records the bytes of archive and provenance; `None` when known ones were collected meanwhile.
async fn record_blobs(
    connection: &mut SqliteConnection,
    row: &Row,
    at: Timestamp,
) -> Result<Option<BlobIds>, CatalogError> {
    let Some(archive) = record_blob(connection, &row.archive, at).await? else { return Ok(None) };
    let Some(blob) = &row.provenance else { return Ok(Some(BlobIds { archive, provenance: None })) };
    let provenance = record_blob(connection, blob, at).await?;
    Ok(provenance.map(|id| BlobIds { archive, provenance: Some(id) }))
}

/// Decides between what is there and what comes; `None` lets it through.
fn refuse(new: &Row, existing: &Existing, revision: i64) -> Option<Recorded> {
    let same_archive = new.has_archive_of(existing);
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

/// Inserts the version's row; returns false when its name or its file name is taken.
async fn insert_version(
    connection: &mut SqliteConnection,
    row: &Row,
    ids: BlobIds,
) -> Result<bool, CatalogError> {
    let inserted = sqlx::query(
        "INSERT INTO version (repository_id, chart, version, file_name, state, archive_blob_id, provenance_blob_id, \
         entry, created_at) VALUES ($1, $2, $3, $4, 'approved', $5, $6, $7, $8) ON CONFLICT DO NOTHING",
    )
    .bind(row.repository_id)
    .bind(row.chart.as_str())
    .bind(row.version.as_str())
    .bind(&row.file_name)
    .bind(ids.archive)
    .bind(ids.provenance)
    .bind(&*row.entry)
    .bind(row.created_at.micros())
    .execute(connection)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Says who has the file name that this version would have.
async fn holder_of(connection: &mut SqliteConnection, row: &Row) -> Result<Recorded, CatalogError> {
    let (chart, version) =
        sqlx::query_as("SELECT chart, version FROM version WHERE repository_id = $1 AND file_name = $2")
            .bind(row.repository_id)
            .bind(&row.file_name)
            .fetch_one(connection)
            .await?;
    Ok(Recorded::FileNameTaken { chart, version })
}

/// Puts new bytes or provenance in the place of what is there; returns the keys that lost their last reference.
async fn replace_version(
    connection: &mut SqliteConnection,
    row: &Row,
    existing: &Existing,
    ids: BlobIds,
) -> Result<Vec<BlobKey>, CatalogError> {
    let same_archive = row.has_archive_of(existing);
    let mut released = Vec::new();
    if same_archive {
        sqlx::query("UPDATE version SET provenance_blob_id = COALESCE($2, provenance_blob_id) WHERE id = $1")
            .bind(existing.id)
            .bind(ids.provenance)
            .execute(connection)
            .await?;
    } else {
        // The old provenance names other bytes, so it goes with them.
        sqlx::query(
            "UPDATE version SET archive_blob_id = $2, provenance_blob_id = $3, entry = $4, created_at = $5 WHERE id = $1",
        )
        .bind(existing.id)
        .bind(ids.archive)
        .bind(ids.provenance)
        .bind(&*row.entry)
        .bind(row.created_at.micros())
        .execute(connection)
        .await?;
        released.push(existing.archive_key.clone());
    }
    if !same_archive || row.provenance.is_some() {
        released.extend(existing.provenance_key.clone());
    }
    let in_use = [Some(row.archive.key()), row.provenance.as_ref().map(BlobToRecord::key)];
    released.retain(|key| !in_use.iter().flatten().any(|used| used.as_str() == key));
    Ok(released.into_iter().map(BlobKey::from_catalog).collect())
}
