//! Community charts as their projects published them, laid beside the repository.
//! Rule: they are read, never changed; without them a story is skipped in sight.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::environment;
use crate::skip::skip;

/// Returns the archives that load, sorted by file name; nothing after saying that the story is skipped.
///
/// # Errors
/// When the folder cannot be read.
pub fn charts() -> Result<Option<Vec<PathBuf>>> {
    archives("charts")
}

/// Returns the archives with a fault, sorted by file name; nothing after saying that the story is skipped.
///
/// # Errors
/// When the folder cannot be read.
pub fn broken_charts() -> Result<Option<Vec<PathBuf>>> {
    archives("broken")
}

fn archives(kind: &str) -> Result<Option<Vec<PathBuf>>> {
    let root = environment::repository_root();
    let folder = root.parent().unwrap_or(&root).join("shared/upstream").join(kind);
    if !folder.is_dir() {
        skip(&format!("no community charts in `{}`", folder.display()));
        return Ok(None);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder)? {
        files.push(entry?.path());
    }
    files.retain(|file| file.extension().is_some_and(|extension| extension == "tgz"));
    files.sort();
    Ok(Some(files))
}

/// Returns a path's last part as text.
///
/// # Errors
/// When there is none, or it is not UTF-8.
pub fn file_name(path: &Path) -> Result<&str> {
    path.file_name()
        .and_then(|name| name.to_str())
        .with_context(|| format!("`{}` has no name", path.display()))
}
