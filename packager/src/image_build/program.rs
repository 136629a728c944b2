//! Programs that build: each runs shut in, in an environment of its own, and ends with this program.
//!
//! Nothing of the machine reaches what they make: not its network, name, umask, locale, time zone or proxies. What they
//! mount or leave running goes with their namespaces.

use std::cell::RefCell;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::context::make_folder;
use super::refusal::ImageBuildRefusal;

/// The namespaces of a program that builds.
const NAMESPACES: [&str; 7] =
    ["--net", "--uts", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];

/// What an ordinary user's programs need to be root among themselves, and to own files as other users.
const AS_ROOT: [&str; 2] = ["--map-root-user", "--map-auto"];

/// What happens in the namespaces before the program. Small files are made in memory where that can be had: syncing each
/// of a root file system's to the disk would take most of the time.
const SHUT_IN: &str = "hostname builder && umask 022 && { mount -t tmpfs -o mode=0700 memory \"$TMPDIR\" 2>/dev/null || true; } && exec \"$@\"";

/// How much of what a failed program said is shown.
const SAID_LINES: usize = 12;

/// Runs programs one after the other, until somebody interrupts.
#[derive(Debug)]
pub(super) struct Programs {
    runtime: Runtime,
    interrupts: RefCell<[Signal; 2]>,
    home: PathBuf,
    temporary: PathBuf,
    modified_seconds: u64,
    is_root: bool,
}

/// What a program may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Files alone, and it is root among them.
    Files,
    /// The network too, as the user who started this program.
    Network,
}

impl Programs {
    /// Prepares to run programs whose home is `home`.
    ///
    /// # Errors
    /// [`ImageBuildRefusal::NotStarted`] when signals cannot be waited for.
    pub(super) fn new(home: &Path, modified_seconds: u64) -> Result<Self, ImageBuildRefusal> {
        let failed = |reason| ImageBuildRefusal::NotStarted { program: "chartpack".to_owned(), reason };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let interrupts = {
            let _guard = runtime.enter();
            // From here on both are ours, also between two programs.
            let both =
                signal(SignalKind::interrupt()).and_then(|one| Ok([one, signal(SignalKind::terminate())?]));
            RefCell::new(both.map_err(failed)?)
        };
        let is_root =
            fs::metadata("/proc/self").map_err(ImageBuildRefusal::file(Path::new("/proc/self")))?.uid() == 0;
        let temporary = home.join("temporary");
        make_folder(&temporary, 0o755)?;
        Ok(Self { runtime, interrupts, home: home.to_owned(), temporary, modified_seconds, is_root })
    }

    /// Returns the folder that programs start in.
    pub(super) fn home(&self) -> &Path {
        &self.home
    }

    /// Checks that an ordinary user may be root among its own programs.
    ///
    /// # Errors
    /// [`ImageBuildRefusal::NotRootless`] saying what the machine lacks.
    pub(super) fn check_namespaces(&self) -> Result<(), ImageBuildRefusal> {
        match self.run("true", &[], Reach::Files, "looking for namespaces") {
            Ok(_) => Ok(()),
            Err(ImageBuildRefusal::Failed { said, .. }) if self.is_root => {
                Err(ImageBuildRefusal::NotRootless(format!(
                    "even root may not make namespaces ({}); give the container that this runs in the right to",
                    said.trim()
                )))
            }
            Err(ImageBuildRefusal::Failed { said, .. }) => Err(ImageBuildRefusal::NotRootless(format!(
                "user namespaces are off, or the user has no lines in `/etc/subuid` and `/etc/subgid` ({})",
                said.trim()
            ))),
            Err(other) => Err(other),
        }
    }

    /// Runs a program to its end and returns its standard output.
    ///
    /// # Errors
    /// [`ImageBuildRefusal`] when it cannot be started, fails, or somebody interrupts; it is gone then.
    pub(super) fn run(
        &self,
        program: &str,
        arguments: &[String],
        reach: Reach,
        doing: &str,
    ) -> Result<String, ImageBuildRefusal> {
        self.run_in(&self.home, program, arguments, reach, doing)
    }

    /// As [`Self::run`], started in another folder.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub(super) fn run_in(
        &self,
        folder: &Path,
        program: &str,
        arguments: &[String],
        reach: Reach,
        doing: &str,
    ) -> Result<String, ImageBuildRefusal> {
        let mut command = self.command(program, arguments, reach);
        command.current_dir(folder);
        let not_started = |reason| ImageBuildRefusal::NotStarted { program: program.to_owned(), reason };
        let output = self.wait(async { command.output().await })?.map_err(not_started)?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        // 127 is how the shell says that there is no such program.
        if output.status.code() == Some(127) {
            return Err(not_started(io::ErrorKind::NotFound.into()));
        }
        let said =
            String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        let lines: Vec<&str> = said.lines().collect();
        let end = lines.get(lines.len().saturating_sub(SAID_LINES)..).unwrap_or_default();
        Err(ImageBuildRefusal::Failed {
            program: program.to_owned(),
            doing: doing.to_owned(),
            said: end.join("\n"),
        })
    }

    /// Removes a folder that programs wrote to: of an ordinary user's, only its namespace may.
    pub(super) fn remove(&self, folder: &Path) {
        if !self.is_root {
            let arguments = ["-rf".to_owned(), folder.display().to_string()];
            // What stays is in the temporary folder; the build itself has ended either way.
            let _ = self.run("rm", &arguments, Reach::Files, "removing what is left");
        }
    }

    fn command(&self, program: &str, arguments: &[String], reach: Reach) -> Command {
        let mut command = Command::new(match reach {
            Reach::Files => "unshare",
            Reach::Network => program,
        });
        if reach == Reach::Files {
            command.args(if self.is_root { [].as_slice() } else { AS_ROOT.as_slice() }).args(NAMESPACES);
            command.args(["sh", "-c", SHUT_IN, "sh", program]);
        }
        command.args(arguments);
        let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        let seconds = self.modified_seconds.to_string();
        command.env_clear().envs([
            ("PATH", path),
            ("LC_ALL", "C.UTF-8"),
            ("TZ", "UTC"),
            ("SOURCE_DATE_EPOCH", &seconds),
        ]);
        command.envs([("HOME", &self.home), ("TMPDIR", &self.temporary), ("XDG_RUNTIME_DIR", &self.home)]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    /// Waits for something that takes long, or for an interruption.
    ///
    /// # Errors
    /// [`ImageBuildRefusal::Interrupted`]; what was waited for is dropped then.
    #[allow(clippy::await_holding_refcell_ref, reason = "one thing is waited for at a time, on this thread")]
    pub(super) fn wait<T>(&self, future: impl Future<Output = T>) -> Result<T, ImageBuildRefusal> {
        self.runtime.block_on(async {
            let mut interrupts = self.interrupts.borrow_mut();
            let [interrupt, terminate] = &mut *interrupts;
            tokio::select! {
                biased;
                _ = interrupt.recv() => Err(ImageBuildRefusal::Interrupted),
                _ = terminate.recv() => Err(ImageBuildRefusal::Interrupted),
                done = future => Ok(done),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_says_is_told_when_it_fails() {
        let folder = tempfile::tempdir().unwrap();
        let programs = Programs::new(folder.path(), 7).unwrap();
        let shell = |script: &str| {
            programs.run("sh", &["-c".to_owned(), script.to_owned()], Reach::Network, "trying")
        };
        assert_eq!(shell("echo $SOURCE_DATE_EPOCH $TZ").unwrap(), "7 UTC\n");
        assert_eq!(shell("echo $http_proxy$USER").unwrap(), "\n");
        let refusal = shell("echo cause >&2; exit 3").unwrap_err().to_string();
        assert_eq!(refusal, "`sh` failed while trying:\ncause");
        let refusal = programs.run("no-such-program", &[], Reach::Network, "trying").unwrap_err();
        assert!(matches!(refusal, ImageBuildRefusal::NotStarted { .. }), "{refusal}");
    }
}
