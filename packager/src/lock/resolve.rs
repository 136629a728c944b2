//! Resolves a whole catalogue file, several recipes at once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};

use chart::ChartName;
use futures_util::{StreamExt, stream};
use oci::Digest;

use super::resolver::{Resolver, Trust};
use super::{InvalidLock, Lock, LockedChart, LockedFile, Moved, SignerRefusal};
use crate::build::BuildRefusal;
use crate::catalogue::{Catalogue, RecipePlace};
use crate::located::LocatedProblem;
use crate::progress::Progress;
use crate::recipe;
use crate::source::{RecipeFiles, SourceError, read_bounded};
use crate::upstream::{Fetcher, UpstreamError};
use crate::vault::{Vault, VaultError};

/// The largest catalogue file, in bytes.
const LARGEST_CATALOGUE: u64 = 4 * 1024 * 1024;

/// The largest lock, in bytes.
const LARGEST_LOCK: u64 = 64 * 1024 * 1024;

/// What is to be locked, and how.
#[derive(Debug)]
pub(crate) struct LockSettings<'run> {
    /// The catalogue file.
    pub(crate) catalogue: &'run Path,
    /// Where the bytes go.
    pub(crate) vault: &'run Vault,
    /// Who fetches them.
    pub(crate) fetcher: &'run Fetcher,
    /// The recipes that are resolved anew.
    pub(crate) update: BTreeSet<String>,
    /// Whether nothing is written, and every upstream asked.
    pub(crate) is_check: bool,
    /// How many recipes are resolved at once.
    pub(crate) jobs: usize,
    /// The modification time of every entry of the archives, in seconds since 1970.
    pub(crate) modified_seconds: u64,
}

/// A catalogue file, resolved.
#[derive(Debug)]
pub(crate) struct Locked {
    /// The lock.
    pub(crate) lock: Lock,
    /// What differs from the lock that was there; nothing when there was none.
    pub(crate) moved: Option<Vec<Moved>>,
}

/// Why a catalogue file is not locked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LockRefusal {
    /// The catalogue file cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The catalogue file is malformed.
    #[error("`{path}`, {problem}")]
    Catalogue {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        problem: Box<LocatedProblem>,
    },
    /// The lock is malformed.
    #[error("the lock `{path}` is refused: {problem}")]
    Lock {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        problem: Box<InvalidLock>,
    },
    /// There is no lock to check.
    #[error("`{0}` is not there: run `chartpack lock` first")]
    NoLock(PathBuf),
    /// A recipe to update is not in the catalogue.
    #[error("`{0}` is no recipe of the catalogue file: name the last part of its folder")]
    NoSuchRecipe(String),
    /// The catalogue file cannot be kept.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// Some recipes cannot be locked.
    #[error("nothing is locked, since these recipes cannot be:{}", listed(.0))]
    Recipes(Vec<(String, RecipeRefusal)>),
}

/// Why a recipe is not locked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecipeRefusal {
    /// The recipe, or what lies beside it, cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The upstream does not give it.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// The archive cannot be made.
    #[error(transparent)]
    Build(#[from] BuildRefusal),
    /// The vault does not take it.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The snapshot of a folder cannot be made.
    #[error("cannot make the snapshot of a folder: {0}")]
    Snapshot(#[source] io::Error),
    /// The upstream gives other bytes for a version that is locked.
    #[error(
        "{origin} was {before} when it was locked and is {now} today: somebody changed a published version; find out why, then run `chartpack lock --update` with the recipe's name"
    )]
    Moved {
        /// Where it comes from.
        origin: String,
        /// The digest in the lock.
        before: Digest,
        /// The digest of today's bytes.
        now: Digest,
    },
    /// The provenance does not speak for the chart.
    #[error("the chart's origin is not proven: {0}")]
    Signer(#[from] SignerRefusal),
    /// The upstream names no icon that can be fetched.
    #[error(
        "`icon: upstream` finds `{0}` in the chart, which is no URL: write `icon: {{url: …}}` or `icon: {{path: …}}`"
    )]
    NoIcon(String),
    /// A dependency comes from nowhere.
    #[error(
        "the dependency `{name}` has the repository `{repository}`, which {problem}: say under `dependencies` where it comes from"
    )]
    Dependency {
        /// Its name.
        name: ChartName,
        /// The repository as written.
        repository: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A dependency is another chart.
    #[error("the dependency `{wanted}` from {origin} is the chart `{found}`: correct where it comes from")]
    OtherDependency {
        /// The name wanted.
        wanted: ChartName,
        /// The name found.
        found: ChartName,
        /// Where it came from.
        origin: String,
    },
    /// A chart depends on itself.
    #[error("the dependencies go in a circle: {trail}; take one of them out")]
    Cycle {
        /// The charts, each depending on the next.
        trail: String,
    },
}

fn listed(refusals: &[(String, RecipeRefusal)]) -> String {
    refusals.iter().fold(String::new(), |mut text, (name, refusal)| {
        let _ = write!(text, "\n  {name}: {refusal}");
        text
    })
}

impl LockRefusal {
    /// Returns whether the only trouble is upstreams that do not answer.
    pub(crate) fn is_of_the_network(&self) -> bool {
        match self {
            Self::Recipes(refusals) => refusals.iter().all(|(_, refusal)| match refusal {
                RecipeRefusal::Upstream(error) => error.is_of_the_network(),
                RecipeRefusal::Source(_)
                | RecipeRefusal::Build(_)
                | RecipeRefusal::Vault(_)
                | RecipeRefusal::Snapshot(_)
                | RecipeRefusal::Moved { .. }
                | RecipeRefusal::Signer(_)
                | RecipeRefusal::NoIcon(_)
                | RecipeRefusal::Dependency { .. }
                | RecipeRefusal::OtherDependency { .. }
                | RecipeRefusal::Cycle { .. } => false,
            }),
            Self::Source(_)
            | Self::Catalogue { .. }
            | Self::Lock { .. }
            | Self::NoLock(_)
            | Self::NoSuchRecipe(_)
            | Self::Vault(_) => false,
        }
    }
}

/// Reads a catalogue file and returns its bytes too.
///
/// # Errors
/// [`LockRefusal::Source`] or [`LockRefusal::Catalogue`].
pub(crate) fn read_catalogue(path: &Path) -> Result<(Catalogue, Vec<u8>), LockRefusal> {
    let bytes = read_bounded(path, LARGEST_CATALOGUE)?;
    let text = str::from_utf8(&bytes).map_err(|_| SourceError::NotText(path.to_owned()))?;
    let refuse = |problem| LockRefusal::Catalogue { path: path.to_owned(), problem: Box::new(problem) };
    let catalogue = Catalogue::parse(text).map_err(refuse)?;
    Ok((catalogue, bytes))
}

/// Reads a lock; nothing when there is none.
///
/// # Errors
/// [`LockRefusal::Source`] or [`LockRefusal::Lock`].
pub(crate) fn read_lock(path: &Path) -> Result<Option<Lock>, LockRefusal> {
    if !path.exists() {
        return Ok(None);
    }
    let bytes = read_bounded(path, LARGEST_LOCK)?;
    Lock::parse(&bytes)
        .map(Some)
        .map_err(|problem| LockRefusal::Lock { path: path.to_owned(), problem: Box::new(problem) })
}

/// Resolves the catalogue file; the lock itself is not written.
///
/// # Errors
/// [`LockRefusal`] naming every recipe that cannot be locked.
pub(crate) async fn lock(settings: &LockSettings<'_>, progress: &Progress) -> Result<Locked, LockRefusal> {
    let (catalogue, bytes) = read_catalogue(settings.catalogue)?;
    let lock_path = super::path_beside(settings.catalogue);
    let old = read_lock(&lock_path)?;
    if settings.is_check && old.is_none() {
        return Err(LockRefusal::NoLock(lock_path));
    }
    let is_known = |name: &&String| !catalogue.recipes.iter().any(|recipe| recipe.name == **name);
    if let Some(unknown) = settings.update.iter().find(is_known) {
        return Err(LockRefusal::NoSuchRecipe(unknown.clone()));
    }
    progress.begin(catalogue.recipes.len());
    let old_charts = old.as_ref().map(|old| &old.charts);
    let resolved = stream::iter(&catalogue.recipes).map(|place| async move {
        let old = old_charts.and_then(|charts| charts.get(&place.name));
        let result = resolve(settings, place, old).await;
        match &result {
            Ok(_) => progress.done(&place.name),
            Err(_) => progress.refused(&place.name),
        }
        (place.name.clone(), result)
    });
    let resolved: Vec<_> = resolved.buffered(settings.jobs.max(1)).collect().await;
    let (mut charts, mut refusals) = (BTreeMap::new(), Vec::new());
    for (name, result) in resolved {
        match result {
            Ok(chart) => _ = charts.insert(name, chart),
            Err(refusal) => refusals.push((name, refusal)),
        }
    }
    if !settings.is_check && !refusals.is_empty() {
        return Err(LockRefusal::Recipes(refusals));
    }
    let digest = if settings.is_check { Digest::sha256(&bytes) } else { settings.vault.put(&bytes)? };
    let name = settings.catalogue.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut lock = Lock::new(LockedFile { path: name, digest }, settings.modified_seconds);
    lock.charts = charts;
    Ok(Locked { moved: old.map(|old| moved(&old, &mut lock, &refusals)), lock })
}

/// Returns what moved; a recipe that cannot be resolved today is one thing, not also "gone from the catalogue".
fn moved(old: &Lock, now: &mut Lock, refusals: &[(String, RecipeRefusal)]) -> Vec<Moved> {
    for (name, _) in refusals {
        if let Some(chart) = old.charts.get(name) {
            now.charts.insert(name.clone(), chart.clone());
        }
    }
    let told =
        refusals.iter().map(|(name, refusal)| Moved { recipe: name.clone(), what: refusal.to_string() });
    let mut moved = old.moved(now);
    moved.retain(|one| !refusals.iter().any(|(name, _)| *name == one.recipe));
    moved.extend(told);
    moved.sort_by(|one, other| one.recipe.cmp(&other.recipe));
    moved
}

async fn resolve(
    settings: &LockSettings<'_>,
    place: &RecipePlace,
    old: Option<&LockedChart>,
) -> Result<LockedChart, RecipeRefusal> {
    let relative = place.folder.join(recipe::FILE_NAME);
    let around = settings.catalogue.parent().unwrap_or(Path::new(""));
    let recipe = RecipeFiles::read(&around.join(&relative))?;
    let trust = match (settings.is_check, settings.update.contains(&place.name)) {
        (true, _) => Trust::Nothing,
        (false, true) => Trust::Renew,
        (false, false) => Trust::Vault,
    };
    let resolver = Resolver {
        fetcher: settings.fetcher,
        vault: settings.vault,
        recipe: &recipe,
        old,
        trust,
        modified_seconds: settings.modified_seconds,
    };
    resolver.resolve(&relative.to_string_lossy()).await
}
