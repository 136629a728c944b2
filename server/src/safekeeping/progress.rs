//! Shows on a terminal how far a long command is; anywhere else it shows nothing.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The progress of one command. It draws on standard error, and only where that is a terminal.
#[derive(Debug, Clone)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Shows nothing until something begins.
    pub(crate) fn new() -> Self {
        Self(ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr()))
    }

    /// Shows nothing ever.
    #[cfg(test)]
    pub(crate) fn hidden() -> Self {
        Self(ProgressBar::hidden())
    }

    /// Begins work of so many bytes.
    pub(crate) fn begin(&self, what: &'static str, total_bytes: u64) {
        let template = "{msg:20} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        self.0.set_style(style);
        self.0.reset();
        self.0.set_length(total_bytes);
        self.0.set_message(what);
    }

    /// Counts bytes that are done.
    pub(crate) fn done(&self, bytes: u64) {
        self.0.inc(bytes);
    }

    /// Takes the bar away, so that the report has the terminal for itself.
    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
