//! A data folder with its stores: what stays when a server is stopped, killed and started again.
//! Rule: each story has its own; nothing is shared but the programs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::backend::Backend;
use crate::command_line::{self, RepositorySettings, TokenRequest};
use crate::process::{Outcome, run};
use crate::server::{Launch, Server};
use crate::stores::Stores;
use crate::{binary, environment};

/// A place a server works on.
#[derive(Debug)]
pub struct Site {
    folder: TempDir,
    stores: Stores,
}

impl Site {
    /// Makes an empty place with the embedded default: all in its data folder.
    ///
    /// # Errors
    /// When no temporary folder can be made.
    pub fn new() -> Result<Self> {
        Self::with(Stores::default())
    }

    /// Makes an empty place with such stores; nothing after saying that the story is skipped.
    ///
    /// # Errors
    /// When the stores do not come up, or their programs are missing and `CI=true`.
    pub fn on(backend: Backend) -> Result<Option<Self>> {
        Stores::of(backend)?.map(Self::with).transpose()
    }

    /// Makes a place with these stores, and migrates the database if there is one.
    ///
    /// # Errors
    /// When no temporary folder can be made, or the database cannot be migrated.
    pub fn with(stores: Stores) -> Result<Self> {
        let folder = TempDir::with_prefix("chartroom-story-").context("cannot make a temporary folder")?;
        let site = Self { folder, stores };
        if site.stores.needs_migration() {
            let token = fs::read_to_string("/proc/sys/kernel/random/uuid").context("no random token")?;
            fs::write(site.given_token(), token)?;
            site.run(&command_line::migrate())?.success()?;
        }
        Ok(site)
    }

    /// Makes another empty place with stores of the same servers.
    ///
    /// # Errors
    /// As [`Self::with`].
    pub fn another(&self) -> Result<Self> {
        Self::with(self.stores.fresh()?)
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
        self.launch_in(&self.data())
    }

    /// Starts so many servers on the same database and bucket, each with a data folder of its own.
    ///
    /// # Errors
    /// When one of them does not come up, or the stores are none that servers can share.
    pub fn replicas(&self, count: usize) -> Result<Vec<Server>> {
        (0..count).map(|number| self.replica(number)?.start()).collect()
    }

    /// Returns a start of one of several servers on the same database and bucket.
    ///
    /// # Errors
    /// When the stores are none that servers can share.
    pub fn replica(&self, number: usize) -> Result<Launch> {
        self.stores.expect_shareable()?;
        Ok(self.launch_in(&self.folder().join(format!("data-{number}"))))
    }

    fn launch_in(&self, data: &Path) -> Launch {
        Launch::new(data, self.environment(), self.admin_token_file())
    }

    /// Returns the admin token that the first start wrote, or that was given to it.
    ///
    /// # Errors
    /// When there is none.
    pub fn admin_token(&self) -> Result<String> {
        let path = self.admin_token_file();
        let token = fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
        Ok(token.trim().to_owned())
    }

    fn admin_token_file(&self) -> PathBuf {
        if self.stores.needs_migration() { self.given_token() } else { self.data().join("admin-token") }
    }

    /// The admin token's file where replicas share it.
    fn given_token(&self) -> PathBuf {
        self.folder.path().join("given-admin-token")
    }

    fn environment(&self) -> Vec<(String, String)> {
        let mut variables = self.stores.environment();
        if self.stores.needs_migration() {
            let path = self.given_token().display().to_string();
            variables.push(("CHARTROOM_ADMIN_TOKEN_FILE".to_owned(), path));
        }
        variables
    }

    /// Runs another command of the server's program on the same data.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run(&self, arguments: &[String]) -> Result<Outcome> {
        run(&mut self.command(arguments)?)
    }

    /// As [`Self::run`], with more variables in the program's environment.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run_with(&self, variables: &[(&str, &str)], arguments: &[String]) -> Result<Outcome> {
        run(self.command(arguments)?.envs(variables.iter().copied()))
    }

    /// Returns another command of the server's program on the same data, for a story that starts it by itself.
    ///
    /// # Errors
    /// When the program was not built.
    pub fn command(&self, arguments: &[String]) -> Result<Command> {
        let mut command = environment::clean_command(binary::chartroom()?);
        command.envs(self.environment()).args(arguments).arg("--data").arg(self.data());
        Ok(command)
    }

    /// Returns a place for backups of the kind the bytes are kept in: a bucket or a folder.
    pub fn backups(&self) -> String {
        let folder = || self.folder().join("backups").display().to_string();
        self.stores.beside_blobs("backups").unwrap_or_else(folder)
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

    /// Returns whether bytes are stored as files of the data folder.
    pub fn keeps_files(&self) -> bool {
        self.stores.has_no_bucket()
    }

    /// Returns the names of all stored bytes, in the data folder or the bucket; at most 1,000.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub fn blobs(&self) -> Result<Vec<String>> {
        if let Some(keys) = self.stores.keys()? {
            return Ok(keys);
        }
        Ok(self.files_in("blobs")?.iter().map(|file| file.display().to_string()).collect())
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
