//! Brings a backup back into empty stores: all of it is read and checked before the first byte is written.

use std::path::Path;

use chart::Timestamp;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Serialize;

use super::Stores;
use super::backup_place::{BackupPlace, BackupPlaceError};
use super::blob_copy::{AT_ONCE, BlobCopyError, check_blob};
use super::copy::{CopyError, carry_blobs};
use super::manifest::Manifest;
use super::progress::Progress;
use super::transcript::{BlobTotals, KnownBlob, RepositoryRevision, Transcript, TranscriptError};
use crate::blobs::BlobKey;
use crate::catalog::Catalog;

/// A backup that was found whole, and brought back unless it was only to be checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RestoredBackup {
    /// Its name.
    pub(crate) name: String,
    /// The moment that it shows.
    pub(crate) created: Timestamp,
    /// How far each repository was.
    pub(crate) repositories: Vec<RepositoryRevision>,
    /// The bytes that belong to it.
    pub(crate) blobs: BlobTotals,
}

/// Why a backup was not brought back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RestoreError {
    /// The backup is not whole, or its place does not answer.
    #[error(transparent)]
    Place(#[from] BackupPlaceError),
    /// Bytes of the backup are not what it says.
    #[error(
        "the backup is damaged: delete what is named below `blobs/`, so that the next backup copies it again"
    )]
    Damaged(#[source] BlobCopyError),
    /// The backup's place broke off.
    #[error("the backup could not be read")]
    Unread(#[source] BlobCopyError),
    /// The backup is of another version of the program.
    #[error(
        "the backup has the tables of schema {given}, this version has {known}: restore it with the version that made it, \
         which the next one then brings up to date"
    )]
    OtherSchema {
        /// The backup's.
        given: i64,
        /// This version's.
        known: i64,
    },
    /// The backup's files contradict its manifest.
    #[error("the backup's files do not fit its manifest: take another one")]
    Contradiction,
    /// The backup's tables cannot be read, or the local disk did not take them.
    #[error(transparent)]
    Transcript(#[from] TranscriptError),
    /// The stores to fill did not take it.
    #[error(transparent)]
    Copy(#[from] CopyError),
}

/// A backup of which every byte has been read and found right.
pub(crate) struct CheckedBackup {
    manifest: Manifest,
    transcript: Transcript,
}

/// Reads a backup, the newest unless it is named, and compares all of it with its digests.
///
/// # Errors
/// [`RestoreError`] when a byte of it is wrong or gone.
pub(crate) async fn check_backup(
    place: &BackupPlace,
    name: Option<&str>,
    spool: &Path,
    progress: &Progress,
) -> Result<CheckedBackup, RestoreError> {
    let manifest = place.find(name).await?;
    let (given, known) = (manifest.schema, Catalog::schema_number());
    if given != known {
        return Err(RestoreError::OtherSchema { given, known });
    }
    let transcript = place.fetch(&manifest, spool).await?;
    if transcript.count_blobs()? != manifest.blobs || transcript.repositories()? != manifest.repositories {
        return Err(RestoreError::Contradiction);
    }
    progress.begin("checking", manifest.blobs.bytes);
    stream::iter(transcript.blobs()?)
        .map(|blob| async { check(place, &blob?, progress).await })
        .buffer_unordered(AT_ONCE)
        .try_collect::<()>()
        .await?;
    progress.finish();
    Ok(CheckedBackup { manifest, transcript })
}

async fn check(place: &BackupPlace, blob: &KnownBlob, progress: &Progress) -> Result<(), RestoreError> {
    let key = BlobKey::of_digest(&blob.digest);
    let checked = check_blob(place.blobs(), &key, &blob.digest, blob.size_bytes, progress).await;
    checked.map_err(|error| match error {
        BlobCopyError::Missing(_) | BlobCopyError::Damaged { .. } => RestoreError::Damaged(error),
        BlobCopyError::Source(..) | BlobCopyError::Target(..) => RestoreError::Unread(error),
    })
}

impl CheckedBackup {
    /// Returns what was found.
    pub(crate) fn report(&self) -> RestoredBackup {
        let Manifest { name, created, repositories, blobs, .. } = self.manifest.clone();
        RestoredBackup { name, created, repositories, blobs }
    }

    /// Fills empty stores with the backup: bytes first, and then the catalog that names them, in one transaction.
    ///
    /// # Errors
    /// [`RestoreError`]; the catalog is empty as before, and bytes that were written serve the next attempt.
    pub(crate) async fn restore(
        &self,
        place: &BackupPlace,
        target: &Stores,
        progress: &Progress,
    ) -> Result<(), RestoreError> {
        let from = |blob: &KnownBlob| BlobKey::of_digest(&blob.digest);
        carry_blobs(&self.transcript, (place.blobs(), from), &target.blobs, progress).await?;
        self.transcript.load(&target.catalog).await?;
        progress.finish();
        Ok(())
    }
}
