//! Looks for blobs under a name, and for names that have a blob.

use chart::Timestamp;
use oci::{Digest, OciName};
use sqlx::FromRow;

use super::{BlobPlace, FoundBlob, ServedBlob};
use crate::blobs::BlobKey;
use crate::catalog::connection::read;
use crate::catalog::{BlobRow, Catalog, CatalogError};

#[derive(FromRow)]
struct RawFound {
    id: i64,
    size_bytes: i64,
    storage_key: String,
    held_until: Option<i64>,
    is_named: bool,
}

impl Catalog {
    /// Returns what is served for `digest` at `place`; `None` when the name does not have it, whoever else may.
    pub(crate) async fn find_served_blob(
        &self,
        place: &BlobPlace,
        digest: &Digest,
    ) -> Result<Option<ServedBlob>, CatalogError> {
        match self.find_blob_under(place, digest).await? {
            Some(found) => Ok(Some(ServedBlob::Stored(found))),
            None => self.find_minted_config(place, digest).await,
        }
    }

    /// Returns the blob of the store with `digest` at `place`.
    pub(crate) async fn find_blob_under(
        &self,
        place: &BlobPlace,
        digest: &Digest,
    ) -> Result<Option<FoundBlob>, CatalogError> {
        let (path, chart) = chart_of(place);
        let raw: Option<RawFound> = read!(self, |database| {
            sqlx::query_as(
                "SELECT * FROM (SELECT b.id, b.size_bytes, b.storage_key, l.held_until, \
                 (EXISTS (SELECT 1 FROM manifest_blob o JOIN manifest m ON m.id = o.manifest_id \
                 JOIN oci_name n ON n.id = m.name_id WHERE o.blob_id = b.id AND n.name = $2 AND m.removed_at IS NULL) \
                 OR EXISTS (SELECT 1 FROM version v JOIN repository r ON r.id = v.repository_id WHERE r.path = $3 \
                 AND v.chart = $4 AND v.state IN ('approved', 'deprecated') \
                 AND (v.archive_blob_id = b.id OR v.provenance_blob_id = b.id))) AS is_named \
                 FROM blob b LEFT JOIN blob_link l ON l.blob_id = b.id AND l.name = $2 WHERE b.digest = $1) found \
                 WHERE held_until IS NOT NULL OR is_named ORDER BY id LIMIT 1",
            )
            .bind(digest.to_string())
            .bind(place.name.as_str())
            .bind(path)
            .bind(chart)
            .fetch_optional(database)
            .await
        })?;
        Ok(raw.map(|raw| FoundBlob {
            row: BlobRow {
                id: raw.id,
                digest: digest.clone(),
                size_bytes: raw.size_bytes.unsigned_abs(),
                key: BlobKey::from_catalog(raw.storage_key),
            },
            held_until: raw.held_until.map(Timestamp::from_micros),
            is_named: raw.is_named,
        }))
    }

    async fn find_minted_config(
        &self,
        place: &BlobPlace,
        digest: &Digest,
    ) -> Result<Option<ServedBlob>, CatalogError> {
        let (path, chart) = chart_of(place);
        let config: Option<Vec<u8>> = read!(self, |database| {
            sqlx::query_scalar(
                "SELECT v.config FROM version v JOIN repository r ON r.id = v.repository_id WHERE r.path = $3 \
                 AND v.chart = $4 AND v.config_digest = $1 AND v.config IS NOT NULL \
                 AND v.state IN ('approved', 'deprecated') \
                 UNION ALL SELECT m.config FROM manifest m JOIN oci_name n ON n.id = m.name_id WHERE n.name = $2 \
                 AND m.config_digest = $1 AND m.config IS NOT NULL AND m.removed_at IS NULL LIMIT 1",
            )
            .bind(digest.to_string())
            .bind(place.name.as_str())
            .bind(path)
            .bind(chart)
            .fetch_optional(database)
            .await
        })?;
        Ok(config.map(|config| ServedBlob::Minted(config.into())))
    }

    /// Returns up to `limit` names that have the blob by a link or a pushed manifest.
    pub(crate) async fn list_names_of_blob(
        &self,
        digest: &Digest,
        limit: u32,
    ) -> Result<Vec<OciName>, CatalogError> {
        let names: Vec<String> = read!(self, |database| sqlx::query_scalar(
            "SELECT l.name FROM blob b JOIN blob_link l ON l.blob_id = b.id WHERE b.digest = $1 \
             UNION SELECT n.name FROM blob b JOIN manifest_blob o ON o.blob_id = b.id \
             JOIN manifest m ON m.id = o.manifest_id JOIN oci_name n ON n.id = m.name_id \
             WHERE b.digest = $1 AND m.removed_at IS NULL LIMIT $2"
        )
        .bind(digest.to_string())
        .bind(i64::from(limit))
        .fetch_all(database)
        .await)?;
        Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
    }
}

fn chart_of(place: &BlobPlace) -> (Option<&str>, Option<&str>) {
    place.chart.as_ref().map_or((None, None), |(path, chart)| (Some(path.as_str()), Some(chart.as_str())))
}
