//! Puts other bytes, or provenance, in the place of what a version has.

use chart::Timestamp;

use super::{BlobIds, Row};
use crate::blobs::BlobKey;
use crate::catalog::CatalogError;
use crate::catalog::blobs::BlobToRecord;
use crate::catalog::chart_manifests::{keep_superseded, set_minted, withdraw_manifests};
use crate::catalog::connection::{Connection, on};
use crate::catalog::events::{Existing, Weight};
use crate::catalog::removed_versions::set_aside;

/// Puts new bytes or provenance in the place of what is there; returns the keys that lost their last reference, and by
/// how much the repository was counted too high for a new version.
pub(super) async fn replace_version(
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
        keep_superseded(connection, new, existing.id, at).await?;
    } else {
        let (chart, version) = (new.chart.as_str(), new.version.as_str());
        withdraw_manifests(connection, new.repository_id, chart, version, at).await?;
    }
    set_minted(connection, existing.id, &new.minted).await?;
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
