//! Builds the charts of a lock, several at once, and writes all of them or none.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use chart::archive::ArchiveFile;
use oci::Digest;

use super::vaulted::{self, Built};
use super::{BuildRefusal, Packed};
use crate::lock::{Lock, LockedChart};
use crate::progress::Progress;
use crate::recipe::Recipe;
use crate::source::SourceError;
use crate::target::{Staged, path_in};
use crate::vault::{Vault, VaultError};

/// What is to be built.
#[derive(Debug)]
pub(crate) struct DeliverSettings<'run> {
    /// The lock.
    pub(crate) lock: &'run Lock,
    /// The vault with everything that the lock names.
    pub(crate) vault: &'run Vault,
    /// The recipes to build; all of them when empty.
    pub(crate) only: BTreeSet<String>,
    /// How many are built at once.
    pub(crate) jobs: usize,
}

/// A chart that was built.
#[derive(Debug)]
pub(crate) struct Delivered {
    /// The recipe's name.
    pub(crate) recipe: String,
    /// The archive and how it was made.
    pub(crate) packed: Packed,
    /// What it was made by.
    pub(crate) by: Recipe,
    /// The upstream's files with the dependencies that were vendored, without any edit.
    pub(crate) original: Vec<ArchiveFile>,
}

/// Why nothing is delivered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeliverRefusal {
    /// A recipe is not in the lock.
    #[error("the lock has no recipe `{0}`: run `chartpack lock`, or correct the name")]
    NoSuchRecipe(String),
    /// The vault does not give an input.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A kept recipe cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The archive cannot be made.
    #[error(transparent)]
    Build(#[from] BuildRefusal),
    /// The archive is another one than when it was locked.
    #[error(
        "`{name}` becomes {actual}, but the lock says {expected}: another chartpack made the lock; use that one, or lock again"
    )]
    OtherArchive {
        /// The recipe's name.
        name: String,
        /// The digest in the lock.
        expected: Digest,
        /// The digest of the archive.
        actual: Digest,
    },
    /// Two recipes make one file.
    #[error("`{first}` and `{second}` both make `{file_name}`: give one of them another version")]
    SameFile {
        /// The first recipe.
        first: String,
        /// The second recipe.
        second: String,
        /// The file.
        file_name: String,
    },
    /// An archive cannot be written.
    #[error("cannot write `{path}`: {reason}")]
    Unwritable {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        reason: io::Error,
    },
}

/// Builds what `settings` name, in the order of the names.
///
/// # Errors
/// The [`DeliverRefusal`] of the first recipe, in that order, that cannot be built.
pub(crate) fn deliver(
    settings: &DeliverSettings<'_>,
    progress: &Progress,
) -> Result<Vec<Delivered>, DeliverRefusal> {
    let charts = &settings.lock.charts;
    if let Some(unknown) = settings.only.iter().find(|name| !charts.contains_key(*name)) {
        return Err(DeliverRefusal::NoSuchRecipe(unknown.clone()));
    }
    let is_wanted = |name: &str| settings.only.is_empty() || settings.only.contains(name);
    let wanted: Vec<(&String, &LockedChart)> = charts.iter().filter(|(name, _)| is_wanted(name)).collect();
    progress.begin(wanted.len());
    let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some((name, chart)) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
            let result = vaulted::build(name, chart, settings.vault, settings.lock.modified_seconds);
            match &result {
                Ok(_) => progress.done(name),
                Err(_) => progress.refused(name),
            }
            let mut results = results.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            results.push(((*name).clone(), result));
        }
    };
    thread::scope(|scope| {
        (0..settings.jobs.clamp(1, wanted.len().max(1))).for_each(|_| drop(scope.spawn(work)));
    });
    let mut results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    results.sort_by(|(one, _), (other, _)| one.cmp(other));
    let delivered = results.into_iter().map(|(recipe, result)| {
        let Built { packed, recipe: by, original } = result?;
        Ok(Delivered { recipe, packed, by, original })
    });
    let delivered = delivered.collect::<Result<Vec<_>, DeliverRefusal>>()?;
    refuse_same_file(&delivered)?;
    Ok(delivered)
}

fn refuse_same_file(delivered: &[Delivered]) -> Result<(), DeliverRefusal> {
    for (position, one) in delivered.iter().enumerate() {
        let file_name = &one.packed.chart.file_name;
        let before = delivered.iter().take(position);
        if let Some(first) = before.into_iter().find(|other| other.packed.chart.file_name == *file_name) {
            return Err(DeliverRefusal::SameFile {
                first: first.recipe.clone(),
                second: one.recipe.clone(),
                file_name: file_name.clone(),
            });
        }
    }
    Ok(())
}

/// Writes the archives to `folder`: first all of them under other names, then under their own.
///
/// # Errors
/// [`DeliverRefusal::Unwritable`]; up to the first new name the folder is as it was.
pub(crate) fn write(delivered: &[Delivered], folder: &Path) -> Result<(), DeliverRefusal> {
    let unwritable = |path: &Path, reason| DeliverRefusal::Unwritable { path: path.to_owned(), reason };
    std::fs::create_dir_all(folder).map_err(|reason| unwritable(folder, reason))?;
    let mut staged = Vec::new();
    for Delivered { packed, .. } in delivered {
        let path = path_in(folder, &packed.chart.file_name);
        let file = Staged::write(&path, &packed.chart.bytes).map_err(|reason| unwritable(&path, reason))?;
        staged.extend(file.map(|file| (path, file)));
    }
    for (path, file) in staged {
        file.reveal(&path).map_err(|reason| unwritable(&path, reason))?;
    }
    Ok(())
}
