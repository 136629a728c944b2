//! Why bytes were not taken.

use oci::Digest;

use crate::blobs::{BlobError, StageError};
use crate::catalog::{CatalogError, NoRoom};
use crate::operations::keep_blob::KeepError;

/// Why bytes were not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UploadError {
    /// The upload is done, given up, or none.
    #[error("this upload is over, or was never begun: begin another one")]
    Over,
    /// Another request is under way, or took it over.
    #[error("another request sends to this upload: wait for its end, or begin another one")]
    Taken,
    /// The bytes do not begin where the last ones ended.
    #[error("the next byte of this upload is number {received}: go on from there")]
    WrongOffset {
        /// How many bytes there are.
        received: u64,
    },
    /// The body has not the length that was announced.
    #[error("the body has another length than its range: send it again")]
    WrongLength,
    /// The client stopped in the middle.
    #[error("the body broke off before its end: ask how much arrived, and go on from there")]
    Cut,
    /// The bytes are not those that the client names.
    #[error("the bytes have the digest `{actual}`, not the one that was named: begin another upload")]
    OtherDigest {
        /// What they are.
        actual: Digest,
    },
    /// Nothing may be written at the moment.
    #[error("nothing can be written at the moment: {reason}")]
    ReadOnly {
        /// Why.
        reason: String,
    },
    /// The repository would hold more than it may.
    #[error(
        "the repository may hold {most} bytes: delete what is not needed, or let its administrator raise the limit"
    )]
    TooManyBytes {
        /// How many it may hold.
        most: u64,
    },
    /// The catalog did not answer.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The store did not answer.
    #[error(transparent)]
    Blobs(#[from] BlobError),
}

impl From<NoRoom> for UploadError {
    fn from(refused: NoRoom) -> Self {
        match refused {
            NoRoom::ReadOnly { reason } => Self::ReadOnly { reason },
            NoRoom::TooManyBytes { most } => Self::TooManyBytes { most },
        }
    }
}

impl From<KeepError> for UploadError {
    fn from(error: KeepError) -> Self {
        match error {
            KeepError::Catalog(error) => Self::Catalog(error),
            KeepError::Blobs(error) => Self::Blobs(error),
        }
    }
}

impl From<StageError> for UploadError {
    fn from(error: StageError) -> Self {
        match error {
            StageError::TooLarge { .. } => Self::WrongLength,
            StageError::Cut => Self::Cut,
            StageError::Store(error) => Self::Blobs(error),
        }
    }
}
