//! Waits for a condition instead of a time.
//! Rule: the only pause of the harness is the one between two looks at a condition.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

const PAUSE: Duration = Duration::from_millis(10);

/// Looks until the condition yields a value and returns it.
///
/// # Errors
/// When looking fails, or when the time is over: the text names what was waited for.
pub fn wait_for<T>(what: &str, within: Duration, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let begun = Instant::now();
    loop {
        if let Some(value) = look()? {
            return Ok(value);
        }
        if begun.elapsed() > within {
            bail!("waited {within:?} in vain for {what}");
        }
        thread::park_timeout(PAUSE);
    }
}
