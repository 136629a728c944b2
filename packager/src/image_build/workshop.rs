//! Builds a locked image: everything comes from the vault, everything happens in a folder that goes afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use oci::layout::Layout;
use oci::{Descriptor, Digest, Platform};

use super::assemble::{assemble, assemble_index, copy_layers};
use super::base::BaseImage;
use super::bill_of_materials;
use super::buildah::{BuildPaths, Buildah};
use super::containerfile::Foundation;
use super::context::{self, lay_out, make_folder};
use super::lock::{ImageLock, path_beside};
use super::program::{Programs, Reach};
use super::recipe::{FILE_NAME, ImageRecipe};
use super::refusal::ImageBuildRefusal;
use crate::progress::Progress;
use crate::source::read_bounded;
use crate::vault::Vault;

/// The largest recipe.
const RECIPE_BYTES: u64 = 1 << 20;

/// The largest lock, of an image or of a catalogue file.
const LOCK_BYTES: u64 = 64 << 20;

/// What to build.
#[derive(Debug)]
pub(crate) struct BuildImageSettings<'run> {
    /// The recipe.
    pub(crate) recipe: &'run ImageRecipe,
    /// What it was locked to.
    pub(crate) lock: &'run ImageLock,
    /// Where everything is.
    pub(crate) vault: &'run Vault,
    /// Tells how far it is.
    pub(crate) progress: &'run Progress,
}

/// An image that was built. It goes when this is dropped, unless it was written somewhere.
#[derive(Debug)]
pub(crate) struct Built {
    /// The digest, type and length of its index.
    pub(crate) index: Descriptor,
    /// The manifest of each platform.
    pub(crate) manifests: Vec<Descriptor>,
    /// The SBOMs, attached to these.
    pub(crate) attached: Vec<Descriptor>,
    /// The programs that built it, with their versions.
    pub(crate) builders: BTreeMap<String, String>,
    /// Where it is meanwhile.
    pub(crate) layout: Layout,
    _work: Work,
}

/// A folder that goes when it is dropped, also what other users of a namespace own in it.
#[derive(Debug)]
pub(super) struct Work {
    folder: tempfile::TempDir,
    programs: Programs,
}

impl Work {
    /// Makes a folder to work in.
    ///
    /// # Errors
    /// [`ImageBuildRefusal::File`], or what a program is refused for.
    pub(super) fn new(modified_seconds: u64) -> Result<Self, ImageBuildRefusal> {
        let made = tempfile::Builder::new().prefix("chartpack-image-").tempdir();
        let folder = made.map_err(ImageBuildRefusal::file(Path::new("the temporary folder")))?;
        let home = folder.path().join("home");
        make_folder(&home, 0o755)?;
        let programs = Programs::new(&home, modified_seconds)?;
        Ok(Self { folder, programs })
    }

    /// Returns the folder.
    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Returns what runs programs there.
    pub(super) fn programs(&self) -> &Programs {
        &self.programs
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.programs.remove(self.folder.path());
    }
}

/// Returns the recipe that a path means: the file, or `image.yaml` in the folder.
pub(super) fn recipe_path(path: &Path) -> PathBuf {
    if path.is_dir() { path.join(FILE_NAME) } else { path.to_owned() }
}

/// Reads a recipe with its bytes.
///
/// # Errors
/// [`ImageBuildRefusal`] when it is not there or malformed.
pub(super) fn read_recipe(path: &Path) -> Result<(ImageRecipe, Vec<u8>), ImageBuildRefusal> {
    let bytes = read_bounded(path, RECIPE_BYTES)?;
    let recipe = ImageRecipe::parse(&String::from_utf8_lossy(&bytes));
    Ok((recipe.map_err(|problem| ImageBuildRefusal::Recipe { path: path.to_owned(), problem })?, bytes))
}

/// Reads the lock at `path`; nothing when there is none.
///
/// # Errors
/// [`ImageBuildRefusal`] when it cannot be read.
pub(super) fn read_lock(path: &Path) -> Result<Option<ImageLock>, ImageBuildRefusal> {
    if !path.try_exists().map_err(ImageBuildRefusal::file(path))? {
        return Ok(None);
    }
    let bytes = read_bounded(path, LOCK_BYTES)?;
    let lock = ImageLock::parse(&bytes);
    lock.map(Some).map_err(|problem| ImageBuildRefusal::Lock { path: path.to_owned(), problem })
}

/// Returns the digests of all that an image's lock names; nothing when the file is no lock of an image.
///
/// # Errors
/// [`ImageBuildRefusal`] when it is one and cannot be read.
pub(crate) fn needed_by(path: &Path) -> Result<Option<BTreeSet<Digest>>, ImageBuildRefusal> {
    if !path.is_file() || !ImageLock::is_meant_by(&read_bounded(path, LOCK_BYTES)?) {
        return Ok(None);
    }
    Ok(read_lock(path)?.map(|lock| lock.needed()))
}

/// Reads a recipe and its lock, after a check that the files are those that were locked.
///
/// # Errors
/// [`ImageBuildRefusal::Unlocked`] naming what changed, or what cannot be read.
pub(crate) fn read_locked(path: &Path) -> Result<(ImageRecipe, ImageLock, PathBuf), ImageBuildRefusal> {
    let path = recipe_path(path);
    let (recipe, bytes) = read_recipe(&path)?;
    let lock_path = path_beside(&path);
    let lock = read_lock(&lock_path)?.ok_or_else(|| ImageBuildRefusal::NoLock(lock_path.clone()))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut changed = Vec::new();
    if lock.recipe.digest != Digest::sha256(&bytes) {
        changed.push(format!("`{}`", path.display()));
    }
    let is_remote =
        |path: &str| recipe.files.iter().any(|file| file.remote.is_some() && Path::new(path) == file.path);
    for file in lock.files.iter().filter(|file| !is_remote(&file.path)) {
        if context::described(folder, &file.path)? != *file {
            changed.push(format!("`{}`", folder.join(&file.path).display()));
        }
    }
    if changed.is_empty() {
        Ok((recipe, lock, lock_path))
    } else {
        Err(ImageBuildRefusal::Unlocked { lock: lock_path, changed })
    }
}

/// Builds an image from its lock and the vault.
///
/// # Errors
/// [`ImageBuildRefusal`] when the vault lacks something or a program fails.
pub(crate) fn build_image(settings: &BuildImageSettings<'_>) -> Result<Built, ImageBuildRefusal> {
    let BuildImageSettings { recipe, lock, vault, progress } = settings;
    let work = Work::new(lock.modified_seconds)?;
    let programs = work.programs();
    programs.check_namespaces()?;
    // A base and an image for each platform.
    progress.begin(recipe.platforms.len() * 2);
    let layout = Layout::create(work.path().join("image"))?;
    let files = lay_out(&lock.files, recipe, vault, work.path())?;
    let mut builders = BTreeMap::from([("chartpack".to_owned(), env!("CARGO_PKG_VERSION").to_owned())]);
    builders.insert("buildah".to_owned(), version_of(programs, "buildah")?);
    let (mut manifests, mut attached) = (Vec::new(), Vec::new());
    for platform in &recipe.platforms {
        check_platform(platform)?;
        let locked = lock.base(platform).ok_or_else(|| ImageBuildRefusal::NoPlatform(platform.clone()))?;
        if matches!(locked, super::lock::LockedBase::Packages(_)) {
            builders.insert("mmdebstrap".to_owned(), version_of(programs, "mmdebstrap")?);
        }
        let folder = work.path().join(platform.to_string().replace('/', "-"));
        let base = BaseImage::make(programs, vault, locked, platform, lock.modified_seconds, &folder)?;
        progress.done(&format!("the base for {platform}"));
        let built = folder.join("built");
        let paths = BuildPaths {
            base: base.layout.root(),
            context: &files.context,
            containerfile: &files.containerfile,
            result: &built,
        };
        let buildah = Buildah::new(programs, &folder.join("buildah"))?;
        buildah.build(recipe, &platform.to_string(), lock.modified_seconds, &paths)?;
        let below = match files.foundation {
            Foundation::Base => Some(&base),
            Foundation::Scratch => None,
        };
        let manifest = assemble(&built, below, recipe, (platform, lock.modified_seconds), &layout)?;
        progress.done(&format!("the image for {platform}"));
        attached.push(bill_of_materials::attach(&layout, &manifest, recipe, platform)?);
        manifests.push(manifest);
    }
    let index = assemble_index(&manifests, recipe, &layout)?;
    Ok(Built { index, manifests, attached, builders, layout, _work: work })
}

impl Built {
    /// Writes the image into the layout in `folder`, made if need be, under its tag. The name comes last.
    ///
    /// # Errors
    /// [`ImageBuildRefusal`] when it cannot be written; the layout has what it had before under the tag then.
    pub(crate) fn write(&self, folder: &Path, recipe: &ImageRecipe) -> Result<(), ImageBuildRefusal> {
        let target = Layout::create(folder)?;
        for root in self.attached.iter().chain([&self.index]) {
            let survey = self.layout.survey(root)?;
            let mut blobs = survey.blobs;
            // What names others comes after them.
            blobs.extend(survey.manifests.into_iter().rev());
            copy_layers(&self.layout, &blobs, &target)?;
        }
        for attached in &self.attached {
            target.add(attached, None)?;
        }
        Ok(target.add(&self.index, Some(recipe.tag.as_str()))?)
    }
}

/// Returns the version in what a program says of itself, as in `buildah version 1.28.2 (image-spec …)`.
fn version_of(programs: &Programs, program: &str) -> Result<String, ImageBuildRefusal> {
    let said = programs.run(program, &["--version".to_owned()], Reach::Network, "telling its version")?;
    let is_version = |word: &&str| word.starts_with(|first: char| first.is_ascii_digit());
    Ok(said.split_whitespace().find(is_version).unwrap_or("unknown").to_owned())
}

/// What images call the architecture this program is for; nothing for one that has no emulator here.
const NATIVE: &str = if cfg!(target_arch = "x86_64") {
    "amd64"
} else if cfg!(target_arch = "aarch64") {
    "arm64"
} else {
    ""
};

/// Checks that programs of a platform run here.
fn check_platform(platform: &Platform) -> Result<(), ImageBuildRefusal> {
    // As the kernel names what the packages of qemu register (binfmt_misc).
    let emulator = match platform.architecture.as_str() {
        "amd64" => "qemu-x86_64".to_owned(),
        "arm64" => "qemu-aarch64".to_owned(),
        "386" => "qemu-i386".to_owned(),
        other => format!("qemu-{other}"),
    };
    let is_emulated = Path::new("/proc/sys/fs/binfmt_misc").join(&emulator).exists();
    if platform.os == "linux" && (platform.architecture == NATIVE || is_emulated) {
        return Ok(());
    }
    let remedy =
        format!("build on such a machine, or install `qemu-user-static`, which registers `{emulator}`");
    Err(ImageBuildRefusal::ForeignPlatform { platform: platform.clone(), remedy })
}
