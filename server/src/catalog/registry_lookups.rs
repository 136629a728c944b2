//! What pushes and deletions ask of charts: which version an archive or a manifest is of, and what blob a name has.

use chart::{ChartName, ChartVersion};
use oci::{Digest, OciName};

use super::blobs::RawBlob;
use super::changes::version_from_catalog;
use super::connection::read;
use super::{BlobRow, Catalog, CatalogError};
use crate::registry::chart_of;

impl Catalog {
    /// Returns the version of the chart that has this archive.
    pub(crate) async fn find_version_by_archive(
        &self,
        repository_id: i64,
        chart: &str,
        archive: &Digest,
    ) -> Result<Option<ChartVersion>, CatalogError> {
        let version: Option<String> = read!(self, |database| sqlx::query_scalar(
            "SELECT v.version FROM version v JOIN blob a ON a.id = v.archive_blob_id \
             WHERE v.repository_id = $1 AND v.chart = $2 AND a.digest = $3 ORDER BY v.id LIMIT 1"
        )
        .bind(repository_id)
        .bind(chart)
        .bind(archive.to_string())
        .fetch_optional(database)
        .await)?;
        version.as_deref().map(version_from_catalog).transpose()
    }

    /// Returns the version of the chart that this manifest is of: minted, superseded or pushed.
    pub(crate) async fn find_version_by_manifest(
        &self,
        repository_id: i64,
        chart: &ChartName,
        name_id: Option<i64>,
        manifest: &Digest,
    ) -> Result<Option<ChartVersion>, CatalogError> {
        let version: Option<String> = read!(self, |database| {
            sqlx::query_scalar(
            "SELECT v.version FROM version v WHERE v.repository_id = $1 AND v.chart = $2 AND (v.manifest_digest = $3 \
             OR v.version = (SELECT m.chart_version FROM manifest m \
             WHERE m.name_id = $4 AND m.digest = $3 AND m.removed_at IS NULL)) LIMIT 1"
        )
        .bind(repository_id)
        .bind(chart.as_str())
        .bind(manifest.to_string())
        .bind(name_id)
        .fetch_optional(database)
        .await
        })?;
        version.as_deref().map(version_from_catalog).transpose()
    }

    /// Returns a blob that is under the name: pushed or mounted there, or named by a manifest or a version of it.
    pub(crate) async fn find_blob_of_name(
        &self,
        name: &OciName,
        digest: &Digest,
    ) -> Result<Option<BlobRow>, CatalogError> {
        let (path, chart) = chart_of(name).map_or((None, None), |(path, chart)| {
            (Some(path.as_str().to_owned()), Some(chart.as_str().to_owned()))
        });
        let raw: Option<RawBlob> = read!(self, |database| {
            sqlx::query_as(
            "SELECT b.id, b.digest, b.size_bytes, b.storage_key FROM blob b WHERE b.digest = $1 AND ( \
             EXISTS (SELECT 1 FROM blob_link l WHERE l.name = $2 AND l.blob_id = b.id) \
             OR EXISTS (SELECT 1 FROM manifest_blob o JOIN manifest m ON m.id = o.manifest_id \
             JOIN oci_name n ON n.id = m.name_id WHERE o.blob_id = b.id AND n.name = $2 AND m.removed_at IS NULL) \
             OR EXISTS (SELECT 1 FROM version v JOIN repository r ON r.id = v.repository_id WHERE r.path = $3 \
             AND v.chart = $4 AND (v.archive_blob_id = b.id OR v.provenance_blob_id = b.id))) ORDER BY b.id LIMIT 1"
        )
        .bind(digest.to_string())
        .bind(name.as_str())
        .bind(path)
        .bind(chart)
        .fetch_optional(database)
        .await
        })?;
        raw.map(BlobRow::try_from).transpose()
    }
}
