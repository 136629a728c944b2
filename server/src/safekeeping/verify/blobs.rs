//! Each blob: its bytes are there, as many and the very ones.

use std::time::Duration;

use futures_util::TryStreamExt;
use futures_util::future::try_join_all;

use super::{Check, Found, PAGE, VerifyError};
use crate::blobs::{BlobError, Blobs};
use crate::catalog::BlobRow;
use crate::safekeeping::blob_copy::{AT_ONCE, BlobCopyError, check_blob};

/// How many of the versions that need a blob are named, and how many of the manifests.
const NAMED: u32 = 5;

impl Check<'_> {
    pub(super) async fn check_blobs(&mut self) -> Result<(), VerifyError> {
        self.progress.begin("reading blobs", self.stores.catalog.count_blob_bytes().await?);
        let mut after = i64::MIN;
        loop {
            let page = self.stores.catalog.list_blobs(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id;
            for rows in page.chunks(AT_ONCE) {
                let bytes = rows.iter().map(|row| row.size_bytes).sum();
                self.pace.spend(bytes).await;
                let checked = try_join_all(rows.iter().map(|row| self.check_blob(row))).await?;
                self.verified.blobs += rows.len() as u64;
                self.verified.bytes += bytes;
                for (row, found) in rows.iter().zip(checked) {
                    let Some(found) = found else { continue };
                    self.lost.push((row.clone(), self.verified.findings.len()));
                    self.found(found, false);
                }
            }
        }
    }

    async fn check_blob(&self, row: &BlobRow) -> Result<Option<Found>, VerifyError> {
        let blobs = &self.stores.blobs;
        let Err(error) = check_blob(blobs, &row.key, &row.digest, row.size_bytes, self.progress).await else {
            return Ok(None);
        };
        let catalog = &self.stores.catalog;
        // The collector takes rows first: what it removed meanwhile is no loss, nor is what moved.
        if catalog.find_blob_by_key(&row.key).await?.is_none_or(|known| known.id != row.id) {
            return Ok(None);
        }
        let mut needed_by = catalog.list_users_of_blob(row.id, NAMED).await?;
        needed_by.extend(catalog.list_manifests_of_blob(row.id, NAMED).await?);
        let key = row.key.to_string();
        Ok(Some(match error {
            BlobCopyError::Missing(_) => {
                expect_store(blobs).await?;
                Found::BlobMissing { key, digest: row.digest.to_string(), needed_by }
            }
            BlobCopyError::Damaged { expected, found, .. } => {
                let reason = format!("it should be {expected} and is {found}");
                Found::BlobDamaged { key, reason, needed_by }
            }
            BlobCopyError::Source(_, error) | BlobCopyError::Target(_, error) => return Err(error.into()),
        }))
    }
}

/// Makes sure that the store is there at all: of a disk that is not mounted, or of another bucket, everything is missing.
async fn expect_store(blobs: &Blobs) -> Result<(), BlobError> {
    let mut pages = blobs.list_older_than(Duration::ZERO);
    while let Some(page) = pages.try_next().await? {
        if !page.is_empty() {
            return Ok(());
        }
    }
    let reason =
        "the store is empty, although the catalog has bytes: is it the right one, and is its disk mounted?";
    Err(BlobError::Unavailable(std::io::Error::other(reason)))
}
