//! How far a command is: a bar on a terminal, a line for each step elsewhere. Both go to standard error.

use std::io::Write;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// The progress of one command over named things.
#[derive(Debug)]
pub(crate) struct Progress {
    /// All bars of the command, which must not draw over each other.
    bars: MultiProgress,
    bar: Option<ProgressBar>,
    verb: &'static str,
    is_told: bool,
}

impl Progress {
    /// Makes a progress that says `verb` of each thing; a bar when `is_terminal`, nothing at all when not `is_told`.
    pub(crate) fn new(verb: &'static str, is_terminal: bool, is_told: bool) -> Self {
        let bars = MultiProgress::new();
        let bar = (is_terminal && is_told).then(|| {
            let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}");
            bars.add(ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())))
        });
        Self { bars, bar, verb, is_told }
    }

    /// Puts another bar below this one.
    pub(crate) fn put_below(&self, bar: ProgressBar) -> ProgressBar {
        self.bars.add(bar)
    }

    /// Says how many there are.
    pub(crate) fn begin(&self, count: usize) {
        if let Some(bar) = &self.bar {
            bar.set_length(count as u64);
        }
    }

    /// Counts one that is done.
    pub(crate) fn done(&self, name: &str) {
        self.tell(self.verb, name);
    }

    /// Counts one that was refused; why is told at the end.
    pub(crate) fn refused(&self, name: &str) {
        self.tell("refused", name);
    }

    fn tell(&self, verb: &str, name: &str) {
        match &self.bar {
            Some(bar) => {
                bar.set_message(name.to_owned());
                bar.inc(1);
            }
            // A closed standard error must not stop a build.
            None if self.is_told => drop(writeln!(std::io::stderr(), "{verb} {name}")),
            None => {}
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
