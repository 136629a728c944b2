//! `/v2/{name}/blobs/uploads/…`: blobs on their way in (distribution specification, "Pushing blobs").

mod mount;
mod receive;
mod refusal;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderName, Method, Response, StatusCode, header};
use oci::{Algorithm, Digest, ErrorCode, OciName};

use super::super::request::Asked;
use super::super::{Server, wrong_verb};
use super::access::permitted;
use super::blobs::{CONTENT_DIGEST, value};
use super::error::OciFailure;
use crate::access::Permission;
use crate::operations::append_to_upload::{Sender, UploadError, find_received};
use crate::operations::begin_upload::{Session, begin_upload, read_session};
use crate::operations::cancel_upload::cancel_upload;
use refusal::refusal;

/// What Docker's clients call an upload.
const UPLOAD_ID: HeaderName = HeaderName::from_static("docker-upload-uuid");

/// Answers a request by its verb.
pub(super) async fn answer(
    server: &Server,
    asked: &Asked,
    name: &OciName,
    upload: Option<&str>,
    request: Request,
) -> Result<Response<Body>, OciFailure> {
    let Some(id) = upload else {
        return match asked.method {
            Method::POST => Box::pin(begin(server, asked, name, request)).await,
            _ => Err(wrong_verb(server, asked).into()),
        };
    };
    let sender = sender(server, asked, name).await?;
    let session = read_session(&server.app, name, id).await?;
    let session = session.ok_or_else(|| refusal(UploadError::Over))?;
    match asked.method {
        Method::PATCH => Box::pin(receive::patch(server, session, sender, request)).await,
        Method::PUT => Box::pin(receive::put(server, asked, session, sender, request)).await,
        Method::GET => {
            let received = find_received(&server.app, &session).await.map_err(refusal)?;
            Ok(progress(StatusCode::NO_CONTENT, &session, received))
        }
        Method::DELETE => {
            Box::pin(cancel_upload(&server.app, &session, &sender.actor)).await.map_err(refusal)?;
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            Ok(response)
        }
        _ => Err(wrong_verb(server, asked).into()),
    }
}

/// Returns who sends, when they may push to the name.
async fn sender(server: &Server, asked: &Asked, name: &OciName) -> Result<Sender, OciFailure> {
    let owned = permitted(server, asked, name, Permission::Publish).await?;
    Ok(Sender { repository_id: owned.repository.id(), actor: asked.caller.name().to_owned() })
}

/// Begins an upload, or makes the blob at once: mounted, or with the body that came.
async fn begin(
    server: &Server,
    asked: &Asked,
    name: &OciName,
    request: Request,
) -> Result<Response<Body>, OciFailure> {
    let sender = sender(server, asked, name).await?;
    if let Some(digest) = asked.query("mount") {
        let digest = read_digest(digest)?;
        if mount::mount(server, asked, name, &sender, &digest).await? {
            return Ok(created(name, &digest));
        }
    }
    if let Some(digest) = asked.query("digest") {
        let digest = read_digest(digest)?;
        let session = begin_upload(&server.app, name, digest.algorithm()).await?;
        return receive::whole(server, session, sender, digest, request).await;
    }
    let algorithm = match asked.query("digest-algorithm") {
        None => Algorithm::Sha256,
        Some(algorithm) => Algorithm::from_name(algorithm).ok_or_else(|| {
            let text = format!("`{algorithm}` is no digest algorithm known here: use `sha256` or `sha512`");
            OciFailure::new(ErrorCode::DigestInvalid, text)
        })?,
    };
    if let Some(reason) = server.app.catalog.read_only_reason().await? {
        return Err(refusal(UploadError::ReadOnly { reason }));
    }
    let session = begin_upload(&server.app, name, algorithm).await?;
    Ok(progress(StatusCode::ACCEPTED, &session, 0))
}

fn read_digest(text: &str) -> Result<Digest, OciFailure> {
    text.parse()
        .map_err(|error: oci::InvalidDigest| OciFailure::new(ErrorCode::DigestInvalid, error.to_string()))
}

/// Says where an upload goes on and how far it is.
fn progress(status: StatusCode, session: &Session, received: u64) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, value(&format!("/v2/{}/blobs/uploads/{}", session.name, session.id)));
    // An upload of nothing is `0-0` too: clients know no other form.
    headers.insert(header::RANGE, value(&format!("0-{}", received.saturating_sub(1))));
    headers.insert(UPLOAD_ID, value(&session.id));
    response
}

fn created(name: &OciName, digest: &Digest) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::CREATED;
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, value(&format!("/v2/{name}/blobs/{digest}")));
    headers.insert(CONTENT_DIGEST, value(&digest.to_string()));
    response
}

#[cfg(test)]
mod tests;
