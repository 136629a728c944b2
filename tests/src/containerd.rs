//! containerd in a network of its own, pulling as a node of a cluster does.
//! Rule: it knows registries by its `hosts.toml` files only.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::log;
use crate::network::Network;
use crate::process::{Outcome, kill, run};
use crate::tool::find_tool;
use crate::wait::wait_for;

const PATIENCE: Duration = Duration::from_secs(30);

/// A running containerd; killed when dropped.
#[derive(Debug)]
pub struct Containerd<'n> {
    network: &'n Network,
    folder: TempDir,
    child: Child,
}

impl<'n> Containerd<'n> {
    /// Starts containerd in a network; nothing after saying that the story is skipped.
    ///
    /// # Errors
    /// When it does not come up, or is missing and `CI=true`.
    pub fn start(network: &'n Network) -> Result<Option<Self>> {
        for tool in ["containerd", "ctr"] {
            if find_tool(tool)?.is_none() {
                return Ok(None);
            }
        }
        let folder = TempDir::with_prefix("chartroom-containerd-").context("cannot make a folder")?;
        let config = folder.path().join("config.toml");
        fs::write(&config, configuration(folder.path()))?;
        let log = log::new_file("containerd")?;
        let child = network
            .command("containerd")
            .arg("--config")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            .spawn()
            .context("cannot start containerd")?;
        let started = Self { network, folder, child };
        let is_up = || Ok(started.ctr(&["version"])?.status.success().then_some(()));
        wait_for("containerd", PATIENCE, is_up).with_context(|| log::tail(&log))?;
        Ok(Some(started))
    }

    /// Sends what is asked of `host` to a mirror: the base URL of a server, with a path of its own where one is given.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn mirror(&self, host: &str, url: &str, path: Option<&str>) -> Result<()> {
        let folder = self.hosts().join(host);
        fs::create_dir_all(&folder)?;
        let (path, overrides) = path.map_or(("", false), |path| (path, true));
        let file = format!(
            "server = \"https://{host}\"\n[host.\"{url}{path}\"]\n  capabilities = [\"pull\", \"resolve\"]\n  \
             override_path = {overrides}\n"
        );
        fs::write(folder.join("hosts.toml"), file)?;
        Ok(())
    }

    /// Pulls an image by its whole reference and unpacks it; `user` is `NAME:PASSWORD`.
    ///
    /// # Errors
    /// When the client cannot be started.
    pub fn pull(&self, reference: &str, user: Option<&str>) -> Result<Outcome> {
        let hosts = self.hosts().display().to_string();
        let mut line = vec!["images", "pull", "--hosts-dir", &hosts, "--snapshotter", "native"];
        line.extend(user.into_iter().flat_map(|user| ["--user", user]));
        line.push(reference);
        self.ctr(&line)
    }

    /// Returns the digest of what is kept under a reference; `None` when nothing is.
    ///
    /// # Errors
    /// When the client fails.
    pub fn digest_of(&self, reference: &str) -> Result<Option<String>> {
        let listed = self.ctr(&["images", "list", &format!("name=={reference}")])?.success()?;
        let row = listed.lines().find(|line| line.split_whitespace().next() == Some(reference));
        Ok(row
            .and_then(|row| row.split_whitespace().find(|word| word.starts_with("sha256:")))
            .map(str::to_owned))
    }

    fn ctr(&self, arguments: &[&str]) -> Result<Outcome> {
        let socket = self.folder.path().join("containerd.sock");
        run(self.network.command("ctr").arg("--address").arg(socket).args(arguments))
    }

    fn hosts(&self) -> PathBuf {
        self.folder.path().join("hosts")
    }
}

impl Drop for Containerd<'_> {
    fn drop(&mut self) {
        // Already dead is what is wanted.
        let _ = kill(&mut self.child);
    }
}

fn configuration(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "version = 2\nroot = \"{folder}/root\"\nstate = \"{folder}/state\"\n\
         disabled_plugins = [\"io.containerd.grpc.v1.cri\", \"io.containerd.internal.v1.opt\"]\n\
         [grpc]\n  address = \"{folder}/containerd.sock\"\n"
    )
}
