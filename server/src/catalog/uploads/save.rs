//! Notes how far an upload came, for whoever goes on with it.

use bytes::Bytes;
use chart::Timestamp;

use crate::catalog::connection::{Connection, on};
use crate::catalog::writer::{Change, Outcome};
use crate::catalog::{Catalog, CatalogError};

/// How far an upload came.
#[derive(Debug, Clone)]
pub(crate) struct UploadProgress {
    pub(crate) id: String,
    /// Whoever claimed it.
    pub(crate) holder: String,
    pub(crate) received_bytes: u64,
    /// The digest of what is received, as [`oci::Digester::save`] returns it.
    pub(crate) digest_state: Vec<u8>,
    /// What the store needs to go on.
    pub(crate) store_state: Option<String>,
    /// Where what is in no part yet begins.
    pub(crate) tail_start: u64,
    /// What of this came since the upload was claimed, and where that begins.
    pub(crate) new_tail: (u64, Bytes),
}

impl Catalog {
    /// Keeps what was received and gives the upload back; returns false, and keeps nothing, when it is no longer held.
    pub(crate) async fn save_upload(
        &self,
        progress: UploadProgress,
        now: Timestamp,
    ) -> Result<bool, CatalogError> {
        self.make(SaveUpload { progress, now }).await
    }

    /// Holds a claimed upload for longer; returns false when it is no longer held.
    pub(crate) async fn renew_upload(
        &self,
        id: &str,
        holder: &str,
        held_until: Timestamp,
    ) -> Result<bool, CatalogError> {
        let (id, holder) = (id.to_owned(), holder.to_owned());
        self.make(RenewUpload { id, holder, held_until }).await
    }

    /// Gives a claimed upload back as it was; that it is no longer held is fine.
    pub(crate) async fn release_upload(&self, id: &str, holder: &str) -> Result<(), CatalogError> {
        self.renew_upload(id, holder, Timestamp::from_micros(0)).await.map(drop)
    }
}

struct SaveUpload {
    progress: UploadProgress,
    now: Timestamp,
}

impl Change for SaveUpload {
    type Answer = bool;

    fn repository_id(&self) -> Option<i64> {
        None
    }

    async fn make(&self, connection: &mut Connection) -> Result<Outcome<bool>, CatalogError> {
        let progress = &self.progress;
        let saved = on!(connection, |database| {
            sqlx::query(
                "UPDATE upload SET received_bytes = $3, digest_state = $4, store_state = $5, changed_at = $6, \
                 holder = NULL, held_until = 0 WHERE id = $1 AND holder = $2 AND state = 'open'",
            )
            .bind(&progress.id)
            .bind(&progress.holder)
            .bind(signed(progress.received_bytes))
            .bind(progress.digest_state.as_slice())
            .bind(progress.store_state.as_deref())
            .bind(self.now.micros())
            .execute(database)
            .await
            .map(|done| done.rows_affected())
        })?;
        if saved == 0 {
            return Ok(Outcome::Discard(false));
        }
        on!(connection, |database| sqlx::query(
            "DELETE FROM upload_tail WHERE upload_id = $1 AND start_byte < $2"
        )
        .bind(&progress.id)
        .bind(signed(progress.tail_start))
        .execute(database)
        .await
        .map(drop))?;
        let (start, piece) = &progress.new_tail;
        if !piece.is_empty() {
            on!(connection, |database| sqlx::query(
                "INSERT INTO upload_tail (upload_id, start_byte, content) VALUES ($1, $2, $3)"
            )
            .bind(&progress.id)
            .bind(signed(*start))
            .bind(&**piece)
            .execute(database)
            .await
            .map(drop))?;
        }
        Ok(Outcome::Commit(true))
    }
}

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

struct RenewUpload {
    id: String,
    holder: String,
    held_until: Timestamp,
}

impl Change for RenewUpload {
    type Answer = bool;

    fn repository_id(&self) -> Option<i64> {
        None
    }

    async fn make(&self, connection: &mut Connection) -> Result<Outcome<bool>, CatalogError> {
        let renewed = on!(connection, |database| sqlx::query(
            "UPDATE upload SET held_until = $3 WHERE id = $1 AND holder = $2 AND state = 'open'"
        )
        .bind(&self.id)
        .bind(&self.holder)
        .bind(self.held_until.micros())
        .execute(database)
        .await
        .map(|done| done.rows_affected()))?;
        Ok(Outcome::Commit(renewed > 0))
    }
}
