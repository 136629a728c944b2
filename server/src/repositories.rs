//! Repositories in memory: each one's settings and its index, kept up with the catalog in revision order.
//!
//! A repository is loaded by the first request for it. One task at a time applies changes to its index; a publisher
//! waits until the index has its revision, so whoever got 201 finds the version in the next index.

mod claims;
mod freshness;
mod index_files;
mod keep;
mod load;
mod stamp;
mod state;
mod trail;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use arc_swap::ArcSwap;
use chart::Timestamp;
use claims::{Claim, Claims};
use freshness::{Health, Looks};
pub(crate) use index_files::IndexFiles;
use state::State;
use tokio::sync::Mutex;

use crate::catalog::{Catalog, CatalogError, IndexChange, IndexRow, RepositoryRow};
use crate::index::{Change, EntriesNeeded, IndexedVersion, RepositoryIndex};
use crate::repository_path::RepositoryPath;

/// How a chart's address stands in the index.
#[derive(Debug, Clone, Default)]
pub(crate) struct Addresses {
    /// Put before `charts/…`; empty for addresses relative to the repository, which survive every proxy and move.
    pub(crate) base: Option<String>,
    /// The path below which the whole server lives, announced to cm-push.
    pub(crate) context_path: Option<String>,
}

/// The repositories that have been asked for.
#[derive(Clone)]
pub(crate) struct Repositories {
    catalog: Catalog,
    addresses: Arc<Addresses>,
    open: Arc<RwLock<HashMap<RepositoryPath, Arc<OpenRepository>>>>,
    /// One loads at a time, so that a crowd of first requests reads the catalog once.
    loading: Arc<Mutex<()>>,
    claims: Claims,
    health: Health,
    all_loaded: Arc<AtomicBool>,
    /// None for a command that runs beside a server.
    files: Option<IndexFiles>,
}

/// One repository with its index.
pub(crate) struct OpenRepository {
    id: i64,
    path: RepositoryPath,
    state: ArcSwap<State>,
    applying: Mutex<()>,
    looks: Looks,
    registry_revision: AtomicI64,
}

/// How far a repository has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Revisions {
    /// Changes of what its OCI names hold.
    registry: i64,
    /// Changes of its index.
    index: i64,
    /// Changes of its settings, and of where bytes lie.
    settings: i64,
}

impl OpenRepository {
    /// Returns the repository's id in the catalog.
    pub(crate) fn id(&self) -> i64 {
        self.id
    }

    /// Returns its path.
    pub(crate) fn path(&self) -> &RepositoryPath {
        &self.path
    }

    /// Returns the repository's settings as they were when last looked at.
    pub(crate) fn row(&self) -> Arc<RepositoryRow> {
        Arc::clone(&self.state.load().row)
    }

    /// Returns the last changes that this process knows of: what was read at other revisions may no longer hold.
    pub(crate) fn revisions(&self) -> Revisions {
        Revisions {
            registry: self.registry_revision.load(Ordering::Acquire),
            index: applied(self),
            settings: self.state.load().row.settings_revision,
        }
    }

    /// Returns the last change of its registry that this process knows of.
    pub(crate) fn registry_revision(&self) -> i64 {
        self.registry_revision.load(Ordering::Acquire)
    }

    /// Notes that its registry has come to `revision`.
    pub(crate) fn note_registry_revision(&self, revision: i64) {
        self.registry_revision.fetch_max(revision, Ordering::AcqRel);
    }

    /// Returns its index.
    pub(crate) fn index(&self) -> Arc<RepositoryIndex> {
        Arc::clone(&self.state.load().index)
    }
}

impl Repositories {
    /// Makes an empty set over `catalog`.
    pub(crate) fn new(catalog: Catalog, addresses: Addresses) -> Self {
        Self {
            catalog,
            addresses: Arc::new(addresses),
            open: Arc::default(),
            loading: Arc::default(),
            claims: Claims::default(),
            health: Health::default(),
            all_loaded: Arc::default(),
            files: None,
        }
    }

    /// Keeps large indexes in files between two starts.
    pub(crate) fn keeping_in(self, files: IndexFiles) -> Self {
        Self { files: Some(files), ..self }
    }

    /// Returns the repository at `path`, loading it where needed; `None` when there is none.
    ///
    /// # Errors
    /// [`CatalogError`] when it is not in memory and the catalog does not answer.
    pub(crate) async fn find(
        &self,
        path: &RepositoryPath,
    ) -> Result<Option<Arc<OpenRepository>>, CatalogError> {
        if let Some(repository) = self.get(path) {
            return Ok(Some(repository));
        }
        let Some(row) = self.catalog.find_repository(path).await? else { return Ok(None) };
        let _one_at_a_time = self.loading.lock().await;
        if let Some(repository) = self.get(path) {
            return Ok(Some(repository));
        }
        // Rare and deep: kept out of the frame of every request that finds it loaded.
        let Some(state) = Box::pin(self.load_first(row)).await? else { return Ok(None) };
        let registry_revision = state.row.registry_revision;
        let repository = Arc::new(OpenRepository {
            id: state.row.id,
            path: path.clone(),
            state: ArcSwap::from_pointee(state),
            applying: Mutex::new(()),
            looks: Looks::default(),
            registry_revision: AtomicI64::new(registry_revision),
        });
        self.write().insert(path.clone(), Arc::clone(&repository));
        self.tell_when_due(&repository.state.load());
        Ok(Some(repository))
    }

    /// Brings the repository's index to `revision` at least; returns at once when it is there already.
    ///
    /// # Errors
    /// [`CatalogError`] when the changes cannot be read; the index then stays as it was.
    pub(crate) async fn catch_up(
        &self,
        repository: &OpenRepository,
        revision: i64,
    ) -> Result<(), CatalogError> {
        if applied(repository) >= revision {
            return Ok(());
        }
        let _in_order = repository.applying.lock().await;
        if applied(repository) >= revision {
            return Ok(());
        }
        let changes = self.catalog.changes_after(repository.id, applied(repository)).await?;
        self.apply(&repository.state.load_full(), changes).await
    }

    /// Brings the index to the revision of a change that was just recorded here. Where it is the very next one, which
    /// is nearly always, nothing is read again.
    ///
    /// # Errors
    /// As [`Self::catch_up`].
    pub(crate) async fn show(
        &self,
        repository: &OpenRepository,
        change: IndexChange,
    ) -> Result<(), CatalogError> {
        let revision = change.revision;
        let in_order = repository.applying.lock().await;
        if applied(repository) + 1 == revision {
            return self.apply(&repository.state.load_full(), vec![change]).await;
        }
        drop(in_order);
        self.catch_up(repository, revision).await
    }

    /// Brings the repository to what other replicas have acknowledged until now, so that whoever got 201 from one of
    /// them finds the version here. Where nobody else writes it is there already.
    ///
    /// # Errors
    /// [`CatalogError`] when the catalog is away: the repository stays as it was last seen, and what is not in it may
    /// still exist.
    pub(crate) async fn refresh(&self, repository: &OpenRepository) -> Result<(), CatalogError> {
        if !self.catalog.is_shared() {
            return Ok(());
        }
        // Boxed, for what asks is moved with every request, and only one with a shared catalog looks.
        self.health.look_briefly(Box::pin(repository.looks.look(self.look_at(repository)))).await
    }

    /// Tells whether the catalog did not answer when it was last looked at.
    pub(crate) fn is_catalog_away(&self) -> bool {
        self.health.is_away()
    }

    /// Tells whether every repository can be served without the catalog.
    pub(crate) fn is_loaded(&self) -> bool {
        self.all_loaded.load(Ordering::Relaxed)
    }

    /// Follows what other processes did to the catalog: new content, and settings that changed.
    ///
    /// # Errors
    /// [`CatalogError`] when the catalog does not answer.
    pub(crate) async fn follow(&self) -> Result<(), CatalogError> {
        let followed = self.follow_all().await;
        self.health.note(&followed);
        followed
    }

    /// Follows what others did to one repository, when it is in memory.
    ///
    /// # Errors
    /// [`CatalogError`] when the catalog does not answer.
    pub(crate) async fn follow_one(&self, id: i64) -> Result<(), CatalogError> {
        let Some(repository) = self.loaded().into_iter().find(|repository| repository.id == id) else {
            return Ok(());
        };
        let followed = repository.looks.look(self.look_at(&repository)).await;
        self.health.note(&followed);
        followed
    }

    /// Loads every repository, so that all of them can be served should the catalog go away.
    ///
    /// # Errors
    /// [`CatalogError`] when the catalog does not answer; those already loaded stay.
    pub(crate) async fn load_all(&self) -> Result<(), CatalogError> {
        for row in self.catalog.list_repositories().await? {
            self.find(&row.path).await?;
        }
        self.all_loaded.store(true, Ordering::Relaxed);
        Ok(())
    }

    async fn follow_all(&self) -> Result<(), CatalogError> {
        for row in self.catalog.list_repositories().await? {
            if let Some(repository) = self.get(&row.path) {
                self.bring_to(&repository, &row).await?;
            }
        }
        Ok(())
    }

    async fn look_at(&self, repository: &OpenRepository) -> Result<(), CatalogError> {
        match self.catalog.find_repository(&repository.path).await? {
            Some(row) => self.bring_to(repository, &row).await,
            None => Ok(()),
        }
    }

    async fn bring_to(&self, repository: &OpenRepository, row: &RepositoryRow) -> Result<(), CatalogError> {
        repository.note_registry_revision(row.registry_revision);
        if row.settings_revision == repository.state.load().row.settings_revision {
            self.catch_up(repository, row.revision).await
        } else {
            self.reload(repository).await
        }
    }

    /// Reads the repository's settings and index anew, after its settings changed.
    ///
    /// # Errors
    /// [`CatalogError`] when the catalog does not answer.
    pub(crate) async fn reload(&self, repository: &OpenRepository) -> Result<(), CatalogError> {
        let _in_order = repository.applying.lock().await;
        let Some(row) = self.catalog.find_repository(&repository.path).await? else { return Ok(()) };
        if let Some(state) = self.load(row).await? {
            repository.state.store(Arc::new(state));
            self.tell_when_due(&repository.state.load());
        }
        Ok(())
    }

    /// Waits until nobody else in this process publishes the file.
    pub(crate) async fn claim(&self, path: &RepositoryPath, file_name: &str) -> Claim {
        self.claims.claim(path, file_name).await
    }

    /// Returns every repository in memory, for the gauges.
    pub(crate) fn loaded(&self) -> Vec<Arc<OpenRepository>> {
        self.open.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    fn get(&self, path: &RepositoryPath) -> Option<Arc<OpenRepository>> {
        self.open.read().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, HashMap<RepositoryPath, Arc<OpenRepository>>> {
        self.open.write().unwrap_or_else(PoisonError::into_inner)
    }

    async fn apply(&self, state: &State, changes: Vec<IndexChange>) -> Result<(), CatalogError> {
        let Some(last) = changes.last() else { return Ok(()) };
        let (revision, changed_at) = (last.revision.unsigned_abs(), last.at);
        let base = self.base_for(&state.row.path);
        let marks: Vec<(i64, Timestamp)> =
            changes.iter().map(|change| (change.revision, change.at)).collect();
        let mut changes: Vec<Change> = changes
            .into_iter()
            .map(|change| match change.shown {
                Some(row) => Change::Put(indexed(row, base.as_deref())),
                None => Change::Remove { chart: change.chart, version: change.version },
            })
            .collect();
        // A lean index may have to show in full what it holds only in short; what is gone meanwhile is no longer asked for.
        while let Err(EntriesNeeded(needed)) = state.index.apply(&changes, revision, changed_at) {
            for (chart, version) in needed {
                changes.push(match self.catalog.find_index_row(state.row.id, &chart, &version).await? {
                    Some(row) => Change::Put(indexed(row, base.as_deref())),
                    None => Change::Remove { chart, version },
                });
            }
        }
        let mut progress = state.progress();
        for (revision, at) in marks {
            progress.trail.follow(revision, at);
        }
        drop(progress);
        self.tell_when_due(state);
        Ok(())
    }

    fn base_for(&self, path: &RepositoryPath) -> Option<String> {
        let base = self.addresses.base.as_deref()?.trim_end_matches('/');
        let context = self.addresses.context_path.as_deref().unwrap_or_default();
        let separator = if path.is_root() { "" } else { "/" };
        Some(format!("{base}{context}{separator}{}/", path.as_str()))
    }
}

fn applied(repository: &OpenRepository) -> i64 {
    repository.state.load().applied()
}

fn indexed(row: IndexRow, base: Option<&str>) -> IndexedVersion {
    IndexedVersion {
        entry: with_base(row.entry, base),
        chart: row.chart,
        version: row.version,
        created: row.created_at,
        archive: row.archive,
        archive_bytes: row.archive_size_bytes,
        provenance: row.provenance,
    }
}

/// Puts an absolute address into an entry, whose kept form is always relative.
fn with_base(entry: bytes::Bytes, base: Option<&str>) -> bytes::Bytes {
    const RELATIVE: &[u8] = b"\"urls\":[\"charts/";
    let Some(base) = base else { return entry };
    let Some(at) = entry.windows(RELATIVE.len()).position(|window| window == RELATIVE) else { return entry };
    let after_quote = at + RELATIVE.len() - b"charts/".len();
    let (before, after) = entry.split_at(after_quote);
    [before, base.as_bytes(), after].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absolute_address_is_put_before_the_relative_one() {
        let entry = bytes::Bytes::from_static(br#"{"name":"a","urls":["charts/a-1.0.0.tgz"]}"#);
        assert_eq!(with_base(entry.clone(), None), entry);
        assert_eq!(
            &*with_base(entry, Some("https://example.com/team/")),
            br#"{"name":"a","urls":["https://example.com/team/charts/a-1.0.0.tgz"]}"#
        );
    }
}
