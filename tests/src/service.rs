//! A program in the background that a story ends and starts again: on the same port, with the same data.
//! Rule: it is started when it is ready, and it never outlives its owner.

use std::fs::OpenOptions;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};

use crate::log;
use crate::process::{kill, signal};
use crate::wait::wait_for;

const PATIENCE: Duration = Duration::from_secs(60);

/// A program that may run or not; killed when dropped.
#[derive(Debug)]
pub struct Service {
    name: &'static str,
    log: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    command: Command,
    child: Option<Child>,
}

impl Service {
    /// Returns a service that is not started yet; all its starts write into one log.
    ///
    /// # Errors
    /// When the log cannot be made.
    pub fn new(name: &'static str, mut command: Command) -> Result<Self> {
        let log = log::new_file(name)?;
        let append = || OpenOptions::new().append(true).open(&log);
        command.stdin(Stdio::null()).stdout(append()?).stderr(append()?);
        Ok(Self { name, log, state: Mutex::new(State { command, child: None }) })
    }

    /// Starts the program and waits until it is ready, which is asked with its process number.
    ///
    /// # Errors
    /// When it runs already, ends by itself or does not get ready; the text holds the end of its log.
    pub fn start(&self, ready: impl Fn(u32) -> bool) -> Result<()> {
        let mut state = self.state()?;
        if state.child.is_some() {
            bail!("`{}` runs already", self.name);
        }
        let child = state.command.spawn().with_context(|| format!("cannot start `{}`", self.name))?;
        let child = state.child.insert(child);
        wait_for(self.name, PATIENCE, || {
            if let Some(status) = child.try_wait()? {
                bail!("`{}` ended with {status}", self.name);
            }
            Ok(ready(child.id()).then_some(()))
        })
        .with_context(|| format!("the log of `{}`: {}", self.name, log::tail(&self.log)))
    }

    /// Sends a signal (`TERM`, `INT`, `KILL`) and waits for the program's end. Does nothing when it does not run.
    ///
    /// # Errors
    /// When it does not end.
    pub fn end(&self, with: &str) -> Result<()> {
        let mut state = self.state()?;
        let Some(child) = &mut state.child else { return Ok(()) };
        if child.try_wait()?.is_none() {
            signal(child.id(), with)?;
            wait_for(&format!("the end of `{}`", self.name), PATIENCE, || Ok(child.try_wait()?))?;
        }
        state.child = None;
        Ok(())
    }

    fn state(&self) -> Result<MutexGuard<'_, State>> {
        self.state.lock().map_err(|_| anyhow!("a start or end of `{}` panicked", self.name))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let Ok(state) = self.state.get_mut() else { return };
        if let Some(child) = &mut state.child {
            // Already dead is what is wanted.
            let _ = kill(child);
        }
    }
}
