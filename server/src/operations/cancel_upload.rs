//! Gives an upload up: first in the catalog, then in the store, where the collector finds what a crash leaves.

use super::append_to_upload::UploadError;
use super::begin_upload::Session;
use crate::app::App;

/// Gives an upload up.
///
/// # Errors
/// [`UploadError::Over`] when it was over, or the catalog's.
pub(crate) async fn cancel_upload(app: &App, session: &Session, actor: &str) -> Result<(), UploadError> {
    let row = app.catalog.find_upload(&session.id).await?;
    if row.is_none() && !session.is_young(app.clock.now()) {
        return Err(UploadError::Over);
    }
    if let Some(reason) = app.catalog.read_only_reason().await? {
        return Err(UploadError::ReadOnly { reason });
    }
    if !app.catalog.cancel_upload(session.ended(actor), app.clock.now()).await? {
        return Err(UploadError::Over);
    }
    if let Some(row) = row
        && let Err(error) = app.blobs.discard_upload(&row.key, row.store_state.as_deref()).await
    {
        tracing::warn!(key = %row.key, %error, "cannot discard what an upload left");
    }
    Ok(())
}
