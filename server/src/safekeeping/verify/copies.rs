//! Repairs lost bytes from an intact copy, if the store has one under another key.
//!
//! The copy is kept once more under a fresh key: servers may have the lost one in memory, and the collector may be
//! after the copy's own.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::TryStreamExt;

use super::{Check, VerifyError};
use crate::blobs::BlobKey;
use crate::catalog::BlobRow;
use crate::safekeeping::blob_copy::{BlobCopyError, copy_blob};
use crate::safekeeping::transcript::KnownBlob;

impl Check<'_> {
    /// Repairs what of the lost blobs can be, and says so in their findings.
    pub(super) async fn repair_blobs(&mut self) -> Result<(), VerifyError> {
        if self.lost.is_empty() || !self.verification.repairs {
            return Ok(());
        }
        let copies = self.find_copies().await?;
        for (row, place) in std::mem::take(&mut self.lost) {
            let candidates = copies.get(row.digest.hex()).map(Vec::as_slice).unwrap_or_default();
            if self.repair_from(&row, candidates).await?
                && let Some(finding) = self.verified.findings.get_mut(place)
            {
                finding.repaired = true;
            }
        }
        Ok(())
    }

    /// Returns, by their digest, the keys of all stored bytes that should be those of a lost blob.
    async fn find_copies(&self) -> Result<HashMap<String, Vec<BlobKey>>, VerifyError> {
        let mut copies: HashMap<String, Vec<BlobKey>> =
            self.lost.iter().map(|(row, _)| (row.digest.hex().to_owned(), Vec::new())).collect();
        let mut pages = self.stores.blobs.list_older_than(Duration::ZERO);
        while let Some(page) = pages.try_next().await? {
            for key in page {
                if let Some(found) = hex_of(&key).and_then(|hex| copies.get_mut(hex)) {
                    found.push(key);
                }
            }
        }
        Ok(copies)
    }

    async fn repair_from(&self, row: &BlobRow, candidates: &[BlobKey]) -> Result<bool, VerifyError> {
        let blobs = &self.stores.blobs;
        let blob = KnownBlob { key: row.key.clone(), digest: row.digest.clone(), size_bytes: row.size_bytes };
        for copy in candidates.iter().filter(|key| **key != row.key) {
            let fresh = BlobKey::fresh(&row.digest, (self.random)());
            match copy_blob((blobs, copy), (blobs, &fresh), &blob, self.progress).await {
                Ok(()) => return Ok(self.stores.catalog.move_blob(row, &fresh).await?),
                // This one is no better.
                Err(BlobCopyError::Missing(_) | BlobCopyError::Damaged { .. }) => {}
                Err(BlobCopyError::Source(_, error) | BlobCopyError::Target(_, error)) => {
                    return Err(error.into());
                }
            }
        }
        Ok(false)
    }
}

/// Returns the digest in the name of an addressed key.
fn hex_of(key: &BlobKey) -> Option<&str> {
    let (_, name) = key.as_str().rsplit_once('/')?;
    name.split_once('-').map(|(hex, _)| hex)
}
