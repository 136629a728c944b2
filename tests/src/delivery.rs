//! A catalogue of recipes in a folder of its own, with its vault: locked and built by the packager.
//! Rule: nothing of the user's reaches it but what a story puts there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::process::{Outcome, run};
use crate::{binary, command_line, environment};

/// A folder with a catalogue file, recipes and a vault.
#[derive(Debug)]
pub struct Delivery {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

impl Delivery {
    /// Makes a catalogue of these recipes: name and text each.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn new(recipes: &[(&str, &str)]) -> Result<Self> {
        let folder = TempDir::with_prefix("chartroom-delivery-").context("cannot make a temporary folder")?;
        let delivery = Self { folder, variables: Vec::new() };
        let names: Vec<_> = recipes.iter().map(|(name, _)| format!("- recipes/{name}\n")).collect();
        let target = "target: {registry: 'registry.local.cloud:5000', repository: playcekube}\nrecipes:\n";
        delivery.write("playcekube.yaml", target.to_owned() + &names.concat())?;
        for (name, recipe) in recipes {
            delivery.write(&format!("recipes/{name}/recipe.yaml"), recipe)?;
        }
        Ok(delivery)
    }

    /// Makes a copy of the repository's own catalogue, with its seed charts.
    ///
    /// # Errors
    /// When the files cannot be read or written.
    pub fn of_the_repository() -> Result<Self> {
        let delivery = Self::new(&[])?;
        let root = environment::repository_root();
        delivery.write("playcekube.yaml", fs::read(root.join("playcekube.yaml"))?)?;
        delivery.copy(&root, Path::new("seed-charts"))?;
        Ok(delivery)
    }

    fn copy(&self, root: &Path, relative: &Path) -> Result<()> {
        for entry in fs::read_dir(root.join(relative))? {
            let entry = entry?;
            let path = relative.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                self.copy(root, &path)?;
            } else {
                self.write(&path.to_string_lossy(), fs::read(entry.path())?)?;
            }
        }
        Ok(())
    }

    /// Gives the packager a variable of its environment.
    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// Returns the path of a file.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    /// Writes a file, making its folder.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn write(&self, relative: &str, contents: impl AsRef<[u8]>) -> Result<()> {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
        fs::write(&path, contents).with_context(|| format!("cannot write `{}`", path.display()))
    }

    /// Locks the catalogue, with more arguments.
    ///
    /// # Errors
    /// When the packager is not built or cannot be started.
    pub fn lock(&self, more: &[&str]) -> Result<Outcome> {
        self.packager(&command_line::lock(more))
    }

    /// Builds the catalogue into a folder, and returns the archives.
    ///
    /// # Errors
    /// When the packager refuses.
    pub fn build(&self, folder: &str) -> Result<BTreeMap<String, Vec<u8>>> {
        self.packager(&command_line::build(folder))?.success()?;
        self.archives(folder)
    }

    /// Returns the names and bytes of the files in a folder.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn archives(&self, folder: &str) -> Result<BTreeMap<String, Vec<u8>>> {
        let mut archives = BTreeMap::new();
        for entry in fs::read_dir(self.path(folder)).with_context(|| format!("cannot read `{folder}`"))? {
            let path = entry?.path();
            let name = path.file_name().context("no name")?.to_string_lossy().into_owned();
            archives.insert(name, fs::read(&path)?);
        }
        Ok(archives)
    }

    /// Returns the text of the lock; empty when there is none.
    pub fn lock_text(&self) -> String {
        fs::read_to_string(self.path("playcekube.lock")).unwrap_or_default()
    }

    /// Runs the packager in the folder.
    ///
    /// # Errors
    /// When it is not built or cannot be started.
    pub fn packager(&self, arguments: &[String]) -> Result<Outcome> {
        run(&mut self.command(arguments)?)
    }

    /// Returns a start of the packager in the folder.
    ///
    /// # Errors
    /// When it is not built.
    pub fn command(&self, arguments: &[String]) -> Result<Command> {
        let mut command = environment::clean_command(binary::chartpack()?);
        let variables = self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        command.current_dir(self.folder.path()).envs(variables).args(arguments);
        Ok(command)
    }
}
