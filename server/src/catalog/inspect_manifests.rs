//! What the check of the whole catalog asks about the registry: every manifest beside the blobs it keeps.

use bytes::Bytes;
use oci::Digest;
use sqlx::FromRow;

use super::blobs::digest_from_catalog;
use super::connection::read;
use super::{Catalog, CatalogError};

/// A manifest that was pushed, or superseded, to be compared with its digest and its blobs.
#[derive(Debug, Clone)]
pub(crate) struct InspectedManifest {
    pub(crate) id: i64,
    /// As the catalog has it.
    pub(crate) name: String,
    /// As the catalog has it.
    pub(crate) digest: String,
    pub(crate) media_type: String,
    pub(crate) content: Bytes,
    /// Whether its version was removed, which may be brought back.
    pub(crate) is_withdrawn: bool,
    /// Whether its configuration was minted, and is in no store.
    pub(crate) is_minted: bool,
}

/// A manifest and a configuration that were minted for a version, and the digests they are served under.
#[derive(Debug, Clone)]
pub(crate) struct InspectedMint {
    pub(crate) id: i64,
    /// As `repository chart version`.
    pub(crate) version: String,
    pub(crate) manifest: (Bytes, String),
    pub(crate) config: (Bytes, String),
}

#[derive(FromRow)]
struct RawManifest {
    id: i64,
    name: String,
    digest: String,
    media_type: String,
    content: Vec<u8>,
    is_withdrawn: bool,
    is_minted: bool,
}

#[derive(FromRow)]
struct RawMint {
    id: i64,
    path: String,
    chart: String,
    version: String,
    manifest: Vec<u8>,
    manifest_digest: String,
    config: Vec<u8>,
    config_digest: String,
}

impl Catalog {
    /// Returns up to `limit` manifests in the order of their ids, from the one after `after` on.
    pub(crate) async fn inspect_manifests(
        &self,
        after: i64,
        limit: u32,
    ) -> Result<Vec<InspectedManifest>, CatalogError> {
        let raw: Vec<RawManifest> = read!(self, |database| {
            sqlx::query_as(
            "SELECT m.id, n.name, m.digest, m.media_type, m.content, m.removed_at IS NOT NULL AS is_withdrawn, \
             m.config_digest IS NOT NULL AS is_minted FROM manifest m JOIN oci_name n ON n.id = m.name_id \
             WHERE m.id > $1 ORDER BY m.id LIMIT $2"
        )
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(database)
        .await
        })?;
        let inspected = raw.into_iter().map(|raw| InspectedManifest {
            id: raw.id,
            name: raw.name,
            digest: raw.digest,
            media_type: raw.media_type,
            content: raw.content.into(),
            is_withdrawn: raw.is_withdrawn,
            is_minted: raw.is_minted,
        });
        Ok(inspected.collect())
    }

    /// Returns up to `limit` versions with what was minted for them, in the order of their ids.
    pub(crate) async fn inspect_mints(
        &self,
        after: i64,
        limit: u32,
    ) -> Result<Vec<InspectedMint>, CatalogError> {
        let raw: Vec<RawMint> = read!(self, |database| {
            sqlx::query_as(
            "SELECT v.id, r.path, v.chart, v.version, v.manifest, v.manifest_digest, v.config, v.config_digest \
             FROM version v JOIN repository r ON r.id = v.repository_id \
             WHERE v.id > $1 AND v.manifest IS NOT NULL AND v.manifest_digest IS NOT NULL \
             AND v.config IS NOT NULL AND v.config_digest IS NOT NULL ORDER BY v.id LIMIT $2"
        )
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(database)
        .await
        })?;
        let inspected = raw.into_iter().map(|raw| InspectedMint {
            id: raw.id,
            version: format!(
                "{} {} {}",
                crate::repository_path::RepositoryPath::from_catalog(raw.path),
                raw.chart,
                raw.version
            ),
            manifest: (raw.manifest.into(), raw.manifest_digest),
            config: (raw.config.into(), raw.config_digest),
        });
        Ok(inspected.collect())
    }

    /// Returns the digests of the blobs that a manifest keeps from the collector.
    pub(crate) async fn list_blobs_of_manifest(&self, id: i64) -> Result<Vec<Digest>, CatalogError> {
        let digests: Vec<String> = read!(self, |database| {
            sqlx::query_scalar(
            "SELECT b.digest FROM manifest_blob o JOIN blob b ON b.id = o.blob_id WHERE o.manifest_id = $1"
        )
        .bind(id)
        .fetch_all(database)
        .await
        })?;
        digests.iter().map(|digest| digest_from_catalog(digest)).collect()
    }

    /// Returns up to `limit` manifests that name the blob, as `name@digest`.
    pub(crate) async fn list_manifests_of_blob(
        &self,
        id: i64,
        limit: u32,
    ) -> Result<Vec<String>, CatalogError> {
        let rows: Vec<(String, String)> = read!(self, |database| {
            sqlx::query_as(
                "SELECT n.name, m.digest FROM manifest_blob o JOIN manifest m ON m.id = o.manifest_id \
                 JOIN oci_name n ON n.id = m.name_id WHERE o.blob_id = $1 ORDER BY m.id LIMIT $2",
            )
            .bind(id)
            .bind(i64::from(limit))
            .fetch_all(database)
            .await
        })?;
        Ok(rows.into_iter().map(|(name, digest)| format!("{name}@{digest}")).collect())
    }
}
