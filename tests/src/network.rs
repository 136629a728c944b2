//! A network of its own for programs: nothing is in it but the machine's loopback, so no request leaves it.
//! Rule: it is gone with its story.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Result;

use crate::environment::clean_command;
use crate::process::run;
use crate::skip::skip_for_want_of;
use crate::tool::find_tool;

/// A network that no route leaves.
#[derive(Debug)]
pub struct Network {
    name: String,
}

impl Network {
    /// Makes a network; nothing after saying that the story is skipped.
    ///
    /// # Errors
    /// When it cannot be made, or what it takes is missing and `CI=true`.
    pub fn without_a_way_out() -> Result<Option<Self>> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        if find_tool("ip")?.is_none() {
            return Ok(None);
        }
        if fs::metadata("/proc/self")?.uid() != 0 {
            skip_for_want_of("the right to make a network", "run the story as root")?;
            return Ok(None);
        }
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let network = Self { name: format!("chartroom-{}-{number}", std::process::id()) };
        run(clean_command("ip").args(["netns", "add", &network.name]))?.success()?;
        run(network.command("ip").args(["link", "set", "lo", "up"]))?.success()?;
        Ok(Some(network))
    }

    /// Returns its name among the machine's networks.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the words that start a program inside, before the program and its arguments.
    pub fn wrapper(&self) -> [&str; 4] {
        ["ip", "netns", "exec", &self.name]
    }

    /// Returns the start of a command line that runs inside.
    pub fn command(&self, program: &str) -> Command {
        let [ip, arguments @ ..] = self.wrapper();
        let mut command = clean_command(ip);
        command.args(arguments).arg(program);
        command
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // What still runs inside keeps it alive until it ends.
        let _ = run(clean_command("ip").args(["netns", "del", &self.name]));
    }
}
