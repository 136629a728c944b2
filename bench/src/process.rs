//! A started program: its log, its processor time and memory, its end.
//! Rule: it never outlives its value, and neither do its own children.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How long a program may take to start or to end.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(2);
/// The unit of processor time in `/proc` is the same on every Linux architecture (proc(5), `sysconf(_SC_CLK_TCK)`).
const TICK: Duration = Duration::from_millis(10);

/// A running program.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
    lines: Receiver<String>,
}

/// Resident memory in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// Now.
    pub(crate) resident: u64,
    /// At its highest since the start or since it was last reset.
    pub(crate) highest: u64,
}

impl Process {
    /// Starts a program; what it says on standard error goes to the log.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn start(command: &mut Command, log: PathBuf) -> Result<Self> {
        let errors = File::create(&log).with_context(|| format!("cannot write `{}`", log.display()))?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        let (sender, lines) = channel();
        let stdout = child.stdout.take().context("standard output was not piped")?;
        thread::spawn(move || {
            let lines = BufReader::new(stdout).lines().map_while(Result::ok);
            // Read to the end even when nobody listens: a full pipe would stop the program.
            lines.for_each(|line| drop(sender.send(line)));
        });
        Ok(Self { child, log, lines })
    }

    /// Waits for a line of standard output that begins with `prefix` and returns what follows it.
    ///
    /// # Errors
    /// When the program ends or says nothing of the kind; the text holds the end of its log.
    pub(crate) fn announced(&self, prefix: &str) -> Result<String> {
        let begun = Instant::now();
        while let Ok(line) = self.lines.recv_timeout(PATIENCE.saturating_sub(begun.elapsed())) {
            if let Some(rest) = line.strip_prefix(prefix) {
                return Ok(rest.trim().to_owned());
            }
        }
        bail!("the program did not say `{prefix}`; its log:\n{}", self.log_tail())
    }

    /// Looks until the condition holds while the program runs.
    ///
    /// # Errors
    /// When the program ends first, or the time is over.
    pub(crate) fn wait_until(&mut self, what: &str, mut holds: impl FnMut() -> bool) -> Result<()> {
        let begun = Instant::now();
        while !holds() {
            if let Some(status) = self.child.try_wait()? {
                bail!("the program ended with {status}; its log:\n{}", self.log_tail());
            }
            if begun.elapsed() > PATIENCE {
                bail!("waited in vain for {what}; its log:\n{}", self.log_tail());
            }
            thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// Returns the processor time that the program and its children have used.
    ///
    /// # Errors
    /// When it is gone.
    pub(crate) fn processor_time(&self) -> Result<Duration> {
        let mut ticks = 0;
        for stat in family(self.child.id())? {
            ticks += stat.ticks;
        }
        Ok(TICK * ticks)
    }

    /// Returns the resident memory of the program, without children.
    ///
    /// # Errors
    /// When it is gone.
    pub(crate) fn memory(&self) -> Result<Memory> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let field = |name: &str| -> Result<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kibibytes = line.and_then(|line| line.trim_end_matches("kB").trim().parse::<u64>().ok());
            Ok(kibibytes.with_context(|| format!("no `{name}` in the process status"))? * 1024)
        };
        Ok(Memory { resident: field("VmRSS:")?, highest: field("VmHWM:")? })
    }

    /// Makes the highest resident memory begin anew from what it is now (proc(5), `clear_refs`).
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn reset_highest_memory(&self) -> Result<()> {
        fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5")
            .context("cannot reset the highest memory")
    }

    fn log_tail(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines.split_at(lines.len().saturating_sub(30)).1.join("\n")
    }

    /// Asks the program to end and waits for it; children that it leaves behind end with it.
    fn end(&mut self) -> Result<()> {
        let signal = format!("kill -TERM {}", self.child.id());
        Command::new("sh").args(["-c", &signal]).stderr(Stdio::null()).status()?;
        let begun = Instant::now();
        while self.child.try_wait()?.is_none() {
            if begun.elapsed() > PATIENCE {
                self.child.kill()?;
            }
            thread::sleep(PAUSE);
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Already gone is what is wanted.
        let _ = self.end();
    }
}

struct Stat {
    process: u32,
    parent: u32,
    ticks: u32,
}

/// Returns a process and its children: nginx works in two of them.
fn family(process: u32) -> Result<Vec<Stat>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        // Processes end while the folder is read.
        let Ok(text) = fs::read_to_string(entry?.path().join("stat")) else { continue };
        let stat = parse_stat(&text).filter(|stat| stat.process == process || stat.parent == process);
        found.extend(stat);
    }
    if found.is_empty() {
        bail!("the process {process} is gone");
    }
    Ok(found)
}

/// Reads the line of proc(5): the name in parentheses may hold anything, so counting begins after its end.
fn parse_stat(text: &str) -> Option<Stat> {
    let (process, rest) = text.split_once(' ')?;
    let (_, rest) = rest.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let field = |position: usize| fields.get(position)?.parse::<u32>().ok();
    Some(Stat { process: process.parse().ok()?, parent: field(1)?, ticks: field(11)? + field(12)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_read_past_a_name_with_blanks_and_parentheses() {
        let stat = parse_stat("42 (a ) b) S 7 42 42 0 -1 4194560 1 2 3 4 150 25 0 0 20 0 4 0 99").unwrap();
        assert_eq!((stat.process, stat.parent, stat.ticks), (42, 7, 175));
    }

    #[test]
    fn a_program_is_heard_measured_and_ended() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo noise; echo listening on there; exec cat /dev/zero > /dev/null"]);
        let mut process = Process::start(&mut command, folder.path().join("log")).unwrap();
        assert_eq!(process.announced("listening on ").unwrap(), "there");
        process.wait_until("work", || true).unwrap();
        assert!(process.memory().unwrap().resident > 0);
        process.processor_time().unwrap();
        let number = process.child.id();
        drop(process);
        assert!(!std::path::Path::new(&format!("/proc/{number}")).exists());
    }
}
