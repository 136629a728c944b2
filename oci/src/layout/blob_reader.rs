//! Reads one blob. Rule: whoever reads to the end without an error has the bytes that the digest means.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::error::LayoutError;
use crate::descriptor::Descriptor;
use crate::digest::{Digest, Digester};

/// How much is read at a time.
const PIECE_BYTES: usize = 256 * 1024;

/// A blob of a layout that is being read.
#[derive(Debug)]
pub struct BlobReader {
    path: PathBuf,
    file: File,
    // None once the end was checked.
    digester: Option<Digester>,
    digest: Digest,
    size: u64,
    read: u64,
}

impl BlobReader {
    pub(super) fn open(path: &Path, blob: &Descriptor) -> Result<Self, LayoutError> {
        let file = File::open(path).map_err(|reason| {
            if reason.kind() == ErrorKind::NotFound {
                LayoutError::Missing { digest: blob.digest.clone() }
            } else {
                LayoutError::file("read", path)(reason)
            }
        })?;
        Ok(Self {
            path: path.to_path_buf(),
            file,
            digester: Some(Digester::new(blob.digest.algorithm())),
            digest: blob.digest.clone(),
            size: blob.size,
            read: 0,
        })
    }

    /// Returns the next bytes, at most 256 KiB; nothing at the end.
    ///
    /// # Errors
    /// [`LayoutError`] when the file cannot be read, or when, at the end, it was not the blob it should be.
    pub fn next_piece(&mut self) -> Result<Option<Vec<u8>>, LayoutError> {
        let mut piece = vec![0; PIECE_BYTES];
        let length = self.file.read(&mut piece).map_err(LayoutError::file("read", &self.path))?;
        piece.truncate(length);
        self.read += length as u64;
        if self.read > self.size || (length == 0 && self.read < self.size) {
            let digest = self.digest.clone();
            return Err(LayoutError::WrongSize { digest, expected: self.size, found: self.read });
        }
        if length > 0 {
            self.digester.iter_mut().for_each(|digester| digester.update(&piece));
            return Ok(Some(piece));
        }
        match self.digester.take().map(Digester::finish) {
            Some(found) if found != self.digest => {
                Err(LayoutError::WrongDigest { expected: self.digest.clone(), found })
            }
            Some(_) | None => Ok(None),
        }
    }

    /// Returns all the bytes.
    ///
    /// # Errors
    /// As [`Self::next_piece`].
    pub fn into_bytes(mut self) -> Result<Vec<u8>, LayoutError> {
        let mut bytes = Vec::new();
        while let Some(piece) = self.next_piece()? {
            bytes.extend(piece);
        }
        Ok(bytes)
    }
}
