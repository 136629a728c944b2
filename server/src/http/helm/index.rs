//! `GET /{repository}/index.yaml`: from memory, whole, with a strong validator.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use chart::Timestamp;

use super::super::Server;
use super::super::body::Pieces;
use super::super::conditional::{accepts_gzip, http_date, is_unchanged};
use super::super::error::{ErrorKind, Failure};
use super::super::request::Asked;
use crate::catalog::IndexFormat;
use crate::index::{Detail, Encoding, Format, IndexSettings, RepositoryIndex, Snapshot};
use crate::repository_path::RepositoryPath;

/// Stands in an answer that may lack what other replicas acknowledged a moment ago, since the catalog did not say.
const FRESHNESS: HeaderName = HeaderName::from_static("chartroom-freshness");

/// Answers with the repository's index in its own format, or the one `?format=` names.
pub(crate) async fn get(
    server: &Server,
    asked: &Asked,
    path: &RepositoryPath,
) -> Result<Response<Body>, Failure> {
    let mut is_last_seen = false;
    let (snapshot, own_format) = match server.find_readable(asked, path).await? {
        Some(repository) => {
            // While the catalog is away the index goes on as it was last seen.
            is_last_seen = server.app.repositories.refresh(&repository).await.is_err();
            let format = match repository.row().settings.index_format {
                IndexFormat::Json => Format::Json,
                IndexFormat::Yaml => Format::Yaml,
            };
            (repository.index().snapshot(), format)
        }
        // ChartMuseum shows every tenant that could be as one without charts; nothing is kept for it.
        None if server.surface.unknown_is_empty => (empty(server), server.surface.empty_format),
        None => return Err(server.unknown_repository(asked, path)),
    };
    let format = match asked.query("format") {
        None => own_format,
        Some("json") => Format::Json,
        Some("yaml") => Format::Yaml,
        Some(other) => {
            return Err(Failure::new(
                ErrorKind::Invalid,
                format!("`{other}` is no format: use `json` or `yaml`"),
            ));
        }
    };
    let mut response = answer(server, &asked.headers, snapshot, format).await?;
    if is_last_seen {
        response.headers_mut().insert(FRESHNESS, HeaderValue::from_static("last-seen"));
    }
    Ok(response)
}

/// Returns the index of a repository that nobody published to: the same bytes every time.
fn empty(server: &Server) -> Arc<Snapshot> {
    let settings = IndexSettings { detail: Detail::Full, context_path: server.surface.context_path.clone() };
    RepositoryIndex::load(settings, 0, Timestamp::from_micros(0), []).snapshot()
}

async fn answer(
    server: &Server,
    headers: &HeaderMap,
    snapshot: Arc<Snapshot>,
    format: Format,
) -> Result<Response<Body>, Failure> {
    let encoding = if accepts_gzip(headers) { Encoding::Gzip } else { Encoding::Identity };
    let modified = snapshot.changed_at().micros().div_euclid(1_000_000);
    let body = match snapshot.ready_body(format, encoding) {
        Some(body) => body,
        // The first one asked for after a change is glued, compressed or transcoded now: work for another thread.
        None => tokio::task::spawn_blocking(move || snapshot.body(format, encoding))
            .await
            .map_err(|_| Failure::new(ErrorKind::Internal, "internal error"))?,
    };
    let unchanged = is_unchanged(headers, &body.etag, Some(modified));
    let content = if unchanged { Body::empty() } else { Pieces::into_body(body.pieces.clone(), body.length) };
    let mut response = Response::new(content);
    let out = response.headers_mut();
    out.insert(header::ETAG, text(&body.etag));
    out.insert(header::LAST_MODIFIED, text(&http_date(modified)));
    // Caches may keep it but have to ask: a publish must be seen by the next `helm repo update`.
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if unchanged {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(response);
    }
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static(server.surface.index_type));
    out.insert(header::CONTENT_LENGTH, body.length.into());
    if encoding == Encoding::Gzip {
        out.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}

/// Returns a header value of text that is made of visible characters only.
fn text(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).unwrap_or(HeaderValue::from_static(""))
}
