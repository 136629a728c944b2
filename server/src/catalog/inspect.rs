//! What the check of the whole catalog asks, a page or a repository at a time, and the corrections it may make.

use bytes::Bytes;
use oci::Digest;
use sqlx::FromRow;

use super::blobs::digest_from_catalog;
use super::connection::{Connection, on, read};
use super::writer::{Change, Outcome};
use super::{BlobRow, Catalog, CatalogError, Hint};
use crate::blobs::BlobKey;
use crate::repository_path::RepositoryPath;

/// A version, to be compared with its index entry.
#[derive(Debug, Clone)]
pub(crate) struct InspectedVersion {
    pub(crate) id: i64,
    pub(crate) repository: RepositoryPath,
    pub(crate) chart: String,
    pub(crate) version: String,
    pub(crate) entry: Bytes,
    /// `None` when the row of its archive is gone.
    pub(crate) archive_digest: Option<Digest>,
    /// Whether it has provenance whose row is gone.
    pub(crate) lacks_provenance: bool,
}

#[derive(FromRow)]
struct RawInspected {
    id: i64,
    path: String,
    chart: String,
    version: String,
    entry: Vec<u8>,
    digest: Option<String>,
    lacks_provenance: bool,
}

impl TryFrom<RawInspected> for InspectedVersion {
    type Error = CatalogError;

    fn try_from(raw: RawInspected) -> Result<Self, CatalogError> {
        Ok(Self {
            id: raw.id,
            repository: RepositoryPath::from_catalog(raw.path),
            chart: raw.chart,
            version: raw.version,
            entry: raw.entry.into(),
            archive_digest: raw.digest.as_deref().map(digest_from_catalog).transpose()?,
            lacks_provenance: raw.lacks_provenance,
        })
    }
}

/// What a repository says it holds beside what it does hold, and its events: read at one moment.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub(crate) struct RepositoryCount {
    pub(crate) version_count: i64,
    pub(crate) stored_bytes: i64,
    pub(crate) true_version_count: i64,
    pub(crate) true_stored_bytes: i64,
    pub(crate) revision: i64,
    pub(crate) events: i64,
    pub(crate) first_event: Option<i64>,
    pub(crate) last_event: Option<i64>,
}

/// Sums what the versions of the repository of the surrounding query have, and once each the blobs of its images.
macro_rules! true_bytes {
    () => {
        "((SELECT CAST(COALESCE(SUM(a.size_bytes + COALESCE(p.size_bytes, 0)), 0) AS BIGINT) FROM version v \
         JOIN blob a ON a.id = v.archive_blob_id LEFT JOIN blob p ON p.id = v.provenance_blob_id \
         WHERE v.repository_id = repository.id) \
         + (SELECT CAST(COALESCE(SUM(b.size_bytes), 0) AS BIGINT) FROM blob b WHERE b.id IN ( \
         SELECT o.blob_id FROM manifest_blob o JOIN manifest m ON m.id = o.manifest_id \
         JOIN oci_name n ON n.id = m.name_id WHERE n.repository_id = repository.id AND m.archive_digest IS NULL)))"
    };
}

impl Catalog {
    /// Returns up to `limit` versions of all repositories in the order of their ids, from the one after `after` on.
    pub(crate) async fn inspect_versions(
        &self,
        after: i64,
        limit: u32,
    ) -> Result<Vec<InspectedVersion>, CatalogError> {
        let raw: Vec<RawInspected> = read!(self, |database| sqlx::query_as(
            "SELECT v.id, r.path, v.chart, v.version, v.entry, a.digest, \
             v.provenance_blob_id IS NOT NULL AND p.id IS NULL AS lacks_provenance \
             FROM version v JOIN repository r ON r.id = v.repository_id \
             LEFT JOIN blob a ON a.id = v.archive_blob_id LEFT JOIN blob p ON p.id = v.provenance_blob_id \
             WHERE v.id > $1 ORDER BY v.id LIMIT $2",
        )
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(database)
        .await)?;
        raw.into_iter().map(InspectedVersion::try_from).collect()
    }

    /// Counts a repository; `None` when it is gone.
    pub(crate) async fn count_repository(&self, id: i64) -> Result<Option<RepositoryCount>, CatalogError> {
        read!(self, |database| sqlx::query_as(concat!(
            "SELECT version_count, stored_bytes, revision, \
             (SELECT COUNT(*) FROM version v WHERE v.repository_id = repository.id) AS true_version_count, ",
            true_bytes!(),
            " AS true_stored_bytes, \
             (SELECT COUNT(*) FROM event e WHERE e.repository_id = repository.id) AS events, \
             (SELECT MIN(e.revision) FROM event e WHERE e.repository_id = repository.id) AS first_event, \
             (SELECT MAX(e.revision) FROM event e WHERE e.repository_id = repository.id) AS last_event \
             FROM repository WHERE id = $1"
        ))
        .bind(id)
        .fetch_optional(database)
        .await)
    }

    /// Returns up to `limit` versions whose archive or provenance this blob is, as `repository chart version`.
    pub(crate) async fn list_users_of_blob(&self, id: i64, limit: u32) -> Result<Vec<String>, CatalogError> {
        let rows: Vec<(String, String, String)> = read!(self, |database| {
            sqlx::query_as(
            "SELECT r.path, v.chart, v.version FROM version v JOIN repository r ON r.id = v.repository_id \
             WHERE v.archive_blob_id = $1 OR v.provenance_blob_id = $1 ORDER BY v.id LIMIT $2",
        )
        .bind(id)
        .bind(i64::from(limit))
        .fetch_all(database)
        .await
        })?;
        let told =
            |(path, chart, version)| format!("{} {chart} {version}", RepositoryPath::from_catalog(path));
        Ok(rows.into_iter().map(told).collect())
    }

    /// Returns how many bytes all blobs have.
    pub(crate) async fn count_blob_bytes(&self) -> Result<u64, CatalogError> {
        let bytes: i64 = read!(self, |database| sqlx::query_scalar(
            "SELECT CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT) FROM blob"
        )
        .fetch_one(database)
        .await)?;
        Ok(bytes.unsigned_abs())
    }

    /// Sets what a repository says it holds to what it does hold.
    pub(crate) async fn recount_repository(&self, id: i64) -> Result<(), CatalogError> {
        self.make(Recount { id }).await
    }

    /// Lets a blob lie under another key, and servers that have the old one in memory read it again. Returns false when
    /// the blob lies elsewhere by now.
    pub(crate) async fn move_blob(&self, blob: &BlobRow, key: &BlobKey) -> Result<bool, CatalogError> {
        let moved = self.make(MoveBlob { id: blob.id, from: blob.key.clone(), to: key.clone() }).await?;
        if moved {
            self.hints.send(Hint::AnyRepository);
        }
        Ok(moved)
    }
}

struct Recount {
    id: i64,
}

impl Change for Recount {
    type Answer = ();

    fn repository_id(&self) -> Option<i64> {
        Some(self.id)
    }

    async fn make(&self, connection: &mut Connection) -> Result<Outcome<()>, CatalogError> {
        // Locks the row first: counted in the same statement, a publish that it waited for would be missed.
        on!(connection, |database| sqlx::query("UPDATE repository SET revision = revision WHERE id = $1")
            .bind(self.id)
            .execute(database)
            .await
            .map(drop))?;
        on!(connection, |database| {
            sqlx::query(concat!(
            "UPDATE repository SET \
             version_count = (SELECT COUNT(*) FROM version v WHERE v.repository_id = repository.id), stored_bytes = ",
            true_bytes!(),
            " WHERE id = $1"
        ))
        .bind(self.id)
        .execute(database)
        .await
        .map(drop)
        })?;
        Ok(Outcome::Commit(()))
    }
}

struct MoveBlob {
    id: i64,
    from: BlobKey,
    to: BlobKey,
}

impl Change for MoveBlob {
    type Answer = bool;

    fn repository_id(&self) -> Option<i64> {
        None
    }

    async fn make(&self, connection: &mut Connection) -> Result<Outcome<bool>, CatalogError> {
        let moved = on!(connection, |database| sqlx::query(
            "UPDATE blob SET storage_key = $3 WHERE id = $1 AND storage_key = $2"
        )
        .bind(self.id)
        .bind(self.from.as_str())
        .bind(self.to.as_str())
        .execute(database)
        .await
        .map(|done| done.rows_affected()))?;
        if moved == 0 {
            return Ok(Outcome::Discard(false));
        }
        // What is in memory has the old key; it is read anew when this number has moved.
        on!(connection, |database| sqlx::query(
            "UPDATE repository SET settings_revision = settings_revision + 1 WHERE id IN \
             (SELECT repository_id FROM version WHERE archive_blob_id = $1 OR provenance_blob_id = $1 \
             UNION SELECT n.repository_id FROM manifest_blob o JOIN manifest m ON m.id = o.manifest_id \
             JOIN oci_name n ON n.id = m.name_id WHERE o.blob_id = $1)"
        )
        .bind(self.id)
        .execute(database)
        .await
        .map(drop))?;
        Ok(Outcome::Commit(true))
    }
}
