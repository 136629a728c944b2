//! Around every request: its id, its line in the log, its figures.

use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Response};
use axum::middleware::Next;
use tracing::Instrument;

use super::Server;
use super::origin::origin_of;
use crate::access::Caller;
use crate::telemetry::{FinishedRequest, RequestFacts, RequestSpan};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What a handler tells about the request it answered.
#[derive(Debug, Clone, Default)]
pub(super) struct Answered {
    /// The route's template; empty when the address means nothing.
    pub(super) route: &'static str,
    /// Who asked, once that is known.
    pub(super) caller: Option<Caller>,
}

/// Gives the request an id, answers it, and records how that went. Credentials never reach the log.
pub(super) async fn observe(
    State(server): State<Arc<Server>>,
    mut request: Request,
    next: Next,
) -> Response<Body> {
    let id = request_id(&request);
    request.headers_mut().insert(REQUEST_ID, id.clone());
    let method = request.method().clone();
    let started = Instant::now();
    let _in_flight = server.metrics.begin_request();
    let span = RequestSpan::begin(RequestFacts {
        id: id.to_str().unwrap_or_default(),
        client: origin_of(&server, &request).client,
        method: method.as_str(),
        path: request.uri().path(),
    });
    let mut response = next.run(request).instrument(span.span().clone()).await;
    let Answered { route, caller } = response.extensions_mut().remove().unwrap_or_default();
    if let Some(caller) = caller {
        span.record_caller(caller.name());
    }
    let (status, elapsed) = (response.status().as_u16(), started.elapsed());
    server.metrics.count_request(FinishedRequest { method: method.as_str(), route, status, elapsed });
    server.metrics.count_response_bytes(route, response.body().size_hint().exact().unwrap_or(0));
    let is_probe = matches!(route, "/health" | "/live" | "/ready" | "/metrics");
    if !is_probe || server.surface.logs_health || status >= 500 {
        span.end(status, elapsed);
    }
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// Returns the id the client sent when it can stand in a log line, else a new one.
fn request_id(request: &Request) -> HeaderValue {
    let given = request.headers().get(REQUEST_ID).filter(|value| {
        value.len() <= 100
            && value.as_bytes().iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
    });
    match given {
        Some(value) => value.clone(),
        None => {
            let text = crate::app::random_request_id();
            HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("unknown"))
        }
    }
}
