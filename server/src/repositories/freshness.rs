//! How a replica learns, before it answers, what others did: one look at the catalog for all who ask at the same time.
//!
//! A look counts only for those who asked before it began: a publish may have been acknowledged elsewhere in between.
//! While the catalog is away nobody waits for it; what is in memory goes on being served.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;

use crate::catalog::CatalogError;

/// How long a reader waits for a catalog that was well at the last look.
const PATIENCE: Duration = Duration::from_secs(2);

/// The looks at one repository: at most one at a time, and one more for all who came meanwhile.
#[derive(Default)]
pub(super) struct Looks {
    begun: AtomicU64,
    /// Of the look that began last; it belongs to whoever has the turn.
    turn: Mutex<LastLook>,
}

/// How the last look ended.
#[derive(Clone, Copy, Default)]
enum LastLook {
    /// Not at all: whoever looked gave up in the middle, as a client that hangs up.
    #[default]
    Unfinished,
    Answered,
    Failed,
}

impl Looks {
    /// Returns once `look` has run from begin to end after this was called, by whomever.
    ///
    /// # Errors
    /// What the look said; those who shared another's hear only that it failed.
    pub(super) async fn look(
        &self,
        look: impl Future<Output = Result<(), CatalogError>>,
    ) -> Result<(), CatalogError> {
        let before = self.begun.load(Ordering::Acquire);
        let mut last = self.turn.lock().await;
        if self.begun.load(Ordering::Acquire) > before {
            // It began after this call and, since its turn is over, is no longer running.
            match *last {
                LastLook::Unfinished => {}
                LastLook::Answered => return Ok(()),
                LastLook::Failed => return Err(CatalogError::TimedOut),
            }
        }
        self.begun.fetch_add(1, Ordering::AcqRel);
        *last = LastLook::Unfinished;
        let looked = look.await;
        *last = if looked.is_ok() { LastLook::Answered } else { LastLook::Failed };
        looked
    }
}

/// Whether the catalog answered at the last look; clones share it.
#[derive(Clone, Default)]
pub(super) struct Health {
    is_away: Arc<AtomicBool>,
}

impl Health {
    pub(super) fn is_away(&self) -> bool {
        self.is_away.load(Ordering::Relaxed)
    }

    /// Notes what came of a look at the catalog, and says so in the log when that is news.
    pub(super) fn note(&self, looked: &Result<(), CatalogError>) {
        let was_away = self.is_away.swap(looked.is_err(), Ordering::Relaxed);
        match looked {
            Ok(()) if was_away => tracing::info!("the catalog answers again"),
            Err(error) if !was_away => {
                tracing::warn!(%error, "the catalog is away: indexes are served as they were last seen");
            }
            Ok(()) | Err(_) => {}
        }
    }

    /// Runs a look for a reader, who waits for it only so long, and not at all while the catalog is known to be away.
    ///
    /// # Errors
    /// When the catalog did not answer, so that nobody knows what others did.
    pub(super) async fn look_briefly(
        &self,
        look: impl Future<Output = Result<(), CatalogError>>,
    ) -> Result<(), CatalogError> {
        self.look_within(PATIENCE, look).await
    }

    async fn look_within(
        &self,
        patience: Duration,
        look: impl Future<Output = Result<(), CatalogError>>,
    ) -> Result<(), CatalogError> {
        if self.is_away() {
            return Err(CatalogError::TimedOut);
        }
        let looked = tokio::time::timeout(patience, look).await.unwrap_or(Err(CatalogError::TimedOut));
        self.note(&looked);
        looked
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::Pin;
    use std::task::Poll;

    use tokio::sync::{Notify, Semaphore};

    use super::*;

    /// Lets the future run as far as it comes by itself.
    async fn is_pending<F: Future>(future: &mut Pin<Box<F>>) -> bool {
        poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending())).await
    }

    #[tokio::test]
    async fn those_who_ask_during_a_look_share_the_next_one() {
        let (looks, count) = (Arc::new(Looks::default()), Arc::new(AtomicU64::new(0)));
        let (begun, may_end) = (Arc::new(Notify::new()), Arc::new(Semaphore::new(0)));
        let ask = || {
            let (looks, count) = (Arc::clone(&looks), Arc::clone(&count));
            let (begun, may_end) = (Arc::clone(&begun), Arc::clone(&may_end));
            async move {
                let look = async {
                    begun.notify_one();
                    may_end.acquire().await.unwrap().forget();
                    count.fetch_add(1, Ordering::SeqCst);
                    Ok(())
                };
                looks.look(look).await.unwrap();
                count.load(Ordering::SeqCst)
            }
        };
        let first = tokio::spawn(ask());
        begun.notified().await;
        // Polled once each, so that all of them have come before the first look ends.
        let mut others: Vec<_> = (0..20).map(|_| Box::pin(ask())).collect();
        for other in &mut others {
            assert!(is_pending(other).await);
        }
        may_end.add_permits(2);
        assert_eq!(first.await.unwrap(), 1);
        for other in others {
            assert_eq!(other.await, 2, "a look that had begun before does not count");
        }
    }

    #[tokio::test]
    async fn a_look_that_was_given_up_counts_for_nobody() {
        let looks = Looks::default();
        let (count, may_end) = (AtomicU64::new(0), Notify::new());
        let look = || async {
            may_end.notified().await;
            count.fetch_add(1, Ordering::SeqCst);
            Ok(())
        };
        let mut first = Box::pin(looks.look(look()));
        assert!(is_pending(&mut first).await);
        let mut given_up = Box::pin(looks.look(look()));
        let mut waiting = Box::pin(looks.look(look()));
        assert!(is_pending(&mut given_up).await);
        assert!(is_pending(&mut waiting).await);
        may_end.notify_one();
        first.await.unwrap();
        assert!(is_pending(&mut given_up).await, "it looks now");
        drop(given_up);
        may_end.notify_one();
        waiting.await.unwrap();
        assert_eq!(count.load(Ordering::SeqCst), 2, "it looked for itself");
    }

    #[tokio::test]
    async fn one_reader_waits_for_a_catalog_that_went_away_and_the_next_ones_do_not() {
        let health = Health::default();
        let patience = Duration::from_millis(20);
        assert!(health.look_within(patience, std::future::pending()).await.is_err());
        assert!(health.is_away());
        let never = poll_fn(|_| -> Poll<Result<(), CatalogError>> { panic!("nobody looks") });
        assert!(health.look_within(patience, never).await.is_err());
        health.note(&Ok(()));
        assert!(health.look_within(patience, async { Ok(()) }).await.is_ok());
    }
}
