//! Moves house: carries everything from one pair of stores to another, empty one.
//!
//! Nobody may write to the source meanwhile; what is written there after the catalog was read stays behind.

use std::path::Path;

use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Serialize;

use super::Stores;
use super::blob_copy::{AT_ONCE, BlobCopyError, check_blob, copy_blob};
use super::present::Present;
use super::progress::Progress;
use super::transcript::{BlobTotals, KnownBlob, RepositoryRevision, Transcript, TranscriptError};
use crate::blobs::{BlobError, BlobKey, Blobs};

/// How often the source is read anew when it has changed meanwhile.
const ATTEMPTS: u32 = 4;

/// What was carried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Copied {
    /// How far each repository is.
    pub(crate) repositories: Vec<RepositoryRevision>,
    /// All bytes.
    pub(crate) blobs: BlobTotals,
    /// Those of them that were not in the target already, from an attempt that was cut off.
    pub(crate) copied: BlobTotals,
}

/// Why not everything was carried.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CopyError {
    /// The catalog was not written down or not filled.
    #[error(transparent)]
    Transcript(#[from] TranscriptError),
    /// Bytes that versions need are lost or damaged.
    #[error("stored bytes are not what the catalog says: run `chartroom verify` on the source")]
    Damaged(#[source] BlobCopyError),
    /// A store broke off.
    #[error("the bytes could not be copied: do it again, it goes on where it was")]
    Carry(#[source] BlobCopyError),
    /// The source changed whenever it was looked at again.
    #[error("somebody goes on writing to the source: stop all its servers and commands")]
    Restless,
    /// The source changed in the last moment.
    #[error(
        "somebody wrote to the source after it was copied: stop all its servers, empty the target and copy again"
    )]
    LeftBehind,
    /// The target does not answer.
    #[error("the store to fill does not answer")]
    Target(#[from] BlobError),
}

/// Carries everything from one pair of stores to another. A target that took the bytes of an earlier attempt keeps them.
///
/// # Errors
/// [`CopyError`]; the target's catalog is empty as before, but for [`CopyError::LeftBehind`].
pub(crate) async fn copy_everything(
    source: &Stores,
    target: &Stores,
    spool: &Path,
    progress: &Progress,
) -> Result<Copied, CopyError> {
    let mut transcript = Transcript::write(&source.catalog, spool).await?;
    let mut copied = BlobTotals::default();
    for _ in 0..ATTEMPTS {
        let from = |blob: &KnownBlob| blob.key.clone();
        let carried = carry_blobs(&transcript, (&source.blobs, from), &target.blobs, progress).await?;
        copied = BlobTotals { count: copied.count + carried.count, bytes: copied.bytes + carried.bytes };
        // A publish that had passed the switch before it was turned may have been recorded after the catalog was read.
        let later = Transcript::write(&source.catalog, spool).await?;
        if later.parts() != transcript.parts() {
            transcript = later;
            continue;
        }
        transcript.load(&target.catalog).await?;
        progress.finish();
        if Transcript::write(&source.catalog, spool).await?.parts() != transcript.parts() {
            return Err(CopyError::LeftBehind);
        }
        return Ok(Copied {
            repositories: transcript.repositories()?,
            blobs: transcript.count_blobs()?,
            copied,
        });
    }
    Err(CopyError::Restless)
}

/// Reads everything and writes nothing, and returns what would be carried.
///
/// # Errors
/// [`CopyError`] when the source is damaged.
pub(crate) async fn rehearse_copy(
    source: &Stores,
    spool: &Path,
    progress: &Progress,
) -> Result<Copied, CopyError> {
    let transcript = Transcript::write(&source.catalog, spool).await?;
    let blobs = transcript.count_blobs()?;
    progress.begin("checking", blobs.bytes);
    stream::iter(transcript.blobs()?)
        .map(|blob| async {
            let KnownBlob { key, digest, size_bytes } = blob?;
            check_blob(&source.blobs, &key, &digest, size_bytes, progress).await.map_err(of_source)
        })
        .buffer_unordered(AT_ONCE)
        .try_collect::<()>()
        .await?;
    progress.finish();
    Ok(Copied { repositories: transcript.repositories()?, blobs, copied: BlobTotals::default() })
}

/// Copies the bytes of a transcript to the keys that it names, and returns how many there were none of.
pub(super) async fn carry_blobs(
    transcript: &Transcript,
    (from, from_key): (&Blobs, impl Fn(&KnownBlob) -> BlobKey),
    to: &Blobs,
    progress: &Progress,
) -> Result<BlobTotals, CopyError> {
    let present = Present::list(to).await?;
    progress.begin("copying blobs", transcript.count_blobs()?.bytes);
    stream::iter(transcript.blobs()?)
        .map(|blob| async {
            let blob = blob?;
            if present.has(&blob.key, blob.size_bytes)
                && check_blob(to, &blob.key, &blob.digest, blob.size_bytes, progress).await.is_ok()
            {
                return Ok(BlobTotals::default());
            }
            let copied = copy_blob((from, &from_key(&blob)), (to, &blob.key), &blob, progress).await;
            copied.map_err(of_source)?;
            Ok(BlobTotals { count: 1, bytes: blob.size_bytes })
        })
        .buffer_unordered(AT_ONCE)
        .try_fold(BlobTotals::default(), |sum, one: BlobTotals| async move {
            Ok(BlobTotals { count: sum.count + one.count, bytes: sum.bytes + one.bytes })
        })
        .await
}

fn of_source(error: BlobCopyError) -> CopyError {
    match error {
        BlobCopyError::Missing(_) | BlobCopyError::Damaged { .. } => CopyError::Damaged(error),
        BlobCopyError::Source(..) | BlobCopyError::Target(..) => CopyError::Carry(error),
    }
}
