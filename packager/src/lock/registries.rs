//! Asks registries for the digests of images: of the index, and of each platform's manifest in it.
//!
//! What was locked stays: a registry is asked only for what no lock names yet, or to see whether a tag moved.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, stream};
use oci::client::{Failure, Registry, RegistryAddress};
use oci::{Content, Descriptor, Digest, ImageReference, InvalidImageReference, Platform};
use serde::Deserialize;

use super::LockedImage;
use crate::catalogue::Catalogue;
use crate::upstream::Fetcher;

/// How many images are asked for at once; each registry has a limit of its own besides.
const AT_ONCE: usize = 8;

/// The largest configuration of an image that is read, in bytes.
const LARGEST_CONFIGURATION: u64 = 4 * 1024 * 1024;

/// What a registry says of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resolved {
    /// The digest of its index, or of its only manifest.
    pub(super) digest: Digest,
    /// The digest of each wanted platform's manifest.
    pub(super) platforms: BTreeMap<String, Digest>,
}

/// Why an image is not resolved.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImageRefusal {
    /// Its name is none that a registry could be asked for.
    #[error(transparent)]
    Name(#[from] InvalidImageReference),
    /// The client cannot be made.
    #[error(transparent)]
    Settings(#[from] oci::client::InvalidSettings),
    /// The image is gone.
    #[error("{0}; if it moved, say where it is: `images: {{substitutions: {{OLD: NEW}}}}` in the recipe")]
    Gone(#[source] Box<Failure>),
    /// The registry does not answer, or refuses.
    #[error(transparent)]
    Registry(Box<Failure>),
}

impl From<Failure> for ImageRefusal {
    fn from(failure: Failure) -> Self {
        if matches!(failure, Failure::Missing { .. }) {
            Self::Gone(Box::new(failure))
        } else {
            Self::Registry(Box::new(failure))
        }
    }
}

impl ImageRefusal {
    /// Returns whether the registry did not answer.
    pub(super) fn is_of_the_network(&self) -> bool {
        match self {
            Self::Registry(failure) => failure.is_temporary(),
            Self::Name(_) | Self::Settings(_) | Self::Gone(_) => false,
        }
    }
}

/// The registries of one run.
pub(super) struct Registries<'run> {
    fetcher: &'run Fetcher,
    platforms: Vec<Platform>,
    catalogue: &'run Catalogue,
}

/// What is read of an image's configuration (image specification, "Image Configuration").
#[derive(Deserialize)]
struct Configuration {
    architecture: String,
    os: String,
    #[serde(default)]
    variant: Option<String>,
}

impl<'run> Registries<'run> {
    /// Connects to nothing yet.
    pub(super) fn new(fetcher: &'run Fetcher, catalogue: &'run Catalogue) -> Self {
        let platforms = catalogue.platforms.iter().filter_map(|text| text.parse().ok()).collect();
        Self { fetcher, platforms, catalogue }
    }

    /// Asks for each image, several at once; `known` is what an earlier lock says of some, and saves most of the asking.
    pub(super) async fn ask(
        &self,
        images: &BTreeSet<String>,
        known: &BTreeMap<String, LockedImage>,
    ) -> BTreeMap<String, Result<Resolved, ImageRefusal>> {
        let answers = stream::iter(images)
            .map(|name| async move { (name.clone(), self.resolve(name, known.get(name)).await) });
        answers.buffer_unordered(AT_ONCE).collect().await
    }

    async fn resolve(&self, name: &str, known: Option<&LockedImage>) -> Result<Resolved, ImageRefusal> {
        let image: ImageReference = name.parse()?;
        let registry = self.fetcher.registry(&RegistryAddress::of(image.host()))?;
        let reference = image.reference();
        // Asking for the head does not count against Docker Hub's limits.
        if let Some(LockedImage { digest: Some(digest), platforms, .. }) = known
            && self.catalogue.platforms.iter().all(|platform| platforms.contains_key(platform))
            && let Some(now) = registry.look_up(image.name(), &reference).await?
            && now.digest == *digest
        {
            return Ok(Resolved { digest: digest.clone(), platforms: platforms.clone() });
        }
        let resolved = registry.resolve(image.name(), &reference).await?;
        let digest = resolved.descriptor.digest.clone();
        let mut platforms = BTreeMap::new();
        match resolved.manifest()?.content {
            Content::Index { manifests } => {
                for (text, wanted) in self.catalogue.platforms.iter().zip(&self.platforms) {
                    let is_one =
                        |one: &&Descriptor| one.platform.as_ref().is_some_and(|own| own.is_one_of(wanted));
                    if let Some(manifest) = manifests.iter().find(is_one) {
                        platforms.insert(text.clone(), manifest.digest.clone());
                    }
                }
            }
            Content::Image { config, .. } => {
                let own = self.platform_of(&registry, &image, &config).await?;
                for (text, wanted) in self.catalogue.platforms.iter().zip(&self.platforms) {
                    if own.as_ref().is_some_and(|own| own.is_one_of(wanted)) {
                        platforms.insert(text.clone(), digest.clone());
                    }
                }
            }
        }
        Ok(Resolved { digest, platforms })
    }

    /// A single manifest does not say what it is for; its configuration does.
    async fn platform_of(
        &self,
        registry: &Registry,
        image: &ImageReference,
        configuration: &Descriptor,
    ) -> Result<Option<Platform>, ImageRefusal> {
        if configuration.size > LARGEST_CONFIGURATION {
            return Ok(None);
        }
        let mut pull = registry.pull_blob(image.name(), configuration);
        let mut bytes = Vec::new();
        while let Some(piece) = pull.next().await? {
            bytes.extend_from_slice(&piece);
        }
        let read: Option<Configuration> = serde_json::from_slice(&bytes).ok();
        Ok(read.map(|Configuration { architecture, os, variant }| Platform {
            architecture,
            os,
            variant,
            os_version: None,
        }))
    }
}
