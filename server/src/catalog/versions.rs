//! Published versions, as they are read.

use chart::index::IndexEntry;
use chart::{ChartMetadata, ChartName, ChartVersion, Timestamp};
use oci::Digest;
use sqlx::FromRow;

use super::BlobRow;
use super::blobs::digest_from_catalog;
use super::changes::{name_from_catalog, version_from_catalog};
use super::connection::read;
use super::{Catalog, CatalogError};
use crate::blobs::BlobKey;

/// One version as the catalog holds it.
#[derive(Debug, Clone)]
pub(crate) struct VersionRow {
    pub(crate) chart: ChartName,
    pub(crate) version: ChartVersion,
    pub(crate) created_at: Timestamp,
    /// The full index entry as compact JSON.
    pub(crate) entry: Vec<u8>,
    pub(crate) archive: BlobKey,
    pub(crate) archive_digest: Digest,
    pub(crate) archive_size_bytes: u64,
    archive_blob_id: i64,
}

impl VersionRow {
    /// Returns what its `Chart.yaml` says, as its index entry has it.
    ///
    /// # Errors
    /// [`CatalogError::Corrupt`] for an entry no version of this program wrote.
    pub(crate) fn metadata(&self) -> Result<ChartMetadata, CatalogError> {
        metadata_of_entry(&self.entry)
    }

    /// Returns the row of the archive's bytes.
    pub(crate) fn archive_row(&self) -> BlobRow {
        BlobRow {
            id: self.archive_blob_id,
            digest: self.archive_digest.clone(),
            size_bytes: self.archive_size_bytes,
            key: self.archive.clone(),
        }
    }
}

#[derive(FromRow)]
struct RawVersion {
    chart: String,
    version: String,
    created_at: i64,
    entry: Vec<u8>,
    archive_key: String,
    archive_digest: String,
    archive_size_bytes: i64,
    archive_blob_id: i64,
}

impl TryFrom<RawVersion> for VersionRow {
    type Error = CatalogError;

    fn try_from(raw: RawVersion) -> Result<Self, CatalogError> {
        Ok(Self {
            chart: name_from_catalog(&raw.chart)?,
            version: version_from_catalog(&raw.version)?,
            created_at: Timestamp::from_micros(raw.created_at),
            entry: raw.entry,
            archive: BlobKey::from_catalog(raw.archive_key),
            archive_digest: digest_from_catalog(&raw.archive_digest)?,
            archive_size_bytes: raw.archive_size_bytes.unsigned_abs(),
            archive_blob_id: raw.archive_blob_id,
        })
    }
}

/// Reads a chart's metadata out of an index entry.
pub(super) fn metadata_of_entry(entry: &[u8]) -> Result<ChartMetadata, CatalogError> {
    let read = || {
        let entry = serde_json::from_slice(entry).ok()?;
        Some(IndexEntry::from_json(&entry).ok()?.metadata)
    };
    read().ok_or_else(|| CatalogError::Corrupt {
        what: "index entry",
        value: String::from_utf8_lossy(entry).into_owned(),
    })
}

/// The part of every query that returns [`VersionRow`]s.
macro_rules! select_versions {
    ($rest:literal) => {
        concat!(
            "SELECT v.chart, v.version, v.created_at, v.entry, a.storage_key AS archive_key, \
             a.digest AS archive_digest, a.size_bytes AS archive_size_bytes, a.id AS archive_blob_id \
             FROM version v JOIN blob a ON a.id = v.archive_blob_id ",
            $rest
        )
    };
}

/// More charts than a repository can have; what "no limit" means differs between the databases.
const EVERYTHING: i64 = i32::MAX as i64;

/// A version as a file of the flat layout.
#[derive(Debug, Clone)]
pub(crate) struct FlatFile {
    pub(crate) chart: String,
    pub(crate) version: String,
    pub(crate) file_name: String,
    /// When the file was last written.
    pub(crate) modified: Timestamp,
    pub(crate) size_bytes: u64,
    pub(crate) has_provenance: bool,
}

impl Catalog {
    /// Returns every version of a repository as the file it lies in.
    pub(crate) async fn list_flat_files(&self, repository_id: i64) -> Result<Vec<FlatFile>, CatalogError> {
        let rows: Vec<(String, String, String, i64, i64, bool)> = read!(self, |database| {
            sqlx::query_as(
            "SELECT v.chart, v.version, v.file_name, v.created_at, b.size_bytes, v.provenance_blob_id IS NOT NULL \
             FROM version v JOIN blob b ON b.id = v.archive_blob_id WHERE v.repository_id = $1",
        )
        .bind(repository_id)
        .fetch_all(database).await
        })?;
        let rows =
            rows.into_iter().map(|(chart, version, file_name, modified, size_bytes, has_provenance)| {
                FlatFile {
                    chart,
                    version,
                    file_name,
                    modified: Timestamp::from_micros(modified),
                    size_bytes: size_bytes.unsigned_abs(),
                    has_provenance,
                }
            });
        Ok(rows.collect())
    }

    /// Returns one version by its exact chart and version text.
    pub(crate) async fn find_version(
        &self,
        repository_id: i64,
        chart: &str,
        version: &str,
    ) -> Result<Option<VersionRow>, CatalogError> {
        let raw: Option<RawVersion> = read!(self, |database| sqlx::query_as(select_versions!(
            "WHERE v.repository_id = $1 AND v.chart = $2 AND v.version = $3"
        ))
        .bind(repository_id)
        .bind(chart)
        .bind(version)
        .fetch_optional(database)
        .await)?;
        raw.map(VersionRow::try_from).transpose()
    }

    /// Returns one version by the file name of its archive.
    pub(crate) async fn find_version_by_file_name(
        &self,
        repository_id: i64,
        file_name: &str,
    ) -> Result<Option<VersionRow>, CatalogError> {
        let raw: Option<RawVersion> = read!(self, |database| sqlx::query_as(select_versions!(
            "WHERE v.repository_id = $1 AND v.file_name = $2"
        ))
        .bind(repository_id)
        .bind(file_name)
        .fetch_optional(database)
        .await)?;
        raw.map(VersionRow::try_from).transpose()
    }

    /// Returns the shown versions of one chart, newest first.
    pub(crate) async fn list_versions(
        &self,
        repository_id: i64,
        chart: &str,
    ) -> Result<Vec<VersionRow>, CatalogError> {
        let raw: Vec<RawVersion> = read!(self, |database| sqlx::query_as(select_versions!(
            "WHERE v.repository_id = $1 AND v.chart = $2 AND v.state IN ('approved', 'deprecated')"
        ))
        .bind(repository_id)
        .bind(chart)
        .fetch_all(database)
        .await)?;
        let mut rows = raw.into_iter().map(VersionRow::try_from).collect::<Result<Vec<_>, _>>()?;
        rows.sort_by(newest_first);
        Ok(rows)
    }

    /// Returns the shown versions of `limit` charts from the `offset`th on, by name, each chart's newest first.
    pub(crate) async fn list_charts(
        &self,
        repository_id: i64,
        offset: u32,
        limit: Option<u32>,
    ) -> Result<Vec<VersionRow>, CatalogError> {
        let raw: Vec<RawVersion> = read!(self, |database| sqlx::query_as(select_versions!(
            "WHERE v.repository_id = $1 AND v.state IN ('approved', 'deprecated') AND v.chart IN \
             (SELECT chart FROM version WHERE repository_id = $1 AND state IN ('approved', 'deprecated') \
             GROUP BY chart ORDER BY chart LIMIT $3 OFFSET $2) ORDER BY v.chart"
        ))
        .bind(repository_id)
        .bind(i64::from(offset))
        .bind(limit.map_or(EVERYTHING, i64::from))
        .fetch_all(database)
        .await)?;
        let mut rows = raw.into_iter().map(VersionRow::try_from).collect::<Result<Vec<_>, _>>()?;
        rows.sort_by(|one, other| {
            one.chart.as_str().cmp(other.chart.as_str()).then_with(|| newest_first(one, other))
        });
        Ok(rows)
    }
}

/// Orders as the index does: higher precedence first, then the later publication.
fn newest_first(one: &VersionRow, other: &VersionRow) -> std::cmp::Ordering {
    other
        .version
        .precedence(&one.version)
        .then_with(|| other.created_at.cmp(&one.created_at))
        .then_with(|| other.version.as_str().cmp(one.version.as_str()))
}
