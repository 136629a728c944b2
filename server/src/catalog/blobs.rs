//! Rows of stored bytes: where they lie, and which of them nobody refers to.

use chart::Timestamp;
use oci::Digest;
use sqlx::FromRow;

use super::connection::{Connection, on, read};
use super::writer::{Change, Outcome};
use super::{Catalog, CatalogError};
use crate::blobs::BlobKey;

/// Bytes the catalog knows to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BlobRow {
    pub(crate) id: i64,
    pub(crate) digest: Digest,
    pub(crate) size_bytes: u64,
    pub(crate) key: BlobKey,
}

/// Bytes a new version will refer to.
#[derive(Debug, Clone)]
pub(crate) enum BlobToRecord {
    /// The catalog held them already.
    Known(BlobRow),
    /// They were just kept under this key.
    Kept {
        /// What they are.
        digest: Digest,
        /// How many they are.
        size_bytes: u64,
        /// Where they lie.
        key: BlobKey,
    },
}

impl BlobToRecord {
    /// Returns the digest of the bytes.
    pub(crate) fn digest(&self) -> &Digest {
        match self {
            Self::Known(row) => &row.digest,
            Self::Kept { digest, .. } => digest,
        }
    }

    /// Returns how many bytes there are.
    pub(crate) fn size_bytes(&self) -> u64 {
        match self {
            Self::Known(row) => row.size_bytes,
            Self::Kept { size_bytes, .. } => *size_bytes,
        }
    }

    /// Returns where the bytes lie.
    pub(crate) fn key(&self) -> &BlobKey {
        match self {
            Self::Known(row) => &row.key,
            Self::Kept { key, .. } => key,
        }
    }
}

#[derive(FromRow)]
pub(super) struct RawBlob {
    id: i64,
    digest: String,
    size_bytes: i64,
    storage_key: String,
}

impl TryFrom<RawBlob> for BlobRow {
    type Error = CatalogError;

    fn try_from(raw: RawBlob) -> Result<Self, CatalogError> {
        Ok(Self {
            id: raw.id,
            digest: digest_from_catalog(&raw.digest)?,
            size_bytes: raw.size_bytes.unsigned_abs(),
            key: BlobKey::from_catalog(raw.storage_key),
        })
    }
}

pub(super) fn digest_from_catalog(text: &str) -> Result<Digest, CatalogError> {
    text.parse().map_err(|_| CatalogError::Corrupt { what: "digest", value: text.to_owned() })
}

impl Catalog {
    /// Returns a stored blob with this digest.
    pub(crate) async fn find_blob(&self, digest: &Digest) -> Result<Option<BlobRow>, CatalogError> {
        let raw: Option<RawBlob> = read!(self, |database| sqlx::query_as(
            "SELECT id, digest, size_bytes, storage_key FROM blob WHERE digest = $1 ORDER BY id LIMIT 1",
        )
        .bind(digest.to_string())
        .fetch_optional(database)
        .await)?;
        raw.map(BlobRow::try_from).transpose()
    }

    /// Returns the blob stored under this key.
    pub(crate) async fn find_blob_by_key(&self, key: &BlobKey) -> Result<Option<BlobRow>, CatalogError> {
        let raw: Option<RawBlob> = read!(self, |database| sqlx::query_as(
            "SELECT id, digest, size_bytes, storage_key FROM blob WHERE storage_key = $1"
        )
        .bind(key.as_str())
        .fetch_optional(database)
        .await)?;
        raw.map(BlobRow::try_from).transpose()
    }

    /// Returns up to `limit` blobs in the order of their ids, from the one after `after` on.
    pub(crate) async fn list_blobs(&self, after: i64, limit: u32) -> Result<Vec<BlobRow>, CatalogError> {
        let raw: Vec<RawBlob> = read!(self, |database| sqlx::query_as(
            "SELECT id, digest, size_bytes, storage_key FROM blob WHERE id > $1 ORDER BY id LIMIT $2"
        )
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(database)
        .await)?;
        raw.into_iter().map(BlobRow::try_from).collect()
    }

    /// Forgets up to `limit` blobs that nothing refers to and that were stored before `before`; returns their keys,
    /// whose bytes the caller may now remove.
    pub(crate) async fn forget_unreferenced_blobs(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<BlobKey>, CatalogError> {
        self.make(ForgetBlobs { before, limit }).await
    }
}

struct ForgetBlobs {
    before: Timestamp,
    limit: u32,
}

impl Change for ForgetBlobs {
    type Answer = Vec<BlobKey>;

    fn repository_id(&self) -> Option<i64> {
        None
    }

    async fn make(&self, connection: &mut Connection) -> Result<Outcome<Vec<BlobKey>>, CatalogError> {
        // A publisher that refers to one of them meanwhile makes this fail by its foreign key, and be run again.
        let keys: Vec<String> = on!(connection, |database| sqlx::query_scalar(
            "DELETE FROM blob WHERE id IN (SELECT b.id FROM blob b WHERE b.created_at < $1 \
             AND NOT EXISTS (SELECT 1 FROM version v WHERE v.archive_blob_id = b.id) \
             AND NOT EXISTS (SELECT 1 FROM version v WHERE v.provenance_blob_id = b.id) \
             AND NOT EXISTS (SELECT 1 FROM removed_version r WHERE r.archive_blob_id = b.id) \
             AND NOT EXISTS (SELECT 1 FROM removed_version r WHERE r.provenance_blob_id = b.id) \
             AND NOT EXISTS (SELECT 1 FROM manifest_blob m WHERE m.blob_id = b.id) \
             AND NOT EXISTS (SELECT 1 FROM blob_link l WHERE l.blob_id = b.id) \
             ORDER BY b.id LIMIT $2) RETURNING storage_key",
        )
        .bind(self.before.micros())
        .bind(i64::from(self.limit))
        .fetch_all(database)
        .await)?;
        Ok(Outcome::Commit(keys.into_iter().map(BlobKey::from_catalog).collect()))
    }
}

/// Returns the id of the blob's row, writing it where it is new; `None` when a known blob was collected meanwhile.
pub(super) async fn record_blob(
    connection: &mut Connection,
    blob: &BlobToRecord,
    now: Timestamp,
) -> Result<Option<i64>, CatalogError> {
    match blob {
        BlobToRecord::Known(row) => {
            on!(connection, |database| sqlx::query_scalar(
                "SELECT id FROM blob WHERE id = $1 AND storage_key = $2"
            )
            .bind(row.id)
            .bind(row.key.as_str())
            .fetch_optional(database)
            .await)
        }
        BlobToRecord::Kept { digest, size_bytes, key } => {
            // A flat folder keeps one file per version, so new bytes arrive under a key that has a row.
            on!(connection, |database| sqlx::query_scalar(
                "INSERT INTO blob (digest, size_bytes, storage_key, created_at) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (storage_key) DO UPDATE SET digest = excluded.digest, size_bytes = excluded.size_bytes, \
                 created_at = excluded.created_at RETURNING id",
            )
            .bind(digest.to_string())
            .bind(i64::try_from(*size_bytes).unwrap_or(i64::MAX))
            .bind(key.as_str())
            .bind(now.micros())
            .fetch_one(database)
            .await)
            .map(Some)
        }
    }
}
