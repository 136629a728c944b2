//! Shows how far a long command is: a bar on a terminal, nothing elsewhere. It goes to standard error.

use indicatif::{ProgressBar, ProgressStyle};

use crate::progress::Progress;

/// Steps of which more may turn up on the way.
#[derive(Debug, Clone)]
pub(crate) struct Steps {
    bar: Option<ProgressBar>,
}

impl Steps {
    /// Begins to show steps, or shows nothing.
    pub(crate) fn new(is_shown: bool) -> Self {
        Self { bar: is_shown.then(bar) }
    }

    /// Begins to show steps below the bar of a progress that they are part of, or shows nothing.
    pub(crate) fn below(progress: &Progress, is_shown: bool) -> Self {
        Self { bar: is_shown.then(|| progress.put_below(bar())) }
    }

    /// Says what is being worked on.
    pub(crate) fn name(&self, name: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(name.to_owned());
        }
    }

    /// Counts steps that are to come.
    pub(crate) fn expect(&self, count: usize) {
        if let Some(bar) = &self.bar {
            bar.inc_length(count as u64);
        }
    }

    /// Counts one step that is done.
    pub(crate) fn done(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} renderings, {elapsed} {msg}");
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
