//! Removes bytes that nobody refers to, once they are older than the grace period.
//!
//! Rows go first and bytes after them, so a crash in between leaves only a file without a row, which the next run
//! finds by listing. Any number of collectors may run at once, beside any number of publishers.

mod untagged;
mod uploads;

use std::time::Duration;

use chart::Timestamp;
use futures_util::TryStreamExt;

use crate::app::App;
use crate::blobs::{BlobError, BlobKey, Layout};
use crate::catalog::CatalogError;
use crate::faults::{self, Step};

/// How many rows one transaction takes, so that publishes wait for none of it.
const AT_ONCE: u32 = 100;

/// How old a file without a row must be at least: a publish in progress has written its bytes and not yet its row, which
/// takes seconds at most. The rest is for stores whose clocks differ.
const YOUNGEST_ORPHAN: Duration = Duration::from_secs(3_600);

/// What is to be collected.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Collection {
    grace: Duration,
    orphan_grace: Duration,
    is_dry_run: bool,
}

impl Collection {
    /// Returns a collection that leaves what became unreferenced less than `grace` ago, beside publishers.
    pub(crate) fn new(grace: Duration) -> Self {
        Self { grace, orphan_grace: grace.max(YOUNGEST_ORPHAN), is_dry_run: false }
    }

    /// Returns it for a time when nobody publishes: the youngest file without a row is waste then.
    pub(crate) fn while_nobody_publishes(self) -> Self {
        Self { orphan_grace: self.grace, ..self }
    }

    /// Returns it as one that only counts.
    pub(crate) fn dry_run(self) -> Self {
        Self { is_dry_run: true, ..self }
    }
}

/// What one run removed, or would have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Collected {
    pub(crate) dry_run: bool,
    /// Removed versions that could have been brought back.
    pub(crate) removed_versions: u64,
    /// Blobs the catalog knew of.
    pub(crate) unreferenced: u64,
    /// Files the catalog did not know of.
    pub(crate) orphans: u64,
    /// Manifests of the registry that nothing has kept for as long as their repositories keep such.
    pub(crate) untagged_manifests: u64,
    /// Uploads that nobody finished; they are not counted without being discarded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unfinished_uploads: Option<u64>,
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
    collect(app, Collection::new(grace)).await
}

/// As [`collect_garbage`], with everything a command may say about it.
///
/// # Errors
/// [`CollectError`]; what was removed until then stays removed.
pub(crate) async fn collect(app: &App, collection: Collection) -> Result<Collected, CollectError> {
    let mut collected = Collected { dry_run: collection.is_dry_run, ..Collected::default() };
    match app.blobs.layout() {
        Layout::Addressed => {}
        // In ChartMuseum's folder every file is somebody's.
        Layout::Flat => return Ok(collected),
    }
    let grace_micros = i64::try_from(collection.grace.as_micros()).unwrap_or(i64::MAX);
    let before = Timestamp::from_micros(app.clock.now().micros().saturating_sub(grace_micros));
    if collection.is_dry_run {
        let garbage = app.catalog.count_garbage(before, app.clock.now()).await?;
        (collected.removed_versions, collected.unreferenced) = (garbage.removed_versions, garbage.blobs);
    } else {
        collected.removed_versions = forget_removed_versions(app, before).await?;
        collected.untagged_manifests = untagged::remove_unkept_manifests(app).await?;
        uploads::forget_expired_links(app).await?;
        uploads::end_idle_uploads(app).await?;
        collected.unreferenced = remove_unreferenced(app, before).await?;
    }
    collected.orphans = sweep_orphans(app, collection).await?;
    if !collection.is_dry_run {
        collected.unfinished_uploads = Some(discard_uploads(app, collection).await?);
    }
    Ok(collected)
}

/// Discards parts in the store that no open upload will become a blob of.
async fn discard_uploads(app: &App, collection: Collection) -> Result<u64, CollectError> {
    let open = app.catalog.list_open_upload_keys().await?;
    Ok(app.blobs.discard_uploads(collection.orphan_grace, &open).await?)
}

async fn forget_removed_versions(app: &App, before: Timestamp) -> Result<u64, CollectError> {
    let mut forgotten = 0;
    loop {
        match app.catalog.forget_removed_versions(before, AT_ONCE).await? {
            0 => return Ok(forgotten),
            more => forgotten += more,
        }
        faults::reach(Step::RemovedForgotten);
    }
}

async fn remove_unreferenced(app: &App, before: Timestamp) -> Result<u64, CollectError> {
    let mut removed = 0;
    loop {
        let keys = app.catalog.forget_unreferenced_blobs(before, AT_ONCE).await?;
        if keys.is_empty() {
            return Ok(removed);
        }
        faults::reach(Step::RowsForgotten);
        for key in &keys {
            app.blobs.remove(key).await?;
            faults::reach(Step::BytesRemoved);
        }
        removed += keys.len() as u64;
    }
}

/// Removes files that no row names: what a crash left between bytes and row, or between row and bytes.
async fn sweep_orphans(app: &App, collection: Collection) -> Result<u64, CollectError> {
    let mut orphans = 0;
    let mut pages = app.blobs.list_older_than(collection.orphan_grace);
    while let Some(page) = pages.try_next().await? {
        for key in page {
            if is_orphan(app, &key).await? {
                faults::reach(Step::OrphanFound);
                orphans += 1;
                if !collection.is_dry_run {
                    app.blobs.remove(&key).await?;
                }
            }
        }
    }
    Ok(orphans)
}

async fn is_orphan(app: &App, key: &BlobKey) -> Result<bool, CollectError> {
    Ok(app.catalog.find_blob_by_key(key).await?.is_none() && !app.catalog.is_open_upload_key(key).await?)
}

#[cfg(test)]
mod tests;
