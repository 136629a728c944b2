//! Hints from one replica to the others that something changed: `NOTIFY` after the commit.
//!
//! Never more than hints: they may be lost, late or refused by a pooler, and every index read asks the database itself.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sqlx::postgres::PgListener;
use tokio::sync::Notify;

use super::store::Store;
use super::{Catalog, CatalogError};

/// The channel all replicas of one database listen to.
const CHANNEL: &str = "chartroom_changed";

/// Sends hints, many changes of a repository with one.
#[derive(Clone)]
pub(crate) struct Hints(Option<Arc<Pending>>);

/// What changed since the last hint.
#[derive(Default)]
struct Pending {
    hints: Mutex<BTreeSet<Hint>>,
    changed: Notify,
}

impl Pending {
    fn lock(&self) -> MutexGuard<'_, BTreeSet<Hint>> {
        self.hints.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hints {
    /// Starts sending over `store`; the embedded database has nobody to tell.
    pub(super) fn start(store: &Store) -> Self {
        let Store::Postgres(pool) = store else { return Self(None) };
        let pending = Arc::new(Pending::default());
        let (waiting, pool) = (Arc::clone(&pending), pool.clone());
        tokio::spawn(async move {
            while !pool.is_closed() {
                waiting.changed.notified().await;
                let hints: Vec<String> =
                    std::mem::take(&mut *waiting.lock()).into_iter().map(Hint::payload).collect();
                let sent = sqlx::query("SELECT pg_notify($1, hint) FROM unnest($2::text[]) AS hint")
                    .bind(CHANNEL)
                    .bind(hints)
                    .execute(&pool)
                    .await;
                if let Err(error) = sent {
                    tracing::debug!(%error, "the other replicas were not told of a change: they look by themselves");
                }
            }
        });
        Self(Some(pending))
    }

    /// Tells the other replicas, soon, what changed.
    pub(super) fn send(&self, hint: Hint) {
        if let Some(pending) = &self.0 {
            pending.lock().insert(hint);
            pending.changed.notify_one();
        }
    }
}

/// What a replica hears of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Hint {
    /// This repository changed.
    Repository(i64),
    /// Any of them may have changed, or hints may have been lost.
    AnyRepository,
}

impl Hint {
    fn payload(self) -> String {
        match self {
            Self::Repository(id) => id.to_string(),
            Self::AnyRepository => "*".to_owned(),
        }
    }

    fn from_payload(payload: &str) -> Self {
        payload.parse().map_or(Self::AnyRepository, Self::Repository)
    }
}

/// The hints of other replicas, as they come.
pub(crate) struct HintListener(PgListener);

impl HintListener {
    /// Waits for the next hint.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(crate) async fn next(&mut self) -> Result<Hint, CatalogError> {
        // `None`: the connection was lost and made again, with the hints in between gone.
        let heard = self.0.try_recv().await?;
        Ok(heard.map_or(Hint::AnyRepository, |heard| Hint::from_payload(heard.payload())))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_says_which_repository_and_anything_else_all_of_them() {
        for hint in [Hint::Repository(1), Hint::Repository(i64::MAX), Hint::AnyRepository] {
            assert_eq!(Hint::from_payload(&hint.payload()), hint);
        }
        assert_eq!(Hint::from_payload(""), Hint::AnyRepository, "as an older version sends it");
    }
}
