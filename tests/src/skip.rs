//! The visible skip: one line on standard error that test runners do not swallow.
//! Rule: a tool that is missing fails the story when `CI=true`.

use std::io::{self, Write};
use std::thread;

use anyhow::{Result, bail};

use crate::environment;

/// Says that the running story is left out, and why.
pub fn skip(reason: &str) {
    let current = thread::current();
    let story = current.name().unwrap_or("story");
    // Written to the stream itself: what `eprintln!` prints is captured while a story passes.
    let _ = writeln!(io::stderr(), "skipped: {story}: {reason}");
}

/// Says that the running story is left out for want of a tool.
///
/// # Errors
/// When `CI=true`: there, nothing may be missing.
pub fn skip_for_want_of(what: &str, remedy: &str) -> Result<()> {
    if environment::demands_every_tool() {
        bail!("{what} is missing, and with CI=true that is a failure: {remedy}");
    }
    skip(&format!("{what} is missing: {remedy}"));
    Ok(())
}
