//! The helm client in one version, with a home of its own.
//! Rule: nothing of the user's own helm settings reaches a story.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::environment;
use crate::process::{Outcome, run};
use crate::tool::find_tool;

/// The helm versions every story about helm runs with, by the names their programs are installed under.
pub const HELM_VERSIONS: [&str; 4] = ["helm3", "helm3.12.3", "helm3.10.2", "helm4"];

/// What a chart is rendered for: a helm built without stamps believes in Kubernetes 1.20.
pub const KUBERNETES_VERSION: &str = "1.31.0";

/// Tells a story with each helm version in turn, each with a fresh home.
///
/// # Errors
/// When the story fails, naming the version, or when a version is missing and `CI=true`.
pub fn with_each_helm(story: impl Fn(&Helm) -> Result<()>) -> Result<()> {
    for name in HELM_VERSIONS {
        if let Some(helm) = Helm::find(name)? {
            story(&helm).with_context(|| format!("with {name}"))?;
        }
    }
    Ok(())
}

/// A helm with its home.
#[derive(Debug)]
pub struct Helm {
    program: PathBuf,
    home: TempDir,
}

impl Helm {
    /// Finds a version by the name of its program; nothing after saying that the story is skipped.
    ///
    /// # Errors
    /// When it is missing and `CI=true`.
    pub fn find(name: &str) -> Result<Option<Self>> {
        let Some(program) = find_tool(name)? else { return Ok(None) };
        let home = TempDir::with_prefix("chartroom-helm-").context("cannot make a home for helm")?;
        Ok(Some(Self { program, home }))
    }

    /// Returns the home, for files of the story's own.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Returns the start of a command line in the home folder.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = environment::clean_command(&self.program);
        command.args(arguments).current_dir(self.home()).env("HOME", self.home());
        for (variable, folder) in [
            ("HELM_CACHE_HOME", "cache"),
            ("HELM_CONFIG_HOME", "config"),
            ("HELM_DATA_HOME", "data"),
            ("KUBECONFIG", "no-cluster"),
        ] {
            command.env(variable, self.home().join(folder));
        }
        command
    }

    /// Runs helm to its end.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run(&self, arguments: &[&str]) -> Result<Outcome> {
        run(&mut self.command(arguments))
    }

    /// Runs helm and returns what it printed.
    ///
    /// # Errors
    /// When it fails.
    pub fn ok(&self, arguments: &[&str]) -> Result<String> {
        self.run(arguments)?.success()
    }

    /// Adds a repository under a name.
    ///
    /// # Errors
    /// When helm refuses it.
    pub fn add_repository(&self, name: &str, url: &str) -> Result<()> {
        self.ok(&["repo", "add", name, url])?;
        Ok(())
    }

    /// Returns the rows of `helm search repo` in helm's own order: name, version, application version, description.
    ///
    /// # Errors
    /// When helm fails.
    pub fn search(&self, arguments: &[&str]) -> Result<Vec<[String; 4]>> {
        let mut line = vec!["search", "repo", "--output", "json"];
        line.extend(arguments);
        let rows: Vec<serde_json::Value> = serde_json::from_str(&self.ok(&line)?)?;
        let cell = |row: &serde_json::Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
        Ok(rows
            .iter()
            .map(|row| ["name", "version", "app_version", "description"].map(|name| cell(row, name)))
            .collect())
    }
}
