//! Bodies of uploads: a blob whole, a piece of one, the last piece with the digest.
//!
//! The work is a task of its own: a client that hangs up ends the request, but not before what arrived is kept.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{Response, StatusCode, header};
use oci::{Digest, ErrorCode};

use super::super::super::body::with_idle_timeout;
use super::super::super::request::Asked;
use super::super::super::{Server, announced_length};
use super::super::error::OciFailure;
use super::{created, progress, read_digest, refusal};
use crate::operations::append_to_upload::{HeldUpload, Sender, UploadError, claim};
use crate::operations::begin_upload::Session;
use crate::operations::finish_upload::{RECEIVED_WHOLE, finish_held, finish_whole};

/// The bytes of a body within its blob, as far as the client says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    /// The number of the first byte.
    pub(super) start: Option<u64>,
    /// How many there are.
    pub(super) length: Option<u64>,
}

impl Extent {
    /// Reads `Content-Range: a-b`, with or without the unit, and the announced length.
    ///
    /// # Errors
    /// [`OciFailure`] for a range that is none or has another length than the body.
    pub(super) fn of(request: &Request) -> Result<Self, OciFailure> {
        let announced = announced_length(request);
        let Some(range) = request.headers().get(header::CONTENT_RANGE) else {
            return Ok(Self { start: None, length: announced });
        };
        let range = range.to_str().unwrap_or_default();
        let numbers = range.strip_prefix("bytes ").unwrap_or(range).split('/').next().unwrap_or_default();
        let bounds = numbers.split_once('-').and_then(|(first, last)| {
            Some((first.trim().parse::<u64>().ok()?, last.trim().parse::<u64>().ok()?))
        });
        let length = bounds.and_then(|(first, last)| last.checked_sub(first)?.checked_add(1));
        match (bounds, length) {
            (Some((start, _)), Some(length)) if announced.is_none_or(|announced| announced == length) => {
                Ok(Self { start: Some(start), length: Some(length) })
            }
            _ => {
                let text = format!("`{range}` is not the range of the body: write `Content-Range: 0-1023`");
                Err(OciFailure::new(ErrorCode::SizeInvalid, text))
            }
        }
    }
}

/// Adds a piece.
pub(super) async fn patch(
    server: &Server,
    session: Session,
    sender: Sender,
    request: Request,
) -> Result<Response<Body>, OciFailure> {
    let extent = Extent::of(&request)?;
    let server = server.clone();
    in_task(async move {
        let held = match claimed(&server, &session, &sender, extent).await {
            Ok(held) => held,
            Err(error) => return refused(&session, error),
        };
        let held = receive(&server, held, extent, request).await.map_err(refusal)?;
        let received = held.pause(&server.app).await.map_err(refusal)?;
        Ok(progress(StatusCode::ACCEPTED, &session, received))
    })
    .await
}

/// Adds the last piece, if one came, and makes all of them the blob.
pub(super) async fn put(
    server: &Server,
    asked: &Asked,
    session: Session,
    sender: Sender,
    request: Request,
) -> Result<Response<Body>, OciFailure> {
    let digest = asked.query("digest").ok_or_else(|| {
        OciFailure::new(ErrorCode::DigestInvalid, "the digest is missing: add `?digest=sha256:…`")
    })?;
    let digest = read_digest(digest)?;
    let extent = Extent::of(&request)?;
    let is_small = extent.length.is_some_and(|length| length <= RECEIVED_WHOLE);
    let is_first = extent.start.is_none_or(|start| start == 0)
        && server.app.catalog.find_upload(&session.id).await?.is_none();
    if is_small && is_first && session.is_young(server.app.clock.now()) {
        return whole(server, session, sender, digest, request).await;
    }
    finish(server, session, sender, digest, extent, request).await
}

/// Takes a whole blob as the body of one request.
pub(super) async fn whole(
    server: &Server,
    session: Session,
    sender: Sender,
    digest: Digest,
    request: Request,
) -> Result<Response<Body>, OciFailure> {
    let length = announced_length(&request);
    if length.is_none_or(|length| length > RECEIVED_WHOLE) {
        let extent = Extent { start: None, length };
        return finish(server, session, sender, digest, extent, request).await;
    }
    let body = with_idle_timeout(request.into_body().into_data_stream(), server.surface.body_idle_timeout);
    let staged = server.app.blobs.staging().receive_with(digest.algorithm(), body, RECEIVED_WHOLE).await;
    let staged = staged.map_err(|error| refusal(error.into()))?;
    if length.is_some_and(|length| length != staged.size_bytes()) {
        return Err(refusal(UploadError::Cut));
    }
    let app = server.app.clone();
    in_task(async move {
        finish_whole(&app, &session, &sender, &digest, staged).await.map_err(refusal)?;
        Ok(created(&session.name, &digest))
    })
    .await
}

async fn finish(
    server: &Server,
    session: Session,
    sender: Sender,
    digest: Digest,
    extent: Extent,
    request: Request,
) -> Result<Response<Body>, OciFailure> {
    let server = server.clone();
    in_task(async move {
        let held = match claimed(&server, &session, &sender, extent).await {
            Ok(held) => held,
            Err(error) => return refused(&session, error),
        };
        let held = receive(&server, held, extent, request).await.map_err(refusal)?;
        finish_held(&server.app, held, &sender, &digest).await.map_err(refusal)?;
        Ok(created(&session.name, &digest))
    })
    .await
}

async fn claimed(
    server: &Server,
    session: &Session,
    sender: &Sender,
    extent: Extent,
) -> Result<HeldUpload, UploadError> {
    claim(&server.app, session, sender, extent.start, extent.length.unwrap_or_default()).await
}

/// Takes the body; what came of one that broke off is kept, for the client may go on after it.
async fn receive(
    server: &Server,
    mut held: HeldUpload,
    extent: Extent,
    request: Request,
) -> Result<HeldUpload, UploadError> {
    let body = with_idle_timeout(request.into_body().into_data_stream(), server.surface.body_idle_timeout);
    match held.append(&server.app, body, extent.length).await {
        Ok(()) => Ok(held),
        Err(error @ UploadError::Cut) => {
            held.pause(&server.app).await?;
            Err(error)
        }
        Err(error) => {
            held.give_back(&server.app).await?;
            Err(error)
        }
    }
}

/// Answers bytes that were not taken; a client that was wrong about the offset hears the right one.
fn refused(session: &Session, error: UploadError) -> Result<Response<Body>, OciFailure> {
    let UploadError::WrongOffset { received } = error else { return Err(refusal(error)) };
    let mut response = refusal(error).into_response();
    let headers = progress(StatusCode::RANGE_NOT_SATISFIABLE, session, received).headers().clone();
    response.headers_mut().extend(headers);
    Ok(response)
}

/// Runs the work to its end even when nobody waits for it any longer.
async fn in_task(
    work: impl Future<Output = Result<Response<Body>, OciFailure>> + Send + 'static,
) -> Result<Response<Body>, OciFailure> {
    match tokio::spawn(work).await {
        Ok(answer) => answer,
        Err(lost) => Err(crate::blobs::BlobError::Unavailable(std::io::Error::other(lost)).into()),
    }
}
