//! A repository in memory: its row, its index, and how far that is from the file it is kept in.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::trail::Trail;
use crate::catalog::RepositoryRow;
use crate::index::RepositoryIndex;

/// A repository as it was read; changes are applied to its index, other settings make another state.
pub(super) struct State {
    pub(super) row: RepositoryRow,
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
}

impl State {
    pub(super) fn new(row: RepositoryRow, index: RepositoryIndex, progress: Progress) -> Self {
        Self { row, index: Arc::new(index), progress: Mutex::new(progress) }
    }

    /// Returns the revision of the last change applied.
    pub(super) fn applied(&self) -> i64 {
        i64::try_from(self.index.revision()).unwrap_or(i64::MAX)
    }

    pub(super) fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
