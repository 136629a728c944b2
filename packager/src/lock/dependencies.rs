//! Resolves the dependencies of one recipe, those of dependencies included, without ever going in a circle.

use std::path::{Path, PathBuf};

use chart::VersionConstraint;
use chart::archive::ArchiveFile;

use super::resolver::{Resolver, Taken, Trust, vendored};
use super::{LockedChart, LockedDependency, RecipeRefusal};
use crate::build::{BuildRefusal, Vendored};
use crate::recipe::{Commit, OciName, Upstream};
use crate::source::RecipeFiles;
use crate::upstream::{Fetcher, choose, choose_tag};
use crate::vault::{Vault, read_chart};
use crate::vendor::{DEEPEST, Wanted, missing, read_metadata};

/// Where a chart lies, for `file://` beside it.
#[derive(Debug, Clone)]
pub(super) enum Home {
    /// A folder, relative to the recipe.
    Folder(PathBuf),
    /// A folder of a commit.
    Git { url: String, commit: Commit, path: String },
    /// Nowhere: an archive has nothing beside it.
    Nowhere,
}

/// The dependencies that were found so far.
#[derive(Default)]
struct Found {
    locked: Vec<LockedDependency>,
    vendored: Vec<Vendored>,
}

/// The place of a chart among those around it.
struct Around<'around> {
    home: &'around Home,
    /// Its folder below the outermost chart, with a slash at its end; empty for that one.
    folder: String,
    /// What it and those around it are, outermost first.
    trail: Vec<String>,
}

/// A chart whose dependencies are wanted though it is not going to be locked.
pub(crate) struct Dependent<'run> {
    /// Who fetches what the vault lacks.
    pub(crate) fetcher: &'run Fetcher,
    /// Keeps what is fetched.
    pub(crate) vault: &'run Vault,
    /// The recipe, which may replace some.
    pub(crate) recipe: &'run RecipeFiles,
    /// What it was locked as; choices that still fit stay.
    pub(crate) locked: Option<&'run LockedChart>,
    /// Where the chart is from.
    pub(crate) upstream: &'run Upstream,
}

impl Dependent<'_> {
    /// Takes all dependencies that the chart with `files` does not carry, as `lock` takes them.
    ///
    /// # Errors
    /// [`RecipeRefusal`] for the first that cannot be had.
    pub(crate) async fn take(&self, files: &[ArchiveFile]) -> Result<Vec<Vendored>, RecipeRefusal> {
        let Self { fetcher, vault, recipe, locked: old, upstream } = *self;
        // Nothing is packed here, so no entry of an archive gets a time.
        let resolver = Resolver { fetcher, vault, recipe, old, trust: Trust::Vault, modified_seconds: 0 };
        Ok(resolver.find(&recipe.path, files, upstream, &Home::of(upstream)).await?.vendored)
    }
}

impl Home {
    /// Returns where the chart of an upstream lies.
    pub(super) fn of(upstream: &Upstream) -> Self {
        match upstream {
            Upstream::Path { path, .. } => Self::Folder(path.clone()),
            Upstream::Git { url, commit, path } => {
                Self::Git { url: url.clone(), commit: commit.clone(), path: path.clone() }
            }
            Upstream::Repository { .. } | Upstream::Oci { .. } => Self::Nowhere,
        }
    }

    /// Returns the upstream that `relative` names beside this chart.
    fn beside(&self, relative: &str) -> Option<Upstream> {
        match self {
            Self::Folder(folder) => Some(Upstream::Path { path: folder.join(relative), digest: None }),
            Self::Git { url, commit, path } => {
                let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
                for part in relative.split('/') {
                    match part {
                        "" | "." => {}
                        ".." => _ = parts.pop()?,
                        part => parts.push(part),
                    }
                }
                let path = parts.join("/");
                Some(Upstream::Git { url: url.clone(), commit: commit.clone(), path })
            }
            Self::Nowhere => None,
        }
    }
}

impl Resolver<'_> {
    /// Takes all dependencies that the chart with `files` does not carry.
    pub(super) async fn take_dependencies(
        &self,
        source: &Path,
        files: &[ArchiveFile],
        home: &Home,
    ) -> Result<(Vec<LockedDependency>, Vec<Vendored>), RecipeRefusal> {
        let metadata = read_metadata(files).map_err(|problem| BuildRefusal::Metadata {
            chart: source.to_owned(),
            problem: Box::new(problem),
        })?;
        for name in self.recipe.recipe.dependencies.keys() {
            if !metadata.dependencies.iter().any(|dependency| dependency.name == name.as_str()) {
                let (chart, name) = (source.to_owned(), name.clone());
                return Err(BuildRefusal::NoSuchDependency { chart, name }.into());
            }
        }
        let Found { locked, vendored } = self.find(source, files, &self.recipe.recipe.upstream, home).await?;
        Ok((locked, vendored))
    }

    async fn find(
        &self,
        source: &Path,
        files: &[ArchiveFile],
        upstream: &Upstream,
        home: &Home,
    ) -> Result<Found, RecipeRefusal> {
        let around = Around { home, folder: String::new(), trail: vec![self.identity(upstream)] };
        let mut found = Found::default();
        self.descend(source, files, &around, &mut found).await?;
        Ok(found)
    }

    async fn descend(
        &self,
        source: &Path,
        files: &[ArchiveFile],
        around: &Around<'_>,
        found: &mut Found,
    ) -> Result<(), RecipeRefusal> {
        let is_outermost = around.folder.is_empty();
        let replacement =
            |name: &chart::ChartName| self.recipe.recipe.dependencies.get(name).filter(|_| is_outermost);
        let refuse =
            |problem| BuildRefusal::Subchart { chart: source.to_owned(), problem: Box::new(problem) };
        for wanted in missing(files, |name| replacement(name).is_some()).map_err(refuse)? {
            let folder = format!("{}charts/{}", around.folder, wanted.name);
            let upstream = match replacement(&wanted.name) {
                Some(upstream) => upstream.clone(),
                None => self.upstream_of(&wanted, &folder, around.home).await?,
            };
            let identity = self.identity(&upstream);
            if around.trail.contains(&identity) || around.trail.len() > DEEPEST {
                let trail = [around.trail.as_slice(), &[identity]].concat().join(" → ");
                return Err(RecipeRefusal::Cycle { trail });
            }
            let old = self.old_dependency(&folder).map(|old| &old.source);
            let Taken { locked, bytes, .. } = self.take(&upstream, old, false).await?;
            let kept = |problem| BuildRefusal::Kept { chart: source.to_owned(), problem: Box::new(problem) };
            let files = read_chart(&bytes).map_err(kept)?;
            let metadata = read_metadata(&files).map_err(|problem| BuildRefusal::Metadata {
                chart: source.to_owned(),
                problem: Box::new(problem),
            })?;
            if metadata.name != wanted.name {
                let (wanted, found) = (wanted.name, metadata.name);
                return Err(RecipeRefusal::OtherDependency {
                    wanted,
                    found,
                    origin: locked.origin.to_string(),
                });
            }
            let version = metadata.version;
            found.vendored.push(vendored(&folder, &version, files.clone()));
            found.locked.push(LockedDependency { folder: folder.clone(), version, source: locked });
            let trail = [around.trail.as_slice(), &[identity]].concat();
            let inner = Around { home: &Home::of(&upstream), folder: format!("{folder}/"), trail };
            Box::pin(self.descend(source, &files, &inner, found)).await?;
        }
        Ok(())
    }

    /// Returns where a dependency comes from, with the one version chosen.
    async fn upstream_of(
        &self,
        wanted: &Wanted,
        folder: &str,
        home: &Home,
    ) -> Result<Upstream, RecipeRefusal> {
        let Wanted { name, constraint, repository, chosen } = wanted;
        let refuse = |problem: &'static str| RecipeRefusal::Dependency {
            name: name.clone(),
            repository: repository.clone(),
            problem,
        };
        if let Some(relative) = repository.strip_prefix("file://") {
            return home.beside(relative).ok_or_else(|| refuse("leads out of what was fetched"));
        }
        if let Some(kept) = self.kept_choice(wanted, folder) {
            return Ok(kept);
        }
        if let Some(place) = repository.strip_prefix("oci://") {
            let full = format!("{}/{name}", place.trim_end_matches('/'));
            let full: OciName = full.parse().map_err(|_| refuse("is no name in a registry"))?;
            let version = choose_tag(self.fetcher, &full, constraint, chosen.as_deref()).await?;
            return Ok(Upstream::Oci { name: full, version, digest: None });
        }
        let url: url::Url = repository.parse().map_err(|_| refuse("is no address that everyone can use"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(refuse("is no address that everyone can use"));
        }
        let version = choose(self.fetcher, &url, name, constraint, chosen.as_deref()).await?;
        Ok(Upstream::Repository { repository: url, chart: name.clone(), version, digest: None })
    }

    /// Returns the choice of the earlier lock when it still answers what is wanted: a lock does not follow new versions.
    fn kept_choice(&self, wanted: &Wanted, folder: &str) -> Option<Upstream> {
        let old = self.old_dependency(folder).filter(|_| self.trust != Trust::Renew)?;
        let fits = match &wanted.chosen {
            Some(chosen) => chosen == old.version.as_str(),
            None if wanted.constraint.is_empty() => true,
            None => wanted.constraint.parse::<VersionConstraint>().ok()?.matches(&old.version),
        };
        let upstream = match &old.source.origin {
            super::Origin::Repository(origin) => Upstream::Repository {
                repository: origin.repository.parse().ok()?,
                chart: wanted.name.clone(),
                version: old.version.clone(),
                digest: None,
            },
            super::Origin::Oci(origin) => {
                Upstream::Oci { name: origin.oci.parse().ok()?, version: old.version.clone(), digest: None }
            }
            super::Origin::Git(_) | super::Origin::Path(_) => return None,
        };
        let is_same_place = match &upstream {
            Upstream::Repository { repository, .. } => {
                wanted.repository.parse::<url::Url>().is_ok_and(|wanted| wanted == *repository)
            }
            Upstream::Oci { name, .. } => {
                format!("{}/{}", wanted.repository.trim_end_matches('/'), wanted.name)
                    == format!("oci://{name}")
            }
            Upstream::Git { .. } | Upstream::Path { .. } => false,
        };
        (fits && is_same_place).then_some(upstream)
    }

    fn old_dependency(&self, folder: &str) -> Option<&LockedDependency> {
        self.old?.dependencies.iter().find(|old| old.folder == folder)
    }

    /// Returns a text that is equal for equal charts, however a path leads to them.
    fn identity(&self, upstream: &Upstream) -> String {
        match upstream {
            Upstream::Path { path, .. } => {
                let full = self.recipe.folder().join(path);
                full.canonicalize().unwrap_or(full).display().to_string()
            }
            Upstream::Repository { .. } | Upstream::Oci { .. } | Upstream::Git { .. } => upstream.to_string(),
        }
    }
}
