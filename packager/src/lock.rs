//! The lock: a catalogue file resolved to digests. With it and the vault a build needs no network and gives the same bytes.
//!
//! The same content gives the same text: entries sorted, nothing of the clock or the machine.

mod check;
mod collisions;
mod dependencies;
mod digests;
mod look;
mod moved;
mod origin;
mod prepared;
mod refusal;
mod registries;
mod resolve;
mod resolver;
mod signers;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use chart::yaml::{self, Budget, YamlError};
use chart::{ChartName, ChartVersion};
use oci::Digest;
use serde::{Deserialize, Serialize};

pub(crate) use self::check::changed_inputs;
pub(crate) use self::dependencies::Dependent;
pub(crate) use self::look::{ImageMode, Look};
pub(crate) use self::moved::Moved;
pub(crate) use self::origin::{GitOrigin, OciOrigin, Origin, PathOrigin, RepositoryOrigin};
pub(crate) use self::refusal::{LockRefusal, RecipeRefusal};
pub(crate) use self::registries::ImageRefusal;
pub(crate) use self::resolve::{LockSettings, Locked, lock, read_catalogue, read_lock};
pub(crate) use self::signers::{SignerRefusal, check as check_signer};
use crate::edit::write_document;

/// The format's version. A reader refuses another one.
const FORMAT: u32 = 1;

/// What a lock may cost to read: some hundred charts with thousands of images.
const BUDGET: Budget =
    Budget { bytes: 64 << 20, nodes: 2_000_000, depth: 32, alias_nodes: 0, alias_bytes: 0 };

const HEAD: &str = "# Made by `chartpack lock`: every input of the delivery by digest. Do not edit; keep it with the recipes.\n";

/// A catalogue file resolved to digests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Lock {
    /// The format's version.
    format: u32,
    /// The catalogue file.
    pub(crate) catalogue: LockedFile,
    /// The modification time of every entry of the archives, in seconds since 1970.
    pub(crate) modified_seconds: u64,
    /// What each recipe was resolved to, by the recipe's name.
    pub(crate) charts: BTreeMap<String, LockedChart>,
}

/// A file and its digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LockedFile {
    /// The path with slashes, relative to the catalogue file or the recipe.
    pub(crate) path: String,
    /// The digest of its bytes.
    pub(crate) digest: Digest,
}

/// What one recipe was resolved to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LockedChart {
    /// The chart's name.
    pub(crate) name: ChartName,
    /// The version it is delivered under.
    pub(crate) version: ChartVersion,
    /// The archive that comes out.
    pub(crate) archive: LockedArchive,
    /// The recipe, relative to the catalogue file.
    pub(crate) recipe: LockedFile,
    /// Where the chart comes from.
    pub(crate) upstream: LockedSource,
    /// The upstream's provenance, when the recipe asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) provenance: Option<LockedProvenance>,
    /// Patches, keys and icons beside the recipe.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) files: Vec<LockedFile>,
    /// The files of the overlay, relative to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) overlay: Vec<LockedFile>,
    /// The charts put into `charts/`, in the order they are put there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) dependencies: Vec<LockedDependency>,
    /// The icon that was fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) icon: Option<LockedIcon>,
    /// The hunks of patches that did not fit as they were written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) drift: Vec<String>,
    /// The images that the chart runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) images: Vec<LockedImage>,
    /// The edits that make its image references point at the site; made after all others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) relocation: Vec<LockedEdit>,
    /// The references that no value moves: they are patched, or found by the nodes' mirror configuration.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) foreign: Vec<LockedForeign>,
}

/// An archive that comes out of a build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LockedArchive {
    /// Its digest.
    pub(crate) digest: Digest,
    /// Its length.
    pub(crate) size_bytes: u64,
}

/// A chart as it was fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LockedSource {
    /// Where it came from.
    pub(crate) origin: Origin,
    /// The digest of what the vault keeps: the archive, or the tar of a folder.
    pub(crate) digest: Digest,
}

/// A provenance file that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LockedProvenance {
    /// The digest of the provenance file.
    pub(crate) digest: Digest,
    /// The fingerprint of the key that signed it, in lower-case hex.
    pub(crate) signed_by: String,
}

/// A chart that is put into `charts/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LockedDependency {
    /// The folder it is put into, below the chart: `charts/NAME`.
    pub(crate) folder: String,
    /// Its version.
    pub(crate) version: ChartVersion,
    /// Where it comes from.
    pub(crate) source: LockedSource,
}

/// An icon that was fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LockedIcon {
    /// From where.
    pub(crate) url: String,
    /// The digest of its bytes.
    pub(crate) digest: Digest,
}

/// An image that a chart runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LockedImage {
    /// The reference as the chart has it, completed: `docker.io/library/redis:7.0.0-alpine`.
    pub(crate) name: String,
    /// The reference at the site.
    pub(crate) site_name: String,
    /// From where it is copied, when it is substituted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) copied_from: Option<String>,
    /// The digest of its index, or of its only manifest; none when no registry was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) digest: Option<Digest>,
    /// The digest of each platform's manifest, by `os/architecture[/variant]`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) platforms: BTreeMap<String, Digest>,
    /// Where it was found: template, path, toggle.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) trail: Vec<String>,
}

/// An image reference that no value moves to the site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LockedForeign {
    /// The reference, completed.
    pub(crate) image: String,
    /// The template that names it, with the line when it is known.
    pub(crate) place: String,
    /// Why it may stay: the reason of the recipe's waiver; none when nobody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) declared: Option<String>,
}

/// An edit of `values.yaml` that relocation found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LockedEdit {
    /// The path of the value.
    pub(crate) path: String,
    /// The value to set.
    pub(crate) value: serde_json::Value,
}

/// Why a file is no lock.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidLock {
    /// The text is not YAML.
    #[error("it is not YAML: {0}; make it again with `chartpack lock`")]
    Yaml(#[from] YamlError),
    /// A field is missing, unknown or of another type.
    #[error("it is no lock: {0}; make it again with `chartpack lock`")]
    Field(#[from] serde_json::Error),
    /// Another program's format.
    #[error(
        "it has format {0}, and this chartpack reads {FORMAT}: use the chartpack that made it, or lock again"
    )]
    Format(u32),
    /// A path that would lead out of the chart.
    #[error("`{0}` is no folder below `charts/`: make the lock again")]
    Folder(String),
}

impl Lock {
    /// Begins a lock without charts.
    pub(crate) fn new(catalogue: LockedFile, modified_seconds: u64) -> Self {
        Self { format: FORMAT, catalogue, modified_seconds, charts: BTreeMap::new() }
    }

    /// Reads a lock.
    ///
    /// # Errors
    /// [`InvalidLock`].
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, InvalidLock> {
        let json = yaml::parse(bytes, &BUDGET)?.to_json();
        match json.get("format").and_then(serde_json::Value::as_u64) {
            Some(format) if format != u64::from(FORMAT) => {
                return Err(InvalidLock::Format(u32::try_from(format).unwrap_or(u32::MAX)));
            }
            Some(_) | None => {}
        }
        let lock: Self = serde_json::from_value(json)?;
        for dependency in lock.charts.values().flat_map(|chart| &chart.dependencies) {
            if !is_dependency_folder(&dependency.folder) {
                return Err(InvalidLock::Folder(dependency.folder.clone()));
            }
        }
        Ok(lock)
    }

    /// Returns the lock's text.
    ///
    /// # Errors
    /// None in practice: every part of a lock is JSON.
    pub(crate) fn to_text(&self) -> Result<String, serde_json::Error> {
        Ok(format!("{HEAD}{}", write_document(&serde_json::to_value(self)?)))
    }

    /// Returns the digests of everything that a build needs from the vault.
    pub(crate) fn needed(&self) -> BTreeSet<Digest> {
        self.charts
            .values()
            .flat_map(LockedChart::needed)
            .cloned()
            .chain([self.catalogue.digest.clone()])
            .collect()
    }
}

impl LockedImage {
    /// Returns the reference that its registry is asked for.
    pub(crate) fn source(&self) -> &str {
        self.copied_from.as_deref().unwrap_or(&self.name)
    }
}

impl LockedChart {
    /// Returns the digests of what the chart is built from.
    fn needed(&self) -> impl Iterator<Item = &Digest> {
        let files = self.files.iter().chain(&self.overlay).map(|file| &file.digest);
        let dependencies = self.dependencies.iter().map(|dependency| &dependency.source.digest);
        [&self.recipe.digest, &self.upstream.digest]
            .into_iter()
            .chain(files)
            .chain(dependencies)
            .chain(self.icon.as_ref().map(|icon| &icon.digest))
            .chain(self.provenance.as_ref().map(|provenance| &provenance.digest))
    }
}

/// Returns the place of the lock of a catalogue file: beside it, `playcekube.lock` for `playcekube.yaml`.
pub(crate) fn path_beside(catalogue: &Path) -> PathBuf {
    catalogue.with_extension("lock")
}

/// `charts/a`, or `charts/a/charts/b` for a dependency of a dependency.
fn is_dependency_folder(folder: &str) -> bool {
    let parts: Vec<&str> = folder.split('/').collect();
    parts.len().is_multiple_of(2)
        && parts.chunks(2).all(|pair| {
            matches!(pair, ["charts", name] if name.parse::<ChartName>().is_ok() && !name.starts_with(['.', '_']))
        })
}

#[cfg(test)]
mod tests;
