//! When indexes are written into their files: after they were read whole, after many changes, and when the server stops.

use std::sync::Arc;

use crate::catalog::{CatalogError, ChangeRow};

use super::stamp::stamp_of;
use super::state::{FEWEST_VERSIONS, State};
use super::trail::Trail;
use super::{OpenRepository, Repositories};

/// How many changes the catalog is asked for at a time.
const PAGE: i64 = 1_000;

impl Repositories {
    /// Waits until an index should be kept, and keeps all that should be.
    ///
    /// # Errors
    /// [`CatalogError`] when the catalog does not answer.
    pub(crate) async fn keep_due(&self) -> Result<(), CatalogError> {
        let Some(files) = &self.files else { return std::future::pending().await };
        files.due.notified().await;
        for repository in self.loaded() {
            let state = repository.state.load_full();
            if !state.is_due() {
                continue;
            }
            let snapshot = state.index.snapshot();
            if snapshot.version_count() >= FEWEST_VERSIONS {
                self.keep(&repository).await?;
            } else {
                let revision = i64::try_from(snapshot.revision()).unwrap_or(i64::MAX);
                state.progress().postpone(revision, snapshot.version_count());
            }
        }
        Ok(())
    }

    /// Keeps the indexes that have moved since they were last kept, so that the next start has little to apply.
    ///
    /// # Errors
    /// [`CatalogError`] when the catalog does not answer.
    pub(crate) async fn keep_moved(&self) -> Result<(), CatalogError> {
        for repository in self.loaded() {
            let state = repository.state.load_full();
            let kept = state.progress().kept;
            if kept != Some(state.applied()) && state.index.snapshot().version_count() >= FEWEST_VERSIONS {
                self.keep(&repository).await?;
            }
        }
        Ok(())
    }

    /// Removes the files of repositories that are gone.
    ///
    /// # Errors
    /// [`CatalogError`] when the catalog does not answer.
    pub(crate) async fn forget_gone(&self) -> Result<(), CatalogError> {
        let Some(files) = &self.files else { return Ok(()) };
        let ids = self.catalog.list_repositories().await?.iter().map(|row| row.id).collect();
        files.remove_all_but(ids).await;
        Ok(())
    }

    /// Lets [`Self::keep_due`] know when this index should be kept.
    pub(super) fn tell_when_due(&self, state: &State) {
        if let Some(files) = &self.files
            && state.is_due()
        {
            files.due.notify_one();
        }
    }

    async fn keep(&self, repository: &OpenRepository) -> Result<(), CatalogError> {
        let Some(files) = &self.files else { return Ok(()) };
        let (state, snapshot, trail) = {
            let _in_order = repository.applying.lock().await;
            let state = repository.state.load_full();
            let (snapshot, trail) = (state.index.snapshot(), state.progress().trail);
            (state, snapshot, trail)
        };
        let revision = i64::try_from(snapshot.revision()).unwrap_or(i64::MAX);
        let last = self.last_change_of(repository.id, trail, revision).await?;
        // Also when it cannot be written: it is tried again after as many changes, not after each.
        state.progress().keep_at(revision, snapshot.version_count());
        let Some(last) = last else {
            tracing::warn!(
                repository = %repository.path,
                "the catalog has other changes than those this server's index is made of: restart the server"
            );
            return Ok(());
        };
        state.progress().trail.forget(&trail, revision);
        let (stamp, base) = (stamp_of(&state.row, &last), self.base_for(&repository.path));
        let index = Arc::clone(&state.index);
        files.write(repository.id, move |out| index.keep(&snapshot, base, stamp, out)).await;
        Ok(())
    }

    /// Returns the change with this revision when the catalog has it and all others of the trail.
    async fn last_change_of(
        &self,
        id: i64,
        trail: Trail,
        revision: i64,
    ) -> Result<Option<ChangeRow>, CatalogError> {
        let mut seen = Trail::before(trail.first());
        let mut last = None;
        let mut next = trail.first().min(revision);
        while next <= revision {
            let limit = u32::try_from((revision - next + 1).min(PAGE)).unwrap_or(u32::MAX);
            let changes = self.catalog.list_changes(id, next - 1, limit).await?;
            if changes.is_empty() {
                break;
            }
            for change in changes {
                if change.revision >= trail.first() {
                    seen.follow(change.revision, change.at);
                }
                next = change.revision + 1;
                last = Some(change);
            }
        }
        Ok(last.filter(|last| last.revision == revision && seen == trail))
    }
}

#[cfg(test)]
mod tests {
    use chart::Timestamp;

    use crate::http::tests::TestServer;
    use crate::repository_path::RepositoryPath;

    use super::*;

    #[tokio::test]
    async fn only_what_the_catalog_has_in_the_same_course_is_borne_out() {
        let server = TestServer::start().await;
        let app = &server.server.app;
        let repository = app.repositories.find(&RepositoryPath::root()).await.unwrap().unwrap();
        for version in ["1.0.0", "1.1.0", "1.2.0"] {
            server.publish_chart("", "a", version).await;
        }
        let changes = app.catalog.list_changes(repository.id(), 0, 9).await.unwrap();
        let times: Vec<i64> = changes.iter().map(|change| change.at.micros()).collect();
        let [first, second, third] = times[..] else { panic!("{} changes", times.len()) };
        let last_of = async |from: i64, times: &[i64]| {
            let mut trail = Trail::before(from);
            for (revision, at) in (from..).zip(times) {
                trail.follow(revision, Timestamp::from_micros(*at));
            }
            let revision = from - 1 + times.len() as i64;
            let last = app.repositories.last_change_of(repository.id(), trail, revision).await.unwrap();
            last.map(|last| last.revision)
        };
        assert_eq!(repository.state.load().progress().trail, trail_of(&changes));
        assert_eq!(last_of(1, &[first, second, third]).await, Some(3));
        assert_eq!(last_of(2, &[second, third]).await, Some(3));
        assert_eq!(last_of(3, &[third]).await, Some(3));
        assert_eq!(last_of(4, &[]).await, Some(3), "all of it was seen before");
        assert_eq!(last_of(1, &[first, second + 1, third]).await, None, "another change in between");
        assert_eq!(last_of(2, &[second, third + 1]).await, None, "another last change");
        assert_eq!(last_of(2, &[second, third, third + 9]).await, None, "more than the catalog has");
        assert_eq!(last_of(5, &[]).await, None, "the catalog was there once");
    }

    fn trail_of(changes: &[ChangeRow]) -> Trail {
        let mut trail = Trail::before(1);
        for change in changes {
            trail.follow(change.revision, change.at);
        }
        trail
    }
}
