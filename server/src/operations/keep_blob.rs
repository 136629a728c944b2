//! Makes staged bytes durable before the catalog hears of them; what it never hears of is waste, not an error.

use oci::Digest;

use super::offered::Offered;
use crate::app::App;
use crate::blobs::{BlobError, BlobKey, Layout};
use crate::catalog::{BlobRow, BlobToRecord, CatalogError};
use crate::repository_path::RepositoryPath;

/// Why bytes were not kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeepError {
    /// The catalog could not be asked whether it has them.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The store did not take them.
    #[error(transparent)]
    Blobs(#[from] BlobError),
}

/// Returns the bytes of this digest that the catalog holds already and a new version may share.
pub(super) async fn find_known(app: &App, digest: &Digest) -> Result<Option<BlobRow>, KeepError> {
    match app.blobs.layout() {
        Layout::Addressed => Ok(app.catalog.find_blob(digest).await?),
        // A flat file belongs to its version, even when another has the same bytes.
        Layout::Flat => Ok(None),
    }
}

/// Returns the bytes as something a version can refer to, writing them unless they are `known`.
pub(super) async fn keep_blob(
    app: &App,
    repository: &RepositoryPath,
    file_name: &str,
    offered: Offered,
    known: Option<BlobRow>,
) -> Result<BlobToRecord, KeepError> {
    if let Some(row) = known {
        return Ok(BlobToRecord::Known(row));
    }
    let staged = match offered {
        Offered::Staged(staged) => staged,
        Offered::Stored(row) => return Ok(BlobToRecord::Known(row)),
    };
    let (digest, size_bytes) = (staged.digest().clone(), staged.size_bytes());
    let key = app.key_for(repository, file_name, &digest);
    app.blobs.keep(staged, key.clone()).await?;
    Ok(BlobToRecord::Kept { digest, size_bytes, key })
}

/// Removes bytes that were kept for a version which was then refused. A failure only leaves waste for the collector.
pub(super) async fn discard(app: &App, blob: &BlobToRecord) {
    match (blob, app.blobs.layout()) {
        (BlobToRecord::Kept { key, .. }, Layout::Addressed) => remove_quietly(app, key).await,
        // A known blob serves others; a flat file may be the version that won.
        (BlobToRecord::Known(_), Layout::Addressed) | (_, Layout::Flat) => {}
    }
}

/// Removes flat files that no version refers to any longer; addressed bytes wait for the collector.
pub(super) async fn release(app: &App, released: &[BlobKey]) {
    match app.blobs.layout() {
        Layout::Addressed => {}
        Layout::Flat => {
            for key in released {
                remove_quietly(app, key).await;
            }
        }
    }
}

async fn remove_quietly(app: &App, key: &BlobKey) {
    if let Err(error) = app.blobs.remove(key).await {
        tracing::warn!(%key, %error, "cannot remove unneeded bytes");
    }
}
