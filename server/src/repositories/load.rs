//! How the index of a repository comes into memory: from its file and the changes since, or from the catalog whole.

use std::sync::Arc;

use crate::catalog::{CatalogError, ChangeRow, IndexDetail, RepositoryRow};
use crate::index::{Detail, IndexSettings, Loader, Terms, Unusable};

use super::index_files::{IndexFile, IndexFiles};
use super::stamp::stamp_of;
use super::state::{FEWEST_VERSIONS, State};
use super::trail::Trail;
use super::{Repositories, indexed};

/// Of an index's versions, the share that may have changed since it was kept; beyond it, reading all of them is quicker
/// than changing so many.
const MOST_CHANGED: u64 = 4;

/// Why the catalog does not bear a kept index out.
#[derive(Debug, thiserror::Error)]
enum NotUsed {
    #[error(transparent)]
    Unusable(#[from] Unusable),
    #[error("the catalog's settings or its change {0} are not those it was made of")]
    OtherHistory(i64),
    #[error("{0} changes were made since")]
    TooOld(u64),
}

impl Repositories {
    /// Reads a repository for the first time: what its file has when that may be used, else all of it.
    pub(super) async fn load_first(&self, row: RepositoryRow) -> Result<Option<State>, CatalogError> {
        if let Some(files) = &self.files
            && row.version_count >= FEWEST_VERSIONS as u64
            && let Some(state) = self.load_kept(files, &row).await?
        {
            return Ok(Some(state));
        }
        self.load(row).await
    }

    /// Reads a repository whole; again when its settings changed in between.
    pub(super) async fn load(&self, mut row: RepositoryRow) -> Result<Option<State>, CatalogError> {
        loop {
            let Some(state) = self.load_once(&row).await? else { return Ok(None) };
            if state.row.settings == row.settings {
                return Ok(Some(state));
            }
            row = Arc::unwrap_or_clone(state.row);
        }
    }

    /// Rows go straight into the index: held together they would take its memory twice.
    async fn load_once(&self, row: &RepositoryRow) -> Result<Option<State>, CatalogError> {
        let Terms { settings, base } = self.terms_of(row);
        let mut loader = Loader::new(settings);
        let read = self.catalog.read_index(row.id, |row| loader.push(indexed(row, base.as_deref()))).await?;
        let Some(row) = read else { return Ok(None) };
        let index = loader.finish(row.revision.unsigned_abs(), row.changed_at);
        // The last change is the oldest that is known of: whether the catalog has it is asked before anything is kept.
        let mut trail = Trail::before(row.revision.max(1));
        if row.revision > 0 {
            trail.follow(row.revision, row.changed_at);
        }
        Ok(Some(State::new(row, index, trail, None)))
    }

    /// Reads a repository from its file and brings it up to date; nothing when the catalog has to be read whole.
    async fn load_kept(
        &self,
        files: &IndexFiles,
        row: &RepositoryRow,
    ) -> Result<Option<State>, CatalogError> {
        let not_used = |reason: NotUsed| {
            tracing::info!(repository = %row.path, %reason, "an index that was kept in a file is not used");
            Ok(None)
        };
        let file = match files.open(row.id, self.terms_of(row)).await {
            Ok(Some(file)) => file,
            Ok(None) => return Ok(None),
            Err(reason) => return not_used(reason.into()),
        };
        let revision = match self.check_kept(&file, row).await? {
            Ok(revision) => revision,
            Err(reason) => return not_used(reason),
        };
        let index = match file.read().await {
            Ok(index) => index,
            Err(reason) => return not_used(reason.into()),
        };
        let mut state = State::new(row.clone(), index, Trail::before(revision + 1), Some(revision));
        self.apply(&state, self.catalog.changes_after(row.id, revision).await?).await?;
        // As of now: what changed its settings meanwhile may have read them before this repository was known here.
        let Some(now) = self.catalog.find_repository(&row.path).await? else { return Ok(None) };
        if (now.id, now.settings_revision) != (row.id, row.settings_revision) {
            return Ok(None);
        }
        state.row = Arc::new(now);
        tracing::info!(repository = %row.path, kept = revision, applied = state.applied(), "read an index from its file");
        Ok(Some(state))
    }

    /// Returns the revision of a kept index that is a state this catalog was in, and not long ago.
    async fn check_kept(
        &self,
        file: &IndexFile,
        row: &RepositoryRow,
    ) -> Result<Result<i64, NotUsed>, CatalogError> {
        let revision = i64::try_from(file.head().revision()).unwrap_or(i64::MAX);
        let last = self.catalog.list_changes(row.id, revision - 1, 1).await?;
        let is_borne_out = |last: &ChangeRow| stamp_of(row, last) == *file.head().stamp();
        if row.revision < revision || !last.first().is_some_and(is_borne_out) {
            return Ok(Err(NotUsed::OtherHistory(revision)));
        }
        let due = (row.revision - revision).unsigned_abs();
        if due.saturating_mul(MOST_CHANGED) > row.version_count {
            return Ok(Err(NotUsed::TooOld(due)));
        }
        Ok(Ok(revision))
    }

    /// Returns what decides how the repository's index looks.
    pub(super) fn terms_of(&self, row: &RepositoryRow) -> Terms {
        let detail = match row.settings.index_detail {
            IndexDetail::Full => Detail::Full,
            IndexDetail::Lean => Detail::Lean,
        };
        let context_path = self.addresses.context_path.clone();
        Terms { settings: IndexSettings { detail, context_path }, base: self.base_for(&row.path) }
    }
}
