//! Reads stored bytes against their digest, and copies them so that only bytes of that digest ever arrive.

use futures_util::TryStreamExt;
use oci::{Algorithm, Digest, Digester};

use super::progress::Progress;
use super::transcript::KnownBlob;
use crate::blobs::{BlobError, BlobKey, Blobs, StageError};

/// How many blobs are on their way at once: a bucket answers each in milliseconds, but many side by side.
pub(super) const AT_ONCE: usize = 8;

/// Why bytes were not found right, or not copied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BlobCopyError {
    /// The store has nothing under the key.
    #[error("`{0}` is missing")]
    Missing(BlobKey),
    /// The store has other bytes than it should.
    #[error("`{key}` is damaged: it should be {expected} and is {found}")]
    Damaged {
        /// Where they lie.
        key: BlobKey,
        /// What they should be.
        expected: String,
        /// What they are.
        found: String,
    },
    /// The store to read from does not answer.
    #[error("cannot read `{0}`")]
    Source(BlobKey, #[source] BlobError),
    /// The store to write to does not answer.
    #[error("cannot write `{0}`")]
    Target(BlobKey, #[source] BlobError),
}

impl BlobCopyError {
    fn reading(key: &BlobKey, error: BlobError) -> Self {
        match error {
            BlobError::Missing(key) => Self::Missing(key),
            BlobError::Full(_) | BlobError::Unavailable(_) => Self::Source(key.clone(), error),
        }
    }

    fn of_size(key: &BlobKey, expected: u64, found: u64) -> Self {
        let told = |bytes| format!("{bytes} bytes");
        Self::Damaged { key: key.clone(), expected: told(expected), found: told(found) }
    }

    fn of_digest(key: &BlobKey, expected: &Digest, found: &Digest) -> Self {
        Self::Damaged { key: key.clone(), expected: expected.to_string(), found: found.to_string() }
    }
}

/// Reads the bytes under `key` and compares them with what they should be.
///
/// # Errors
/// [`BlobCopyError`] for everything but the right bytes.
pub(super) async fn check_blob(
    blobs: &Blobs,
    key: &BlobKey,
    digest: &Digest,
    size_bytes: u64,
    progress: &Progress,
) -> Result<(), BlobCopyError> {
    let away = |error| BlobCopyError::reading(key, error);
    let reader = blobs.open_reader(key, None).await.map_err(away)?;
    if reader.length() != size_bytes {
        return Err(BlobCopyError::of_size(key, size_bytes, reader.length()));
    }
    let mut digester = Digester::new(Algorithm::Sha256);
    let mut pieces = std::pin::pin!(reader.into_stream());
    while let Some(piece) = pieces.try_next().await.map_err(away)? {
        digester.update(&piece);
        progress.done(piece.len() as u64);
    }
    let found = digester.finish();
    if found == *digest { Ok(()) } else { Err(BlobCopyError::of_digest(key, digest, &found)) }
}

/// Copies the bytes under `from_key` to `to_key`, where they are stored when this returns.
///
/// # Errors
/// [`BlobCopyError`]; nothing stands under `to_key` then that was not there before.
pub(super) async fn copy_blob(
    (from, from_key): (&Blobs, &BlobKey),
    (to, to_key): (&Blobs, &BlobKey),
    blob: &KnownBlob,
    progress: &Progress,
) -> Result<(), BlobCopyError> {
    let reader = from.open_reader(from_key, None).await;
    let reader = reader.map_err(|error| BlobCopyError::reading(from_key, error))?;
    if reader.length() != blob.size_bytes {
        return Err(BlobCopyError::of_size(from_key, blob.size_bytes, reader.length()));
    }
    let pieces = reader.into_stream().inspect_ok(|piece| progress.done(piece.len() as u64));
    let staged = match to.staging().receive(std::pin::pin!(pieces), blob.size_bytes).await {
        Ok(staged) => staged,
        Err(StageError::Store(error)) => return Err(BlobCopyError::Target(to_key.clone(), error)),
        // More bytes than announced, or a source that broke off: either way it did not do its work.
        Err(cause @ (StageError::Cut | StageError::TooLarge { .. })) => {
            let error = BlobError::Unavailable(std::io::Error::other(cause.to_string()));
            return Err(BlobCopyError::Source(from_key.clone(), error));
        }
    };
    if *staged.digest() != blob.digest {
        return Err(BlobCopyError::of_digest(from_key, &blob.digest, staged.digest()));
    }
    to.keep(staged, to_key.clone()).await.map_err(|error| BlobCopyError::Target(to_key.clone(), error))
}
