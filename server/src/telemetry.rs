//! The program's log and its metrics.
//!
//! One rule: what a client sent to prove who it is never reaches a log line or a label. Paths are logged without their
//! query, headers and bodies not at all.

mod metrics;
mod process;
mod request_span;

use std::io::IsTerminal as _;

use tracing::Subscriber;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Layer as _, Registry, fmt};

pub(crate) use metrics::{FinishedRequest, METRICS_CONTENT_TYPE, MetricNames, Metrics, PublishOutcome};
pub(crate) use request_span::{RequestFacts, RequestSpan};

use crate::config::{Log, LogFormat};

/// Why the log could not be started.
#[derive(Debug, thiserror::Error)]
#[error("the log of this process was already started")]
pub(crate) struct LogAlreadyStarted;

/// Starts the log of this process on standard error; standard output stays free for what commands print.
///
/// # Errors
/// [`LogAlreadyStarted`] at a second call in one process.
pub(crate) fn start_log(log: &Log) -> Result<(), LogAlreadyStarted> {
    let has_colours = std::io::stderr().is_terminal();
    tracing::subscriber::set_global_default(subscriber(log, std::io::stderr, has_colours))
        .map_err(|_| LogAlreadyStarted)
}

/// Returns what writes log lines of the given form to `writer`.
fn subscriber<W>(log: &Log, writer: W, has_colours: bool) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let lines = fmt::layer().with_writer(writer).with_ansi(has_colours);
    let lines = match log.format {
        LogFormat::Text => lines.with_target(false).boxed(),
        LogFormat::Json => {
            lines.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed()
        }
    };
    Registry::default().with(lines.with_filter(log.filter.targets()))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What was logged, kept in memory.
    #[derive(Clone, Default)]
    pub(super) struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Lines {
        /// Returns what `logged` logs with these settings.
        pub(super) fn of(variables: &[(&str, &str)], logged: impl FnOnce()) -> String {
            let lines = Self::default();
            let log = crate::config::tests::config(variables).log;
            let writer = lines.clone();
            tracing::subscriber::with_default(subscriber(&log, move || writer.clone(), false), logged);
            let bytes = lines.0.lock().unwrap().clone();
            String::from_utf8(bytes).unwrap()
        }
    }

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn text_lines_carry_level_message_and_fields() {
        let lines = Lines::of(&[], || {
            tracing::info!(port = 8080, "ready");
            tracing::debug!("not shown");
        });
        assert!(lines.ends_with("  INFO ready port=8080\n"), "{lines}");
        assert_eq!(lines.lines().count(), 1);
    }

    #[test]
    fn json_lines_are_objects() {
        let lines = Lines::of(&[("CHARTROOM_LOG_FORMAT", "json"), ("CHARTROOM_LOG_LEVEL", "debug")], || {
            tracing::debug!(port = 8080, "ready");
        });
        let line: serde_json::Value = serde_json::from_str(&lines).unwrap();
        assert_eq!(line["message"], "ready");
        assert_eq!(line["port"], 8080);
        assert_eq!(line["level"], "DEBUG");
    }

    #[test]
    fn single_parts_can_be_louder() {
        let lines = Lines::of(&[("CHARTROOM_LOG_LEVEL", "warn,chartroom::index=debug")], || {
            tracing::debug!(target: "chartroom::index", "rendered");
            tracing::info!(target: "chartroom::http", "quiet");
        });
        assert!(lines.contains("rendered") && !lines.contains("quiet"), "{lines}");
    }

    #[test]
    fn line_ends_in_values_can_not_forge_a_line() {
        let lines = Lines::of(&[], || tracing::info!(name = "a\n2026-01-01 ERROR forged", "published"));
        assert_eq!(lines.lines().count(), 1, "{lines}");
    }
}
