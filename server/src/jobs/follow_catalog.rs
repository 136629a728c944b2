//! Follows what other processes change in the catalog: commands beside the running server, and other replicas.

use std::time::Duration;

use crate::app::App;
use crate::catalog::{CatalogError, Hint};

/// Looks once, and brings every repository in memory up to what the catalog holds.
pub(crate) async fn follow_catalog(app: &App) {
    if let Err(error) = app.repositories.follow().await {
        tracing::debug!(%error, "cannot follow the catalog: indexes stay as they are");
    }
}

/// Loads what can be served without the catalog, then looks whenever another replica says that something changed.
/// Returns when nobody else can change the catalog; a lost connection is made again after `pause`.
pub(crate) async fn follow_hints(app: App, pause: Duration) {
    while let Err(error) = app.repositories.load_all().await {
        tracing::warn!(%error, "cannot load the repositories yet");
        tokio::time::sleep(pause).await;
    }
    while let Err(error) = listen(&app).await {
        tracing::debug!(%error, "no hints from other replicas: the catalog is asked every so often instead");
        tokio::time::sleep(pause).await;
    }
}

async fn listen(app: &App) -> Result<(), CatalogError> {
    let Some(mut hints) = app.catalog.listen().await? else { return Ok(()) };
    // What was hinted at before this listened is not heard of any more.
    follow_catalog(app).await;
    loop {
        match hints.next().await? {
            Hint::AnyRepository => follow_catalog(app).await,
            Hint::Repository(id) => {
                if let Err(error) = app.repositories.follow_one(id).await {
                    tracing::debug!(%error, "cannot follow a repository: its index stays as it is");
                }
            }
        }
    }
}
