//! Hints from one replica to the others that something changed: `NOTIFY` after the commit.
//!
//! Never more than hints: they may be lost, late or refused by a pooler, and every index read asks the database itself.

use std::sync::Arc;

use sqlx::postgres::PgListener;
use tokio::sync::Notify;

use super::store::Store;
use super::{Catalog, CatalogError};

/// The channel all replicas of one database listen to.
const CHANNEL: &str = "chartroom_changed";

/// Sends hints, many changes with one.
#[derive(Clone)]
pub(crate) struct Hints(Option<Arc<Notify>>);

impl Hints {
    /// Starts sending over `store`; the embedded database has nobody to tell.
    pub(super) fn start(store: &Store) -> Self {
        let Store::Postgres(pool) = store else { return Self(None) };
        let changed = Arc::new(Notify::new());
        let (waiting, pool) = (Arc::clone(&changed), pool.clone());
        tokio::spawn(async move {
            while !pool.is_closed() {
                waiting.notified().await;
                let sent = sqlx::query("SELECT pg_notify($1, '')").bind(CHANNEL).execute(&pool).await;
                if let Err(error) = sent {
                    tracing::debug!(%error, "the other replicas were not told of a change: they look by themselves");
                }
            }
        });
        Self(Some(changed))
    }

    /// Tells the other replicas, soon, that something changed.
    pub(super) fn send(&self) {
        if let Some(changed) = &self.0 {
            changed.notify_one();
        }
    }
}

/// The hints of other replicas, as they come.
pub(crate) struct HintListener(PgListener);

impl HintListener {
    /// Waits for the next hint, or for the moment after hints may have been lost.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(crate) async fn next(&mut self) -> Result<(), CatalogError> {
        // `None`: the connection was lost and made again, with the hints in between gone.
        self.0.try_recv().await?;
        Ok(())
    }
}

impl Catalog {
    /// Returns the hints of other replicas, or `None` where there is nobody else.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(crate) async fn listen(&self) -> Result<Option<HintListener>, CatalogError> {
        let Store::Postgres(pool) = &self.store else { return Ok(None) };
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(CHANNEL).await?;
        Ok(Some(HintListener(listener)))
    }
}
