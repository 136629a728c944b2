//! Small blobs that are read often, kept in memory. Only immutable keys come here, so nothing ever grows stale.

use std::sync::Arc;

use bytes::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::BlobKey;

/// The largest blob kept: nearly every chart is smaller.
const LARGEST: u64 = 2 * 1024 * 1024;
/// How many bytes are kept in all.
const ROOM: u64 = 64 * 1024 * 1024;
/// How many blobs the table is laid out for; more grow it.
const EXPECTED: usize = 1_024;

/// The blobs in memory; clones share them.
#[derive(Clone)]
pub(super) struct HotBlobs(Arc<Cache<BlobKey, Bytes, BySize>>);

#[derive(Clone)]
struct BySize;

impl Weighter<BlobKey, Bytes> for BySize {
    fn weight(&self, key: &BlobKey, content: &Bytes) -> u64 {
        // An entry costs something even when its blob is empty.
        (key.as_str().len() + content.len()) as u64
    }
}

impl HotBlobs {
    /// Keeps nothing yet.
    pub(super) fn new() -> Self {
        Self(Arc::new(Cache::with_weighter(EXPECTED, ROOM, BySize)))
    }

    /// Returns the whole blob when it is in memory.
    pub(super) fn find(&self, key: &BlobKey) -> Option<Bytes> {
        self.0.get(key)
    }

    /// Tells whether a blob of this size may be kept.
    pub(super) fn takes(size_bytes: u64) -> bool {
        size_bytes <= LARGEST
    }

    /// Keeps the whole blob, perhaps in the place of one that is read less.
    pub(super) fn keep(&self, key: BlobKey, content: Bytes) {
        self.0.insert(key, content);
    }

    /// Forgets the blob, whose bytes are being removed.
    pub(super) fn forget(&self, key: &BlobKey) {
        self.0.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_stays_within_its_room() {
        let hot = HotBlobs::new();
        let key = |number: u64| BlobKey::fresh(&oci::Digest::sha256(&number.to_be_bytes()), number);
        for number in 0..200 {
            hot.keep(key(number), Bytes::from(vec![0; 1 << 20]));
        }
        assert!(hot.0.weight() <= ROOM);
        assert!((0..200).any(|number| hot.find(&key(number)).is_some()));
    }
}
