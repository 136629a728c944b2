//! `GET /{repository}/charts/{file}`: archives and provenance, byte for byte, by range, never content-encoded.

use std::ops::Range;

use axum::body::Body;
use axum::http::{HeaderValue, Method, Response, StatusCode, header};

use super::super::Server;
use super::super::conditional::{Requested, http_date, is_unchanged, requested_range};
use super::super::error::{ErrorKind, Failure};
use super::super::request::Asked;
use crate::blobs::{BlobError, BlobKey, BlobReader, Layout};
use crate::catalog::{Overwrite, Visibility};
use crate::index::Located;
use crate::repositories::OpenRepository;
use crate::repository_path::RepositoryPath;

/// The bytes a file name stands for.
struct Found {
    key: BlobKey,
    etag: String,
    content_type: &'static str,
    cache_control: &'static str,
    /// When it was published, in seconds since 1970; unknown for provenance, which may come later.
    modified_seconds: Option<i64>,
    /// How many bytes there are, when the index knows.
    size_bytes: Option<u64>,
}

/// Answers with an archive or its provenance file.
pub(crate) async fn get(
    server: &Server,
    asked: &Asked,
    path: &RepositoryPath,
    file: &str,
) -> Result<Response<Body>, Failure> {
    let repository = match server.find_readable(asked, path).await? {
        Some(repository) => repository,
        None if server.surface.unknown_is_empty => return Err(not_found(file)),
        None => return Err(server.unknown_repository(asked, path)),
    };
    let found = match find(server, &repository, file)? {
        Some(found) => found,
        None => {
            // Another replica may have published it a moment ago; while nobody can tell, it is not "not found".
            server.app.repositories.refresh(&repository).await?;
            find(server, &repository, file)?.ok_or_else(|| not_found(file))?
        }
    };
    if is_unchanged(&asked.headers, &found.etag, found.modified_seconds) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        describe(&mut response, &found);
        return Ok(response);
    }
    send(server, asked, found, file).await
}

fn not_found(file: &str) -> Failure {
    Failure::new(ErrorKind::NotFound, format!("`{file}` is not published here"))
}

/// Looks in the index in memory.
fn find(server: &Server, repository: &OpenRepository, file: &str) -> Result<Option<Found>, Failure> {
    let archive_name = file.strip_suffix(".prov").unwrap_or(file);
    if !archive_name.ends_with(".tgz") {
        let text = format!("`{file}` is neither an archive nor provenance: ask for `.tgz` or `.tgz.prov`");
        return Err(Failure::new(ErrorKind::NotFound, text));
    }
    let located = repository.index().find_archive(archive_name);
    let row = repository.row();
    let cache_control = match (row.settings.visibility, row.settings.overwrite) {
        (Visibility::Public, Overwrite::Refused) => "public, max-age=31536000, immutable",
        (Visibility::Private, Overwrite::Refused) => "private, max-age=31536000, immutable",
        (Visibility::Public | Visibility::Private, Overwrite::Forced | Overwrite::Allowed) => "no-cache",
    };
    if archive_name == file {
        let Some(located) = located else { return Ok(None) };
        tracing::debug!(chart = %located.chart, version = %located.version, "found the archive");
        return Ok(Some(Found {
            etag: validator(&located),
            modified_seconds: Some(located.created.micros().div_euclid(1_000_000)),
            size_bytes: Some(located.archive_bytes),
            key: located.archive,
            content_type: server.surface.archive_type,
            cache_control,
        }));
    }
    let key = match located.and_then(|located| located.provenance) {
        Some(key) => key,
        // ChartMuseum takes provenance before its chart and serves it alone.
        None if server.app.blobs.layout() == Layout::Flat => BlobKey::flat(repository.path(), file),
        None => return Ok(None),
    };
    // Provenance may be added later or, where the policy says so, replaced; its key names its bytes.
    let etag = format!("\"{}\"", oci::Digest::sha256(key.as_str().as_bytes()).hex());
    Ok(Some(Found {
        key,
        etag,
        content_type: "application/pgp-signature",
        cache_control: "no-cache",
        modified_seconds: None,
        size_bytes: None,
    }))
}

/// Returns the archive's validator: its digest, which every entry of ours carries.
fn validator(located: &Located) -> String {
    let digest = located.digest().unwrap_or_else(|| oci::Digest::sha256(located.archive.as_str().as_bytes()));
    format!("\"{}\"", digest.hex())
}

async fn send(server: &Server, asked: &Asked, found: Found, file: &str) -> Result<Response<Body>, Failure> {
    if let Some(size) = found.size_bytes {
        if asked.method == Method::HEAD {
            return Ok(answer_with(Body::empty(), &found, size));
        }
        if let Some(address) = server.app.blobs.presigned_url(&found.key, file, found.content_type).await? {
            return Ok(redirect(&address));
        }
    }
    let (size, opened) = match (found.size_bytes, server.app.blobs.layout()) {
        // Immutable bytes are as long as the index says.
        (Some(size), Layout::Addressed) => (size, None),
        (None, _) | (Some(_), Layout::Flat) => {
            let whole = open(server, &found, None, file).await?;
            (whole.length(), Some(whole))
        }
    };
    let range = match requested_range(&asked.headers, size, &found.etag) {
        Requested::Whole => None,
        Requested::Part(range) => Some(range),
        Requested::Unsatisfiable => return Ok(unsatisfiable(size)),
    };
    let reader = match (opened, &range) {
        (Some(whole), None) => whole,
        (None, None) | (_, Some(_)) => open(server, &found, range.clone(), file).await?,
    };
    let length = reader.length();
    let body = match reader.whole() {
        Some(content) => Body::from(content.clone()),
        None => Body::from_stream(reader.into_stream()),
    };
    let mut response = answer_with(body, &found, length);
    if let Some(range) = range {
        let text = format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1));
        response.headers_mut().insert(header::CONTENT_RANGE, value(&text));
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(response)
}

async fn open(
    server: &Server,
    found: &Found,
    range: Option<Range<u64>>,
    file: &str,
) -> Result<BlobReader, Failure> {
    match (server.app.blobs.open_reader(&found.key, range).await, server.app.blobs.layout()) {
        (Ok(reader), _) => Ok(reader),
        (Err(BlobError::Missing(_)), Layout::Flat) => Err(not_found(file)),
        (Err(error), Layout::Flat | Layout::Addressed) => Err(error.into()),
    }
}

/// Sends the client to the store itself; the address is a secret that ends soon, so nobody may keep it.
fn redirect(address: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
    response.headers_mut().insert(header::LOCATION, value(address));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn answer_with(body: Body, found: &Found, length: u64) -> Response<Body> {
    let mut response = Response::new(body);
    describe(&mut response, found);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(found.content_type));
    headers.insert(header::CONTENT_LENGTH, length.into());
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    response
}

fn describe(response: &mut Response<Body>, found: &Found) {
    let headers = response.headers_mut();
    headers.insert(header::ETAG, value(&found.etag));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(found.cache_control));
    if let Some(seconds) = found.modified_seconds {
        headers.insert(header::LAST_MODIFIED, value(&http_date(seconds)));
    }
}

fn unsatisfiable(size: u64) -> Response<Body> {
    let text = format!("the range lies outside the file: it has {size} bytes");
    let mut response = Failure::new(ErrorKind::RangeNotSatisfiable, text).into_response();
    response.headers_mut().insert(header::CONTENT_RANGE, value(&format!("bytes */{size}")));
    response
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}
