//! Resolves a whole catalogue file, several recipes at once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use futures_util::{StreamExt, stream};
use oci::Digest;

use super::collisions::refuse_collisions;
use super::digests::Asking;
use super::look::Look;
use super::prepared::Prepared;
use super::registries::Registries;
use super::resolver::{Resolver, Trust};
use super::{Lock, LockRefusal, LockedChart, LockedFile, Moved, RecipeRefusal};
use crate::catalogue::{Catalogue, RecipePlace};
use crate::progress::Progress;
use crate::recipe;
use crate::relocate::Proof;
use crate::source::{RecipeFiles, SourceError, read_bounded};
use crate::upstream::Fetcher;
use crate::vault::Vault;

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
    /// Whether registries are asked for digests.
    pub(crate) asks_registries: bool,
}

/// A catalogue file, resolved.
#[derive(Debug)]
pub(crate) struct Locked {
    /// The lock.
    pub(crate) lock: Lock,
    /// What differs from the lock that was there; nothing when there was none.
    pub(crate) moved: Option<Vec<Moved>>,
    /// How the references of each chart that was looked at were moved, by the recipe's name.
    pub(crate) proofs: BTreeMap<String, Proof>,
    /// Whether registries were asked.
    pub(crate) is_resolved: bool,
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

/// Resolves the catalogue file; the lock itself is not written. Without a `look`, images are left as they were.
///
/// # Errors
/// [`LockRefusal`] naming every recipe and every image that cannot be locked.
pub(crate) fn lock(
    settings: &LockSettings<'_>,
    look: Option<&Look<'_>>,
    progress: &Progress,
) -> Result<Locked, LockRefusal> {
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
    // A check is of what was locked, whatever time of day this environment asks for.
    let modified_seconds = match &old {
        Some(old) if settings.is_check => old.modified_seconds,
        Some(_) | None => settings.modified_seconds,
    };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(LockRefusal::NoRuntime)?;
    let prepared = runtime.block_on(prepare(settings, &catalogue, old.as_ref(), modified_seconds, progress));
    let (mut charts, mut refusals, mut proofs) = (BTreeMap::new(), Vec::new(), BTreeMap::new());
    for (name, result) in prepared {
        let finished = result.and_then(|prepared| {
            let known = match look.filter(|_| !settings.is_check) {
                Some(look) => {
                    let (known, proof) = look.at(&prepared, &catalogue)?;
                    proofs.insert(name.clone(), proof);
                    known
                }
                None => prepared.known.clone().unwrap_or_default(),
            };
            prepared.finish(known)
        });
        match finished {
            Ok(chart) => {
                progress.done(&name);
                charts.insert(name, chart);
            }
            Err(refusal) => {
                progress.refused(&name);
                refusals.push((name, refusal));
            }
        }
    }
    if !settings.is_check && !refusals.is_empty() {
        return Err(LockRefusal::Recipes(refusals));
    }
    let mut gone = Vec::new();
    if settings.asks_registries {
        let registries = Registries::new(settings.fetcher, &catalogue);
        let asking = Asking { registries: &registries, old: old.as_ref(), settings };
        gone = runtime.block_on(asking.complete(&mut charts))?;
    }
    refuse_collisions(&charts)?;
    let digest = if settings.is_check { Digest::sha256(&bytes) } else { settings.vault.put(&bytes)? };
    let name = settings.catalogue.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut lock = Lock::new(LockedFile { path: name, digest }, modified_seconds);
    lock.charts = charts;
    let moved = old.map(|old| [moved(&old, &mut lock, &refusals), gone].concat());
    Ok(Locked { moved, lock, proofs, is_resolved: settings.asks_registries })
}

/// Resolves every recipe, several at once.
async fn prepare(
    settings: &LockSettings<'_>,
    catalogue: &Catalogue,
    old: Option<&Lock>,
    modified_seconds: u64,
    progress: &Progress,
) -> Vec<(String, Result<Prepared, RecipeRefusal>)> {
    progress.begin(catalogue.recipes.len());
    let old_charts = old.map(|old| &old.charts);
    let resolved = stream::iter(&catalogue.recipes).map(|place| async move {
        let old = old_charts.and_then(|charts| charts.get(&place.name));
        (place.name.clone(), resolve(settings, place, old, modified_seconds).await)
    });
    resolved.buffered(settings.jobs.max(1)).collect().await
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
    modified_seconds: u64,
) -> Result<Prepared, RecipeRefusal> {
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
        modified_seconds,
    };
    resolver.resolve(&relative.to_string_lossy()).await
}
