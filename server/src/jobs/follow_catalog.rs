//! Follows what other processes change in the catalog: commands beside the running server, later other replicas.

use crate::app::App;

/// Looks once, and brings every repository in memory up to what the catalog holds.
pub(crate) async fn follow_catalog(app: &App) {
    if let Err(error) = app.repositories.follow().await {
        tracing::warn!(%error, "cannot follow the catalog: indexes stay as they are");
    }
}
