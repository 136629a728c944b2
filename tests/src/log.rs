//! Where the programs of a story write what they have to say.
//! Rule: logs stay after the run, one file a start, named after the story.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context, Result};

use crate::environment;

/// Returns a new, empty file for a program's log.
///
/// # Errors
/// When it cannot be made.
pub fn new_file(program: &str) -> Result<PathBuf> {
    static STARTS: AtomicUsize = AtomicUsize::new(0);
    let folder = environment::log_folder();
    fs::create_dir_all(&folder)?;
    let current = thread::current();
    let story = current.name().unwrap_or("story").replace("::", ".");
    let path = folder.join(format!("{story}.{}.{program}.log", STARTS.fetch_add(1, Ordering::Relaxed)));
    File::create(&path).with_context(|| format!("cannot write `{}`", path.display()))?;
    Ok(path)
}

/// Returns the last lines of a log, below its path; what cannot be read is left out.
pub fn tail(path: &Path) -> String {
    let log = fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    format!("({})\n{}", path.display(), lines.split_at(lines.len().saturating_sub(40)).1.join("\n"))
}
