//! Bytes that a version is to be made of: received with the request, or pushed before it and stored already.

use std::io::Read;

use oci::Digest;

use crate::app::App;
use crate::blobs::{BlobError, StagedBlob};
use crate::catalog::BlobRow;

/// An archive or a provenance file on its way into a version.
#[derive(Debug)]
pub(crate) enum Offered {
    /// It came with the request.
    Staged(StagedBlob),
    /// The store holds it.
    Stored(BlobRow),
}

impl Offered {
    /// Returns the SHA-256 of the bytes.
    pub(crate) fn digest(&self) -> &Digest {
        match self {
            Self::Staged(staged) => staged.digest(),
            Self::Stored(row) => &row.digest,
        }
    }

    /// Opens the bytes from their beginning, to be read on a thread that may block.
    ///
    /// # Errors
    /// [`BlobError`] when they cannot be read.
    pub(super) async fn open(&self, app: &App) -> Result<Box<dyn Read + Send>, BlobError> {
        match self {
            Self::Staged(staged) => Ok(staged.reader()?),
            Self::Stored(row) => Ok(app.blobs.open_reader(&row.key, None).await?.into_blocking_reader()),
        }
    }
}

impl From<StagedBlob> for Offered {
    fn from(staged: StagedBlob) -> Self {
        Self::Staged(staged)
    }
}
