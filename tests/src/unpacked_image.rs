//! An image's files in a folder, and its entry point run there in a chroot: what a node would run, without a node.
//! Rule: what a run writes goes with it; the folder stays as it was unpacked.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use oci::Descriptor;
use tempfile::TempDir;

use crate::environment::clean_command;
use crate::network::Network;
use crate::process::{kill, run, signal};
use crate::wait::wait_for;

/// Mounts what a container runtime mounts, and becomes the program.
const ENTER: &str = "mount --bind \"$ROOT\" \"$ROOT\" && cd \"$ROOT\" && mount -t proc proc proc && mount -t sysfs sysfs sys && \
    mount -t tmpfs run run && mount -t tmpfs dev dev && touch dev/null && mount --bind /dev/null dev/null && \
    exec env --unset=ROOT chroot . \"$@\"";

const SOON: Duration = Duration::from_secs(20);

/// The files of an image.
#[derive(Debug)]
pub struct UnpackedImage {
    root: TempDir,
}

impl UnpackedImage {
    /// Unpacks layers, the lowest first. Whiteouts are not followed.
    ///
    /// # Errors
    /// When the layout cannot be read or tar fails.
    pub fn of(layout: &Path, layers: &[Descriptor]) -> Result<Self> {
        let root = TempDir::with_prefix("chartroom-root-")?;
        for layer in layers {
            let blob = layout.join("blobs/sha256").join(layer.digest.hex());
            let mut tar = clean_command("tar");
            tar.args(["--extract", "--gzip", "--numeric-owner", "--preserve-permissions", "--file"])
                .arg(blob);
            run(tar.arg("--directory").arg(root.path()))?.success()?;
        }
        Ok(Self { root })
    }

    /// Starts a program of the image as the first process of a namespace of its own, on a network, with these variables.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(
        &self,
        network: &Network,
        variables: &[(&str, &str)],
        program: &str,
    ) -> Result<RunningImage> {
        let log = tempfile::NamedTempFile::with_prefix("chartroom-root-log-")?;
        let mut command = network.command("unshare");
        command.args(["--mount", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER, "sh", program]);
        command
            .env("ROOT", self.root.path())
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        command.envs(variables.iter().copied());
        command.stdin(Stdio::null()).stdout(log.reopen()?).stderr(log.reopen()?);
        Ok(RunningImage { child: command.spawn().context("cannot start the image")?, log })
    }
}

/// A program of an image that runs.
#[derive(Debug)]
pub struct RunningImage {
    child: Child,
    log: tempfile::NamedTempFile,
}

impl RunningImage {
    /// Returns what it said so far.
    pub fn said(&self) -> String {
        fs::read_to_string(self.log.path()).unwrap_or_default()
    }

    /// Returns the number of the program's process, once the entry point has become the program `name`.
    ///
    /// # Errors
    /// When it does not come to that.
    pub fn process(&self, name: &str) -> Result<u32> {
        let starter = self.child.id();
        let children = PathBuf::from(format!("/proc/{starter}/task/{starter}/children"));
        wait_for(&format!("`{name}` to run; it said {}", self.said()), SOON, || {
            let Ok(text) = fs::read_to_string(&children) else { return Ok(None) };
            let Some(process) = text.split_whitespace().next() else { return Ok(None) };
            let command = fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
            Ok(if command.trim() == name { process.parse().ok() } else { None })
        })
    }

    /// Kills all of its processes at once, as a node that loses its power.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(&mut self) -> Result<()> {
        kill(&mut self.child).map(drop)
    }

    /// Sends SIGTERM to the program, as a container runtime does, and waits for its end; returns the exit code.
    ///
    /// # Errors
    /// When it does not end.
    pub fn stop(&mut self, name: &str) -> Result<Option<i32>> {
        signal(self.process(name)?, "TERM")?;
        self.ended()
    }

    /// Waits for the end and returns the exit code.
    ///
    /// # Errors
    /// When it does not end.
    pub fn ended(&mut self) -> Result<Option<i32>> {
        let status = wait_for("the image's program to end", SOON, || Ok(self.child.try_wait()?))?;
        Ok(status.code())
    }
}

impl Drop for RunningImage {
    fn drop(&mut self) {
        let _ = kill(&mut self.child);
    }
}

/// Lists a compressed layer as `tar --verbose` does, one line a path, times in UTC.
///
/// # Errors
/// When it is no archive.
pub fn listing(layer: &[u8]) -> Result<Vec<String>> {
    let folder = TempDir::with_prefix("chartroom-layer-")?;
    let path = folder.path().join("layer.tar.gz");
    fs::write(&path, layer)?;
    let mut tar = clean_command("tar");
    let listed =
        run(tar.env("TZ", "UTC").args(["--list", "--verbose", "--gzip", "--file"]).arg(path))?.success()?;
    Ok(listed.lines().map(str::to_owned).collect())
}
