//! The blobs a manifest refers to: each must be under its name, and each row here keeps one from the collector.

use oci::Digest;

use super::NewManifest;
use crate::catalog::CatalogError;
use crate::catalog::connection::{Connection, on};
use crate::registry::chart_of;

/// Refers to each blob; returns the first that is not under the name.
pub(super) async fn refer_to_blobs(
    connection: &mut Connection,
    manifest_id: i64,
    new: &NewManifest,
) -> Result<Result<(), Digest>, CatalogError> {
    let mut digests: Vec<&Digest> = new.blobs.iter().collect();
    digests.sort_unstable();
    digests.dedup();
    for digest in digests {
        if !refer_to_blob(connection, manifest_id, new, digest).await?
            && !copy_minted_config(connection, manifest_id, new, digest).await?
        {
            return Ok(Err(digest.clone()));
        }
    }
    Ok(Ok(()))
}

/// Refers to a blob that was pushed or mounted under the name, or that a manifest or version of the name has.
async fn refer_to_blob(
    connection: &mut Connection,
    manifest_id: i64,
    new: &NewManifest,
    digest: &Digest,
) -> Result<bool, CatalogError> {
    let (path, chart) = chart_of(&new.name).map_or((None, None), |(path, chart)| {
        (Some(path.as_str().to_owned()), Some(chart.as_str().to_owned()))
    });
    let inserted = on!(connection, |database| {
        sqlx::query(
        "INSERT INTO manifest_blob (manifest_id, blob_id) SELECT $1, b.id FROM blob b WHERE b.digest = $2 AND ( \
         EXISTS (SELECT 1 FROM blob_link l WHERE l.name = $3 AND l.blob_id = b.id) \
         OR EXISTS (SELECT 1 FROM manifest_blob o JOIN manifest m ON m.id = o.manifest_id \
         JOIN oci_name n ON n.id = m.name_id WHERE o.blob_id = b.id AND n.name = $3 AND m.removed_at IS NULL) \
         OR EXISTS (SELECT 1 FROM version v JOIN repository r ON r.id = v.repository_id WHERE r.path = $4 \
         AND v.chart = $5 AND (v.archive_blob_id = b.id OR v.provenance_blob_id = b.id))) \
         ORDER BY b.id LIMIT 1 ON CONFLICT (manifest_id, blob_id) DO UPDATE SET blob_id = excluded.blob_id"
    )
    .bind(manifest_id)
    .bind(digest.to_string())
    .bind(new.name.as_str())
    .bind(path)
    .bind(chart)
    .execute(database)
    .await
    .map(|done| done.rows_affected())
    })?;
    Ok(inserted > 0)
}

/// Takes the configuration along that was minted for a version: it is in no store, and a client that found it here does not
/// push it.
async fn copy_minted_config(
    connection: &mut Connection,
    manifest_id: i64,
    new: &NewManifest,
    digest: &Digest,
) -> Result<bool, CatalogError> {
    let Some((path, chart)) = chart_of(&new.name) else { return Ok(false) };
    on!(connection, |database| {
        sqlx::query_scalar(
        "UPDATE manifest SET config_digest = $2, config = COALESCE( \
         (SELECT v.config FROM version v JOIN repository r ON r.id = v.repository_id \
         WHERE r.path = $3 AND v.chart = $4 AND v.config_digest = $2 LIMIT 1), \
         (SELECT o.config FROM manifest o WHERE o.name_id = manifest.name_id AND o.config_digest = $2 LIMIT 1)) \
         WHERE id = $1 RETURNING config IS NOT NULL"
    )
    .bind(manifest_id)
    .bind(digest.to_string())
    .bind(path.as_str())
    .bind(chart.as_str())
    .fetch_one(database)
    .await
    })
}

/// Returns by how many bytes the repository grows with an image's manifest: those of its blobs that no other manifest there
/// refers to. Charts are counted by their versions.
pub(super) async fn added_bytes(
    connection: &mut Connection,
    manifest_id: i64,
    new: &NewManifest,
) -> Result<i64, CatalogError> {
    if new.chart.is_some() {
        return Ok(0);
    }
    bytes_of_its_own(connection, manifest_id, new.repository_id).await
}

/// Returns how many bytes only this manifest of the repository refers to.
pub(in crate::catalog) async fn bytes_of_its_own(
    connection: &mut Connection,
    manifest_id: i64,
    repository_id: i64,
) -> Result<i64, CatalogError> {
    on!(connection, |database| {
        sqlx::query_scalar(
        "SELECT CAST(COALESCE(SUM(b.size_bytes), 0) AS BIGINT) FROM manifest_blob mb JOIN blob b ON b.id = mb.blob_id \
         WHERE mb.manifest_id = $1 AND NOT EXISTS (SELECT 1 FROM manifest_blob o JOIN manifest m ON m.id = o.manifest_id \
         JOIN oci_name n ON n.id = m.name_id WHERE o.blob_id = mb.blob_id AND o.manifest_id <> $1 \
         AND n.repository_id = $2 AND m.archive_digest IS NULL)"
    )
    .bind(manifest_id)
    .bind(repository_id)
    .fetch_one(database)
    .await
    })
}
