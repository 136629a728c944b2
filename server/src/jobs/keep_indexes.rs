//! Keeps large indexes in files, so that the next start need not read them from the catalog row by row.

use std::time::Duration;

use crate::app::App;

/// How long a server that stops writes indexes: what is not written is read from the catalog at the next start.
const PATIENCE: Duration = Duration::from_secs(5);

/// Removes the files of repositories that are gone, then writes each index whenever that is due.
pub(crate) async fn keep_indexes(app: App) {
    if let Err(error) = app.repositories.forget_gone().await {
        tracing::debug!(%error, "cannot tell which kept indexes are of no use: the next start looks again");
    }
    loop {
        if let Err(error) = app.repositories.keep_due().await {
            tracing::debug!(%error, "cannot keep an index: it is tried again after more changes");
        }
    }
}

/// Writes what moved since it was last written.
pub(crate) async fn keep_at_stop(app: &App) {
    match tokio::time::timeout(PATIENCE, app.repositories.keep_moved()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "cannot keep an index: the next start reads the catalog"),
        Err(_) => tracing::debug!("no time to keep every index: the next start reads the catalog"),
    }
}
