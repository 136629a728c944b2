//! Writes one blob. Rule: it gets its name when its bytes are the ones that the name means, and not before.

use std::io::Write;
use std::path::PathBuf;

use tempfile::NamedTempFile;

use super::durable;
use super::error::LayoutError;
use crate::descriptor::Descriptor;
use crate::digest::{Digest, Digester};

/// A blob on its way into a layout.
#[derive(Debug)]
pub struct BlobWriter {
    path: PathBuf,
    file: NamedTempFile,
    digester: Digester,
    digest: Digest,
    size: u64,
    written: u64,
}

impl BlobWriter {
    pub(super) fn begin(path: PathBuf, blob: &Descriptor) -> Result<Self, LayoutError> {
        Ok(Self {
            file: durable::begin(&path)?,
            path,
            digester: Digester::new(blob.digest.algorithm()),
            digest: blob.digest.clone(),
            size: blob.size,
            written: 0,
        })
    }

    /// Adds the next bytes.
    ///
    /// # Errors
    /// [`LayoutError`] when they are more than the blob has, or cannot be written.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), LayoutError> {
        self.written += bytes.len() as u64;
        if self.written > self.size {
            return Err(self.wrong_size());
        }
        self.digester.update(bytes);
        self.file.write_all(bytes).map_err(LayoutError::file("write", &self.path))
    }

    /// Checks what was written and puts it in its place; when this returns, it is on the disk.
    ///
    /// # Errors
    /// [`LayoutError`] when the bytes are not the ones meant, or cannot be synced.
    pub fn finish(self) -> Result<(), LayoutError> {
        if self.written != self.size {
            return Err(self.wrong_size());
        }
        let found = self.digester.finish();
        if found != self.digest {
            return Err(LayoutError::WrongDigest { expected: self.digest, found });
        }
        durable::publish(self.file, &self.path)
    }

    fn wrong_size(&self) -> LayoutError {
        LayoutError::WrongSize { digest: self.digest.clone(), expected: self.size, found: self.written }
    }
}
