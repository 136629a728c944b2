//! The base of one platform as an image in a layout of its own: made of locked packages, or taken from the vault.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use oci::layout::Layout;
use oci::{Content, Descriptor, Manifest, Platform, media_type};
use serde_json::{Value, json};

use super::bootstrap::bootstrap;
use super::layer::{Layer, normalise};
use super::lock::{LockedBase, LockedManifest, LockedPackages};
use super::program::Programs;
use super::refusal::ImageBuildRefusal;
use crate::vault::Vault;

/// The name of the base in its layout.
const NAME: &str = "base";

/// A base that can be built upon.
#[derive(Debug)]
pub(super) struct BaseImage {
    /// The layout that holds it, under the name `base`.
    pub(super) layout: Layout,
    /// Its layers as they are stored, the lowest first.
    pub(super) layers: Vec<Descriptor>,
    /// Its configuration.
    pub(super) config: Value,
}

impl BaseImage {
    /// Makes the base in `folder`.
    ///
    /// # Errors
    /// [`ImageBuildRefusal`] when the vault lacks something or the base cannot be made.
    pub(super) fn make(
        programs: &Programs,
        vault: &Vault,
        base: &LockedBase,
        platform: &Platform,
        modified_seconds: u64,
        folder: &Path,
    ) -> Result<Self, ImageBuildRefusal> {
        fs::create_dir_all(folder).map_err(ImageBuildRefusal::file(folder))?;
        let layout = Layout::create(folder.join("base"))?;
        match base {
            LockedBase::Packages(packages) => {
                Self::of_packages(programs, vault, packages, platform, modified_seconds, folder, layout)
            }
            LockedBase::Image(manifest) => Self::of_vault(vault, manifest, layout),
        }
    }

    fn of_packages(
        programs: &Programs,
        vault: &Vault,
        packages: &LockedPackages,
        platform: &Platform,
        modified_seconds: u64,
        folder: &Path,
        layout: Layout,
    ) -> Result<Self, ImageBuildRefusal> {
        let architecture = debian_architecture(platform)?;
        let tar = bootstrap(programs, vault, packages, architecture, folder)?;
        let layer = normalise(&tar, &folder.join("base.tar.gz"), modified_seconds)?;
        fs::remove_file(&tar).map_err(ImageBuildRefusal::file(&tar))?;
        put_layer(&layout, &layer)?;
        let config = json!({
            "architecture": platform.architecture, "os": platform.os,
            "config": {"Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]},
            "rootfs": {"type": "layers", "diff_ids": [layer.diff_id]},
            "history": [{"created_by": "mmdebstrap"}],
        });
        Self::listed(layout, vec![layer.descriptor], config)
    }

    fn of_vault(vault: &Vault, locked: &LockedManifest, layout: Layout) -> Result<Self, ImageBuildRefusal> {
        let what = format!("the manifest {}", locked.manifest);
        let bytes = vault.get(&locked.manifest)?;
        let manifest = Manifest::parse(&bytes, Some(&locked.media_type))
            .map_err(|reason| ImageBuildRefusal::Layer(format!("{what}: {reason}")))?;
        let Content::Image { config, layers } = manifest.content else {
            return Err(ImageBuildRefusal::Layer(format!("{what} is an index")));
        };
        for layer in &layers {
            layout.put_blob(layer, &vault.get(&layer.digest)?)?;
        }
        let config =
            serde_json::from_slice(&vault.get(&config.digest)?).map_err(ImageBuildRefusal::json(what))?;
        Self::listed(layout, layers, config)
    }

    /// Lists the image in its layout. Its manifest is only for buildah, which copies what it reads.
    fn listed(layout: Layout, layers: Vec<Descriptor>, config: Value) -> Result<Self, ImageBuildRefusal> {
        let config_descriptor = put_json(&layout, media_type::IMAGE_CONFIG, &config)?;
        let manifest = json!({
            "schemaVersion": 2, "mediaType": media_type::IMAGE_MANIFEST, "config": config_descriptor, "layers": layers,
        });
        let manifest = put_json(&layout, media_type::IMAGE_MANIFEST, &manifest)?;
        layout.add(&manifest, Some(NAME))?;
        Ok(Self { layout, layers, config })
    }
}

/// Returns Debian's name of a platform's processor.
///
/// # Errors
/// [`ImageBuildRefusal::ForeignPlatform`] for one that Debian has no packages for.
pub(super) fn debian_architecture(platform: &Platform) -> Result<&'static str, ImageBuildRefusal> {
    let variant = platform.variant.as_deref();
    match (platform.os.as_str(), platform.architecture.as_str(), variant) {
        ("linux", "amd64", None) => Ok("amd64"),
        ("linux", "arm64", None | Some("v8")) => Ok("arm64"),
        ("linux", "arm", Some("v7")) => Ok("armhf"),
        ("linux", "386", None) => Ok("i386"),
        ("linux", "ppc64le", None) => Ok("ppc64el"),
        ("linux", "s390x", None) => Ok("s390x"),
        ("linux", "riscv64", None) => Ok("riscv64"),
        _ => Err(ImageBuildRefusal::ForeignPlatform {
            platform: platform.clone(),
            remedy: "Debian has no packages for it; build upon an image instead".to_owned(),
        }),
    }
}

/// Writes a value as compact JSON and returns its descriptor.
pub(super) fn put_json(
    layout: &Layout,
    media_type: &str,
    value: &Value,
) -> Result<Descriptor, ImageBuildRefusal> {
    let bytes = serde_json::to_vec(value).map_err(ImageBuildRefusal::json(media_type))?;
    let descriptor = Descriptor::new(media_type, oci::Digest::sha256(&bytes), bytes.len() as u64);
    layout.put_blob(&descriptor, &bytes)?;
    Ok(descriptor)
}

/// Brings a layer into a layout.
pub(super) fn put_layer(layout: &Layout, layer: &Layer) -> Result<(), ImageBuildRefusal> {
    if layout.has_blob(&layer.descriptor)? {
        return Ok(());
    }
    let mut writer = layout.write_blob(&layer.descriptor)?;
    let mut file = File::open(&layer.path).map_err(ImageBuildRefusal::file(&layer.path))?;
    let mut piece = vec![0; 1 << 20];
    loop {
        let length = file.read(&mut piece).map_err(ImageBuildRefusal::file(&layer.path))?;
        match piece.get(..length) {
            Some([]) | None => return Ok(writer.finish()?),
            Some(bytes) => writer.append(bytes)?,
        }
    }
}
