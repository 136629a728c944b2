//! Puts a blob of one name under another, without its bytes.

use oci::OciName;

use super::append_to_upload::{UploadError, after};
use super::hold_blob::HELD_FOR;
use crate::app::App;
use crate::catalog::{BlobToRecord, FoundBlob, LinkedBlob, NewLink};

/// Puts a blob that the caller may read elsewhere under `name`; returns false when it is gone.
///
/// # Errors
/// [`UploadError`] when the repository takes nothing or the catalog does not answer.
pub(crate) async fn mount_blob(
    app: &App,
    repository_id: i64,
    name: &OciName,
    found: FoundBlob,
) -> Result<bool, UploadError> {
    let now = app.clock.now();
    let link = NewLink {
        repository_id,
        name: name.clone(),
        blob: BlobToRecord::Known(found.row),
        held_until: after(now, HELD_FOR),
        upload: None,
    };
    match app.catalog.link_blob(link, now).await? {
        LinkedBlob::Linked { .. } => Ok(true),
        LinkedBlob::Gone | LinkedBlob::UploadLost => Ok(false),
        LinkedBlob::NoRoom(refused) => Err(refused.into()),
    }
}
