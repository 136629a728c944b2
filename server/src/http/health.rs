//! Probes and figures: `/live`, `/ready`, `/metrics`, and ChartMuseum's `/health` and `/info`.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};

use super::Server;
use super::error::{ErrorKind, Failure};
use super::request::Asked;
use crate::access::Permission;
use crate::config::MetricsAccess;
use crate::repository_path::RepositoryPath;
use crate::telemetry::METRICS_CONTENT_TYPE;

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

/// Says whether reads and writes work: 200 when both do, 503 with what is away when not.
///
/// Indexes in memory go on being served without the database, so a load balancer may keep a server whose `reads` hold.
pub(super) async fn ready(server: &Server) -> Response<Body> {
    let catalog = server.app.catalog.ping().await;
    let blobs = server.app.blobs.ping().await;
    if let Err(error) = &catalog {
        tracing::warn!(%error, "the catalog is not ready");
    }
    if let Err(error) = &blobs {
        tracing::warn!(%error, "the blob store is not ready");
    }
    let all = catalog.is_ok() && blobs.is_ok();
    let word = |ok: bool| if ok { "ok" } else { "away" };
    let status = if all { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    json(
        status,
        &serde_json::json!({
            "ready": all,
            "catalog": word(catalog.is_ok()),
            "blobs": word(blobs.is_ok()),
            "reads": "ok",
            "writes": word(all),
        }),
    )
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
