//! Each stored object: somebody knows it, or it is young, or it is waste.

use futures_util::TryStreamExt;

use super::{Check, Found, VerifyError};

impl Check<'_> {
    pub(super) async fn check_objects(&mut self) -> Result<(), VerifyError> {
        let blobs = &self.stores.blobs;
        let mut pages = blobs.list_older_than(self.verification.grace);
        while let Some(page) = pages.try_next().await? {
            for key in page {
                if self.stores.catalog.find_blob_by_key(&key).await?.is_some() {
                    continue;
                }
                if self.verification.repairs {
                    // As the collector does: nobody will ever name a key this old.
                    blobs.remove(&key).await?;
                }
                self.found(Found::Waste { key: key.to_string() }, self.verification.repairs);
            }
        }
        Ok(())
    }
}
