//! Says on standard error what is being measured: a spinner or bar on a terminal, plain lines elsewhere.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// What the run is doing now.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    is_shown: bool,
}

impl Progress {
    /// Begins to show, where somebody can see it, that work is going on.
    pub(crate) fn new() -> Self {
        let is_shown = std::io::stderr().is_terminal();
        let bar = if is_shown { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        bar.enable_steady_tick(Duration::from_millis(120));
        Self { bar, is_shown }
    }

    /// Says what begins now.
    pub(crate) fn say(&self, what: &str) {
        if self.is_shown {
            self.bar.set_message(what.to_owned());
        } else {
            // Nobody reads it when standard error is closed; the measurement goes on.
            let _ = writeln!(std::io::stderr(), "{what}");
        }
    }

    /// Returns a bar for work of a known size; it clears itself when dropped.
    pub(crate) fn counting(&self, what: &str, total: usize) -> Counting {
        self.say(what);
        let bar = if self.is_shown { ProgressBar::new(total as u64) } else { ProgressBar::hidden() };
        let template = "{bar:30} {pos}/{len} {per_sec} {msg}";
        bar.set_style(
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        Counting(bar)
    }
}

/// Work of a known size under way.
#[derive(Debug)]
pub(crate) struct Counting(ProgressBar);

impl Counting {
    /// Notes that one more is done.
    pub(crate) fn step(&self) {
        self.0.inc(1);
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
