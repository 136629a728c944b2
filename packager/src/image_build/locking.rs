//! Locks an image recipe: finds its base, keeps every input in the vault, and builds once to know the digest.

use std::path::{Path, PathBuf};

use oci::Digest;

use super::apt::Archive;
use super::context::gather;
use super::fetch::Fetching;
use super::lock::{ImageLock, path_beside};
use super::recipe::ImageRecipe;
use super::refusal::ImageBuildRefusal;
use super::workshop::{BuildImageSettings, Built, Work, build_image, read_lock, read_recipe, recipe_path};
use crate::lock::LockedFile;
use crate::progress::Progress;
use crate::upstream::Fetcher;
use crate::vault::Vault;

/// What to lock.
#[derive(Debug)]
pub(crate) struct LockImageSettings<'run> {
    /// The recipe, or its folder.
    pub(crate) recipe: &'run Path,
    /// Keeps everything.
    pub(crate) vault: &'run Vault,
    /// Fetches files of the context, and bases from registries.
    pub(crate) fetcher: &'run Fetcher,
    /// Where packages come from.
    pub(crate) archive: Archive,
    /// Whether the base is looked up anew although the recipe asks for what it asked for before.
    pub(crate) update: bool,
    /// The time that every file of the image bears, in seconds since 1970.
    pub(crate) modified_seconds: u64,
    /// Tells how far it is.
    pub(crate) progress: &'run Progress,
}

/// A recipe that was locked; its lock is not written yet.
#[derive(Debug)]
pub(crate) struct LockedImageRecipe {
    /// The recipe.
    pub(crate) recipe: ImageRecipe,
    /// The lock.
    pub(crate) lock: ImageLock,
    /// Where the lock belongs.
    pub(crate) path: PathBuf,
    /// The lock that is there already.
    pub(crate) before: Option<ImageLock>,
    /// The image it describes.
    pub(crate) built: Built,
}

/// Locks an image recipe. A base that was locked stays, as long as the recipe asks for the same one.
///
/// # Errors
/// [`ImageBuildRefusal`]; the vault may have gained something then.
pub(crate) fn lock_image(settings: &LockImageSettings<'_>) -> Result<LockedImageRecipe, ImageBuildRefusal> {
    let path = recipe_path(settings.recipe);
    let (recipe, bytes) = read_recipe(&path)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let lock_path = path_beside(&path);
    let before = read_lock(&lock_path)?;
    let work = Work::new(settings.modified_seconds)?;
    let files = gather(&recipe, folder, settings.vault, (work.programs(), settings.fetcher))?;
    let asked = serde_json::to_vec(&recipe.base).map_err(ImageBuildRefusal::json("the recipe's base"))?;
    let file_name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let own = LockedFile { path: file_name, digest: settings.vault.put(&bytes)? };
    let mut lock = ImageLock::new(own, files, settings.modified_seconds, Digest::sha256(&asked));
    let fetching = Fetching {
        programs: work.programs(),
        vault: settings.vault,
        archive: &settings.archive,
        fetcher: settings.fetcher,
        recipe_folder: folder,
        work: work.path(),
    };
    let kept = before.as_ref().filter(|before| !settings.update && before.asked_base == lock.asked_base);
    for platform in &recipe.platforms {
        let locked = match kept.and_then(|kept| kept.base(platform)) {
            Some(locked) => {
                fetching.keep(&recipe.base, locked, platform)?;
                locked.clone()
            }
            None => fetching.resolve(&recipe.base, platform)?,
        };
        settings.progress.done(&format!("the parts of the base for {platform}"));
        lock.bases.insert(platform.to_string(), locked);
    }
    drop(work);
    let build = BuildImageSettings {
        recipe: &recipe,
        lock: &lock,
        vault: settings.vault,
        progress: settings.progress,
    };
    let built = build_image(&build)?;
    lock.image = built.index.digest.clone();
    lock.builders = built.builders.clone();
    Ok(LockedImageRecipe { recipe, lock, path: lock_path, before, built })
}
