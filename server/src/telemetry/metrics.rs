//! What is counted, and the text that Prometheus reads.
//!
//! One rule: a label's values are few and chosen by us. Routes are templates, methods those of HTTP; a client can't make
//! a new series. Repositories are the exception: they exist only when someone allowed them to.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::process::ProcessMetrics;

/// The media type of [`Metrics::encode`].
pub(crate) const METRICS_CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds in seconds: from an index out of memory to a large upload over a slow line.
const DURATION_BUCKETS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];
const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT"];

type Labels<const N: usize> = [(&'static str, Cow<'static, str>); N];

/// Under which names the metrics are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MetricNames {
    /// `chartroom_…`.
    Chartroom,
    /// `chartmuseum_…` with ChartMuseum's labels, so that its dashboards go on; what it has no name for is ours.
    ChartMuseum,
}

/// The counters of one server; clones count together.
#[derive(Debug, Clone)]
pub(crate) struct Metrics(Arc<Families>);

#[derive(Debug)]
struct Families {
    registry: Registry,
    label_names: LabelNames,
    requests: Family<Labels<3>, Counter>,
    durations: Family<Labels<2>, Histogram, fn() -> Histogram>,
    response_bytes: Family<Labels<1>, Counter>,
    in_flight: Gauge,
    publishes: Family<Labels<1>, Counter>,
    charts: Family<Labels<1>, Gauge<u64, AtomicU64>>,
    versions: Family<Labels<1>, Gauge<u64, AtomicU64>>,
}

#[derive(Debug, Clone, Copy)]
struct LabelNames {
    route: &'static str,
    status: &'static str,
    repository: &'static str,
}

/// A request that was answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FinishedRequest<'r> {
    /// The method as sent; those HTTP does not know are counted as `other`.
    pub(crate) method: &'r str,
    /// The route's template, never the path: paths are as many as clients care to invent.
    pub(crate) route: &'r str,
    /// The status of the answer.
    pub(crate) status: u16,
    /// From the request's head to the end of the answer.
    pub(crate) elapsed: Duration,
}

/// What became of an attempt to publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PublishOutcome {
    /// A new version, or other bytes where the repository allows that.
    Published,
    /// The same bytes as before: nothing changed.
    Repeated,
    /// Other bytes for an existing version, no right, or no room: refused.
    Refused,
    /// Not a valid chart.
    Invalid,
    /// The server's own failure.
    Failed,
}

/// Counts one request as in flight until dropped.
#[derive(Debug)]
pub(crate) struct RequestInFlight(Gauge);

impl Metrics {
    /// Returns metrics that have counted nothing, under the given names.
    pub(crate) fn new(names: MetricNames) -> Self {
        let mut families = Families {
            registry: Registry::default(),
            label_names: names.labels(),
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(DURATION_BUCKETS)),
            response_bytes: Family::default(),
            in_flight: Gauge::default(),
            publishes: Family::default(),
            charts: Family::default(),
            versions: Family::default(),
        };
        families.register(names);
        Self(Arc::new(families))
    }

    /// Counts a request as in flight until the returned guard is dropped.
    pub(crate) fn begin_request(&self) -> RequestInFlight {
        self.0.in_flight.inc();
        RequestInFlight(self.0.in_flight.clone())
    }

    /// Counts an answered request and how long it took.
    pub(crate) fn count_request(&self, request: FinishedRequest<'_>) {
        let LabelNames { route, status, .. } = self.0.label_names;
        let method = METHODS.into_iter().find(|known| *known == request.method).unwrap_or("other");
        let method = ("method", Cow::Borrowed(method));
        let route = (route, Cow::Owned(request.route.to_owned()));
        let status = (status, Cow::Owned(request.status.to_string()));
        self.0
            .durations
            .get_or_create(&[method.clone(), route.clone()])
            .observe(request.elapsed.as_secs_f64());
        self.0.requests.get_or_create(&[method, route, status]).inc();
    }

    /// Counts bytes of an answer's body as they are sent.
    pub(crate) fn count_response_bytes(&self, route: &str, bytes: u64) {
        let labels = [(self.0.label_names.route, Cow::Owned(route.to_owned()))];
        self.0.response_bytes.get_or_create(&labels).inc_by(bytes);
    }

    /// Counts an attempt to publish.
    pub(crate) fn count_publish(&self, outcome: PublishOutcome) {
        self.0.publishes.get_or_create(&[("outcome", Cow::Borrowed(outcome.word()))]).inc();
    }

    /// Sets how many charts and versions the index of a repository lists; the default repository's path is empty.
    pub(crate) fn set_repository(&self, path: &str, charts: u64, versions: u64) {
        let labels = self.repository_labels(path);
        self.0.charts.get_or_create(&labels).set(charts);
        self.0.versions.get_or_create(&labels).set(versions);
    }

    /// Returns everything counted so far, in the OpenMetrics text format ([`METRICS_CONTENT_TYPE`]).
    pub(crate) fn encode(&self) -> String {
        let mut text = String::new();
        // Writing to a text fails only when memory is gone; what was written so far is the best answer left.
        let _ = encode(&mut text, &self.0.registry);
        text
    }

    fn repository_labels(&self, path: &str) -> Labels<1> {
        [(self.0.label_names.repository, Cow::Owned(path.to_owned()))]
    }
}

impl Families {
    fn register(&mut self, names: MetricNames) {
        let [requests, durations, response_bytes, charts, versions] = match names {
            MetricNames::Chartroom => [
                "chartroom_http_requests",
                "chartroom_http_request_duration_seconds",
                "chartroom_http_response_bytes",
                "chartroom_charts",
                "chartroom_chart_versions",
            ],
            MetricNames::ChartMuseum => [
                "chartmuseum_requests",
                "chartmuseum_request_duration_seconds",
                "chartmuseum_response_bytes",
                "chartmuseum_charts_served_total",
                "chartmuseum_chart_versions_served_total",
            ],
        };
        let registry = &mut self.registry;
        registry.register(requests, "Requests answered", self.requests.clone());
        registry.register(
            durations,
            "Seconds from a request's head to the end of its answer",
            self.durations.clone(),
        );
        registry.register(response_bytes, "Bytes of answers' bodies sent", self.response_bytes.clone());
        registry.register(charts, "Charts in the index of a repository", self.charts.clone());
        registry.register(versions, "Chart versions in the index of a repository", self.versions.clone());
        registry.register(
            "chartroom_http_requests_in_flight",
            "Requests being handled",
            self.in_flight.clone(),
        );
        registry.register(
            "chartroom_publishes",
            "Attempts to publish, by what became of them",
            self.publishes.clone(),
        );
        registry.register_collector(Box::new(ProcessMetrics));
    }
}

impl MetricNames {
    const fn labels(self) -> LabelNames {
        match self {
            Self::Chartroom => LabelNames { route: "route", status: "status", repository: "repository" },
            Self::ChartMuseum => LabelNames { route: "url", status: "code", repository: "repo" },
        }
    }
}

impl PublishOutcome {
    const fn word(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Repeated => "repeated",
            Self::Refused => "refused",
            Self::Invalid => "invalid",
            Self::Failed => "failed",
        }
    }
}

impl Drop for RequestInFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(metrics: &Metrics, line: &str) -> bool {
        metrics.encode().lines().any(|printed| printed == line)
    }

    fn answer(metrics: &Metrics, method: &str, status: u16) {
        metrics.count_request(FinishedRequest {
            method,
            route: "/{repo}/index.yaml",
            status,
            elapsed: Duration::from_millis(3),
        });
    }

    #[test]
    fn requests_are_counted_by_method_route_and_status() {
        let metrics = Metrics::new(MetricNames::Chartroom);
        for (method, status) in
            [("GET", 200), ("GET", 200), ("GET", 304), ("PROPFIND", 404), ("HACK\"}", 404)]
        {
            answer(&metrics.clone(), method, status);
        }
        metrics.count_response_bytes("/{repo}/index.yaml", 1_000);
        for line in [
            "chartroom_http_requests_total{method=\"GET\",route=\"/{repo}/index.yaml\",status=\"200\"} 2",
            "chartroom_http_requests_total{method=\"GET\",route=\"/{repo}/index.yaml\",status=\"304\"} 1",
            "chartroom_http_requests_total{method=\"other\",route=\"/{repo}/index.yaml\",status=\"404\"} 2",
            "chartroom_http_request_duration_seconds_count{method=\"GET\",route=\"/{repo}/index.yaml\"} 3",
            "chartroom_http_request_duration_seconds_bucket{le=\"0.005\",method=\"GET\",route=\"/{repo}/index.yaml\"} 3",
            "chartroom_http_response_bytes_total{route=\"/{repo}/index.yaml\"} 1000",
            "# EOF",
        ] {
            assert!(has(&metrics, line), "{line}\n{}", metrics.encode());
        }
    }

    #[test]
    fn a_request_is_in_flight_until_its_guard_is_dropped() {
        let metrics = Metrics::new(MetricNames::Chartroom);
        let guard = metrics.begin_request();
        assert!(has(&metrics, "chartroom_http_requests_in_flight 1"));
        drop(guard);
        assert!(has(&metrics, "chartroom_http_requests_in_flight 0"));
    }

    #[test]
    fn the_numbers_of_a_repository_are_the_last_ones_set() {
        let metrics = Metrics::new(MetricNames::Chartroom);
        metrics.set_repository("team/a", 1, 2);
        assert!(has(&metrics, "chartroom_chart_versions{repository=\"team/a\"} 2"));
        metrics.set_repository("team/a", 0, 0);
        assert!(has(&metrics, "chartroom_charts{repository=\"team/a\"} 0"));
    }

    #[test]
    fn the_drop_in_keeps_chartmuseums_names() {
        let metrics = Metrics::new(MetricNames::ChartMuseum);
        metrics.set_repository("", 1, 2);
        answer(&metrics, "GET", 200);
        for line in [
            "# TYPE chartmuseum_charts_served_total gauge",
            "chartmuseum_charts_served_total{repo=\"\"} 1",
            "chartmuseum_chart_versions_served_total{repo=\"\"} 2",
            "chartmuseum_requests_total{method=\"GET\",url=\"/{repo}/index.yaml\",code=\"200\"} 1",
        ] {
            assert!(has(&metrics, line), "{line}\n{}", metrics.encode());
        }
    }

    #[test]
    fn publishes_and_the_process_itself_are_shown() {
        let metrics = Metrics::new(MetricNames::Chartroom);
        metrics.count_publish(PublishOutcome::Published);
        assert!(has(&metrics, "chartroom_publishes_total{outcome=\"published\"} 1"));
        if cfg!(target_os = "linux") {
            let text = metrics.encode();
            let memory =
                text.lines().find_map(|line| line.strip_prefix("process_resident_memory_bytes ")).unwrap();
            assert!(memory.parse::<u64>().unwrap() > 100_000, "{memory}");
        }
    }
}
