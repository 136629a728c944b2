//! A repository in memory: its row, its index, and how far that is from the file it is kept in.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::trail::Trail;
use crate::catalog::RepositoryRow;
use crate::index::RepositoryIndex;

/// Indexes of fewer versions are read from the catalog as quickly.
pub(super) const FEWEST_VERSIONS: usize = 1_000;

/// An index is written again after so many changes, and after an eighth of its versions: applying those at the next start
/// takes a fraction of reading all versions, and writing it costs each change less than its own commit does.
const FEWEST_CHANGES: usize = 1_000;
const SHARE_OF_VERSIONS: usize = 8;

/// A repository as it was read; changes are applied to its index, other settings make another state.
pub(super) struct State {
    pub(super) row: Arc<RepositoryRow>,
    pub(super) index: Arc<RepositoryIndex>,
    progress: Mutex<Progress>,
}

/// How far the index is from its file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Progress {
    /// What it was made of, since the catalog was last seen to have all of that.
    pub(super) trail: Trail,
    /// The revision at which it was last kept in a file; none for one that was read from the catalog whole.
    pub(super) kept: Option<i64>,
    /// The revision from which on it should be kept again.
    due: i64,
}

impl Progress {
    /// Notes that an index of so many versions was kept at this revision, or that keeping it was tried.
    pub(super) fn keep_at(&mut self, revision: i64, versions: usize) {
        self.kept = Some(revision);
        self.due = due_after(self.kept, revision, versions);
    }

    /// Notes that an index of so many versions was looked at, and is too small to be kept.
    pub(super) fn postpone(&mut self, revision: i64, versions: usize) {
        self.due = due_after(self.kept, revision, versions);
    }
}

impl State {
    pub(super) fn new(row: RepositoryRow, index: RepositoryIndex, trail: Trail, kept: Option<i64>) -> Self {
        let revision = i64::try_from(index.revision()).unwrap_or(i64::MAX);
        let due = due_after(kept, revision, index.snapshot().version_count());
        Self {
            row: Arc::new(row),
            index: Arc::new(index),
            progress: Mutex::new(Progress { trail, kept, due }),
        }
    }

    /// Returns the revision of the last change applied.
    pub(super) fn applied(&self) -> i64 {
        i64::try_from(self.index.revision()).unwrap_or(i64::MAX)
    }

    /// Tells whether it should be kept, or looked at for that, without counting its versions: every publish asks.
    pub(super) fn is_due(&self) -> bool {
        self.applied() >= self.progress().due
    }

    pub(super) fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the revision from which on an index should be kept that has so many versions at `revision`.
fn due_after(kept: Option<i64>, revision: i64, versions: usize) -> i64 {
    // A change adds one version at most, so before that many it cannot have become large.
    let Some(missing) = FEWEST_VERSIONS.checked_sub(versions).filter(|missing| *missing > 0) else {
        let changes = FEWEST_CHANGES.max(versions / SHARE_OF_VERSIONS);
        return kept.map_or(revision, |kept| after(kept, changes));
    };
    after(revision, missing)
}

fn after(revision: i64, changes: usize) -> i64 {
    revision.saturating_add(i64::try_from(changes).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_kept_after_as_many_changes_as_its_size_asks_for() {
        for (kept, revision, versions, due) in [
            (None, 5, 0, 1_005),
            (None, 5, 999, 6),
            (None, 5, 1_000, 5),
            (None, 5, 90_000, 5),
            (Some(5), 5, 1_000, 1_005),
            (Some(5), 900, 8_000, 1_005),
            (Some(5), 900, 80_000, 10_005),
            (Some(5), 900, 400, 1_500),
        ] {
            assert_eq!(due_after(kept, revision, versions), due, "{kept:?} {revision} {versions}");
        }
    }
}
