//! Bytes that come in pieces, over several requests and to several servers: each goes to its final place as it comes.
//!
//! What a later request needs is what [`UploadWriter::pause`] returns, never this process. Until an upload is complete its
//! key is known to nobody who reads.

mod file;

use bytes::{Bytes, BytesMut};

use super::s3::UploadInParts;
use super::{BlobError, BlobKey, Blobs, Store, off_thread};
use file::FileUpload;

/// How much is gathered before it is written to a file: a hop to a blocking thread costs more than the copy.
const GATHERED: usize = 1024 * 1024;

/// An upload that goes on.
pub(crate) struct UploadWriter {
    target: Target,
    /// What is written nowhere yet.
    buffer: BytesMut,
    /// How much is written.
    written: u64,
}

enum Target {
    File(FileUpload),
    Parts(UploadInParts),
}

/// An upload that stands still until the next request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PausedUpload {
    /// What the store needs to go on, if it needs anything.
    pub(crate) store_state: Option<String>,
    /// What is too small for the store as yet; it must be kept and given back.
    pub(crate) tail: Bytes,
    /// Where the tail begins.
    pub(crate) tail_start: u64,
}

impl Blobs {
    /// Goes on with an upload that `received` so many bytes, the last of which are the `tail`.
    ///
    /// # Errors
    /// [`BlobError::Missing`] when the store lost what it had, else why it did not answer.
    pub(crate) async fn resume_upload(
        &self,
        key: &BlobKey,
        store_state: Option<&str>,
        received: u64,
        tail: Bytes,
    ) -> Result<UploadWriter, BlobError> {
        let written = received.saturating_sub(tail.len() as u64);
        let target = match &self.store {
            Store::Folder(root) => {
                let (root, key) = (root.clone(), key.clone());
                Target::File(off_thread(move || FileUpload::open(&root, &key, written)).await?)
            }
            Store::Bucket(bucket) => Target::Parts(bucket.resume_upload(key, store_state)?),
        };
        Ok(UploadWriter { target, buffer: BytesMut::from(&*tail), written })
    }

    /// Discards what an upload that is given up left in the store; that nothing is there is fine.
    ///
    /// # Errors
    /// [`BlobError`] when the store did not answer.
    pub(crate) async fn discard_upload(
        &self,
        key: &BlobKey,
        store_state: Option<&str>,
    ) -> Result<(), BlobError> {
        match &self.store {
            Store::Folder(_) => self.remove(key).await,
            Store::Bucket(bucket) => bucket.resume_upload(key, store_state)?.discard().await,
        }
    }
}

impl UploadWriter {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// [`BlobError`] when the store did not take them; the upload goes on from where it last paused.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        self.buffer.extend_from_slice(bytes);
        let enough = match &self.target {
            Target::File(_) => GATHERED,
            Target::Parts(parts) => parts.next_part_bytes(),
        };
        if self.buffer.len() >= enough { self.flush().await } else { Ok(()) }
    }

    /// Writes what is gathered.
    async fn flush(&mut self) -> Result<(), BlobError> {
        let piece = self.buffer.split().freeze();
        let length = piece.len() as u64;
        match &mut self.target {
            Target::File(file) => file.append(piece).await?,
            Target::Parts(parts) => parts.send(piece).await?,
        }
        self.written += length;
        Ok(())
    }

    /// Makes what was received durable and returns what it takes to go on.
    ///
    /// # Errors
    /// [`BlobError`] when the store did not take it.
    pub(crate) async fn pause(mut self) -> Result<PausedUpload, BlobError> {
        let is_large_enough = match &self.target {
            Target::File(_) => true,
            Target::Parts(_) => self.buffer.len() >= UploadInParts::SMALLEST,
        };
        if is_large_enough && !self.buffer.is_empty() {
            self.flush().await?;
        }
        let store_state = match self.target {
            Target::File(file) => {
                file.sync().await?;
                None
            }
            Target::Parts(parts) => parts.state()?,
        };
        Ok(PausedUpload { store_state, tail: self.buffer.freeze(), tail_start: self.written })
    }

    /// Makes all that was received the blob of its key; it is stored when this returns. Doing so again is fine.
    ///
    /// # Errors
    /// [`BlobError`] when the store did not take it.
    pub(crate) async fn complete(mut self) -> Result<(), BlobError> {
        match &mut self.target {
            Target::File(_) => {
                if !self.buffer.is_empty() {
                    self.flush().await?;
                }
            }
            Target::Parts(_) => {}
        }
        match self.target {
            Target::File(file) => file.sync().await,
            Target::Parts(parts) => parts.complete(self.buffer.freeze(), self.written).await,
        }
    }
}
