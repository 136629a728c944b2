//! One publisher at a time for one file: of several in this process, the later ones see what the first one did.
//!
//! The catalog decides alone who wins; this only spares the losers their writes, and keeps the flat layout's files,
//! which have no second copy, in step with it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

use crate::repository_path::RepositoryPath;

type Name = (RepositoryPath, String);

/// The files being published right now.
#[derive(Clone, Default)]
pub(super) struct Claims(Arc<Mutex<HashMap<Name, Arc<tokio::sync::Mutex<()>>>>>);

/// The right to publish one file; given back when dropped.
pub(crate) struct Claim {
    claims: Claims,
    name: Name,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Claims {
    /// Waits until nobody else publishes this file.
    pub(super) async fn claim(&self, path: &RepositoryPath, file_name: &str) -> Claim {
        let name = (path.clone(), file_name.to_owned());
        let lock = Arc::clone(self.map().entry(name.clone()).or_default());
        let guard = lock.lock_owned().await;
        Claim { claims: self.clone(), name, guard: Some(guard) }
    }

    fn map(&self) -> std::sync::MutexGuard<'_, HashMap<Name, Arc<tokio::sync::Mutex<()>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut map = self.claims.map();
        self.guard = None;
        // One reference is the map's own: nobody waits, so the entry can go.
        if map.get(&self.name).is_some_and(|lock| Arc::strong_count(lock) == 1) {
            map.remove(&self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_is_claimed_once_and_forgotten_afterwards() {
        let claims = Claims::default();
        let path = RepositoryPath::root();
        let first = claims.claim(&path, "a-1.0.0.tgz").await;
        let _other_file = claims.claim(&path, "b-1.0.0.tgz").await;
        let second = tokio::spawn({
            let (claims, path) = (claims.clone(), path.clone());
            async move { drop(claims.claim(&path, "a-1.0.0.tgz").await) }
        });
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        drop(first);
        second.await.unwrap();
        assert_eq!(claims.map().len(), 1, "only the other file is still claimed");
    }
}
