//! A data folder with its configuration: what stays when a server is stopped, killed and started again.
//! Rule: each story has its own; nothing is shared but the programs.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::command_line::{self, RepositorySettings, TokenRequest};
use crate::process::{Outcome, run};
use crate::server::{Launch, Server};
use crate::{binary, environment};

/// A place a server works on.
#[derive(Debug)]
pub struct Site {
    folder: TempDir,
}

impl Site {
    /// Makes an empty place.
    ///
    /// # Errors
    /// When no temporary folder can be made.
    pub fn new() -> Result<Self> {
        Ok(Self {
            folder: TempDir::with_prefix("chartroom-story-").context("cannot make a temporary folder")?,
        })
    }

    /// Returns the folder that holds the data folder, for files of the story's own.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the server's data folder, which the first start makes.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Starts a server with the defaults.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start(&self) -> Result<Server> {
        self.launch().start()
    }

    /// Returns a start to be furnished with arguments.
    pub fn launch(&self) -> Launch {
        Launch::new(&self.data())
    }

    /// Returns the admin token that the first start wrote.
    ///
    /// # Errors
    /// When there is none.
    pub fn admin_token(&self) -> Result<String> {
        let path = self.data().join("admin-token");
        let token = fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
        Ok(token.trim().to_owned())
    }

    /// Runs another command of the server's program on the data folder.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run(&self, arguments: &[String]) -> Result<Outcome> {
        run(environment::clean_command(binary::chartroom()?).args(arguments).arg("--data").arg(self.data()))
    }

    /// Makes a token and returns it.
    ///
    /// # Errors
    /// When the command refuses.
    pub fn create_token(&self, request: &TokenRequest) -> Result<String> {
        Ok(self.run(&command_line::create_token(request))?.success()?.trim().to_owned())
    }

    /// Makes a repository.
    ///
    /// # Errors
    /// When the command refuses.
    pub fn create_repository(&self, path: &str, settings: &RepositorySettings) -> Result<()> {
        self.run(&command_line::create_repository(path, settings))?.success()?;
        Ok(())
    }

    /// Returns the paths of all files below a folder of the data folder, sorted; none when it is absent.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn files_in(&self, folder: &str) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        let mut folders = vec![self.data().join(folder)];
        while let Some(folder) = folders.pop() {
            // A folder may be absent, or vanish between the listing of its parent and its own.
            let Ok(entries) = fs::read_dir(&folder) else { continue };
            for entry in entries {
                let path = entry?.path();
                if path.is_dir() { folders.push(path) } else { files.push(path) }
            }
        }
        files.sort();
        Ok(files)
    }
}
