//! What pushes leave behind: links that no manifest came for, and uploads that nobody went on with.

use chart::Timestamp;

use super::{AT_ONCE, CollectError};
use crate::app::App;
use crate::operations::begin_upload::UPLOAD_LIFETIME;

/// Forgets links whose time is over; the blobs that then nobody refers to are collected as any.
pub(super) async fn forget_expired_links(app: &App) -> Result<(), CollectError> {
    while app.catalog.forget_expired_links(app.clock.now(), AT_ONCE).await? > 0 {}
    Ok(())
}

/// Gives up uploads that stood still for their lifetime, and forgets those that have been over for as long.
pub(super) async fn end_idle_uploads(app: &App) -> Result<(), CollectError> {
    let now = app.clock.now();
    let lifetime = i64::try_from(UPLOAD_LIFETIME.as_micros()).unwrap_or(i64::MAX);
    let before = Timestamp::from_micros(now.micros().saturating_sub(lifetime));
    loop {
        let idle = app.catalog.list_idle_uploads(before, AT_ONCE).await?;
        let mut ended: u32 = 0;
        for upload in &idle {
            if app.catalog.cancel_idle_upload(&upload.id, before, now).await? {
                ended += 1;
                app.blobs.discard_upload(&upload.key, upload.store_state.as_deref()).await?;
            }
        }
        if ended == 0 {
            break;
        }
    }
    while app.catalog.forget_ended_uploads(before, AT_ONCE).await? > 0 {}
    Ok(())
}
