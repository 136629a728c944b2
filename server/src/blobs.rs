//! Stored bytes: staged on local disk, kept once under a final key, read whole or by range, removed by the collector.
//!
//! Nothing here knows what the bytes mean. A key that was handed out by [`Blobs::keep`] is on disk: the file and the
//! folder that names it are synced.

mod folder;
mod hot;
mod key;
mod staging;

use std::ops::Range;
use std::path::{Path, PathBuf};

use chart::Timestamp;

pub(crate) use folder::{BlobReader, time_of};
use hot::HotBlobs;
pub(crate) use key::BlobKey;
pub(crate) use staging::{StageError, StagedBlob, Staging};

/// Why stored bytes could not be kept or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BlobError {
    /// The store holds nothing under this key, although the catalog says so.
    #[error("the blob store lost `{0}`")]
    Missing(BlobKey),
    /// The disk is full; nothing was kept.
    #[error("the disk that holds the blobs is full")]
    Full(#[source] std::io::Error),
    /// The store is away or broke off.
    #[error("the blob store did not answer")]
    Unavailable(#[source] std::io::Error),
}

impl From<std::io::Error> for BlobError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::Full(error),
            // Everything else is the store not doing its work; what it was is for the log.
            _ => Self::Unavailable(error),
        }
    }
}

/// How files are named below the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// By digest, written once, never overwritten.
    Addressed,
    /// ChartMuseum's: `<tenant>/<name>-<version>.tgz`, so that one can go back to it.
    Flat,
}

impl Layout {
    /// Tells whether bytes that were deleted or replaced stay until the collector comes.
    pub(crate) fn keeps_replaced(self) -> bool {
        match self {
            Self::Addressed => true,
            Self::Flat => false,
        }
    }
}

/// The blob store: one local folder with its staging area.
#[derive(Clone)]
pub(crate) struct Blobs {
    root: PathBuf,
    layout: Layout,
    staging: Staging,
    hot: HotBlobs,
}

impl Blobs {
    /// Opens the folder `root`, making it where needed, with incomplete files in `staging` on the same file system.
    ///
    /// # Errors
    /// [`BlobError`] when a folder cannot be made or listed.
    pub(crate) fn open(root: PathBuf, staging: PathBuf, layout: Layout) -> Result<Self, BlobError> {
        match layout {
            Layout::Addressed => folder::prepare(&root)?,
            Layout::Flat => std::fs::create_dir_all(&root)?,
        }
        Ok(Self { staging: Staging::open(staging)?, layout, root, hot: HotBlobs::new() })
    }

    /// Takes the folder as a command beside the running server does, whose incomplete files it must not touch.
    pub(crate) fn beside(root: PathBuf, layout: Layout) -> Self {
        Self { staging: Staging::unopened(root.join("staging")), layout, root, hot: HotBlobs::new() }
    }

    /// Returns how files are named.
    pub(crate) fn layout(&self) -> Layout {
        self.layout
    }

    /// Returns the place where bodies are received.
    pub(crate) fn staging(&self) -> &Staging {
        &self.staging
    }

    /// Keeps the staged bytes under `key`, on disk when this returns.
    ///
    /// # Errors
    /// [`BlobError`]; then nothing stands under the key.
    pub(crate) async fn keep(&self, staged: StagedBlob, key: BlobKey) -> Result<(), BlobError> {
        let (root, staging) = (self.root.clone(), self.staging.clone());
        let layout = self.layout;
        off_thread(move || {
            match layout {
                Layout::Addressed => {}
                Layout::Flat => folder::make_parents(&root, &key)?,
            }
            folder::keep(&root, &staging, staged, &key)
        })
        .await
    }

    /// Opens the bytes under `key`, or the given range of them, which must lie within their size.
    ///
    /// # Errors
    /// [`BlobError::Missing`] when the store lost them, else why it did not answer.
    pub(crate) async fn open_reader(
        &self,
        key: &BlobKey,
        range: Option<Range<u64>>,
    ) -> Result<BlobReader, BlobError> {
        if let Some(content) = self.hot.find(key) {
            return BlobReader::in_memory(key, &content, range);
        }
        let (root, asked) = (self.root.clone(), key.clone());
        let whole = range.is_none();
        let reader = off_thread(move || folder::open(&root, &asked, range)).await?;
        match self.layout {
            Layout::Addressed if whole => self.warm(key, &reader),
            // A flat file may be another one tomorrow.
            Layout::Addressed | Layout::Flat => {}
        }
        Ok(reader)
    }

    /// Removes the bytes under `key`; that they are gone already is fine.
    ///
    /// # Errors
    /// [`BlobError`] when the store did not answer.
    pub(crate) async fn remove(&self, key: &BlobKey) -> Result<(), BlobError> {
        self.hot.forget(key);
        let (root, key) = (self.root.clone(), key.clone());
        off_thread(move || folder::remove(&root, &key)).await
    }

    /// Keeps in memory what was read in one piece and is small.
    fn warm(&self, key: &BlobKey, reader: &BlobReader) {
        if let Some(content) = reader.whole().filter(|content| HotBlobs::takes(content.len() as u64)) {
            self.hot.keep(key.clone(), content.clone());
        }
    }

    /// Returns the keys of files that were written more than `older_than` ago, for the sweep of what nobody knows.
    ///
    /// # Errors
    /// [`BlobError`] when the folder cannot be listed.
    pub(crate) async fn list_older_than(
        &self,
        older_than: std::time::Duration,
    ) -> Result<Vec<BlobKey>, BlobError> {
        let root = self.root.clone();
        off_thread(move || folder::list_older_than(&root, older_than)).await
    }

    /// Returns when the bytes under `key` were written.
    ///
    /// # Errors
    /// [`BlobError::Missing`] when the store lost them, else why it did not answer.
    pub(crate) async fn modified(&self, key: &BlobKey) -> Result<Timestamp, BlobError> {
        let (root, key) = (self.root.clone(), key.clone());
        off_thread(move || folder::modified(&root, &key)).await
    }

    /// Tells whether the folder can be written.
    ///
    /// # Errors
    /// [`BlobError`] when it cannot.
    pub(crate) async fn ping(&self) -> Result<(), BlobError> {
        let staging = self.staging.clone();
        off_thread(move || staging.probe()).await
    }

    /// Returns the folder itself, for what ChartMuseum's flat layout reads beside the catalog.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }
}

async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BlobError> + Send + 'static,
) -> Result<T, BlobError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(lost) => Err(BlobError::Unavailable(std::io::Error::other(lost))),
    }
}

#[cfg(test)]
mod tests;
