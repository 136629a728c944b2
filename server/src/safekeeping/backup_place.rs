//! Where backups lie, a folder or a bucket: `blobs/` once for all of them, `backups/NAME/` for each.
//!
//! One rule: what has no manifest is no backup, however much of it is there.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt, stream};
use oci::{Algorithm, Digester};

use super::manifest::{InvalidManifest, Manifest, is_name};
use super::transcript::{Part, Transcript, TranscriptError};
use crate::blobs::{BlobError, BlobKey, Blobs, StageError};
use crate::faults::{self, Step};

const MANIFEST: &str = "manifest.json";
/// The largest manifest read into memory: some 100,000 repositories.
const LARGEST_MANIFEST: u64 = 64 * 1024 * 1024;
/// How much of a part is read at a time.
const PIECE: usize = 1024 * 1024;

/// A place of backups.
pub(crate) struct BackupPlace {
    blobs: Blobs,
    backups: Blobs,
    /// What must not go away meanwhile: a lock, a folder for intermediate files.
    _held: Box<dyn std::any::Any + Send + Sync>,
}

/// Why a backup was not found whole.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BackupPlaceError {
    /// The place does not answer.
    #[error("the place of the backups does not answer")]
    Away(#[from] BlobError),
    /// There is no backup.
    #[error("there is no whole backup in this place")]
    Empty,
    /// There is none of this name.
    #[error("there is no whole backup `{name}` in this place, the newest is `{newest}`")]
    Unknown {
        /// The name asked for.
        name: String,
        /// The last one.
        newest: String,
    },
    /// A file of the backup is gone.
    #[error("the backup lacks `{0}`: take another one")]
    Missing(BlobKey),
    /// A file of the backup is another than was written.
    #[error("the backup is damaged, `{file}`: {reason}: take another one")]
    Damaged {
        /// The file.
        file: BlobKey,
        /// What is wrong with it.
        reason: String,
    },
    /// The manifest cannot be used.
    #[error("the manifest of the backup `{name}` cannot be used: {reason}")]
    Manifest {
        /// The backup.
        name: String,
        /// Why.
        reason: InvalidManifest,
    },
    /// The local disk did not take or give a part.
    #[error(transparent)]
    Transcript(#[from] TranscriptError),
}

impl BackupPlace {
    /// Takes the stores of bytes and of backups, and what is to be held as long as they are used.
    pub(crate) fn new(blobs: Blobs, backups: Blobs, held: impl Send + Sync + 'static) -> Self {
        Self { blobs, backups, _held: Box::new(held) }
    }

    /// Returns the store of the bytes of all backups.
    pub(super) fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// Returns the names of the whole backups, the oldest first.
    ///
    /// # Errors
    /// [`BackupPlaceError::Away`].
    async fn names(&self) -> Result<Vec<String>, BackupPlaceError> {
        let mut names = Vec::new();
        let mut pages = self.backups.list_flat(Some(1));
        while let Some(page) = pages.try_next().await? {
            let folders =
                page.iter().filter_map(|entry| entry.path.strip_suffix(MANIFEST)?.strip_suffix('/'));
            names.extend(folders.filter(|name| is_name(name)).map(str::to_owned));
        }
        names.sort();
        Ok(names)
    }

    /// Returns the manifest of the backup of this name, or of the newest.
    ///
    /// # Errors
    /// [`BackupPlaceError`] when there is none or it cannot be used.
    pub(super) async fn find(&self, name: Option<&str>) -> Result<Manifest, BackupPlaceError> {
        let names = self.names().await?;
        let Some(newest) = names.last() else { return Err(BackupPlaceError::Empty) };
        let name = match name {
            None => newest,
            Some(name) => names
                .iter()
                .find(|known| *known == name)
                .ok_or_else(|| BackupPlaceError::Unknown { name: name.to_owned(), newest: newest.clone() })?,
        };
        let invalid = |reason| BackupPlaceError::Manifest { name: name.clone(), reason };
        let key = BlobKey::in_backup(name, MANIFEST);
        let reader = self.backups.open_reader(&key, None).await.map_err(missing_or_away)?;
        if reader.length() > LARGEST_MANIFEST {
            return Err(invalid(InvalidManifest::BrokenSeal));
        }
        let pieces: Vec<Bytes> = reader.into_stream().try_collect().await?;
        let manifest = Manifest::parse(&pieces.concat()).map_err(invalid)?;
        if manifest.name != *name {
            return Err(invalid(InvalidManifest::Unreadable(format!("it is that of `{}`", manifest.name))));
        }
        Ok(manifest)
    }

    /// Fetches the catalog of a backup into a folder below `spool`, every part checked.
    ///
    /// # Errors
    /// [`BackupPlaceError`] when a part is missing or damaged.
    pub(super) async fn fetch(
        &self,
        manifest: &Manifest,
        spool: &Path,
    ) -> Result<Transcript, BackupPlaceError> {
        let folder = Transcript::folder(spool)?;
        for part in &manifest.parts {
            let key = BlobKey::in_backup(&manifest.name, &part.file_name());
            self.fetch_part(part, &key, &folder.path().join(part.file_name())).await?;
        }
        Ok(Transcript::of_parts(folder, manifest.parts.clone()))
    }

    async fn fetch_part(&self, part: &Part, key: &BlobKey, file: &Path) -> Result<(), BackupPlaceError> {
        let disk = |error: io::Error| TranscriptError::Disk(file.to_owned(), error);
        let damaged = |reason| BackupPlaceError::Damaged { file: key.clone(), reason };
        let reader = self.backups.open_reader(key, None).await.map_err(missing_or_away)?;
        if reader.length() != part.size_bytes {
            let (found, expected) = (reader.length(), part.size_bytes);
            return Err(damaged(format!("it has {found} bytes instead of {expected}")));
        }
        let mut out = File::create(file).map_err(disk)?;
        let mut digester = Digester::new(Algorithm::Sha256);
        let mut pieces = std::pin::pin!(reader.into_stream());
        while let Some(piece) = pieces.try_next().await? {
            digester.update(&piece);
            out.write_all(&piece).map_err(disk)?;
        }
        if digester.finish() != part.digest {
            return Err(damaged("it does not have the digest that the manifest tells".to_owned()));
        }
        Ok(())
    }

    /// Writes the parts of a backup, and then its manifest, with which it is one.
    ///
    /// # Errors
    /// [`BackupPlaceError`]; then there is no such backup.
    pub(super) async fn write(
        &self,
        manifest: &Manifest,
        transcript: &Transcript,
    ) -> Result<(), BackupPlaceError> {
        for part in &manifest.parts {
            let path = transcript.path_of(part);
            let file = File::open(&path).map_err(|error| TranscriptError::Disk(path, error))?;
            self.put(&BlobKey::in_backup(&manifest.name, &part.file_name()), pieces_of(file)).await?;
        }
        faults::reach(Step::PartsBackedUp);
        let text = manifest.to_text().map_err(|error| BlobError::Unavailable(io::Error::other(error)))?;
        let text = stream::iter([Ok::<_, io::Error>(Bytes::from(text))]);
        self.put(&BlobKey::in_backup(&manifest.name, MANIFEST), text).await?;
        faults::reach(Step::BackupNamed);
        Ok(())
    }

    async fn put(
        &self,
        key: &BlobKey,
        content: impl Stream<Item = io::Result<Bytes>> + Unpin,
    ) -> Result<(), BackupPlaceError> {
        let staged = self.backups.staging().receive(content, u64::MAX).await;
        let staged = staged.map_err(|error| match error {
            StageError::Store(error) => error,
            cause @ (StageError::Cut | StageError::TooLarge { .. }) => {
                BlobError::Unavailable(io::Error::other(cause.to_string()))
            }
        })?;
        Ok(self.backups.keep(staged, key.clone()).await?)
    }
}

fn missing_or_away(error: BlobError) -> BackupPlaceError {
    match error {
        BlobError::Missing(key) => BackupPlaceError::Missing(key),
        BlobError::Full(_) | BlobError::Unavailable(_) => BackupPlaceError::Away(error),
    }
}

fn pieces_of(file: File) -> impl Stream<Item = io::Result<Bytes>> + Unpin {
    stream::iter(std::iter::from_fn(move || {
        let mut piece = Vec::with_capacity(PIECE);
        match (&file).take(PIECE as u64).read_to_end(&mut piece) {
            Ok(0) => None,
            Ok(_) => Some(Ok(piece.into())),
            Err(error) => Some(Err(error)),
        }
    }))
}
