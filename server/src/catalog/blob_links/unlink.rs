//! Takes a blob from a name, and forgets links that held long enough.

use chart::Timestamp;
use oci::{Digest, OciName};

use crate::catalog::blobs::digest_from_catalog;
use crate::catalog::connection::{Connection, on};
use crate::catalog::events::{NotLocked, why_not_locked};
use crate::catalog::writer::{Change, Outcome};
use crate::catalog::{Catalog, CatalogError};

/// A blob that is to be under a name no more.
#[derive(Debug, Clone)]
pub(crate) struct BlobRemoval {
    pub(crate) repository_id: i64,
    pub(crate) name: OciName,
    pub(crate) digest: Digest,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RemovedLink {
    /// The name has it no more.
    Done,
    /// The name did not hold it.
    Unknown,
    /// A manifest of the name still names it.
    Named {
        /// The first of these.
        manifest: Digest,
    },
    /// Nothing may be written at the moment.
    ReadOnly {
        /// Why.
        reason: String,
    },
}

impl Catalog {
    /// Takes a blob from a name; bytes that nobody refers to then are the collector's.
    pub(crate) async fn unlink_blob(&self, removal: BlobRemoval) -> Result<RemovedLink, CatalogError> {
        self.make(UnlinkBlob { removal }).await
    }

    /// Forgets up to `limit` links that hold no longer, and returns how many these were.
    pub(crate) async fn forget_expired_links(&self, now: Timestamp, limit: u32) -> Result<u64, CatalogError> {
        self.make(ForgetLinks { now, limit }).await
    }
}

struct UnlinkBlob {
    removal: BlobRemoval,
}

impl Change for UnlinkBlob {
    type Answer = RemovedLink;

    fn repository_id(&self) -> Option<i64> {
        Some(self.removal.repository_id)
    }

    async fn make(&self, connection: &mut Connection) -> Result<Outcome<RemovedLink>, CatalogError> {
        let removed = unlink(connection, &self.removal).await?;
        Ok(match removed {
            RemovedLink::Done => Outcome::Commit(removed),
            RemovedLink::Unknown | RemovedLink::Named { .. } | RemovedLink::ReadOnly { .. } => {
                Outcome::Discard(removed)
            }
        })
    }
}

async fn unlink(connection: &mut Connection, removal: &BlobRemoval) -> Result<RemovedLink, CatalogError> {
    match why_not_locked(connection).await? {
        NotLocked::ReadOnly { reason } => return Ok(RemovedLink::ReadOnly { reason }),
        NotLocked::Gone => {}
    }
    let (name, digest) = (removal.name.as_str(), removal.digest.to_string());
    let naming: Option<String> = on!(connection, |database| sqlx::query_scalar(
        "SELECT m.digest FROM blob b JOIN manifest_blob o ON o.blob_id = b.id \
         JOIN manifest m ON m.id = o.manifest_id JOIN oci_name n ON n.id = m.name_id \
         WHERE b.digest = $1 AND n.name = $2 AND m.removed_at IS NULL ORDER BY m.digest LIMIT 1"
    )
    .bind(&digest)
    .bind(name)
    .fetch_optional(database)
    .await)?;
    if let Some(manifest) = naming {
        return Ok(RemovedLink::Named { manifest: digest_from_catalog(&manifest)? });
    }
    let removed = on!(connection, |database| sqlx::query(
        "DELETE FROM blob_link WHERE name = $2 AND blob_id IN (SELECT id FROM blob WHERE digest = $1)"
    )
    .bind(&digest)
    .bind(name)
    .execute(database)
    .await
    .map(|done| done.rows_affected()))?;
    Ok(if removed > 0 { RemovedLink::Done } else { RemovedLink::Unknown })
}

struct ForgetLinks {
    now: Timestamp,
    limit: u32,
}

impl Change for ForgetLinks {
    type Answer = u64;

    fn repository_id(&self) -> Option<i64> {
        None
    }

    async fn make(&self, connection: &mut Connection) -> Result<Outcome<u64>, CatalogError> {
        let forgotten = on!(connection, |database| {
            sqlx::query(
                "DELETE FROM blob_link WHERE held_until < $1 AND (name, blob_id) IN \
                 (SELECT name, blob_id FROM blob_link WHERE held_until < $1 ORDER BY held_until LIMIT $2)",
            )
            .bind(self.now.micros())
            .bind(i64::from(self.limit))
            .execute(database)
            .await
            .map(|done| done.rows_affected())
        })?;
        Ok(Outcome::Commit(forgotten))
    }
}
