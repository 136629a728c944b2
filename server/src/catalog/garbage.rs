//! Counts what the collector would forget, without forgetting it.

use chart::Timestamp;

use super::connection::read;
use super::{Catalog, CatalogError};

/// What nobody needs any longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Garbage {
    /// Removed versions that could still be brought back.
    pub(crate) removed_versions: u64,
    /// Blobs that then nobody refers to.
    pub(crate) blobs: u64,
}

impl Catalog {
    /// Counts what was removed before `before`, and the older blobs that nothing else refers to and no name holds `now`.
    pub(crate) async fn count_garbage(
        &self,
        before: Timestamp,
        now: Timestamp,
    ) -> Result<Garbage, CatalogError> {
        let (removed_versions, blobs): (i64, i64) = read!(self, |database| {
            sqlx::query_as(
            "SELECT (SELECT COUNT(*) FROM removed_version WHERE removed_at < $1), COUNT(*) \
             FROM blob b WHERE b.created_at < $1 \
             AND NOT EXISTS (SELECT 1 FROM version v WHERE v.archive_blob_id = b.id) \
             AND NOT EXISTS (SELECT 1 FROM version v WHERE v.provenance_blob_id = b.id) \
             AND NOT EXISTS (SELECT 1 FROM removed_version r WHERE r.archive_blob_id = b.id AND r.removed_at >= $1) \
             AND NOT EXISTS (SELECT 1 FROM removed_version r WHERE r.provenance_blob_id = b.id AND r.removed_at >= $1) \
             AND NOT EXISTS (SELECT 1 FROM manifest_blob m WHERE m.blob_id = b.id) \
             AND NOT EXISTS (SELECT 1 FROM blob_link l WHERE l.blob_id = b.id AND l.held_until >= $2)",
        )
        .bind(before.micros())
        .bind(now.micros())
        .fetch_one(database)
        .await
        })?;
        Ok(Garbage { removed_versions: removed_versions.unsigned_abs(), blobs: blobs.unsigned_abs() })
    }
}
