//! Finds what a base is and keeps it in the vault: packages from an archive, images from a registry or a layout.

use std::path::Path;
use std::sync::Arc;

use oci::client::{Copied, Copier, CopySettings, Destination, Origin, RegistryAddress};
use oci::layout::Layout;
use oci::{Content, Descriptor, Digest, ImageReference, Manifest, Platform};

use super::apt::{Apt, Archive};
use super::base::debian_architecture;
use super::lock::{LockedBase, LockedManifest, LockedPackages};
use super::package_index::write_index;
use super::program::Programs;
use super::recipe::{Base, PackageBase};
use super::refusal::ImageBuildRefusal;
use crate::upstream::Fetcher;
use crate::vault::Vault;

/// Where bases are fetched from, and to.
#[derive(Debug)]
pub(super) struct Fetching<'run> {
    /// Runs apt.
    pub(super) programs: &'run Programs,
    /// Keeps what is found.
    pub(super) vault: &'run Vault,
    /// Where packages come from.
    pub(super) archive: &'run Archive,
    /// Asks registries.
    pub(super) fetcher: &'run Fetcher,
    /// The recipe's folder.
    pub(super) recipe_folder: &'run Path,
    /// A folder to work in.
    pub(super) work: &'run Path,
}

impl Fetching<'_> {
    /// Finds the base for one platform as it is now, and keeps it.
    ///
    /// # Errors
    /// [`ImageBuildRefusal`] when it is not to be had.
    pub(super) fn resolve(&self, base: &Base, platform: &Platform) -> Result<LockedBase, ImageBuildRefusal> {
        match base {
            Base::Packages(packages) => self.packages(packages, platform, None),
            Base::Image(image) => self.of_registry(image, platform),
            Base::Layout { path, digest } => self.of_layout(&self.recipe_folder.join(path), digest, platform),
        }
    }

    /// Brings what was locked back into the vault where it is missing there.
    ///
    /// # Errors
    /// [`ImageBuildRefusal`] when it is not to be had any more.
    pub(super) fn keep(
        &self,
        base: &Base,
        locked: &LockedBase,
        platform: &Platform,
    ) -> Result<(), ImageBuildRefusal> {
        if locked.needed().iter().all(|digest| self.vault.contains(digest)) {
            return Ok(());
        }
        let found = match (base, locked) {
            (Base::Packages(packages), LockedBase::Packages(locked)) => {
                self.packages(packages, platform, Some(locked))?
            }
            (Base::Packages(_) | Base::Image(_) | Base::Layout { .. }, _) => self.resolve(base, platform)?,
        };
        if found == *locked {
            Ok(())
        } else {
            Err(ImageBuildRefusal::PackageGone(format!("the base for `{platform}`")))
        }
    }

    fn packages(
        &self,
        base: &PackageBase,
        platform: &Platform,
        locked: Option<&LockedPackages>,
    ) -> Result<LockedBase, ImageBuildRefusal> {
        let architecture = debian_architecture(platform)?;
        let folder = self.work.join(format!("apt-{architecture}"));
        let apt = Apt::open(self.programs, &folder, base, self.archive, architecture)?;
        let entries = match locked {
            Some(locked) => {
                let exactly =
                    |package: &super::lock::LockedPackage| format!("{}={}", package.name, package.version);
                let names: Vec<String> = locked.packages.iter().map(exactly).collect();
                apt.entries(&names).map_err(|refusal| match refusal {
                    // What apt says of it names the package.
                    ImageBuildRefusal::Failed { said, .. } => {
                        ImageBuildRefusal::PackageGone(format!("everything ({said})"))
                    }
                    other => other,
                })?
            }
            None => apt.resolve(base)?,
        };
        let index = self.vault.put(write_index(&entries).as_bytes())?;
        let missing: Vec<_> =
            entries.iter().filter(|entry| !self.vault.contains(&entry.package.digest)).cloned().collect();
        if !missing.is_empty() {
            apt.download(&missing, &mut |bytes| Ok(self.vault.put(bytes).map(drop)?))?;
        }
        let packages = entries.into_iter().map(|entry| entry.package).collect();
        Ok(LockedBase::Packages(LockedPackages { index, packages }))
    }

    fn of_registry(&self, image: &str, platform: &Platform) -> Result<LockedBase, ImageBuildRefusal> {
        let failed =
            |failure| ImageBuildRefusal::Registry { image: image.to_owned(), failure: Box::new(failure) };
        let reference: ImageReference = image
            .parse()
            .map_err(|reason: oci::InvalidImageReference| ImageBuildRefusal::NoArchive(reason.to_string()))?;
        let registry = self
            .fetcher
            .registry(&RegistryAddress::of(reference.host()))
            .map_err(|reason| ImageBuildRefusal::NoArchive(reason.to_string()))?;
        let name = reference.name().clone();
        let origin = Origin::Registry { registry, name, reference: reference.reference() };
        let layout =
            Layout::create(self.work.join(format!("pulled-{}", platform.to_string().replace('/', "-"))))?;
        let destination = Destination::Layout { layout: layout.clone(), name: Some("base".to_owned()) };
        let copier =
            Copier::new(CopySettings { platforms: vec![platform.clone()], ..CopySettings::default() });
        let _: Copied = self
            .programs
            .wait(copier.copy(&origin, &destination, &(Arc::new(|_| {}) as oci::client::OnProgress)))?
            .map_err(failed)?;
        let root = layout.find("base")?.ok_or_else(|| ImageBuildRefusal::NoPlatform(platform.clone()))?;
        self.of_root(&layout, &root, platform)
    }

    fn of_layout(
        &self,
        path: &Path,
        digest: &Digest,
        platform: &Platform,
    ) -> Result<LockedBase, ImageBuildRefusal> {
        let layout = Layout::open(path)?;
        let entries = layout.entries()?;
        let root = entries.iter().find(|entry| entry.digest == *digest);
        let root = root.ok_or_else(|| ImageBuildRefusal::NotInLayout {
            layout: path.to_owned(),
            digest: digest.clone(),
        })?;
        self.of_root(&layout, root, platform)
    }

    /// Keeps the manifest for the platform, its configuration and its layers.
    fn of_root(
        &self,
        layout: &Layout,
        root: &Descriptor,
        platform: &Platform,
    ) -> Result<LockedBase, ImageBuildRefusal> {
        let bytes = layout.read_manifest(root)?;
        let manifest = parse(&bytes, &root.media_type)?;
        let chosen = match &manifest.content {
            Content::Image { .. } => root.clone(),
            Content::Index { manifests } => {
                let fits =
                    |one: &&Descriptor| one.platform.as_ref().is_some_and(|own| own.is_one_of(platform));
                manifests
                    .iter()
                    .find(fits)
                    .cloned()
                    .ok_or_else(|| ImageBuildRefusal::NoPlatform(platform.clone()))?
            }
        };
        let bytes = layout.read_manifest(&chosen)?;
        let manifest = parse(&bytes, &chosen.media_type)?;
        let mut blobs = Vec::new();
        for blob in manifest.blobs() {
            blobs.push(self.vault.put(&layout.open_blob(blob)?.into_bytes()?)?);
        }
        self.vault.put(&bytes)?;
        let Descriptor { digest, size, media_type, .. } = chosen;
        Ok(LockedBase::Image(LockedManifest { manifest: digest, size_bytes: size, media_type, blobs }))
    }
}

fn parse(bytes: &[u8], media_type: &str) -> Result<Manifest, ImageBuildRefusal> {
    Manifest::parse(bytes, Some(media_type))
        .map_err(|reason| ImageBuildRefusal::Layer(format!("the base's manifest: {reason}")))
}
