//! Records a version, or provenance for one: blobs, row, event and index entry in one transaction.

mod insert;
mod recorded;
mod refuse;
mod replace;

use std::sync::Arc;

use bytes::Bytes;
use chart::artifact::Minted;
use chart::{ChartName, ChartVersion, Timestamp};
use insert::insert_new;
use oci::OciName;
pub(crate) use recorded::{Recorded, VersionLimits};
use refuse::{refuse, refuse_larger};
use replace::replace_version;

use super::blobs::{BlobToRecord, record_blob};
use super::changes::{IndexChange, IndexRow};
use super::connection::Connection;
use super::events::{
    Event, Existing, Locked, NotLocked, Weight, count, find_existing, insert_event, next_revision,
};
use super::remove_version::evict;
use super::writer::{Change, Outcome};
use super::{Catalog, CatalogError, Hint};
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
    /// The manifest that is served where nobody pushed one.
    pub(crate) minted: Arc<Minted>,
    /// The name it has in the registry, if it can have one.
    pub(crate) oci_name: Option<OciName>,
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

impl Catalog {
    /// Records a version with its blobs, event and index entry, or says what stands against it.
    pub(crate) async fn record_version(
        &self,
        version: NewVersion,
        now: Timestamp,
    ) -> Result<Recorded, CatalogError> {
        let repository_id = version.repository_id;
        let recorded = self.make(RecordVersion { version, now }).await?;
        if matches!(recorded, Recorded::Done { .. }) {
            self.hints.send(Hint::Repository(repository_id));
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
            | Recorded::NameHoldsImages { .. }
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
    // What is there is asked only when it stands in the way: nearly every version is new.
    let refusal = match insert_new(connection, &row, locked).await? {
        None => return finish(connection, row, locked, Vec::new(), true).await,
        Some(refusal) => refusal,
    };
    let (chart, version) = (new.chart.as_str(), new.version.as_str());
    let Some(existing) = find_existing(connection, new.repository_id, chart, version).await? else {
        return Ok(refusal);
    };
    if let Some(refusal) =
        refuse(&row, &existing, locked.revision).or_else(|| refuse_larger(&row, &existing, locked))
    {
        return Ok(refusal);
    }
    let Some(ids) = record_blobs(connection, &row, locked.at).await? else { return Ok(Recorded::BlobGone) };
    let kind = if row.has_archive_of(&existing) { "provenance" } else { "overwritten" };
    let (released, weight) = replace_version(connection, &row, &existing, ids, locked.at).await?;
    count(connection, new.repository_id, weight).await?;
    let (event, digest) = (row.event(kind), new.archive.digest().to_string());
    insert_event(connection, new.repository_id, locked, &event, &digest).await?;
    finish(connection, row, locked, released, false).await
}

/// Lets the oldest versions give way where the chart has too many, and says what the index has to show.
async fn finish(
    connection: &mut Connection,
    row: Row<'_>,
    locked: Locked,
    mut released: Vec<BlobKey>,
    is_new: bool,
) -> Result<Recorded, CatalogError> {
    let last = match row.new.limits.versions_per_chart {
        None => None,
        Some(limit) => evict(connection, row.new, limit, &mut released, locked.at).await?,
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
