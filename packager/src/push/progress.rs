//! Shows how far a push is, on a terminal only; notices go to standard error in any case.

use std::io::Write;

use indicatif::{ProgressBar, ProgressStyle};

/// The progress of one push.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Begins to show the progress of `total_bytes`, or shows nothing.
    pub(crate) fn new(total_bytes: u64, is_shown: bool) -> Self {
        let template = "{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {msg}";
        let bar = is_shown.then(|| {
            let style =
                ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(total_bytes).with_style(style)
        });
        Self { bar }
    }

    /// Counts bytes that left; a second try counts again, so the bar's end moves along.
    pub(crate) fn sent(&self, bytes: usize) {
        if let Some(bar) = &self.bar {
            bar.inc(bytes as u64);
            if bar.length().is_some_and(|length| length < bar.position()) {
                bar.set_length(bar.position());
            }
        }
    }

    /// Names the archive that is on its way.
    pub(crate) fn name(&self, archive: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(archive.to_owned());
        }
    }

    /// Tells something that does not wait for the report.
    pub(crate) fn notice(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            // A closed standard error must not stop a push.
            None => drop(writeln!(std::io::stderr(), "chartpack: {text}")),
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
