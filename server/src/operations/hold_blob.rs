//! Holds a blob for the manifest that will name it: a client that finds one by HEAD does not push it.

use std::time::Duration;

use super::append_to_upload::after;
use crate::app::App;
use crate::catalog::{BlobToRecord, CatalogError, FoundBlob, LinkedBlob, NewLink};
use oci::OciName;

/// How long a blob stays under a name without a manifest.
pub(crate) const HELD_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// Holds a blob that is under the name for longer, where less than half of the time is left; returns whether it is still
/// there.
///
/// # Errors
/// [`CatalogError`] when the catalog does not answer.
pub(crate) async fn hold_blob(
    app: &App,
    repository_id: i64,
    name: &OciName,
    found: &FoundBlob,
) -> Result<bool, CatalogError> {
    let now = app.clock.now();
    if found.held_until.is_some_and(|until| until > after(now, HELD_FOR / 2)) {
        return Ok(true);
    }
    let link = NewLink {
        repository_id,
        name: name.clone(),
        blob: BlobToRecord::Known(found.row.clone()),
        held_until: after(now, HELD_FOR),
        upload: None,
    };
    Ok(match app.catalog.link_blob(link, now).await? {
        LinkedBlob::Linked { .. } => true,
        LinkedBlob::Gone => false,
        // A server that takes nothing still tells what it has.
        LinkedBlob::UploadLost | LinkedBlob::NoRoom(_) => true,
    })
}
