//! Stored bytes: staged on local disk, kept once under a final key, read whole or by range, removed by the collector.
//!
//! Nothing here knows what the bytes mean. A key that was handed out by [`Blobs::keep`] is stored: in a folder, the file
//! and the folder that names it are synced; in a bucket, the service has answered. What asks a bucket is boxed: it takes
//! kilobytes, which would be moved about with every request, also where there is a folder.

mod flat;
mod folder;
mod hot;
mod key;
mod reader;
mod s3;
mod staging;
mod upload;

use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use chart::Timestamp;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};

pub(crate) use flat::FlatEntry;
use hot::HotBlobs;
pub(crate) use key::BlobKey;
pub(crate) use reader::BlobReader;
use s3::Bucket;
pub(crate) use s3::{BucketOptions, Credentials, ObjectEncryption, PartSizes};
pub(crate) use staging::{StageError, StagedBlob, Staging};
pub(crate) use upload::UploadWriter;

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

/// The blob store: a local folder or a bucket, with a staging area on local disk.
#[derive(Clone)]
pub(crate) struct Blobs {
    store: Store,
    layout: Layout,
    staging: Staging,
    hot: HotBlobs,
}

#[derive(Clone)]
enum Store {
    Folder(PathBuf),
    Bucket(Bucket),
}

/// What becomes of incomplete bodies that an earlier process left in the staging folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leftovers {
    /// They are discarded: nobody else uses the folder.
    Discarded,
    /// They are another process's, which runs beside this one.
    NotOurs,
}

impl Blobs {
    /// Opens the folder `root`, making it where needed, with incomplete files in `staging` on the same file system.
    ///
    /// # Errors
    /// [`BlobError`] when a folder cannot be made or listed.
    pub(crate) fn open(root: PathBuf, staging: PathBuf, layout: Layout) -> Result<Self, BlobError> {
        folder::prepare(&root, layout)?;
        Ok(Self::on(Store::Folder(root), Staging::open(staging)?, layout))
    }

    /// Takes the folder as a command beside the running server does, whose incomplete files it must not touch.
    ///
    /// # Errors
    /// [`BlobError`] when a folder cannot be made.
    pub(crate) fn beside(root: PathBuf, layout: Layout) -> Result<Self, BlobError> {
        let staging = root.join("staging");
        match layout {
            Layout::Addressed => {
                folder::prepare(&root, layout)?;
                std::fs::create_dir_all(&staging)?;
            }
            // Files of somebody else's, which are only read.
            Layout::Flat => {}
        }
        Ok(Self::on(Store::Folder(root), Staging::unopened(staging), layout))
    }

    /// Opens a bucket. One that is only away is opened too: what is in memory is served meanwhile.
    ///
    /// # Errors
    /// [`BlobError`] when the service refuses credentials or bucket, a certificate cannot be used, or the staging folder
    /// cannot be made.
    pub(crate) async fn in_bucket(
        options: BucketOptions,
        staging: PathBuf,
        leftovers: Leftovers,
        layout: Layout,
    ) -> Result<Self, BlobError> {
        let bucket = Bucket::connect(options).await?;
        match bucket.ping().await {
            Err(error) if s3::is_refusal(&error) => return Err(error),
            Err(error) => {
                let cause = std::error::Error::source(&error).map(tracing::field::display);
                tracing::warn!(cause, "the blob store is away: serving without it until it answers");
            }
            Ok(()) => {}
        }
        let staging = match leftovers {
            Leftovers::Discarded => Staging::open(staging)?,
            Leftovers::NotOurs => Staging::unopened(staging),
        };
        Ok(Self::on(Store::Bucket(bucket), staging, layout))
    }

    fn on(store: Store, staging: Staging, layout: Layout) -> Self {
        Self { store, layout, staging, hot: HotBlobs::new() }
    }

    /// Returns how files are named.
    pub(crate) fn layout(&self) -> Layout {
        self.layout
    }

    /// Returns the place where bodies are received.
    pub(crate) fn staging(&self) -> &Staging {
        &self.staging
    }

    /// Keeps the staged bytes under `key`; they are stored when this returns.
    ///
    /// # Errors
    /// [`BlobError`]; then nothing that anybody knows of stands under the key.
    pub(crate) async fn keep(&self, staged: StagedBlob, key: BlobKey) -> Result<(), BlobError> {
        match &self.store {
            Store::Folder(root) => {
                let (root, layout, staging) = (root.clone(), self.layout, self.staging.clone());
                off_thread(move || folder::keep(&root, layout, &staging, staged, &key)).await
            }
            Store::Bucket(bucket) => Box::pin(bucket.keep(staged, &key)).await,
        }
    }

    /// Opens the bytes under `key`, or the given range of them, which must lie within their size.
    ///
    /// Small blobs are in memory when this returns, so that a store that breaks off does so before an answer begins.
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
        let is_whole = range.is_none();
        let reader = match &self.store {
            Store::Folder(root) => {
                let (root, asked) = (root.clone(), key.clone());
                off_thread(move || folder::open(&root, &asked, range)).await?
            }
            Store::Bucket(bucket) => Box::pin(bucket.open_reader(key, range)).await?,
        };
        if !HotBlobs::takes(reader.length()) {
            return Ok(reader);
        }
        let content = reader.into_whole().await?;
        match self.layout {
            Layout::Addressed if is_whole => self.hot.keep(key.clone(), content.clone()),
            // A flat file may be another one tomorrow.
            Layout::Addressed | Layout::Flat => {}
        }
        Ok(BlobReader::of(content))
    }

    /// Returns an address of the store itself under which anybody can read the bytes for a few minutes, under this file
    /// name and as this content type; `None` where they are to be streamed.
    ///
    /// # Errors
    /// [`BlobError::Unavailable`] when there are no credentials to sign it with.
    pub(crate) async fn presigned_url(
        &self,
        key: &BlobKey,
        file_name: &str,
        content_type: &str,
    ) -> Result<Option<String>, BlobError> {
        match &self.store {
            Store::Folder(_) => Ok(None),
            Store::Bucket(bucket) => Box::pin(bucket.presigned_url(key, file_name, content_type)).await,
        }
    }

    /// Removes the bytes under `key`; that they are gone already is fine.
    ///
    /// # Errors
    /// [`BlobError`] when the store did not answer.
    pub(crate) async fn remove(&self, key: &BlobKey) -> Result<(), BlobError> {
        self.hot.forget(key);
        match &self.store {
            Store::Folder(root) => {
                let (root, key) = (root.clone(), key.clone());
                off_thread(move || folder::remove(&root, &key)).await
            }
            Store::Bucket(bucket) => Box::pin(bucket.remove(key)).await,
        }
    }

    /// Returns, page by page, the keys of addressed bytes that were written more than `older_than` ago, for the sweep of
    /// what nobody knows. A page that cannot be listed is a [`BlobError`] and ends the stream.
    pub(crate) fn list_older_than(
        &self,
        older_than: Duration,
    ) -> BoxStream<'_, Result<Vec<BlobKey>, BlobError>> {
        match &self.store {
            Store::Folder(root) => stream::iter(folder::folders_of_blobs())
                .map(Ok)
                .and_then(move |folder| {
                    let root = root.clone();
                    off_thread(move || folder::list_older_than(&root, &folder, older_than))
                })
                .boxed(),
            Store::Bucket(bucket) => bucket.list_older_than(older_than).boxed(),
        }
    }

    /// Returns, page by page, the files of the flat layout, those in hidden folders and more than `deepest` folders below
    /// the root left out. A page that cannot be listed is a [`BlobError`] and ends the stream.
    pub(crate) fn list_flat(
        &self,
        deepest: Option<usize>,
    ) -> BoxStream<'_, Result<Vec<FlatEntry>, BlobError>> {
        match &self.store {
            Store::Folder(root) => flat::list_folder(root.clone(), deepest).boxed(),
            Store::Bucket(bucket) => bucket.list_flat(deepest).boxed(),
        }
    }

    /// Discards what uploads that were begun more than `older_than` ago left unfinished, but not those to a key of `open`, and
    /// returns how many.
    ///
    /// # Errors
    /// [`BlobError`] when the store did not answer.
    pub(crate) async fn discard_uploads(
        &self,
        older_than: Duration,
        open: &[BlobKey],
    ) -> Result<u64, BlobError> {
        match &self.store {
            // What is unfinished lies in the staging folder, which is emptied at start.
            Store::Folder(_) => Ok(0),
            Store::Bucket(bucket) => Box::pin(bucket.discard_uploads(older_than, open)).await,
        }
    }

    /// Returns when the bytes under `key` were written; a bucket knows it to the second.
    ///
    /// # Errors
    /// [`BlobError::Missing`] when the store lost them, else why it did not answer.
    pub(crate) async fn modified(&self, key: &BlobKey) -> Result<Timestamp, BlobError> {
        match &self.store {
            Store::Folder(root) => {
                let (root, key) = (root.clone(), key.clone());
                off_thread(move || folder::modified(&root, &key)).await
            }
            Store::Bucket(bucket) => Box::pin(bucket.modified(key)).await,
        }
    }

    /// Tells whether the store answers and bodies can be received.
    ///
    /// # Errors
    /// [`BlobError`] when it does not or they cannot.
    pub(crate) async fn ping(&self) -> Result<(), BlobError> {
        let staging = self.staging.clone();
        off_thread(move || staging.probe()).await?;
        match &self.store {
            Store::Folder(_) => Ok(()),
            Store::Bucket(bucket) => bucket.ping().await,
        }
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
pub(crate) mod tests;
