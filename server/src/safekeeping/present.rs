//! What a store holds already, so that a copy that goes on or comes again does not send it once more.

use std::collections::HashSet;

use futures_util::TryStreamExt;
use xxhash_rust::xxh3::xxh3_128;

use crate::blobs::{BlobError, BlobKey, Blobs};

/// The keys and sizes of everything in a store, 16 bytes of memory each.
#[derive(Debug, Default)]
pub(super) struct Present(HashSet<u128>);

impl Present {
    /// Lists the store.
    ///
    /// # Errors
    /// [`BlobError`] when it does not answer.
    pub(super) async fn list(blobs: &Blobs) -> Result<Self, BlobError> {
        let mut present = HashSet::new();
        let mut pages = blobs.list_flat(None);
        while let Some(page) = pages.try_next().await? {
            present.extend(page.iter().map(|entry| fingerprint(&entry.path, entry.size_bytes)));
        }
        Ok(Self(present))
    }

    /// Tells whether so many bytes lie under this key.
    pub(super) fn has(&self, key: &BlobKey, size_bytes: u64) -> bool {
        self.0.contains(&fingerprint(key.as_str(), size_bytes))
    }
}

fn fingerprint(path: &str, size_bytes: u64) -> u128 {
    xxh3_128(format!("{size_bytes} {path}").as_bytes())
}
