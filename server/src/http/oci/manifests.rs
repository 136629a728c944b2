//! `/v2/{name}/manifests/{reference}`: exact bytes, served from memory and the catalog, never from the store.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use oci::{ErrorCode, OciName, Reference, Tag};

use super::super::body::with_idle_timeout;
use super::super::conditional::is_unchanged;
use super::super::error::ErrorKind;
use super::super::request::Asked;
use super::super::{Server, announced_length, wrong_verb};
use super::access::{permitted, readable};
use super::error::OciFailure;
use crate::access::Permission;
use crate::blobs::StageError;
use crate::operations::delete_manifest::{DeleteManifestError, delete_manifest};
use crate::operations::put_manifest::{ManifestPush, PutManifestError, put_manifest};

/// The digest of the content a request is about (distribution specification, "Pulling manifests").
pub(super) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
/// Says that the subject of a pushed manifest was understood.
const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
/// A further tag that names a pushed manifest.
const TAG: HeaderName = HeaderName::from_static("oci-tag");

/// The largest manifest taken. The specification asks for 4 MB at least.
const LARGEST: u64 = 8 * 1024 * 1024;
/// How many further tags one push may have. The specification asks for 10 at least.
const MOST_TAGS: usize = 100;

/// Answers a request by its verb.
pub(super) async fn answer(
    server: &Server,
    asked: &Asked,
    name: &OciName,
    reference: &Reference,
    request: Request,
) -> Result<Response<Body>, OciFailure> {
    match asked.method {
        Method::GET | Method::HEAD => get(server, asked, name, reference).await,
        Method::PUT => put(server, asked, name, reference, request).await,
        Method::DELETE => delete(server, asked, name, reference).await,
        _ => Err(wrong_verb(server, asked).into()),
    }
}

async fn get(
    server: &Server,
    asked: &Asked,
    name: &OciName,
    reference: &Reference,
) -> Result<Response<Body>, OciFailure> {
    let owned = readable(server, asked, name).await?;
    let found = server.app.registry.find_manifest(name, &owned, reference).await?;
    let found = found.ok_or_else(|| unknown(name, reference))?;
    let etag = format!("\"{}\"", found.digest);
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, value(&found.media_type));
    headers.insert(CONTENT_DIGEST, value(&found.digest.to_string()));
    headers.insert(header::ETAG, value(&etag));
    let cache_control = match reference {
        Reference::Digest(_) => "private, max-age=31536000, immutable",
        Reference::Tag(_) => "no-cache",
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache_control));
    if is_unchanged(&asked.headers, &etag, None) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(response);
    }
    headers.insert(header::CONTENT_LENGTH, (found.content.len() as u64).into());
    *response.body_mut() = Body::from(found.content.clone());
    Ok(response)
}

/// Returns the refusal of a tag or digest that is not under the name.
fn unknown(name: &OciName, reference: &Reference) -> OciFailure {
    OciFailure::new(ErrorCode::ManifestUnknown, format!("`{reference}` is not under `{name}`"))
}

async fn put(
    server: &Server,
    asked: &Asked,
    name: &OciName,
    reference: &Reference,
    request: Request,
) -> Result<Response<Body>, OciFailure> {
    let owned = permitted(server, asked, name, Permission::Publish).await?;
    let tags = further_tags(asked, reference)?;
    let push = ManifestPush {
        name: name.clone(),
        owned,
        reference: reference.clone(),
        tags,
        media_type: content_type(&asked.headers),
        content: receive(server, request).await?,
        caller: asked.caller.clone(),
    };
    let pushed = put_manifest(&server.app, push).await.map_err(refused)?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::CREATED;
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, value(&format!("/v2/{name}/manifests/{}", pushed.digest)));
    headers.insert(CONTENT_DIGEST, value(&pushed.digest.to_string()));
    if let Some(subject) = &pushed.subject {
        headers.insert(SUBJECT, value(&subject.to_string()));
    }
    for tag in &pushed.tags {
        headers.append(TAG, value(tag.as_str()));
    }
    Ok(response)
}

/// Reads the tags of the query, which go with a push by digest.
fn further_tags(asked: &Asked, reference: &Reference) -> Result<Vec<Tag>, OciFailure> {
    let invalid = |text: String| OciFailure::new(ErrorCode::ManifestInvalid, text);
    let tags = asked.query_values("tag").map(str::parse::<Tag>).collect::<Result<Vec<_>, _>>();
    let tags = tags.map_err(|refusal| invalid(refusal.to_string()))?;
    match reference {
        Reference::Tag(_) if !tags.is_empty() => {
            Err(invalid("further tags go with a push by digest: put the digest in the address".to_owned()))
        }
        Reference::Tag(_) | Reference::Digest(_) if tags.len() > MOST_TAGS => {
            Err(invalid(format!("one push may have {MOST_TAGS} tags at most")))
        }
        Reference::Tag(_) | Reference::Digest(_) => Ok(tags),
    }
}

fn content_type(headers: &HeaderMap) -> Option<String> {
    headers.get(header::CONTENT_TYPE)?.to_str().ok().map(str::to_owned)
}

/// Receives a manifest into memory.
async fn receive(server: &Server, request: Request) -> Result<Bytes, OciFailure> {
    let too_large = || {
        let text = format!("the manifest is larger than {LARGEST} bytes");
        OciFailure::with_kind(ErrorCode::SizeInvalid, ErrorKind::TooLarge, text)
    };
    if announced_length(&request).is_some_and(|length| length > LARGEST) {
        return Err(too_large());
    }
    let stream = request.into_body().into_data_stream();
    let mut stream = with_idle_timeout(stream, server.surface.body_idle_timeout);
    let mut content = BytesMut::new();
    while let Some(piece) = stream.next().await {
        content.extend_from_slice(&piece.map_err(|_| OciFailure::from(StageError::Cut))?);
        if content.len() as u64 > LARGEST {
            return Err(too_large());
        }
    }
    Ok(content.freeze())
}

async fn delete(
    server: &Server,
    asked: &Asked,
    name: &OciName,
    reference: &Reference,
) -> Result<Response<Body>, OciFailure> {
    let owned = permitted(server, asked, name, Permission::Delete).await?;
    match delete_manifest(&server.app, name, &owned, reference, &asked.caller).await {
        Ok(()) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::ACCEPTED;
            Ok(response)
        }
        Err(error @ DeleteManifestError::Unknown { .. }) => {
            Err(OciFailure::new(ErrorCode::ManifestUnknown, error.to_string()))
        }
        Err(error @ DeleteManifestError::ReadOnly { .. }) => {
            Err(OciFailure::with_kind(ErrorCode::Unavailable, ErrorKind::ReadOnly, error.to_string()))
        }
        Err(DeleteManifestError::Version(error)) => Err(OciFailure::from(error)),
        Err(DeleteManifestError::Catalog(error)) => Err(OciFailure::from(error)),
    }
}

/// Returns what a client hears of a manifest that was not put.
fn refused(error: PutManifestError) -> OciFailure {
    use PutManifestError as E;
    let text = error.to_string();
    match error {
        E::Invalid(_) | E::Chart(_) | E::NoChartName { .. } => {
            OciFailure::new(ErrorCode::ManifestInvalid, text)
        }
        E::OtherDigest { .. } => OciFailure::new(ErrorCode::DigestInvalid, text),
        E::OtherSize { .. } => OciFailure::new(ErrorCode::SizeInvalid, text),
        E::BlobUnknown { .. } => OciFailure::new(ErrorCode::ManifestBlobUnknown, text),
        E::TooLarge { .. } => OciFailure::with_kind(ErrorCode::SizeInvalid, ErrorKind::TooLarge, text),
        E::HoldsOther { .. } | E::TagTaken { .. } => {
            OciFailure::with_kind(ErrorCode::Denied, ErrorKind::Conflict, text)
        }
        E::TooManyBytes { .. } => OciFailure::with_kind(ErrorCode::Denied, ErrorKind::Full, text),
        E::Overtaken { .. } => OciFailure::new(ErrorCode::Unavailable, text),
        E::ReadOnly { .. } => OciFailure::with_kind(ErrorCode::Unavailable, ErrorKind::ReadOnly, text),
        E::Repository(error) => error.into(),
        E::Publish(error) => published(error),
        E::Catalog(error) => error.into(),
    }
}

/// Returns what a client hears of a chart that was not published: what Helm would refuse is an invalid manifest here.
fn published(error: crate::operations::publish::PublishError) -> OciFailure {
    let failure = OciFailure::from(error);
    if failure.code() == ErrorCode::Unsupported {
        failure.with_code(ErrorCode::ManifestInvalid)
    } else {
        failure
    }
}

/// Returns a text as a header's value; what is given here are digests, names and types that were checked.
pub(super) fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}
