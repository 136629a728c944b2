//! Uploads that take several requests: how far each is, who works on it, and how to go on.
//!
//! One server works on an upload at a time: whoever claimed it last, until it gives it back or falls silent.

mod claim;
mod end;
mod save;

use bytes::Bytes;
use chart::Timestamp;
use oci::{Algorithm, Digester};
use sqlx::FromRow;

use super::connection::read;
use super::{Catalog, CatalogError};
use crate::blobs::BlobKey;
pub(crate) use claim::{Claim, Claimed};
pub(crate) use end::EndedUpload;
pub(super) use end::{end, forget_tail};
pub(crate) use save::UploadProgress;

/// Whether an upload goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UploadState {
    /// More may come.
    Open,
    /// It became a blob, or was given up.
    Over,
}

/// How far an upload is.
#[derive(Debug, Clone)]
pub(crate) struct UploadRow {
    pub(crate) id: String,
    pub(crate) state: UploadState,
    pub(crate) received_bytes: u64,
    /// The digest of what is received.
    pub(crate) digester: Digester,
    /// Where the bytes go.
    pub(crate) key: BlobKey,
    /// What the store needs to go on; `None` before its first part.
    pub(crate) store_state: Option<String>,
}

/// An upload with the bytes that are in no part yet.
#[derive(Debug, Clone)]
pub(crate) struct HeldRow {
    pub(crate) row: UploadRow,
    pub(crate) tail: Bytes,
}

#[derive(FromRow)]
struct RawUpload {
    id: String,
    state: String,
    algorithm: String,
    received_bytes: i64,
    digest_state: Option<Vec<u8>>,
    storage_key: String,
    store_state: Option<String>,
}

impl TryFrom<RawUpload> for UploadRow {
    type Error = CatalogError;

    fn try_from(raw: RawUpload) -> Result<Self, CatalogError> {
        let corrupt = |what, value: &str| CatalogError::Corrupt { what, value: value.to_owned() };
        let algorithm = Algorithm::from_name(&raw.algorithm)
            .ok_or_else(|| corrupt("algorithm of an upload", &raw.algorithm))?;
        let digester = match &raw.digest_state {
            None => Digester::new(algorithm),
            Some(saved) => Digester::resume(algorithm, saved)
                .ok_or_else(|| corrupt("digest state of an upload", &raw.id))?,
        };
        Ok(Self {
            state: if raw.state == "open" { UploadState::Open } else { UploadState::Over },
            received_bytes: raw.received_bytes.unsigned_abs(),
            digester,
            key: BlobKey::from_catalog(raw.storage_key),
            store_state: raw.store_state,
            id: raw.id,
        })
    }
}

/// The beginning of every query that returns uploads.
macro_rules! select_uploads {
    ($rest:literal) => {
        concat!(
            "SELECT id, state, algorithm, received_bytes, digest_state, storage_key, store_state FROM upload ",
            $rest
        )
    };
}
use select_uploads;

impl Catalog {
    /// Returns an upload that received something or is over; one that was only begun has no row.
    pub(crate) async fn find_upload(&self, id: &str) -> Result<Option<UploadRow>, CatalogError> {
        let raw: Option<RawUpload> =
            read!(self, |database| sqlx::query_as(select_uploads!("WHERE id = $1"))
                .bind(id)
                .fetch_optional(database)
                .await)?;
        raw.map(UploadRow::try_from).transpose()
    }

    /// Returns where open uploads put their bytes: nothing there is waste.
    pub(crate) async fn list_open_upload_keys(&self) -> Result<Vec<BlobKey>, CatalogError> {
        let keys: Vec<String> = read!(self, |database| sqlx::query_scalar(
            "SELECT storage_key FROM upload WHERE state = 'open'"
        )
        .fetch_all(database)
        .await)?;
        Ok(keys.into_iter().map(BlobKey::from_catalog).collect())
    }

    /// Tells whether an open upload puts its bytes there.
    pub(crate) async fn is_open_upload_key(&self, key: &BlobKey) -> Result<bool, CatalogError> {
        let found: Option<String> = read!(self, |database| sqlx::query_scalar(
            "SELECT id FROM upload WHERE storage_key = $1 AND state = 'open'"
        )
        .bind(key.as_str())
        .fetch_optional(database)
        .await)?;
        Ok(found.is_some())
    }

    /// Returns up to `limit` open uploads that nobody touched since `before`.
    pub(crate) async fn list_idle_uploads(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<UploadRow>, CatalogError> {
        let raw: Vec<RawUpload> = read!(self, |database| sqlx::query_as(select_uploads!(
            "WHERE state = 'open' AND changed_at < $1 ORDER BY changed_at LIMIT $2"
        ))
        .bind(before.micros())
        .bind(i64::from(limit))
        .fetch_all(database)
        .await)?;
        raw.into_iter().map(UploadRow::try_from).collect()
    }
}
