//! A folder for one server and what it works on, on the disk that Cargo builds into.
//! Rule: it stays while anybody works on it, and is gone afterwards.

use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::environment;

/// A temporary folder with parts for what is to be in it.
#[derive(Debug, Clone)]
pub(crate) struct Place(Rc<TempDir>);

impl Place {
    /// Makes an empty place.
    ///
    /// # Errors
    /// When no folder can be made.
    pub(crate) fn new() -> Result<Self> {
        let target = environment::target_folder()?;
        let folder = tempfile::Builder::new().prefix("bench-place-").tempdir_in(target);
        Ok(Self(Rc::new(folder.context("cannot make a temporary folder")?)))
    }

    /// Returns the folder, for logs and configuration.
    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }

    /// Returns where Chartroom's data folder is.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder().join("data")
    }

    /// Returns where the files that a server serves or scans are.
    pub(crate) fn files(&self) -> PathBuf {
        self.folder().join("files")
    }

    /// Puts a file among those that a server serves or scans.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn put(&self, path: &str, bytes: &[u8]) -> Result<()> {
        let path = self.files().join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, bytes).with_context(|| format!("cannot write `{}`", path.display()))
    }
}
