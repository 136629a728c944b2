//! Resolves one recipe: fetches what it names, checks it against every digest that is known, and builds it once.

use std::path::Path;

use chart::ChartVersion;
use chart::archive::{ArchiveFile, ChartArchive, Limits};
use oci::Digest;

use super::dependencies::Home;
use super::prepared::{Known, Prepared, archive_of};
use super::{LockedChart, LockedFile, LockedIcon, LockedProvenance, LockedSource, RecipeRefusal, signers};
use crate::build::{Additions, BuildRefusal, Draft, Icon, Overrides, Packed, Vendored};
use crate::recipe::{IconSource, Upstream};
use crate::source::RecipeFiles;
use crate::upstream::{Fetched, Fetcher, bytes_of, fetch};
use crate::vault::{Vault, read_chart};
use crate::vendor::read_metadata;

/// The largest icon that is fetched, in bytes; the build refuses smaller ones already.
const LARGEST_ICON: usize = 4 * 1024 * 1024;

/// How much of an earlier lock is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// What it names is taken from the vault; upstreams are asked for what is new, and may not have changed the rest.
    Vault,
    /// Every upstream is asked again; the vault is not touched.
    Nothing,
    /// Every upstream is asked again, and what it gives now is locked.
    Renew,
}

/// Resolves one recipe.
pub(super) struct Resolver<'run> {
    pub(super) fetcher: &'run Fetcher,
    pub(super) vault: &'run Vault,
    pub(super) recipe: &'run RecipeFiles,
    /// What the recipe was resolved to before.
    pub(super) old: Option<&'run LockedChart>,
    pub(super) trust: Trust,
    pub(super) modified_seconds: u64,
}

/// A chart from its upstream.
pub(super) struct Taken {
    pub(super) locked: LockedSource,
    pub(super) bytes: Vec<u8>,
    pub(super) provenance: Option<Vec<u8>>,
}

impl Resolver<'_> {
    /// Resolves the recipe and builds the chart, as it is before its image references are moved; `path` is the recipe's
    /// path relative to the catalogue file.
    pub(super) async fn resolve(&self, path: &str) -> Result<Prepared, RecipeRefusal> {
        let recipe = &self.recipe.recipe;
        let taken = self.take_chart().await?;
        let source = Path::new(path);
        let kept = |problem| BuildRefusal::Kept { chart: source.to_owned(), problem: Box::new(problem) };
        let files = read_chart(&taken.bytes).map_err(kept)?;
        let provenance = self.check_provenance(&taken, &files)?;
        let icon = self.take_icon(source, &files).await?;
        let draft = Draft::make(source, Some(recipe), self.recipe.ingredients(files), &Overrides::default())?;
        let (dependencies, vendored) =
            self.take_dependencies(source, draft.files(), &Home::of(&recipe.upstream)).await?;
        draft.refuse_unknown_values(&vendored)?;
        let recipe_file = LockedFile { path: path.to_owned(), digest: self.keep(&self.recipe.bytes)? };
        let (named, overlay) = (self.keep_named()?, self.keep_overlay()?);
        // What was found out about a chart holds as long as it is made of the same by the same recipe.
        let known = self.old.filter(|old| {
            (&old.upstream, &old.recipe, &old.files, &old.overlay, &old.dependencies)
                == (&taken.locked, &recipe_file, &named, &overlay, &dependencies)
        });
        let known = known.map(|old| Known {
            images: old.images.clone(),
            relocation: old.relocation.clone(),
            foreign: old.foreign.clone(),
        });
        let (locked_icon, icon) = icon.unzip();
        let additions = Additions { dependencies: vendored, icon, relocation: Vec::new() };
        let Packed { chart, drift, .. } = draft.clone().finish(additions.clone(), self.modified_seconds)?;
        let locked = LockedChart {
            name: chart.metadata.name.clone(),
            version: chart.metadata.version.clone(),
            archive: archive_of(&chart),
            recipe: recipe_file,
            provenance,
            files: named,
            overlay,
            dependencies,
            icon: locked_icon.flatten(),
            drift,
            images: Vec::new(),
            relocation: Vec::new(),
            foreign: Vec::new(),
            upstream: taken.locked,
        };
        let recipe = recipe.clone();
        let recorded = self.old.map(|old| old.relocation.clone()).unwrap_or_default();
        Ok(Prepared {
            recipe,
            draft,
            additions,
            modified_seconds: self.modified_seconds,
            packed: chart,
            locked,
            known,
            recorded,
        })
    }

    async fn take_chart(&self) -> Result<Taken, RecipeRefusal> {
        let old = self.old.map(|old| &old.upstream);
        let recipe = &self.recipe.recipe;
        // A folder around the recipe holds the recipe's own files too, which are no part of the chart.
        if let Some(chart) = self.recipe.local_chart()? {
            let fetched =
                fetch(&recipe.upstream, self.recipe.folder(), self.fetcher, recipe.signers.is_some()).await?;
            let bytes = bytes_of(chart).map_err(RecipeRefusal::Snapshot)?;
            return self.taken(Fetched { bytes, ..fetched }, None);
        }
        self.take(&recipe.upstream, old, recipe.signers.is_some()).await
    }

    /// Takes a chart from the vault when the earlier lock has it and is believed, else from its upstream.
    pub(super) async fn take(
        &self,
        upstream: &Upstream,
        old: Option<&LockedSource>,
        with_provenance: bool,
    ) -> Result<Taken, RecipeRefusal> {
        let old = old.filter(|old| old.origin.is_of(upstream));
        if let Some(old) = old
            && self.trust == Trust::Vault
            && !old.origin.is_local()
            && names_no_other_digest(upstream, old)
            && self.vault.contains(&old.digest)
        {
            let provenance = match self.old.and_then(|old| old.provenance.as_ref()) {
                Some(kept) if with_provenance => Some(self.vault.get(&kept.digest)?),
                Some(_) | None => None,
            };
            if provenance.is_some() || !with_provenance {
                return Ok(Taken { locked: old.clone(), bytes: self.vault.get(&old.digest)?, provenance });
            }
        }
        let fetched = fetch(upstream, self.recipe.folder(), self.fetcher, with_provenance).await?;
        self.taken(fetched, old)
    }

    fn taken(&self, fetched: Fetched, old: Option<&LockedSource>) -> Result<Taken, RecipeRefusal> {
        let Fetched { bytes, origin, provenance } = fetched;
        let digest = Digest::sha256(&bytes);
        if let Some(old) = old
            && self.trust == Trust::Vault
            && !old.origin.is_local()
            && old.digest != digest
        {
            let (origin, before, now) = (origin.to_string(), old.digest.clone(), digest);
            return Err(RecipeRefusal::Moved { origin, before, now });
        }
        self.keep(&bytes)?;
        Ok(Taken { locked: LockedSource { origin, digest }, bytes, provenance })
    }

    /// Keeps bytes in the vault and returns their digest; only the digest when nothing is to be written.
    pub(super) fn keep(&self, bytes: &[u8]) -> Result<Digest, RecipeRefusal> {
        match self.trust {
            Trust::Vault | Trust::Renew => Ok(self.vault.put(bytes)?),
            Trust::Nothing => Ok(Digest::sha256(bytes)),
        }
    }

    fn check_provenance(
        &self,
        taken: &Taken,
        files: &[ArchiveFile],
    ) -> Result<Option<LockedProvenance>, RecipeRefusal> {
        let Some(path) = &self.recipe.recipe.signers else { return Ok(None) };
        let file = path.to_string_lossy().into_owned();
        let keys = self.recipe.named.get(&file).map(Vec::as_slice).unwrap_or_default();
        let metadata = read_metadata(files).map_err(|problem| BuildRefusal::Metadata {
            chart: self.recipe.path.clone(),
            problem: Box::new(problem),
        })?;
        let is_archive = ChartArchive::inspect(taken.bytes.as_slice(), &Limits::default()).is_ok();
        let provenance = taken.provenance.as_deref().filter(|_| is_archive);
        let file_name = chart::archive::file_name(&metadata.name, &metadata.version);
        let signed_by = signers::check(provenance, (&file, keys), (&file_name, &taken.locked.digest))?;
        let digest = self.keep(provenance.unwrap_or_default())?;
        Ok(Some(LockedProvenance { digest, signed_by }))
    }

    /// Returns the icon and, when it was fetched, where from.
    async fn take_icon(
        &self,
        source: &Path,
        files: &[ArchiveFile],
    ) -> Result<Option<(Option<LockedIcon>, Icon)>, RecipeRefusal> {
        let refuse = |problem| BuildRefusal::Icon { chart: source.to_owned(), problem };
        let url = match &self.recipe.recipe.icon {
            None => return Ok(None),
            Some(IconSource::File(_)) => {
                let bytes = self.recipe.icon().unwrap_or_default().to_vec();
                return Ok(Some((None, Icon::of(bytes).map_err(refuse)?)));
            }
            Some(IconSource::Url(url)) => url.clone(),
            Some(IconSource::Upstream) => {
                let metadata = read_metadata(files).map_err(|problem| BuildRefusal::Metadata {
                    chart: source.to_owned(),
                    problem: Box::new(problem),
                })?;
                let no_icon = |_| RecipeRefusal::NoIcon(metadata.icon.clone());
                url::Url::parse(&metadata.icon).map_err(no_icon)?
            }
        };
        let old = self.old.and_then(|old| old.icon.as_ref()).filter(|old| old.url == url.as_str());
        let bytes = match old {
            Some(old) if self.trust == Trust::Vault && self.vault.contains(&old.digest) => {
                self.vault.get(&old.digest)?
            }
            Some(_) | None => self.fetcher.get(&url, LARGEST_ICON).await?,
        };
        let icon = Icon::of(bytes).map_err(refuse)?;
        let digest = self.keep(&icon.bytes)?;
        Ok(Some((Some(LockedIcon { url: url.to_string(), digest }), icon)))
    }

    fn keep_named(&self) -> Result<Vec<LockedFile>, RecipeRefusal> {
        let files = self.recipe.named.iter();
        files.map(|(path, bytes)| Ok(LockedFile { path: path.clone(), digest: self.keep(bytes)? })).collect()
    }

    fn keep_overlay(&self) -> Result<Vec<LockedFile>, RecipeRefusal> {
        let files = self.recipe.overlay.iter();
        let files =
            files.map(|file| Ok(LockedFile { path: file.path.clone(), digest: self.keep(&file.bytes)? }));
        let mut files = files.collect::<Result<Vec<_>, RecipeRefusal>>()?;
        files.sort();
        Ok(files)
    }
}

/// Returns whether the digest that a recipe names, if any, is the locked one.
fn names_no_other_digest(upstream: &Upstream, old: &LockedSource) -> bool {
    match (upstream, &old.origin) {
        (Upstream::Repository { digest: Some(digest), .. }, _) => *digest == old.digest,
        (Upstream::Oci { digest: Some(digest), .. }, super::Origin::Oci(origin)) => {
            *digest == origin.manifest
        }
        (Upstream::Oci { digest: Some(_), .. }, _) => false,
        (Upstream::Repository { digest: None, .. } | Upstream::Oci { digest: None, .. }, _)
        | (Upstream::Git { .. } | Upstream::Path { .. }, _) => true,
    }
}

/// Returns a dependency as the build places it.
pub(super) fn vendored(folder: &str, version: &ChartVersion, files: Vec<ArchiveFile>) -> Vendored {
    Vendored { folder: folder.to_owned(), version: version.clone(), files }
}
