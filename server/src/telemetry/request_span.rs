//! The span of one request: what every log line written during it carries, and the line at its end.

use std::net::IpAddr;
use std::time::Duration;

use tracing::field::{Empty, display};

/// What is known when a request arrives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestFacts<'r> {
    /// The request's id, which its answer carries as `X-Request-Id`.
    pub(crate) id: &'r str,
    /// The client, after trusted proxies were believed.
    pub(crate) client: IpAddr,
    /// The method.
    pub(crate) method: &'r str,
    /// The path without its query: queries may hold tokens.
    pub(crate) path: &'r str,
}

/// A request being handled.
#[derive(Debug, Clone)]
pub(crate) struct RequestSpan(tracing::Span);

impl RequestSpan {
    /// Begins the span of a request.
    pub(crate) fn begin(facts: RequestFacts<'_>) -> Self {
        let path = facts.path.split('?').next().unwrap_or_default();
        Self(tracing::info_span!(
            "request",
            id = facts.id,
            client = %facts.client,
            method = facts.method,
            path,
            caller = Empty,
        ))
    }

    /// Returns the span itself, for `Instrument`.
    pub(crate) fn span(&self) -> &tracing::Span {
        &self.0
    }

    /// Adds the name, never the credential, of who asks.
    pub(crate) fn record_caller(&self, name: &str) {
        self.0.record("caller", display(name));
    }

    /// Writes the request's one line: an error for a status of 500 and above, else an information.
    pub(crate) fn end(&self, status: u16, elapsed: Duration) {
        let milliseconds = elapsed.as_secs_f64() * 1_000.0;
        self.0.in_scope(|| {
            if status >= 500 {
                tracing::error!(status, milliseconds, "request failed");
            } else {
                tracing::info!(status, milliseconds, "request");
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::tests::Lines;

    fn handle(status: u16) {
        let span = RequestSpan::begin(RequestFacts {
            id: "r-1",
            client: [192, 0, 2, 7].into(),
            method: "POST",
            path: "/api/charts?token=hunter2",
        });
        span.record_caller("ci");
        span.span().in_scope(|| tracing::info!("published"));
        span.end(status, Duration::from_micros(1500));
    }

    #[test]
    fn every_line_of_a_request_says_which_request_it_belongs_to_without_its_query() {
        let lines = Lines::of(&[("CHARTROOM_LOG_FORMAT", "json")], || handle(201));
        for line in lines.lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let span = &line["span"];
            assert_eq!((&span["id"], &span["client"]), (&"r-1".into(), &"192.0.2.7".into()));
            assert_eq!((&span["path"], &span["caller"]), (&"/api/charts".into(), &"ci".into()));
        }
        assert_eq!(lines.lines().count(), 2);
        assert!(lines.contains("\"status\":201,\"milliseconds\":1.5"), "{lines}");
        assert!(!lines.contains("hunter2"));
    }

    #[test]
    fn failures_of_the_server_are_errors() {
        for (status, level) in [(200, "INFO"), (404, "INFO"), (500, "ERROR"), (503, "ERROR")] {
            let lines = Lines::of(&[], || handle(status));
            let last = lines.lines().last().unwrap();
            assert!(last.contains(level) && last.contains(&format!("status={status}")), "{last}");
        }
    }
}
