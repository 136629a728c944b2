//! Blobs that a manifest or a version names: where their bytes are, from memory where nothing has changed since it was
//! looked up. A blob that is only linked is looked up each time: links end by themselves.

use std::sync::Arc;

use oci::{Digest, OciName};
use quick_cache::sync::Cache;

use super::{Owned, Registry, Standing, chart_of};
use crate::catalog::{BlobPlace, CatalogError, Holds, ServedBlob};
use crate::repositories::Revisions;

/// How many blobs are remembered, some hundred bytes each; minted configurations are about 1 kB.
const REMEMBERED: usize = 65_536;

/// A blob that was looked up when its repository had come to these revisions.
#[derive(Clone)]
struct Remembered {
    revisions: Revisions,
    served: ServedBlob,
}

/// The blobs that were looked up; clones share them.
#[derive(Clone)]
pub(super) struct NamedBlobs(Arc<Cache<(OciName, Digest), Remembered>>);

impl NamedBlobs {
    /// Remembers nothing yet.
    pub(super) fn new() -> Self {
        Self(Arc::new(Cache::new(REMEMBERED)))
    }
}

impl Registry {
    /// Returns what is served for `digest` under a name; `None` when the name does not have it, whoever else may.
    ///
    /// # Errors
    /// [`CatalogError`] when it is not in memory and the catalog does not answer.
    pub(crate) async fn find_blob(
        &self,
        name: &OciName,
        owned: &Owned,
        digest: &Digest,
    ) -> Result<Option<ServedBlob>, CatalogError> {
        let refreshed = self.repositories.refresh(&owned.repository).await;
        // Before the look: what changes meanwhile makes the next one look again.
        let revisions = owned.repository.revisions();
        let key = (name.clone(), digest.clone());
        if let Some(remembered) = self.named_blobs.0.get(&key)
            && (remembered.revisions == revisions || refreshed.is_err())
        {
            return Ok(Some(remembered.served));
        }
        refreshed?;
        let place = blob_place_of(owned, name);
        let Some(served) = self.catalog.find_served_blob(&place, digest).await? else { return Ok(None) };
        // The revisions are those of one repository; a chart of another one may come and go without them.
        let is_of_this = place.chart.is_none_or(|(path, _)| path == *owned.repository.path());
        let is_named = match &served {
            ServedBlob::Stored(found) => found.is_named,
            ServedBlob::Minted(_) => true,
        };
        if is_of_this && is_named {
            self.named_blobs.0.insert(key, Remembered { revisions, served: served.clone() });
        }
        Ok(Some(served))
    }

    /// Forgets where a blob's bytes are, and tells whether it was known: a repair may have put them elsewhere.
    pub(crate) fn forget_blob(&self, name: &OciName, digest: &Digest) -> bool {
        self.named_blobs.0.remove(&(name.clone(), digest.clone())).is_some()
    }
}

/// Returns where the blobs of an owned name are looked for.
pub(crate) fn blob_place_of(owned: &Owned, name: &OciName) -> BlobPlace {
    let may_hold_charts = match &owned.standing {
        Standing::Chart => true,
        Standing::Pushed(row) => match row.holds {
            Holds::Charts | Holds::Attachments => true,
            Holds::Images => false,
        },
        Standing::New => false,
    };
    BlobPlace { name: name.clone(), chart: chart_of(name).filter(|_| may_hold_charts) }
}
