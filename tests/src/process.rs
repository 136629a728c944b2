//! Runs a program to its end and keeps what it said.
//! Rule: every run has a time limit, so that a hanging client fails its story and not the whole run.

use std::fmt::Write;
use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};

use crate::wait::wait_for;

const LIMIT: Duration = Duration::from_secs(120);

/// What a program said and how it ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The command line, for messages.
    pub command: String,
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: Vec<u8>,
}

impl Outcome {
    /// Returns standard output as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Returns standard error as text.
    pub fn complaint(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Returns standard output as text.
    ///
    /// # Errors
    /// When the program ended with another status than 0; the text holds all it said.
    pub fn success(self) -> Result<String> {
        if !self.status.success() {
            bail!("{}", self.report());
        }
        Ok(self.text())
    }

    /// Returns all the program said, standard output first.
    ///
    /// # Errors
    /// When the program ended with status 0.
    pub fn failure(self) -> Result<String> {
        if self.status.success() {
            bail!("ended well, which is wrong here: {}", self.report());
        }
        Ok(self.text() + &self.complaint())
    }

    fn report(&self) -> String {
        let mut report = format!("`{}` ended with {}", self.command, self.status);
        for (name, said) in [("standard output", self.text()), ("standard error", self.complaint())] {
            let _ = write!(report, "\n--- {name}\n{said}");
        }
        report
    }
}

/// Runs a command to its end, at most two minutes.
///
/// # Errors
/// When it cannot be started or does not end in time (it is killed then).
pub fn run(command: &mut Command) -> Result<Outcome> {
    run_within(command, LIMIT)
}

/// Runs a command to its end, within a time of its own.
///
/// # Errors
/// As [`run`].
pub fn run_within(command: &mut Command, limit: Duration) -> Result<Outcome> {
    let line = format!("{command:?}");
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {line}"))?;
    let stdout = child.stdout.take().map(collect);
    let stderr = child.stderr.take().map(collect);
    let ended = wait_for(&format!("the end of {line}"), limit, || Ok(child.try_wait()?));
    if ended.is_err() {
        kill(&mut child)?;
    }
    Ok(Outcome { command: line, status: ended?, stdout: collected(stdout)?, stderr: collected(stderr)? })
}

/// Kills a child with SIGKILL and reaps it.
///
/// # Errors
/// When the system refuses either.
pub fn kill(child: &mut Child) -> Result<ExitStatus> {
    child.kill().context("cannot kill a child process")?;
    Ok(child.wait()?)
}

/// Sends a signal by its name (`TERM`, `HUP`) to a process.
///
/// # Errors
/// When there is no such process.
pub fn signal(process: u32, name: &str) -> Result<()> {
    run(Command::new("sh").arg("-c").arg(format!("kill -{name} {process}")))?.success()?;
    Ok(())
}

type Collector = JoinHandle<io::Result<Vec<u8>>>;

// Both streams are read while the program runs: a full pipe would stop it for ever.
fn collect(mut stream: impl Read + Send + 'static) -> Collector {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes)?;
        Ok(bytes)
    })
}

fn collected(collector: Option<Collector>) -> Result<Vec<u8>> {
    let collector = collector.context("a stream of the child was not piped")?;
    let bytes = collector.join().map_err(|_| anyhow!("reading what the child said panicked"))??;
    Ok(bytes)
}
