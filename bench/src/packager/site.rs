//! A folder with a catalogue of one recipe, and the packager at work in it with a vault and a cache of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::machine::children_seconds;

/// Where images are moved to.
const REGISTRY: &str = "registry.local.cloud:5000";
const CATALOGUE: &str = "catalogue.yaml";
/// Stands in for the picture that most charts would have a browser fetch.
const ICON: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\"/>";

/// What a command took.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    /// Seconds on the clock.
    pub(super) seconds: f64,
    /// Seconds of processors, of the command and of what it started.
    pub(super) processor_seconds: f64,
}

/// The packager's program and the helm it renders with.
#[derive(Debug)]
pub(super) struct Packager {
    pub(super) program: PathBuf,
    pub(super) helm: PathBuf,
}

/// Which registry paths images are moved to.
#[derive(Debug, Clone, Copy)]
pub(super) enum PathPolicy {
    KeepHost,
    StripHost,
}

/// A site that delivers one chart.
pub(super) struct Site<'packager> {
    packager: &'packager Packager,
    archive: PathBuf,
    folder: TempDir,
}

impl<'packager> Site<'packager> {
    /// Makes a catalogue of one recipe for an archive; `recipe` is what the recipe says besides.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub(super) fn new(packager: &'packager Packager, archive: &Path, recipe: Value) -> Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let mut recipe = recipe;
        ensure!(recipe.is_object(), "the recipe of `{}` is no mapping", archive.display());
        recipe["upstream"] = json!({"path": archive});
        recipe["icon"] = json!({"path": "icon.svg"});
        let catalogue = json!({
            "target": {"registry": REGISTRY, "repository": "playcekube"},
            "platforms": ["linux/amd64"],
            "kubernetes": ["1.24", "1.31"],
            "recipes": ["chart"],
        });
        let chart = folder.path().join("chart");
        fs::create_dir(&chart)?;
        // JSON is YAML.
        fs::write(chart.join("recipe.yaml"), recipe.to_string())?;
        fs::write(chart.join("icon.svg"), ICON)?;
        fs::write(folder.path().join(CATALOGUE), catalogue.to_string())?;
        Ok(Self { packager, archive: archive.to_owned(), folder })
    }

    /// Fetches and edits the chart, finds the images of what the recipe uses, and moves them.
    ///
    /// # Errors
    /// When the packager refuses.
    pub(super) fn lock(&self) -> Result<Cost> {
        let (cost, _): (Cost, Value) = self.run(&["lock", CATALOGUE, "--images", "names"], Refusals::None)?;
        Ok(cost)
    }

    /// Builds the archive, which the gate judges.
    ///
    /// # Errors
    /// When the gate refuses.
    pub(super) fn build(&self) -> Result<Cost> {
        let (cost, _): (Cost, Value) = self.run(&["build", CATALOGUE, "-o", "dist"], Refusals::None)?;
        Ok(cost)
    }

    /// Finds the images of upstream's chart in every view, and moves and proves them.
    ///
    /// # Errors
    /// When the packager refuses; references that no value moves are part of the answer.
    pub(super) fn relocate<T: for<'de> Deserialize<'de>>(&self, policy: PathPolicy) -> Result<(Cost, T)> {
        let archive = self.archive.to_string_lossy();
        let policy = match policy {
            PathPolicy::KeepHost => "keep-host",
            PathPolicy::StripHost => "strip-host",
        };
        self.run(&["relocate", &archive, "--to", REGISTRY, "--path-policy", policy], Refusals::Counted)
    }

    /// Lists the images of upstream's chart in every view, as the lists that people made count them.
    ///
    /// # Errors
    /// When the packager refuses.
    pub(super) fn images<T: for<'de> Deserialize<'de>>(&self, kubernetes_version: &str) -> Result<T> {
        let archive = self.archive.to_string_lossy();
        let line = ["images", &archive, "--profile", "all", "--kube-version", kubernetes_version];
        let (_, said): (Cost, T) = self.run(&line, Refusals::None)?;
        Ok(said)
    }

    fn run<T: for<'de> Deserialize<'de>>(&self, line: &[&str], refusals: Refusals) -> Result<(Cost, T)> {
        let folder = self.folder.path();
        let mut command = Command::new(&self.packager.program);
        command.args(line).args(["--output", "json"]).current_dir(folder);
        command.env("CHARTPACK_HELM", &self.packager.helm);
        command.env("CHARTPACK_CACHE", folder.join("cache")).env("CHARTPACK_VAULT", folder.join("vault"));
        let (start, before) = (Instant::now(), children_seconds()?);
        let output = command
            .output()
            .with_context(|| format!("cannot start `{}`", self.packager.program.display()))?;
        let cost =
            Cost { seconds: start.elapsed().as_secs_f64(), processor_seconds: children_seconds()? - before };
        let is_an_answer = output.status.success() || refusals.are_counted(output.status.code());
        if !is_an_answer || output.stdout.is_empty() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("`{}`: {} refuses: {}", self.archive.display(), line.join(" "), said.trim());
        }
        let said = serde_json::from_slice(&output.stdout).context("the packager's report cannot be read")?;
        Ok((cost, said))
    }
}

/// Whether a command that ends with 1 gave an answer.
#[derive(Debug, Clone, Copy)]
enum Refusals {
    None,
    Counted,
}

impl Refusals {
    fn are_counted(self, code: Option<i32>) -> bool {
        match self {
            Self::None => false,
            Self::Counted => code == Some(1),
        }
    }
}
