//! One side of a comparison: a lock, or one chart as an archive, a folder or a recipe's build.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use chart::archive::{ArchiveError, ArchiveFile, ChartArchive, Limits};

use crate::build::{DeliverRefusal, DeliverSettings, Overrides, deliver};
use crate::lock::{Lock, LockRefusal, changed_inputs, read_lock};
use crate::pack::{PackRefusal, PackSettings, pack};
use crate::progress::Progress;
use crate::recipe;
use crate::source::{LocalChart, RecipeFiles, Source, SourceError};
use crate::vault::Vault;

/// What is compared.
#[derive(Debug)]
pub(crate) enum Side {
    /// All charts of a lock.
    Lock(Box<Lock>),
    /// The files of one chart.
    Chart(Vec<ArchiveFile>),
}

/// Why a side cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SideRefusal {
    /// A file cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A lock cannot be read.
    #[error(transparent)]
    Lock(#[from] LockRefusal),
    /// A recipe of a chart on this machine cannot be built.
    #[error(transparent)]
    Pack(#[from] PackRefusal),
    /// A locked recipe cannot be built.
    #[error(transparent)]
    Build(#[from] DeliverRefusal),
    /// The recipe is of a chart elsewhere, and no lock has it as it is.
    #[error(
        "`{recipe}` is not in `{lock}` as it is now: run `chartpack lock`, or name the lock that has it with --lock"
    )]
    NotLocked {
        /// The recipe.
        recipe: PathBuf,
        /// The lock.
        lock: PathBuf,
    },
    /// What was built does not load.
    #[error("`{0}` is built to something that Helm would not load: {1}")]
    Built(PathBuf, #[source] Box<ArchiveError>),
}

impl Side {
    /// Reads what stands at `path`. A recipe of a chart elsewhere is built from the lock at `lock` and the vault.
    ///
    /// # Errors
    /// [`SideRefusal`].
    pub(crate) fn read(
        path: &Path,
        lock: &Path,
        vault: &Vault,
        modified_seconds: u64,
    ) -> Result<Self, SideRefusal> {
        if path.extension().is_some_and(|extension| extension == "lock") {
            let lock = read_lock(path)?.ok_or_else(|| LockRefusal::NoLock(path.to_owned()))?;
            return Ok(Self::Lock(Box::new(lock)));
        }
        let Some(recipe) = recipe_at(path) else { return Ok(Self::Chart(Source::read(path)?.files)) };
        let files = RecipeFiles::read(&recipe)?;
        let is_here =
            matches!(files.local_chart()?, Some(LocalChart::Folder(_) | LocalChart::Archive { .. }));
        let bytes = if is_here {
            let settings = PackSettings { overrides: Overrides::default(), modified_seconds };
            pack(path, &settings)?.chart.bytes
        } else {
            build_locked(&recipe, lock, vault)?
        };
        let archive = ChartArchive::read(bytes.as_slice(), &Limits::default());
        let archive = archive.map_err(|problem| SideRefusal::Built(recipe, problem.into()))?;
        Ok(Self::Chart(archive.into_files()))
    }
}

/// Returns the recipe that `path` leads to: the file itself, or that of its folder.
fn recipe_at(path: &Path) -> Option<PathBuf> {
    if path.is_dir() {
        return Some(path.join(recipe::FILE_NAME)).filter(|recipe| recipe.is_file());
    }
    let is_yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
    is_yaml.then(|| path.to_owned())
}

fn build_locked(recipe: &Path, lock_path: &Path, vault: &Vault) -> Result<Vec<u8>, SideRefusal> {
    let not_locked = || SideRefusal::NotLocked { recipe: recipe.to_owned(), lock: lock_path.to_owned() };
    let lock = read_lock(lock_path)?.ok_or_else(not_locked)?;
    let around = lock_path.parent().unwrap_or(Path::new(""));
    let is_it = |path: &str| {
        let locked = around.join(path).canonicalize();
        matches!((locked, recipe.canonicalize()), (Ok(one), Ok(other)) if one == other)
    };
    let name = lock.charts.iter().find(|(_, chart)| is_it(&chart.recipe.path)).map(|(name, _)| name.clone());
    let name = name.ok_or_else(not_locked)?;
    let catalogue = around.join(&lock.catalogue.path);
    let bytes = std::fs::read(&catalogue).unwrap_or_default();
    if changed_inputs(&lock, &catalogue, &bytes).iter().any(|moved| moved.recipe == name) {
        return Err(not_locked());
    }
    let only = BTreeSet::from([name]);
    let settings = DeliverSettings { lock: &lock, vault, only, jobs: 1 };
    let delivered = deliver(&settings, &Progress::new("built", false, false))?;
    Ok(delivered.into_iter().next().map(|one| one.packed.chart.bytes).unwrap_or_default())
}
