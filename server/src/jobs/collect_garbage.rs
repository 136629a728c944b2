//! Removes bytes that nobody refers to, once they are older than the grace period.
//!
//! Rows go first and bytes after them, so a crash in between leaves only a file without a row, which the next run
//! finds by listing. The grace keeps bytes that a publish in progress is about to name.

use std::time::Duration;

use chart::Timestamp;
use futures_util::TryStreamExt;

use crate::app::App;
use crate::blobs::{BlobError, Layout};
use crate::catalog::CatalogError;
use crate::faults::{self, Step};

/// How many rows one transaction takes, so that publishes wait for none of it.
const AT_ONCE: u32 = 100;

/// What one run removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Collected {
    /// Bytes the catalog knew of.
    pub(crate) unreferenced: u64,
    /// Files the catalog did not know of.
    pub(crate) orphans: u64,
}

/// Why a run stopped before its end; the next one goes on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CollectError {
    /// The catalog did not answer.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The store did not answer.
    #[error(transparent)]
    Blobs(#[from] BlobError),
}

/// Removes what has been unreferenced for longer than `grace`, and returns how much that was.
///
/// # Errors
/// [`CollectError`]; what was removed until then stays removed.
pub(crate) async fn collect_garbage(app: &App, grace: Duration) -> Result<Collected, CollectError> {
    match app.blobs.layout() {
        Layout::Addressed => {}
        // In ChartMuseum's folder every file is somebody's.
        Layout::Flat => return Ok(Collected::default()),
    }
    let mut collected = Collected::default();
    let grace_micros = i64::try_from(grace.as_micros()).unwrap_or(i64::MAX);
    let before = Timestamp::from_micros(app.clock.now().micros().saturating_sub(grace_micros));
    while app.catalog.forget_removed_versions(before, AT_ONCE).await? > 0 {
        faults::reach(Step::RemovedForgotten);
    }
    loop {
        let keys = app.catalog.forget_unreferenced_blobs(before, AT_ONCE).await?;
        if keys.is_empty() {
            break;
        }
        faults::reach(Step::RowsForgotten);
        for key in &keys {
            app.blobs.remove(key).await?;
            faults::reach(Step::BytesRemoved);
        }
        collected.unreferenced += keys.len() as u64;
    }
    let mut pages = app.blobs.list_older_than(grace);
    while let Some(page) = pages.try_next().await? {
        for key in page {
            if app.catalog.find_blob_by_key(&key).await?.is_none() {
                faults::reach(Step::OrphanFound);
                app.blobs.remove(&key).await?;
                collected.orphans += 1;
            }
        }
    }
    let unfinished = app.blobs.discard_uploads(grace).await?;
    if unfinished > 0 {
        tracing::info!(unfinished, "discarded uploads that nobody finished");
    }
    Ok(collected)
}
