//! The dependencies that charts ask for and do not carry: taken as `lock` takes them, or from the vault alone.
//!
//! In the vault a dependency is told by the lock, else by its name, and one that is missing is named.

use std::path::Path;

use chart::archive::ArchiveFile;
use chart::{ChartVersion, VersionConstraint};
use oci::Digest;
use serde_json::Value;

use super::finding::NEWER;
use super::reapply::edit_file;
use super::shelf::Shelves;
use super::{BumpRefusal, BumpSettings, Finding};
use crate::build::Vendored;
use crate::lock::{Dependent, LockedChart, RecipeRefusal};
use crate::recipe::Upstream;
use crate::source::{LocalChart, RecipeFiles};
use crate::upstream::bytes_of;
use crate::vault::read_chart;
use crate::vendor::{self, DEEPEST, Wanted, missing, read_metadata};

/// Takes the dependencies of both upstreams of one recipe.
pub(super) struct Vendoring<'run> {
    pub(super) settings: &'run BumpSettings<'run>,
    pub(super) recipe: &'run RecipeFiles,
    pub(super) locked: Option<&'run LockedChart>,
    pub(super) shelves: &'run Shelves,
}

/// What is at hand of a chart's dependencies, and what is not.
#[derive(Default)]
pub(super) struct AtHand {
    pub(super) vendored: Vec<Vendored>,
    pub(super) findings: Vec<Finding>,
}

impl AtHand {
    /// Puts the dependencies into a chart, as a build does. What cannot be placed is left out: the lock says why.
    pub(super) fn place(&self, files: &mut Vec<ArchiveFile>) {
        for Vendored { folder, version, files: added } in &self.vendored {
            drop(vendor::place(files, folder, added.clone()));
            if let Some((file, path)) = vendor::disagreeing_requirement(files, folder, version) {
                let version = Value::String(version.to_string());
                drop(edit_file(files, file, |document| {
                    document.set(&path, &version).err().into_iter().collect()
                }));
            }
        }
    }
}

impl Vendoring<'_> {
    /// Takes what the chart with `files`, which is the `of` one and comes from `upstream`, does not carry.
    ///
    /// # Errors
    /// [`BumpRefusal`] when an upstream does not answer, or the vault cannot be read.
    pub(super) async fn take(
        &self,
        of: &'static str,
        files: &[ArchiveFile],
        upstream: &Upstream,
    ) -> Result<AtHand, BumpRefusal> {
        let (recipe, locked, vault) = (self.recipe, self.locked, self.settings.vault);
        let Some(fetcher) = self.settings.fetcher else {
            let home = match upstream {
                Upstream::Path { path, .. } => Some(recipe.folder().join(path)),
                Upstream::Repository { .. } | Upstream::Oci { .. } | Upstream::Git { .. } => None,
            };
            let mut at_hand = AtHand::default();
            self.take_kept(of, files, ("", home.as_deref()), &mut at_hand)?;
            return Ok(at_hand);
        };
        let dependent = Dependent { fetcher, vault, recipe, locked, upstream };
        match dependent.take(files).await {
            Ok(vendored) => Ok(AtHand { vendored, findings: Vec::new() }),
            Err(RecipeRefusal::Upstream(error)) if of == NEWER && error.is_of_the_network() => {
                Err(error.into())
            }
            Err(refusal) => {
                let (wanted, reason) = (String::new(), refusal.to_string());
                let findings = vec![Finding::MissingDependency { of, wanted, reason }];
                Ok(AtHand { vendored: Vec::new(), findings })
            }
        }
    }

    /// Takes from this machine what needs no network; `place` is the chart's folder in the outermost one, and on this
    /// machine.
    fn take_kept(
        &self,
        of: &'static str,
        files: &[ArchiveFile],
        (around, home): (&str, Option<&Path>),
        at_hand: &mut AtHand,
    ) -> Result<(), BumpRefusal> {
        let replacements = &self.recipe.recipe.dependencies;
        let replacement = |name: &chart::ChartName| replacements.get(name).filter(|_| around.is_empty());
        let wanted = match missing(files, |name| replacement(name).is_some()) {
            Ok(wanted) => wanted,
            Err(problem) => {
                let (wanted, reason) = (String::new(), problem.to_string());
                at_hand.findings.push(Finding::MissingDependency { of, wanted, reason });
                return Ok(());
            }
        };
        for wanted in wanted {
            let folder = format!("{around}charts/{}", wanted.name);
            let beside = match replacement(&wanted.name) {
                Some(Upstream::Path { path, .. }) => Some(self.recipe.folder().join(path)),
                Some(Upstream::Repository { .. } | Upstream::Oci { .. } | Upstream::Git { .. }) => None,
                None => wanted.repository.strip_prefix("file://").and_then(|path| Some(home?.join(path))),
            };
            let bytes = match &beside {
                Some(path) => local_bytes(path)?,
                None => self.kept(&wanted, &folder, replacement(&wanted.name))?,
            };
            let chart = bytes.and_then(|bytes| read_chart(&bytes).ok());
            let metadata = chart.as_ref().and_then(|files| read_metadata(files).ok());
            let (Some(files), Some(metadata)) = (chart, metadata) else {
                let Wanted { name, constraint, repository, chosen } = wanted;
                let version = chosen.unwrap_or(constraint);
                let wanted = format!("{name} {version} of {repository}");
                let finding = Finding::MissingDependency { of, wanted, reason: String::new() };
                at_hand.findings.push(finding);
                continue;
            };
            let version = metadata.version;
            at_hand.vendored.push(Vendored { folder: folder.clone(), version, files: files.clone() });
            if folder.matches("charts/").count() < DEEPEST {
                self.take_kept(of, &files, (&format!("{folder}/"), beside.as_deref()), at_hand)?;
            }
        }
        Ok(())
    }

    /// Returns what the vault holds for a dependency: the locked one when it still fits, else the newest of the name.
    fn kept(
        &self,
        wanted: &Wanted,
        folder: &str,
        replacement: Option<&Upstream>,
    ) -> Result<Option<Vec<u8>>, BumpRefusal> {
        let exactly = match replacement {
            Some(Upstream::Repository { version, .. } | Upstream::Oci { version, .. }) => {
                Some(version.clone())
            }
            Some(Upstream::Git { .. } | Upstream::Path { .. }) => None,
            None => wanted.chosen.as_ref().and_then(|chosen| chosen.parse().ok()),
        };
        let constraint: Option<VersionConstraint> = wanted.constraint.parse().ok();
        let fits = |version: &ChartVersion| match (&exactly, &constraint) {
            (Some(exactly), _) => version == exactly,
            (None, Some(constraint)) => wanted.constraint.is_empty() || constraint.matches(version),
            (None, None) => wanted.constraint.is_empty(),
        };
        let vault = self.settings.vault;
        let locked = self.locked.into_iter().flat_map(|locked| &locked.dependencies);
        let locked = locked
            .filter(|one| one.folder == folder && fits(&one.version))
            .map(|one| &one.source.digest)
            .find(|digest| vault.contains(digest));
        let name = wanted.name.as_str();
        let by_name = || -> Option<&Digest> {
            let newest = self.shelves.versions(name).filter(|version| fits(version)).max()?;
            self.shelves.find(name, newest)
        };
        Ok(locked.or_else(by_name).map(|digest| vault.get(digest)).transpose()?)
    }
}

/// Returns the chart at a path of this machine; nothing when there is none.
fn local_bytes(path: &Path) -> Result<Option<Vec<u8>>, BumpRefusal> {
    let upstream = Upstream::Path { path: path.to_owned(), digest: None };
    let Ok(chart) = LocalChart::read(&upstream, Path::new("")) else { return Ok(None) };
    chart.map(bytes_of).transpose().map_err(BumpRefusal::Snapshot)
}
