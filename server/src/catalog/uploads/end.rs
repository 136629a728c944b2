//! Ends uploads. The row stays for a while, so that an address which needs no row is known to be over.

use chart::Timestamp;
use oci::OciName;

use crate::blobs::BlobKey;
use crate::catalog::connection::{Connection, on};
use crate::catalog::writer::{Change, Outcome};
use crate::catalog::{Catalog, CatalogError};

/// An upload that ends.
#[derive(Debug, Clone)]
pub(crate) struct EndedUpload {
    pub(crate) id: String,
    pub(crate) name: OciName,
    pub(crate) actor: String,
    /// The registered name of the algorithm.
    pub(crate) algorithm: &'static str,
    pub(crate) key: BlobKey,
}

impl Catalog {
    /// Gives an upload up; returns false when it was over already.
    pub(crate) async fn cancel_upload(
        &self,
        upload: EndedUpload,
        now: Timestamp,
    ) -> Result<bool, CatalogError> {
        self.make(CancelUpload { upload, now }).await
    }

    /// Gives up an open upload that nobody touched since `before`, and returns whether it was one.
    pub(crate) async fn cancel_idle_upload(
        &self,
        id: &str,
        before: Timestamp,
        now: Timestamp,
    ) -> Result<bool, CatalogError> {
        self.make(CancelIdle { id: id.to_owned(), before, now }).await
    }

    /// Forgets up to `limit` uploads that have been over since `before`, and returns how many these were.
    pub(crate) async fn forget_ended_uploads(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, CatalogError> {
        self.make(ForgetEnded { before, limit }).await
    }
}

struct CancelUpload {
    upload: EndedUpload,
    now: Timestamp,
}

impl Change for CancelUpload {
    type Answer = bool;

    fn repository_id(&self) -> Option<i64> {
        None
    }

    async fn make(&self, connection: &mut Connection) -> Result<Outcome<bool>, CatalogError> {
        let ended = end(connection, &self.upload, "cancelled", self.now).await?;
        forget_tail(connection, &self.upload.id).await?;
        Ok(Outcome::Commit(ended))
    }
}

/// Writes that the upload is over, and forgets what it received; returns false when it was over already.
pub(in crate::catalog) async fn end(
    connection: &mut Connection,
    upload: &EndedUpload,
    state: &'static str,
    now: Timestamp,
) -> Result<bool, CatalogError> {
    let ended = on!(connection, |database| {
        sqlx::query(
            "INSERT INTO upload (id, name, actor, state, algorithm, received_bytes, storage_key, held_until, \
             created_at, changed_at) VALUES ($1, $2, $3, $4, $5, 0, $6, 0, $7, $7) \
             ON CONFLICT (id) DO UPDATE SET state = excluded.state, holder = NULL, changed_at = excluded.changed_at \
             WHERE upload.state = 'open'",
        )
        .bind(&upload.id)
        .bind(upload.name.as_str())
        .bind(&upload.actor)
        .bind(state)
        .bind(upload.algorithm)
        .bind(upload.key.as_str())
        .bind(now.micros())
        .execute(database)
        .await
        .map(|done| done.rows_affected())
    })?;
    Ok(ended > 0)
}

/// Forgets the pieces of an upload that received some.
pub(in crate::catalog) async fn forget_tail(
    connection: &mut Connection,
    id: &str,
) -> Result<(), CatalogError> {
    on!(connection, |database| sqlx::query("DELETE FROM upload_tail WHERE upload_id = $1")
        .bind(id)
        .execute(database)
        .await
        .map(drop))
}

struct CancelIdle {
    id: String,
    before: Timestamp,
    now: Timestamp,
}

impl Change for CancelIdle {
    type Answer = bool;

    fn repository_id(&self) -> Option<i64> {
        None
    }

    async fn make(&self, connection: &mut Connection) -> Result<Outcome<bool>, CatalogError> {
        let cancelled = on!(connection, |database| sqlx::query(
            "UPDATE upload SET state = 'cancelled', holder = NULL, changed_at = $3 \
             WHERE id = $1 AND state = 'open' AND changed_at < $2 AND held_until < $3"
        )
        .bind(&self.id)
        .bind(self.before.micros())
        .bind(self.now.micros())
        .execute(database)
        .await
        .map(|done| done.rows_affected()))?;
        if cancelled > 0 {
            forget_tail(connection, &self.id).await?;
        }
        Ok(Outcome::Commit(cancelled > 0))
    }
}

struct ForgetEnded {
    before: Timestamp,
    limit: u32,
}

impl Change for ForgetEnded {
    type Answer = u64;

    fn repository_id(&self) -> Option<i64> {
        None
    }

    async fn make(&self, connection: &mut Connection) -> Result<Outcome<u64>, CatalogError> {
        let forgotten = on!(connection, |database| {
            sqlx::query(
                "DELETE FROM upload WHERE id IN (SELECT id FROM upload WHERE state <> 'open' AND changed_at < $1 \
                 ORDER BY changed_at LIMIT $2)",
            )
            .bind(self.before.micros())
            .bind(i64::from(self.limit))
            .execute(database)
            .await
            .map(|done| done.rows_affected())
        })?;
        Ok(Outcome::Commit(forgotten))
    }
}
