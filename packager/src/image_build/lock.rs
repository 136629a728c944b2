//! The lock of an image recipe: everything it is built from by digest, and the digest of what came out.
//!
//! The same content gives the same text: nothing of the clock or the machine but the versions of its builders.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use chart::yaml::{self, Budget, YamlError};
use oci::{Digest, Platform};
use serde::{Deserialize, Serialize};

use crate::edit::write_document;
use crate::lock::LockedFile;

/// The format's version. A reader refuses another one.
const FORMAT: u32 = 1;

/// What a lock may cost to read: some thousand packages for a few platforms.
const BUDGET: Budget = Budget { bytes: 16 << 20, nodes: 400_000, depth: 16, alias_nodes: 0, alias_bytes: 0 };

const HEAD: &str = "# Made by `chartpack image lock`: every input of the image by digest. Do not edit; keep it with the recipe.\n";

/// An image recipe resolved to digests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ImageLock {
    /// The format's version.
    format: u32,
    /// The recipe.
    pub(crate) recipe: LockedFile,
    /// The Containerfile and the files of the build context.
    pub(crate) files: Vec<LockedContextFile>,
    /// The time that every file of the image bears, in seconds since 1970.
    pub(crate) modified_seconds: u64,
    /// The digest of what the recipe asks of its base, by which a lock knows whether its base is still the one meant.
    pub(crate) asked_base: Digest,
    /// The base of each platform, by `os/architecture[/variant]`.
    pub(crate) bases: BTreeMap<String, LockedBase>,
    /// The digest of the image's index.
    pub(crate) image: Digest,
    /// The programs that built it, with their versions. Others may give another digest, and are then named.
    pub(crate) builders: BTreeMap<String, String>,
}

/// A file that goes into the build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LockedContextFile {
    /// The path with slashes, relative to the recipe.
    pub(crate) path: String,
    /// The digest of its bytes.
    pub(crate) digest: Digest,
    /// Whether it may be executed: all that counts of its permissions.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) executable: bool,
}

/// What one platform's image is built upon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum LockedBase {
    /// Packages of a distribution.
    Packages(LockedPackages),
    /// An image.
    Image(LockedManifest),
}

/// The packages of a base.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LockedPackages {
    /// The digest of the package index: the distribution's own entries of these packages.
    pub(crate) index: Digest,
    /// The packages, by name.
    pub(crate) packages: Vec<LockedPackage>,
}

/// One package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LockedPackage {
    /// Its name.
    pub(crate) name: String,
    /// Its version, as the distribution writes it.
    pub(crate) version: String,
    /// Its architecture, or `all`.
    pub(crate) architecture: String,
    /// The digest of the package file.
    pub(crate) digest: Digest,
    /// Its length.
    pub(crate) size_bytes: u64,
}

/// The manifest of an image for one platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LockedManifest {
    /// Its digest.
    pub(crate) manifest: Digest,
    /// Its length.
    pub(crate) size_bytes: u64,
    /// Its media type.
    pub(crate) media_type: String,
    /// The digests of its configuration and its layers.
    pub(crate) blobs: Vec<Digest>,
}

/// Why a file is no lock of an image.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidImageLock {
    /// The text is not YAML.
    #[error("it is not YAML: {0}; make it again with `chartpack image lock`")]
    Yaml(#[from] YamlError),
    /// A field is missing, unknown or of another type.
    #[error("it is no lock of an image: {0}; make it again with `chartpack image lock`")]
    Field(#[from] serde_json::Error),
    /// Another program's format.
    #[error(
        "it has format {0}, and this chartpack reads {FORMAT}: use the chartpack that made it, or lock again"
    )]
    Format(u32),
}

impl ImageLock {
    /// Begins a lock of a recipe of which nothing else is known.
    pub(crate) fn new(
        recipe: LockedFile,
        files: Vec<LockedContextFile>,
        modified_seconds: u64,
        asked_base: Digest,
    ) -> Self {
        Self {
            format: FORMAT,
            image: recipe.digest.clone(),
            recipe,
            files,
            modified_seconds,
            asked_base,
            bases: BTreeMap::new(),
            builders: BTreeMap::new(),
        }
    }

    /// Reads a lock.
    ///
    /// # Errors
    /// [`InvalidImageLock`].
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, InvalidImageLock> {
        let json = yaml::parse(bytes, &BUDGET)?.to_json();
        match json.get("format").and_then(serde_json::Value::as_u64) {
            Some(format) if format != u64::from(FORMAT) => {
                Err(InvalidImageLock::Format(u32::try_from(format).unwrap_or(u32::MAX)))
            }
            Some(_) | None => Ok(serde_json::from_value(json)?),
        }
    }

    /// Returns the lock's text.
    ///
    /// # Errors
    /// None in practice: every part of a lock is JSON.
    pub(crate) fn to_text(&self) -> Result<String, serde_json::Error> {
        Ok(format!("{HEAD}{}", write_document(&serde_json::to_value(self)?)))
    }

    /// Tells whether some bytes are meant to be the lock of an image, and not that of a catalogue file.
    pub(crate) fn is_meant_by(bytes: &[u8]) -> bool {
        bytes.split(|byte| *byte == b'\n').any(|line| line.starts_with(b"askedBase:"))
    }

    /// Returns the digests of everything that a build needs from the vault.
    pub(crate) fn needed(&self) -> BTreeSet<Digest> {
        let files = self.files.iter().map(|file| &file.digest).chain([&self.recipe.digest]).cloned();
        files.chain(self.bases.values().flat_map(LockedBase::needed)).collect()
    }

    /// Returns the base of one platform.
    pub(crate) fn base(&self, platform: &Platform) -> Option<&LockedBase> {
        self.bases.get(&platform.to_string())
    }
}

impl LockedBase {
    /// Returns the digests of everything that the base is made of.
    pub(crate) fn needed(&self) -> BTreeSet<Digest> {
        match self {
            Self::Packages(LockedPackages { index, packages }) => {
                packages.iter().map(|package| &package.digest).chain([index]).cloned().collect()
            }
            Self::Image(LockedManifest { manifest, blobs, .. }) => {
                blobs.iter().chain([manifest]).cloned().collect()
            }
        }
    }
}

/// Returns the place of the lock of an image recipe: beside it, `image.lock` for `image.yaml`.
pub(crate) fn path_beside(recipe: &Path) -> PathBuf {
    recipe.with_extension("lock")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_read_as_it_was_written() {
        let digest = Digest::sha256(b"x");
        let recipe = LockedFile { path: "image.yaml".to_owned(), digest: digest.clone() };
        let file = LockedContextFile { path: "run.sh".to_owned(), digest: digest.clone(), executable: true };
        let mut lock = ImageLock::new(recipe, vec![file], 315_532_800, digest.clone());
        let package = LockedPackage {
            name: "keepalived".to_owned(),
            version: "1:2.2.7-1+b2".to_owned(),
            architecture: "amd64".to_owned(),
            digest: digest.clone(),
            size_bytes: 569_660,
        };
        let packages = LockedPackages { index: digest.clone(), packages: vec![package] };
        lock.bases.insert("linux/amd64".to_owned(), LockedBase::Packages(packages));
        let (blobs, media_type) = (vec![Digest::sha256(b"layer")], "x".to_owned());
        let manifest = LockedManifest { manifest: digest, size_bytes: 3, media_type, blobs };
        lock.bases.insert("linux/arm64".to_owned(), LockedBase::Image(manifest));
        lock.builders.insert("buildah".to_owned(), "1.28.2".to_owned());
        let text = lock.to_text().unwrap();
        assert_eq!(ImageLock::parse(text.as_bytes()).unwrap(), lock, "{text}");
        assert!(ImageLock::is_meant_by(text.as_bytes()) && lock.needed().len() == 2);
        let other = text.replace("format: 1", "format: 2");
        assert!(matches!(ImageLock::parse(other.as_bytes()), Err(InvalidImageLock::Format(2))));
    }
}
