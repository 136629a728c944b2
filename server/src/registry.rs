//! The registry's names: which repository each belongs to, whose access, policy and limits hold for it.
//!
//! A chart's name is its repository's path and the chart's name. Any other name belongs to the repository with the longest
//! path it began with when it was first pushed to, else to the default repository, and stays with it.

mod named_blobs;

use std::sync::Arc;

use chart::ChartName;
use oci::{OciName, Reference};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use self::named_blobs::NamedBlobs;
pub(crate) use self::named_blobs::blob_place_of;
use crate::catalog::{Catalog, CatalogError, Holds, ManifestPlace, ManifestRow, OciNameRow};
use crate::repositories::{OpenRepository, Repositories, Revisions};
use crate::repository_path::RepositoryPath;

/// How many names are remembered.
const REMEMBERED: usize = 65_536;
/// How many bytes of manifests are remembered.
const MANIFEST_BYTES: u64 = 64 * 1024 * 1024;
/// How many manifests the table is laid out for; more grow it.
const EXPECTED_MANIFESTS: usize = 4_096;
/// What one of them takes beside its bytes.
const ENTRY_BYTES: usize = 256;

/// The names that have been asked for; clones share them.
#[derive(Clone)]
pub(crate) struct Registry {
    catalog: Catalog,
    repositories: Repositories,
    /// A name never moves to another repository, so what was read once holds.
    pushed: Arc<Cache<OciName, Arc<OciNameRow>>>,
    manifests: Arc<Cache<(OciName, Reference), Remembered, BySize>>,
    named_blobs: NamedBlobs,
    /// Names of charts that nobody had pushed to when their repositories had come to these revisions.
    charts: Arc<Cache<OciName, Revisions>>,
}

/// A manifest that was read when its repository had come to these revisions.
#[derive(Clone)]
struct Remembered {
    revisions: Revisions,
    manifest: Arc<ManifestRow>,
}

#[derive(Clone)]
struct BySize;

impl Weighter<(OciName, Reference), Remembered> for BySize {
    fn weight(&self, (name, _): &(OciName, Reference), remembered: &Remembered) -> u64 {
        (name.as_str().len() + remembered.manifest.content.len() + ENTRY_BYTES) as u64
    }
}

/// A name with the repository that decides about it.
#[derive(Clone)]
pub(crate) struct Owned {
    /// That repository.
    pub(crate) repository: Arc<OpenRepository>,
    /// What is known of the name.
    pub(crate) standing: Standing,
}

/// What is known of a name.
#[derive(Debug, Clone)]
pub(crate) enum Standing {
    /// Somebody pushed to it.
    Pushed(Arc<OciNameRow>),
    /// It is that of a chart, to which nobody pushed a manifest.
    Chart,
    /// Nobody pushed to it; the repository is the one it would belong to.
    New,
}

impl Standing {
    /// Returns the name's id in the catalog, where it has one.
    pub(crate) fn id(&self) -> Option<i64> {
        match self {
            Self::Pushed(row) => Some(row.id),
            Self::Chart | Self::New => None,
        }
    }
}

impl Registry {
    /// Remembers nothing yet.
    pub(crate) fn new(catalog: Catalog, repositories: Repositories) -> Self {
        let manifests = Cache::with_weighter(EXPECTED_MANIFESTS, MANIFEST_BYTES, BySize);
        let pushed = Arc::new(Cache::new(REMEMBERED));
        let named_blobs = NamedBlobs::new();
        let charts = Arc::new(Cache::new(REMEMBERED));
        Self { catalog, repositories, pushed, manifests: Arc::new(manifests), named_blobs, charts }
    }

    /// Returns who decides about `name`; `None` only on a server without even a default repository.
    ///
    /// # Errors
    /// [`CatalogError`] when the name is not in memory and the catalog does not answer.
    pub(crate) async fn find_owner(&self, name: &OciName) -> Result<Option<Owned>, CatalogError> {
        if let Some(row) = self.pushed.get(name) {
            return self.owned_by(&row.repository.clone(), Standing::Pushed(row)).await;
        }
        let chart = Box::pin(self.look_for_chart(name)).await?;
        if let Some(chart) = &chart
            && self.charts.get(name).is_some_and(|known| known == chart.revisions || !chart.is_fresh)
        {
            return Ok(Some(chart.owned()));
        }
        // Nobody waits for a catalog that is known to be away: the charts in memory go on.
        let looked = match self.repositories.is_catalog_away() {
            true => Err(CatalogError::TimedOut),
            false => self.catalog.find_oci_name(name).await,
        };
        match looked {
            Ok(Some(row)) => {
                let row = Arc::new(row);
                // Attachments alone may be joined by charts or images.
                if row.holds.is_settled() {
                    self.pushed.insert(name.clone(), Arc::clone(&row));
                }
                return self.owned_by(&row.repository.clone(), Standing::Pushed(row)).await;
            }
            Ok(None) => {}
            Err(error) => return chart.map(|chart| Some(chart.owned())).ok_or(error),
        }
        if let Some(chart) = chart {
            self.charts.insert(name.clone(), chart.revisions);
            return Ok(Some(chart.owned()));
        }
        let path = self.catalog.find_repository_of_new_name(name).await?;
        self.owned_by(&path, Standing::New).await
    }

    /// Returns the manifest that `reference` names, from memory where nothing has changed since it was read.
    ///
    /// # Errors
    /// [`CatalogError`] when it is not in memory and the catalog does not answer.
    pub(crate) async fn find_manifest(
        &self,
        name: &OciName,
        owned: &Owned,
        reference: &Reference,
    ) -> Result<Option<Arc<ManifestRow>>, CatalogError> {
        let refreshed = self.repositories.refresh(&owned.repository).await;
        // Before the look: what changes meanwhile makes the next one look again.
        let revisions = owned.repository.revisions();
        let key = (name.clone(), reference.clone());
        if let Some(remembered) = self.manifests.get(&key)
            && (remembered.revisions == revisions || refreshed.is_err())
        {
            return Ok(Some(remembered.manifest));
        }
        refreshed?;
        let Some(found) = self.catalog.find_manifest(&place_of(name, owned), reference).await? else {
            return Ok(None);
        };
        let manifest = Arc::new(found);
        self.manifests.insert(key, Remembered { revisions, manifest: Arc::clone(&manifest) });
        Ok(Some(manifest))
    }

    async fn owned_by(
        &self,
        path: &RepositoryPath,
        standing: Standing,
    ) -> Result<Option<Owned>, CatalogError> {
        let found = self.repositories.find(path).await?;
        Ok(found.map(|repository| Owned { repository, standing }))
    }

    /// Returns the repository of a chart's name, where the index has such a chart.
    async fn look_for_chart(&self, name: &OciName) -> Result<Option<FoundChart>, CatalogError> {
        let Some((path, chart)) = chart_of(name) else { return Ok(None) };
        let Some(repository) = self.repositories.find(&path).await? else { return Ok(None) };
        // Another replica may have published it a moment ago, or somebody pushed to its name.
        let is_fresh = Box::pin(self.repositories.refresh(&repository)).await.is_ok();
        let revisions = repository.revisions();
        let is_there = repository.index().snapshot().has_chart(chart.as_str());
        Ok(is_there.then_some(FoundChart { repository, revisions, is_fresh }))
    }
}

/// A chart of an index, under the name of which something may have been pushed.
struct FoundChart {
    repository: Arc<OpenRepository>,
    /// The repository's, before anybody looked for what was pushed.
    revisions: Revisions,
    /// Whether these are the last ones, as far as the catalog could tell.
    is_fresh: bool,
}

impl FoundChart {
    fn owned(&self) -> Owned {
        Owned { repository: Arc::clone(&self.repository), standing: Standing::Chart }
    }
}

/// Returns the repository and the chart that `name` would stand for, if it can be that of a chart.
pub(crate) fn chart_of(name: &OciName) -> Option<(RepositoryPath, ChartName)> {
    let (path, chart) = name.split_last();
    let path = if path.is_empty() { RepositoryPath::root() } else { path.parse().ok()? };
    Some((path, chart.parse().ok()?))
}

/// Returns where the manifests of an owned name are: among what was pushed to it, and among the versions of the chart it
/// stands for, unless it holds images.
pub(crate) fn place_of(name: &OciName, owned: &Owned) -> ManifestPlace {
    let holds_images = matches!(&owned.standing, Standing::Pushed(row) if row.holds == Holds::Images);
    let of_this_repository = |path: &RepositoryPath| path == owned.repository.path();
    let chart = chart_of(name).filter(|(path, _)| !holds_images && of_this_repository(path));
    ManifestPlace {
        name_id: owned.standing.id(),
        chart: chart.map(|(_, chart)| (owned.repository.id(), chart)),
    }
}

/// Returns the OCI name of a chart; `None` for one that has none, such as a name with upper-case letters.
pub(crate) fn name_of(repository: &RepositoryPath, chart: &ChartName) -> Option<OciName> {
    if repository.is_root() {
        return chart.as_str().parse().ok();
    }
    format!("{}/{chart}", repository.as_str()).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charts_name_is_its_repositorys_path_and_its_own() {
        let table = [
            ("", "nginx", Some("nginx")),
            ("team/prod", "nginx", Some("team/prod/nginx")),
            ("t", "Nginx", None),
        ];
        for (path, chart, expected) in table {
            let path = if path.is_empty() { RepositoryPath::root() } else { path.parse().unwrap() };
            let name = name_of(&path, &chart.parse().unwrap());
            assert_eq!(name.as_ref().map(OciName::as_str), expected);
            if let Some(name) = name {
                assert_eq!(chart_of(&name), Some((path, chart.parse().unwrap())));
            }
        }
        assert_eq!(
            chart_of(&"api/nginx".parse().unwrap()),
            None,
            "no repository has a reserved word for a path"
        );
    }
}
