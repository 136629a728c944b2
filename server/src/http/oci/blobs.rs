//! `/v2/{name}/blobs/{digest}`: bytes under a name, whole or by range, and their removal.
//!
//! What another name has is not there: a digest is no key to what somebody may not read.

use std::ops::Range;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};
use oci::{Digest, ErrorCode, OciName};

use super::super::conditional::{Requested, is_unchanged, requested_range};
use super::super::error::ErrorKind;
use super::super::request::Asked;
use super::super::{Server, wrong_verb};
use super::access::{permitted, readable};
use super::error::OciFailure;
use crate::access::{Action, Permission};
use crate::blobs::BlobError;
use crate::catalog::{BlobRemoval, RemovedLink, ServedBlob, Visibility};
use crate::operations::hold_blob::hold_blob;
use crate::registry::{Owned, blob_place_of};

/// The digest of what is answered with (distribution specification, "Pulling blobs").
pub(super) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// What a blob is to its registry, whatever a manifest calls it.
const OCTETS: &str = "application/octet-stream";

/// Answers a request by its verb.
pub(super) async fn answer(
    server: &Server,
    asked: &Asked,
    name: &OciName,
    digest: &Digest,
    _request: Request,
) -> Result<Response<Body>, OciFailure> {
    match asked.method {
        Method::GET | Method::HEAD => Box::pin(get(server, asked, name, digest)).await,
        Method::DELETE => Box::pin(delete(server, asked, name, digest)).await,
        _ => Err(wrong_verb(server, asked).into()),
    }
}

async fn get(
    server: &Server,
    asked: &Asked,
    name: &OciName,
    digest: &Digest,
) -> Result<Response<Body>, OciFailure> {
    let owned = readable(server, asked, name).await?;
    // Who may push here may rely on what a HEAD says: the blob is held, for which memory is no ground.
    let holds = asked.method == Method::HEAD && may_publish(asked, &owned, name);
    let served = if holds {
        server.app.catalog.find_served_blob(&blob_place_of(&owned, name), digest).await?
    } else {
        server.app.registry.find_blob(name, &owned, digest).await?
    };
    let served = served.ok_or_else(|| unknown(name, digest))?;
    let etag = format!("\"{digest}\"");
    if is_unchanged(&asked.headers, &etag, None) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        describe(&mut response, &owned, digest);
        return Ok(response);
    }
    match &served {
        ServedBlob::Stored(found) if asked.method == Method::HEAD => {
            if holds && !hold_blob(&server.app, owned.repository.id(), name, found).await? {
                return Err(unknown(name, digest));
            }
            let mut response = with_length(Body::empty(), found.row.size_bytes);
            describe(&mut response, &owned, digest);
            Ok(response)
        }
        ServedBlob::Stored(_) | ServedBlob::Minted(_) => {
            send(server, asked, (name, &owned), digest, served, &etag).await
        }
    }
}

/// Answers with the bytes, or the part of them that was asked for.
async fn send(
    server: &Server,
    asked: &Asked,
    (name, owned): (&OciName, &Owned),
    digest: &Digest,
    served: ServedBlob,
    etag: &str,
) -> Result<Response<Body>, OciFailure> {
    let size = match &served {
        ServedBlob::Stored(found) => {
            let file = digest.hex();
            let address = server.app.blobs.presigned_url(&found.row.key, file, OCTETS).await?;
            if let Some(address) = address {
                return Ok(redirect(&address));
            }
            found.row.size_bytes
        }
        ServedBlob::Minted(content) => content.len() as u64,
    };
    let range = match requested_range(&asked.headers, size, etag) {
        Requested::Whole => None,
        Requested::Part(range) => Some(range),
        Requested::Unsatisfiable => return Ok(unsatisfiable(size)),
    };
    let length = range.as_ref().map_or(size, |range| range.end - range.start);
    let body = match read(server, &served, range.clone()).await {
        // Moved by a repair since it was looked up.
        Err(BlobError::Missing(_)) if server.app.registry.forget_blob(name, digest) => {
            let served = server.app.registry.find_blob(name, owned, digest).await?;
            read(server, &served.ok_or_else(|| unknown(name, digest))?, range.clone()).await?
        }
        body => body?,
    };
    let mut response = with_length(body, length);
    describe(&mut response, owned, digest);
    if let Some(range) = range {
        let text = format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1));
        response.headers_mut().insert(header::CONTENT_RANGE, value(&text));
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(response)
}

async fn read(server: &Server, served: &ServedBlob, range: Option<Range<u64>>) -> Result<Body, BlobError> {
    let found = match served {
        ServedBlob::Stored(found) => found,
        ServedBlob::Minted(content) => {
            let bound = |place: u64| usize::try_from(place).unwrap_or(usize::MAX).min(content.len());
            let range = range.map_or(0..content.len(), |range| bound(range.start)..bound(range.end));
            return Ok(Body::from(content.slice(range)));
        }
    };
    let reader = server.app.blobs.open_reader(&found.row.key, range).await?;
    Ok(match reader.whole() {
        Some(content) => Body::from(content.clone()),
        None => Body::from_stream(reader.into_stream()),
    })
}

async fn delete(
    server: &Server,
    asked: &Asked,
    name: &OciName,
    digest: &Digest,
) -> Result<Response<Body>, OciFailure> {
    let owned = permitted(server, asked, name, Permission::Delete).await?;
    let removal =
        BlobRemoval { repository_id: owned.repository.id(), name: name.clone(), digest: digest.clone() };
    match server.app.catalog.unlink_blob(removal).await? {
        RemovedLink::Done => {}
        RemovedLink::Unknown => {
            let is_of_version =
                server.app.catalog.find_served_blob(&blob_place_of(&owned, name), digest).await?.is_some();
            return Err(if is_of_version { of_version(name, digest) } else { unknown(name, digest) });
        }
        RemovedLink::Named { manifest } => {
            let text = format!(
                "the manifest `{manifest}` of `{name}` names the blob `{digest}`: delete the manifest first"
            );
            return Err(OciFailure::new(ErrorCode::Unsupported, text));
        }
        RemovedLink::ReadOnly { reason } => {
            let text = format!("nothing can be written at the moment: {reason}");
            return Err(OciFailure::with_kind(ErrorCode::Unavailable, ErrorKind::ReadOnly, text));
        }
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::ACCEPTED;
    Ok(response)
}

fn may_publish(asked: &Asked, owned: &Owned, name: &OciName) -> bool {
    asked.caller.has(Permission::Publish, owned.repository.path())
        && asked.grants.as_ref().is_none_or(|grants| grants.allow(name, Action::Push))
}

/// Returns the refusal of a blob that the name does not have.
pub(super) fn unknown(name: &OciName, digest: &Digest) -> OciFailure {
    OciFailure::new(ErrorCode::BlobUnknown, format!("`{name}` has no blob `{digest}`"))
}

fn of_version(name: &OciName, digest: &Digest) -> OciFailure {
    let text = format!("the blob `{digest}` is part of a version of `{name}`: delete the version instead");
    OciFailure::new(ErrorCode::Unsupported, text)
}

fn with_length(body: Body, length: u64) -> Response<Body> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(OCTETS));
    headers.insert(header::CONTENT_LENGTH, length.into());
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    response
}

fn describe(response: &mut Response<Body>, owned: &Owned, digest: &Digest) {
    let cache_control = match owned.repository.row().settings.visibility {
        Visibility::Public => "public, max-age=31536000, immutable",
        Visibility::Private => "private, max-age=31536000, immutable",
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_DIGEST, value(&digest.to_string()));
    headers.insert(header::ETAG, value(&format!("\"{digest}\"")));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache_control));
}

/// Sends the client to the store itself; the address is a secret that ends soon, so nobody may keep it.
fn redirect(address: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
    response.headers_mut().insert(header::LOCATION, value(address));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn unsatisfiable(size: u64) -> Response<Body> {
    let text = format!("the range lies outside the blob: it has {size} bytes");
    let failure = OciFailure::with_kind(ErrorCode::SizeInvalid, ErrorKind::RangeNotSatisfiable, text);
    let mut response = failure.into_response();
    response.headers_mut().insert(header::CONTENT_RANGE, value(&format!("bytes */{size}")));
    response
}

pub(super) fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests;
