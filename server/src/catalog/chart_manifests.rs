//! What becomes of a chart's manifests when its version changes. The version's own manifest is minted and stands in its row;
//! those that clients pushed, and those that were superseded, are rows of their own, known by version and archive.

use chart::Timestamp;
use chart::artifact::Minted;
use oci::{OciName, Tag, media_type};

use super::connection::{Connection, on};
use super::{CatalogError, NewVersion};

/// The name of the chart `$2` in the repository `$1`, as a condition on `oci_name n`.
macro_rules! is_name_of_chart {
    () => {
        "n.repository_id = $1 AND n.content = 'charts' AND n.name = (SELECT CASE WHEN r.path = '' THEN $2 \
         ELSE r.path || '/' || $2 END FROM repository r WHERE r.id = $1)"
    };
}

/// Withdraws what clients pushed for a version: it is no longer served, and its tags are gone.
pub(super) async fn withdraw_manifests(
    connection: &mut Connection,
    repository_id: i64,
    chart: &str,
    version: &str,
    at: Timestamp,
) -> Result<(), CatalogError> {
    let withdrawn = on!(connection, |database| sqlx::query(concat!(
        "UPDATE manifest SET removed_at = $4 WHERE chart_version = $3 AND removed_at IS NULL \
         AND name_id = (SELECT n.id FROM oci_name n WHERE ",
        is_name_of_chart!(),
        ")"
    ))
    .bind(repository_id)
    .bind(chart)
    .bind(version)
    .bind(at.micros())
    .execute(database)
    .await
    .map(|done| done.rows_affected()))?;
    if withdrawn == 0 {
        return Ok(());
    }
    on!(connection, |database| sqlx::query(
        "DELETE FROM tag WHERE manifest_id IN (SELECT id FROM manifest WHERE removed_at IS NOT NULL)"
    )
    .execute(database)
    .await
    .map(drop))
}

/// Serves again what clients pushed for a version that has this archive; tags stay gone, for they may name others by now.
pub(super) async fn bring_manifests_back(
    connection: &mut Connection,
    repository_id: i64,
    chart: &str,
    version: &str,
    archive_digest: &str,
) -> Result<(), CatalogError> {
    on!(connection, |database| sqlx::query(concat!(
        "UPDATE manifest SET removed_at = NULL WHERE chart_version = $3 AND archive_digest = $4 \
         AND removed_at IS NOT NULL AND name_id = (SELECT n.id FROM oci_name n WHERE ",
        is_name_of_chart!(),
        ")"
    ))
    .bind(repository_id)
    .bind(chart)
    .bind(version)
    .bind(archive_digest)
    .execute(database)
    .await
    .map(drop))
}

/// Keeps the minted manifest that a version has now, before provenance makes it another one: whoever pinned it still
/// finds it. The version's tag then names the new one.
pub(super) async fn keep_superseded(
    connection: &mut Connection,
    new: &NewVersion,
    version_id: i64,
    at: Timestamp,
) -> Result<(), CatalogError> {
    let (Some(name), Some(tag)) = (&new.oci_name, chart::artifact::tag_of(&new.version)) else {
        return Ok(());
    };
    let name_id = name_of_charts(connection, name, new.repository_id, at).await?;
    let kept: Option<i64> = on!(connection, |database| {
        sqlx::query_scalar(
        "INSERT INTO manifest (name_id, digest, media_type, content, artifact_type, chart_version, archive_digest, \
         config, config_digest, created_at) SELECT $1, v.manifest_digest, $2, v.manifest, $3, v.version, a.digest, \
         v.config, v.config_digest, $4 FROM version v JOIN blob a ON a.id = v.archive_blob_id \
         WHERE v.id = $5 AND v.manifest IS NOT NULL ON CONFLICT (name_id, digest) DO NOTHING RETURNING id"
    )
    .bind(name_id)
    .bind(media_type::IMAGE_MANIFEST)
    .bind(chart::artifact::CONFIG_TYPE)
    .bind(at.micros())
    .bind(version_id)
    .fetch_optional(database)
    .await
    })?;
    if let Some(kept) = kept {
        on!(connection, |database| sqlx::query(
            "INSERT INTO manifest_blob (manifest_id, blob_id) SELECT $1, b.id FROM version v JOIN blob b \
             ON b.id IN (v.archive_blob_id, v.provenance_blob_id) WHERE v.id = $2"
        )
        .bind(kept)
        .bind(version_id)
        .execute(database)
        .await
        .map(drop))?;
    }
    untag(connection, name_id, &tag).await
}

async fn untag(connection: &mut Connection, name_id: i64, tag: &Tag) -> Result<(), CatalogError> {
    on!(connection, |database| sqlx::query("DELETE FROM tag WHERE name_id = $1 AND tag = $2")
        .bind(name_id)
        .bind(tag.as_str())
        .execute(database)
        .await
        .map(drop))
}

/// Returns the id of the name's row, making it where it is new: a version of this name is published, so it holds charts.
async fn name_of_charts(
    connection: &mut Connection,
    name: &OciName,
    repository_id: i64,
    at: Timestamp,
) -> Result<i64, CatalogError> {
    on!(connection, |database| sqlx::query_scalar(
        "INSERT INTO oci_name (name, repository_id, content, created_at) VALUES ($1, $2, 'charts', $3) \
         ON CONFLICT (name) DO UPDATE SET content = 'charts' RETURNING id"
    )
    .bind(name.as_str())
    .bind(repository_id)
    .bind(at.micros())
    .fetch_one(database)
    .await)
}

/// Puts the minted manifest into the version's row.
pub(super) async fn set_minted(
    connection: &mut Connection,
    version_id: i64,
    minted: &Minted,
) -> Result<(), CatalogError> {
    on!(connection, |database| {
        sqlx::query(
        "UPDATE version SET manifest = $2, manifest_digest = $3, config = $4, config_digest = $5 WHERE id = $1"
    )
    .bind(version_id)
    .bind(minted.manifest.as_slice())
    .bind(minted.manifest_digest.to_string())
    .bind(minted.config.as_slice())
    .bind(minted.config_digest.to_string())
    .execute(database)
    .await
    .map(drop)
    })
}
