//! Whether the recipes beside a catalogue file are those that were locked. A build never follows a recipe that was not.

use std::path::Path;

use chart::archive::ArchiveFile;
use oci::Digest;

use super::{Lock, LockedChart, LockedFile, Moved};
use crate::source::{RecipeFiles, SourceError};
use crate::upstream::bytes_of;

/// Returns what differs between the files around the catalogue file at `catalogue`, whose bytes are given, and the lock.
pub(crate) fn changed_inputs(lock: &Lock, catalogue: &Path, bytes: &[u8]) -> Vec<Moved> {
    let around = catalogue.parent().unwrap_or(Path::new(""));
    let mut changed = Vec::new();
    let mut tell = |recipe: &str, what: String| changed.push(Moved { recipe: recipe.to_owned(), what });
    if lock.catalogue.digest != Digest::sha256(bytes) {
        tell("", format!("the catalogue file `{}` changed", catalogue.display()));
    }
    for (name, chart) in &lock.charts {
        match changed_beside(chart, &around.join(&chart.recipe.path)) {
            Ok(None) => {}
            Ok(Some(what)) => tell(name, what),
            Err(problem) => tell(name, problem.to_string()),
        }
    }
    changed
}

fn changed_beside(chart: &LockedChart, path: &Path) -> Result<Option<String>, SourceError> {
    let recipe = RecipeFiles::read(path)?;
    if Digest::sha256(&recipe.bytes) != chart.recipe.digest {
        return Ok(Some(format!("the recipe `{}` changed", path.display())));
    }
    let named = recipe.named.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice()));
    let overlay = recipe.overlay.iter().map(|ArchiveFile { path, bytes }| (path.as_str(), bytes.as_slice()));
    let changed = first_change(&chart.files, named).or_else(|| first_change(&chart.overlay, overlay));
    if changed.is_some() {
        return Ok(changed.map(|path| format!("`{path}` beside the recipe changed")));
    }
    let Some(local) = recipe.local_chart()? else { return Ok(None) };
    let bytes = bytes_of(local).unwrap_or_default();
    let is_same = Digest::sha256(&bytes) == chart.upstream.digest;
    Ok((!is_same).then(|| format!("the chart `{}` changed", chart.upstream.origin)))
}

/// Returns the path of the first file that was added, is gone or has other bytes.
fn first_change<'files>(
    locked: &[LockedFile],
    files: impl Iterator<Item = (&'files str, &'files [u8])>,
) -> Option<String> {
    let mut left: Vec<&LockedFile> = locked.iter().collect();
    for (path, bytes) in files {
        let Some(at) = left.iter().position(|file| file.path == path) else { return Some(path.to_owned()) };
        if left.remove(at).digest != Digest::sha256(bytes) {
            return Some(path.to_owned());
        }
    }
    left.first().map(|file| file.path.clone())
}
