//! A file in its final place that grows with each request.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use bytes::Bytes;

use crate::blobs::staging::sync_folder;
use crate::blobs::{BlobError, BlobKey, off_thread};

/// The file, open at its end.
pub(super) struct FileUpload {
    file: Option<File>,
}

impl FileUpload {
    /// Opens the file, which must have at least `written` bytes; what a request that failed left after them goes.
    pub(super) fn open(root: &Path, key: &BlobKey, written: u64) -> Result<Self, BlobError> {
        let path = key.path_below(root);
        let is_new = !path.exists();
        let mut file = File::options().create(true).truncate(false).write(true).open(&path)?;
        if file.metadata()?.len() < written {
            return Err(BlobError::Missing(key.clone()));
        }
        file.set_len(written)?;
        file.seek(SeekFrom::Start(written))?;
        if let Some(folder) = path.parent().filter(|_| is_new) {
            sync_folder(folder)?;
        }
        Ok(Self { file: Some(file) })
    }

    /// Writes the next bytes.
    pub(super) async fn append(&mut self, bytes: Bytes) -> Result<(), BlobError> {
        let lost = || BlobError::Unavailable(std::io::Error::other("an earlier piece was not written"));
        let mut file = self.file.take().ok_or_else(lost)?;
        self.file = Some(
            off_thread(move || {
                file.write_all(&bytes)?;
                Ok(file)
            })
            .await?,
        );
        Ok(())
    }

    /// Makes what was written survive a power cut.
    pub(super) async fn sync(self) -> Result<(), BlobError> {
        let lost = || BlobError::Unavailable(std::io::Error::other("an earlier piece was not written"));
        let file = self.file.ok_or_else(lost)?;
        off_thread(move || Ok(file.sync_all()?)).await
    }
}
