//! Manifests that no tag, index or subject has kept for as long as their repositories keep such.

use super::{AT_ONCE, CollectError};
use crate::app::App;
use crate::catalog::RemovedManifest;

/// Removes them and returns how many these were. What an index kept goes in the next round, once that is gone.
pub(super) async fn remove_unkept_manifests(app: &App) -> Result<u64, CollectError> {
    let mut removed = 0;
    loop {
        let before = removed;
        for removal in app.catalog.list_unkept_manifests(app.clock.now(), AT_ONCE).await? {
            match app.catalog.delete_manifest(removal, app.clock.now()).await? {
                RemovedManifest::Done { .. } => removed += 1,
                // Something has come to keep it.
                RemovedManifest::Unknown => {}
                RemovedManifest::ReadOnly { .. } => return Ok(removed),
            }
        }
        if removed == before {
            return Ok(removed);
        }
    }
}
