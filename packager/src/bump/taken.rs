//! The bytes of both upstreams of a recipe: what it is of now, and what is newer. What the vault has is not fetched.

use chart::ChartVersion;
use oci::Digest;

use super::newer::{Target, newest};
use super::shelf::Shelves;
use super::{BumpRefusal, BumpSettings};
use crate::lock::{LockedChart, Origin};
use crate::recipe::Upstream;
use crate::source::RecipeFiles;
use crate::upstream::{Fetched, bytes_of, fetch, published_versions};
use crate::vault::read_chart;
use crate::vendor::read_metadata;

/// Takes both upstreams of one recipe.
pub(super) struct Taker<'run> {
    pub(super) settings: &'run BumpSettings<'run>,
    pub(super) recipe: &'run RecipeFiles,
    pub(super) locked: Option<&'run LockedChart>,
    /// What the vault holds; nothing when the network is asked.
    pub(super) shelves: &'run Shelves,
}

/// What there is.
pub(super) enum Found {
    /// Nothing newer than this version.
    Nothing(ChartVersion),
    /// Only people can say what is newer.
    Asks(&'static str),
    /// Something newer: the bytes of both, and the upstream for the recipe.
    Newer { before: Vec<u8>, after: Vec<u8>, upstream: Upstream, is_by_name: bool },
}

impl Taker<'_> {
    /// Finds what is newer and takes it.
    ///
    /// # Errors
    /// [`BumpRefusal`].
    pub(super) async fn find(&self) -> Result<Found, BumpRefusal> {
        let upstream = &self.recipe.recipe.upstream;
        match (upstream, &self.settings.to) {
            (Upstream::Path { .. }, Some(_)) => Err(BumpRefusal::Target(
                "its chart is on this machine: there is no version to go to".to_owned(),
            )),
            (Upstream::Path { .. }, None) => self.compare_local(),
            (Upstream::Git { url, path, commit }, Some(Target::Commit(to))) if to != commit => {
                let (url, path) = (url.clone(), path.clone());
                let to = Upstream::Git { url, commit: to.clone(), path };
                self.take_both(to, None).await
            }
            (Upstream::Git { .. }, Some(Target::Commit(_))) => self.current_of_git().await,
            (Upstream::Git { .. }, Some(Target::Version(_)) | None) => {
                Ok(Found::Asks("name the commit to go to with --to: branches and tags of git move"))
            }
            (Upstream::Repository { .. } | Upstream::Oci { .. }, Some(Target::Commit(_))) => {
                Err(BumpRefusal::Target("its upstream has versions: name one with --to".to_owned()))
            }
            (Upstream::Repository { version, .. } | Upstream::Oci { version, .. }, wanted) => {
                self.find_version(version, wanted.as_ref()).await
            }
        }
    }

    async fn find_version(
        &self,
        current: &ChartVersion,
        wanted: Option<&Target>,
    ) -> Result<Found, BumpRefusal> {
        let chart = chart_of(&self.recipe.recipe.upstream);
        let chosen = match (wanted, self.settings.fetcher) {
            (Some(Target::Version(version)), _) => Some(version.clone()),
            (Some(Target::Commit(_)) | None, Some(fetcher)) => {
                let published = published_versions(&self.recipe.recipe.upstream, fetcher).await?;
                newest(&published, current)
            }
            (Some(Target::Commit(_)) | None, None) => newest(self.shelves.versions(chart), current),
        };
        let Some(version) = chosen.filter(|version| version != current) else {
            return Ok(Found::Nothing(current.clone()));
        };
        let kept = self.shelves.find(chart, &version).cloned();
        self.take_both(with_version(&self.recipe.recipe.upstream, &version), kept).await
    }

    async fn take_both(&self, to: Upstream, kept: Option<Digest>) -> Result<Found, BumpRefusal> {
        let before = self.take_current().await?;
        let (after, upstream, is_by_name) = match (self.settings.fetcher, kept) {
            (Some(fetcher), _) => {
                let fetched = fetch(&to, self.recipe.folder(), fetcher, false).await?;
                // Kept, so that the same can be looked at again without the network.
                self.settings.vault.put(&fetched.bytes)?;
                let upstream = with_digest(&to, &self.recipe.recipe.upstream, &fetched);
                (fetched.bytes, upstream, false)
            }
            (None, Some(digest)) => {
                let bytes = self.settings.vault.get(&digest)?;
                let upstream = match &to {
                    // A registry's digest is that of the manifest, which is not kept.
                    Upstream::Oci { .. } => to,
                    Upstream::Repository { .. } | Upstream::Git { .. } | Upstream::Path { .. } => {
                        with_archive_digest(&to, &self.recipe.recipe.upstream, digest)
                    }
                };
                (bytes, upstream, true)
            }
            (None, None) => return Err(BumpRefusal::NotInVault(to.to_string())),
        };
        Ok(Found::Newer { before, after, upstream, is_by_name })
    }

    /// Returns the bytes that the recipe is of: by its lock, by its digest, by its name, or from the upstream.
    async fn take_current(&self) -> Result<Vec<u8>, BumpRefusal> {
        let upstream = &self.recipe.recipe.upstream;
        let vault = self.settings.vault;
        let locked = self.locked.map(|locked| &locked.upstream);
        let locked = locked.filter(|locked| locked.origin.is_of(upstream)).map(|locked| &locked.digest);
        let named = match upstream {
            Upstream::Repository { digest, .. } => digest.as_ref(),
            Upstream::Oci { .. } | Upstream::Git { .. } | Upstream::Path { .. } => None,
        };
        if let Some(digest) = locked.or(named).filter(|digest| vault.contains(digest)) {
            return Ok(vault.get(digest)?);
        }
        match self.settings.fetcher {
            Some(fetcher) => {
                let fetched = fetch(upstream, self.recipe.folder(), fetcher, false).await?;
                vault.put(&fetched.bytes)?;
                Ok(fetched.bytes)
            }
            None => {
                let version = version_of(upstream);
                let digest = version.and_then(|version| self.shelves.find(chart_of(upstream), version));
                let digest = digest.ok_or_else(|| BumpRefusal::NotInVault(upstream.to_string()))?;
                Ok(vault.get(digest)?)
            }
        }
    }

    async fn current_of_git(&self) -> Result<Found, BumpRefusal> {
        let bytes = self.take_current().await?;
        let version = self.version_in(&bytes)?;
        Ok(Found::Nothing(version))
    }

    /// A chart on this machine has no versions: what lies there is compared with what was locked.
    fn compare_local(&self) -> Result<Found, BumpRefusal> {
        let local = self.recipe.local_chart()?;
        let after = local.map(bytes_of).transpose().map_err(BumpRefusal::Snapshot)?.unwrap_or_default();
        let Some(locked) = self.locked else {
            return Ok(Found::Asks(
                "its chart is on this machine and was not locked: there is nothing to compare",
            ));
        };
        if locked.upstream.digest == Digest::sha256(&after) {
            return Ok(Found::Nothing(self.version_in(&after)?));
        }
        let before = self.settings.vault.get(&locked.upstream.digest)?;
        let upstream = self.recipe.recipe.upstream.clone();
        Ok(Found::Newer { before, after, upstream, is_by_name: false })
    }

    fn version_in(&self, bytes: &[u8]) -> Result<ChartVersion, BumpRefusal> {
        let origin = self.recipe.recipe.upstream.to_string();
        let files =
            read_chart(bytes).map_err(|problem| BumpRefusal::Kept { origin, problem: problem.into() })?;
        Ok(read_metadata(&files).map_err(Box::new)?.version)
    }
}

/// Returns the chart's name as the upstream has it; empty where that only the chart itself says.
fn chart_of(upstream: &Upstream) -> &str {
    match upstream {
        Upstream::Repository { chart, .. } => chart.as_str(),
        Upstream::Oci { name, .. } => name.path.rsplit('/').next().unwrap_or_default(),
        Upstream::Git { .. } | Upstream::Path { .. } => "",
    }
}

fn version_of(upstream: &Upstream) -> Option<&ChartVersion> {
    match upstream {
        Upstream::Repository { version, .. } | Upstream::Oci { version, .. } => Some(version),
        Upstream::Git { .. } | Upstream::Path { .. } => None,
    }
}

/// Returns the same place with another version, and no digest yet.
fn with_version(upstream: &Upstream, version: &ChartVersion) -> Upstream {
    let mut upstream = upstream.clone();
    match &mut upstream {
        Upstream::Repository { version: old, digest, .. } | Upstream::Oci { version: old, digest, .. } => {
            old.clone_from(version);
            *digest = None;
        }
        Upstream::Git { .. } | Upstream::Path { .. } => {}
    }
    upstream
}

/// A recipe that names a digest goes on naming one.
fn with_digest(to: &Upstream, old: &Upstream, fetched: &Fetched) -> Upstream {
    let found = match &fetched.origin {
        Origin::Oci(origin) => origin.manifest.clone(),
        Origin::Repository(_) | Origin::Git(_) | Origin::Path(_) => Digest::sha256(&fetched.bytes),
    };
    with_archive_digest(to, old, found)
}

fn with_archive_digest(to: &Upstream, old: &Upstream, found: Digest) -> Upstream {
    let mut to = to.clone();
    let named = match old {
        Upstream::Repository { digest, .. } | Upstream::Oci { digest, .. } => digest.is_some(),
        Upstream::Git { .. } | Upstream::Path { .. } => false,
    };
    match &mut to {
        Upstream::Repository { digest, .. } | Upstream::Oci { digest, .. } if named => *digest = Some(found),
        Upstream::Repository { .. } | Upstream::Oci { .. } | Upstream::Git { .. } | Upstream::Path { .. } => {
        }
    }
    to
}
