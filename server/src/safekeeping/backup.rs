//! Copies catalog and bytes into a place of backups while servers go on: what one moment of the catalog refers to.
//!
//! Bytes come before the catalog that names them, and the manifest comes last: a backup that was cut off is none.

use std::path::Path;

use chart::Timestamp;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Serialize;

use super::Stores;
use super::backup_place::{BackupPlace, BackupPlaceError};
use super::blob_copy::{AT_ONCE, BlobCopyError, copy_blob};
use super::manifest::Manifest;
use super::present::Present;
use super::progress::Progress;
use super::transcript::{BlobTotals, KnownBlob, RepositoryRevision, Transcript, TranscriptError};
use crate::blobs::{BlobError, BlobKey};
use crate::catalog::{Catalog, CatalogError};
use crate::faults::{self, Step};

/// How often the catalog is read anew when bytes were collected that it had still named.
const ATTEMPTS: u32 = 4;

/// A backup that is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BackedUp {
    /// Its name.
    pub(crate) name: String,
    /// When the catalog was read.
    pub(crate) created: Timestamp,
    /// How far each repository was.
    pub(crate) repositories: Vec<RepositoryRevision>,
    /// The bytes that belong to it.
    pub(crate) blobs: BlobTotals,
    /// Those of them that were not there from an earlier backup.
    pub(crate) copied: BlobTotals,
}

/// Why there is no backup; what was copied serves the next one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BackupError {
    /// The place of backups does not answer.
    #[error(transparent)]
    Place(#[from] BackupPlaceError),
    /// The catalog was not written down.
    #[error(transparent)]
    Transcript(#[from] TranscriptError),
    /// Bytes that versions need are lost or damaged.
    #[error(
        "stored bytes are not what the catalog says, so the backup would not be one: run `chartroom verify`"
    )]
    Damaged(#[source] BlobCopyError),
    /// A store broke off.
    #[error("the bytes could not be copied: run the backup again, it goes on where it was")]
    Copy(#[source] BlobCopyError),
    /// The catalog does not answer.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// Versions are deleted and collected faster than they are copied.
    #[error(
        "`{0}` was collected while it was being backed up, every time: let `collection.grace` be longer than a backup takes"
    )]
    Vanished(BlobKey),
}

impl From<BlobError> for BackupError {
    fn from(error: BlobError) -> Self {
        Self::Place(error.into())
    }
}

/// Makes a backup of the stores in `place`, with intermediate files in `spool`, and returns it once it is whole.
///
/// # Errors
/// [`BackupError`]; then the place has no new backup.
pub(crate) async fn back_up(
    stores: &Stores,
    place: &BackupPlace,
    now: Timestamp,
    spool: &Path,
    progress: &Progress,
) -> Result<BackedUp, BackupError> {
    let present = Present::list(place.blobs()).await?;
    let mut attempt = 1;
    loop {
        match back_up_once(stores, place, &present, now, spool, progress).await {
            // Its version was deleted and collected since the catalog was read.
            Err(BackupError::Vanished(_)) if attempt < ATTEMPTS => attempt += 1,
            outcome => return outcome,
        }
    }
}

async fn back_up_once(
    stores: &Stores,
    place: &BackupPlace,
    present: &Present,
    now: Timestamp,
    spool: &Path,
    progress: &Progress,
) -> Result<BackedUp, BackupError> {
    let transcript = Transcript::write(&stores.catalog, spool).await?;
    faults::reach(Step::CatalogReadForBackup);
    let blobs = transcript.count_blobs()?;
    progress.begin("copying blobs", blobs.bytes);
    let copied = stream::iter(once_per_digest(&transcript)?)
        .map(|blob| async {
            let blob = blob?;
            if present.has(&BlobKey::of_digest(&blob.digest), blob.size_bytes) {
                progress.done(blob.size_bytes);
                return Ok(BlobTotals::default());
            }
            send(stores, place, &blob, progress).await?;
            faults::reach(Step::BlobBackedUp);
            Ok(BlobTotals { count: 1, bytes: blob.size_bytes })
        })
        .buffer_unordered(AT_ONCE)
        .try_fold(BlobTotals::default(), |sum, one: BlobTotals| async move {
            Ok::<_, BackupError>(BlobTotals { count: sum.count + one.count, bytes: sum.bytes + one.bytes })
        })
        .await?;
    let repositories = transcript.repositories()?;
    let (schema, parts) = (Catalog::schema_number(), transcript.parts().to_vec());
    let manifest = Manifest::new(now, schema, parts, repositories.clone(), blobs);
    place.write(&manifest, &transcript).await?;
    progress.finish();
    Ok(BackedUp { name: manifest.name, created: now, repositories, blobs, copied })
}

/// Returns every blob, one of those with the same bytes.
fn once_per_digest(
    transcript: &Transcript,
) -> Result<impl Iterator<Item = Result<KnownBlob, TranscriptError>> + use<>, TranscriptError> {
    let mut last = None;
    Ok(transcript.blobs()?.filter(move |blob| match blob {
        // They come in the order of their digests.
        Ok(blob) => last.replace(blob.digest.clone()).is_none_or(|last| last != blob.digest),
        Err(_) => true,
    }))
}

/// Copies one blob into the place.
pub(super) async fn send(
    stores: &Stores,
    place: &BackupPlace,
    blob: &KnownBlob,
    progress: &Progress,
) -> Result<(), BackupError> {
    let target = BlobKey::of_digest(&blob.digest);
    let sent = copy_blob((&stores.blobs, &blob.key), (place.blobs(), &target), blob, progress).await;
    match sent {
        Ok(()) => Ok(()),
        Err(error @ (BlobCopyError::Missing(_) | BlobCopyError::Damaged { .. })) => {
            // Only if the catalog still has it there, something is wrong with it.
            let is_known = stores.catalog.find_blob_by_key(&blob.key).await?.is_some();
            Err(if is_known { BackupError::Damaged(error) } else { BackupError::Vanished(blob.key.clone()) })
        }
        Err(error @ (BlobCopyError::Source(..) | BlobCopyError::Target(..))) => Err(BackupError::Copy(error)),
    }
}
