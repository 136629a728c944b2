//! Probes and figures: `/live`, `/ready`, `/metrics`, and ChartMuseum's `/health` and `/info`.

use std::fmt::Display;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};

use super::Server;
use super::error::{ErrorKind, Failure};
use super::request::Asked;
use crate::access::Permission;
use crate::config::MetricsAccess;
use crate::repository_path::RepositoryPath;
use crate::telemetry::METRICS_CONTENT_TYPE;

/// How long a store may take to answer a probe, which by itself waits about as long.
const PROBE_PATIENCE: Duration = Duration::from_millis(900);

/// Says that the process answers; it looks at nothing else, so that an outage elsewhere restarts nobody.
pub(super) fn live() -> Response<Body> {
    json(StatusCode::OK, &serde_json::json!({ "live": true }))
}

/// Says what ChartMuseum says.
pub(super) fn health() -> Response<Body> {
    json(StatusCode::OK, &serde_json::json!({ "healthy": true }))
}

/// Says which version of the program this is.
pub(super) fn info() -> Response<Body> {
    json(StatusCode::OK, &serde_json::json!({ "version": env!("CARGO_PKG_VERSION") }))
}

/// Says what works: 200 while reads do, for a server that only cannot write must stay behind its load balancer; with
/// `?for=writes` 200 only while writes do too. What is away stands in the body.
///
/// Without the catalog, reads go on from memory once every repository is loaded; without the blob store, the index and
/// the archives in memory do.
pub(super) async fn ready(server: &Server, asked: &Asked) -> Response<Body> {
    let (said, blobs) = tokio::join!(
        answer_of("the catalog", server.app.catalog.read_only_reason()),
        answer_of("the blob store", server.app.blobs.ping())
    );
    let (catalog, blobs) = (said.is_some(), blobs.is_some());
    let is_read_only = said.flatten().is_some();
    let reads = catalog || server.app.repositories.is_loaded();
    let writes = catalog && blobs && !is_read_only;
    let is_ready = reads && (writes || asked.query("for") != Some("writes"));
    let word = |ok: bool| if ok { "ok" } else { "away" };
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    json(
        status,
        &serde_json::json!({
            "ready": is_ready,
            "catalog": word(catalog),
            "blobs": word(blobs),
            "reads": if catalog && blobs { "ok" } else if reads { "degraded" } else { "away" },
            "writes": if is_read_only { "read-only" } else { word(writes) },
        }),
    )
}

/// Returns what a store answers, if it does so soon enough for whoever probes this server.
async fn answer_of<T, E: Display>(what: &str, question: impl Future<Output = Result<T, E>>) -> Option<T> {
    match tokio::time::timeout(PROBE_PATIENCE, question).await {
        Ok(Ok(answer)) => Some(answer),
        Ok(Err(error)) => {
            tracing::warn!(%error, "{what} is not ready");
            None
        }
        Err(_) => {
            tracing::warn!("{what} is not ready: it said nothing for {PROBE_PATIENCE:?}");
            None
        }
    }
}

/// Answers with the figures in Prometheus' text format.
pub(super) fn metrics(server: &Server, asked: &Asked) -> Result<Response<Body>, Failure> {
    match server.surface.metrics {
        MetricsAccess::Nobody => return Err(Failure::new(ErrorKind::NotFound, "not found")),
        MetricsAccess::Anyone => {}
        MetricsAccess::Readers if asked.caller.has(Permission::Read, &RepositoryPath::root()) => {}
        MetricsAccess::Readers => {
            return Err(Failure::new(ErrorKind::Unauthenticated, "the metrics need a reader's token"));
        }
    }
    for repository in server.app.repositories.loaded() {
        let snapshot = repository.index().snapshot();
        server.metrics.set_repository(
            repository.path().as_str(),
            snapshot.chart_count() as u64,
            snapshot.version_count() as u64,
        );
    }
    let mut response = Response::new(Body::from(server.metrics.encode()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(METRICS_CONTENT_TYPE));
    Ok(response)
}

fn json(status: StatusCode, body: &serde_json::Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    response
}
