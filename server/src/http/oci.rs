//! `/v2/…`: the OCI distribution API (specification 1.1 and its additions), over the same catalog as every other surface.
//!
//! Bytes are served as they were pushed and never content-encoded: a compressed manifest has no length, and clients check it.

mod access;
mod blobs;
mod challenge;
mod error;
mod manifests;
mod mirror;
mod names;
mod referrers;
mod route;
mod tags;
mod token;
mod uploads;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Response};

use super::observe::Answered;
use super::origin::origin_of;
use super::request::Asked;
use super::{Server, credential_of};
use crate::access::Caller;
use crate::config::RequestOrigin;
use challenge::TokenFault;
use error::OciFailure;
use route::OciRoute;

/// What Docker's clients look for before they take a server for a registry.
const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");

/// Returns what follows `/v2/` where the path is one of the registry. It has no context path: clients know none.
pub(super) fn path_below(server: &Server, path: &str) -> Option<String> {
    let below = path.strip_prefix("/v2").filter(|_| server.surface.registry)?;
    match below.strip_prefix('/') {
        Some(rest) => Some(rest.to_owned()),
        None if below.is_empty() => Some(String::new()),
        None => None,
    }
}

/// Answers one request, whatever goes wrong in the protocol's own form.
pub(super) async fn answer(
    server: &Server,
    path: &str,
    request: Request,
    answered: &mut Answered,
) -> Response<Body> {
    let mut response = match OciRoute::parse(path) {
        Ok(route) => {
            answered.route = route.template();
            let origin = origin_of(server, &request);
            let (method, headers) = (request.method().clone(), request.headers().clone());
            let mut asked = Asked::new(method, headers, request.uri().query(), Caller::Anonymous);
            match identify_and_dispatch(server, &route, &origin, &mut asked, request, answered).await {
                Ok(response) => response,
                Err(refused) => challenge::respond(server, &origin, &route, &asked, refused),
            }
        }
        Err(failure) => failure.into_response(),
    };
    response.headers_mut().insert(API_VERSION, HeaderValue::from_static("registry/2.0"));
    response
}

/// Answers a request, or says what failed and what its token has to do with it.
async fn identify_and_dispatch(
    server: &Server,
    route: &OciRoute,
    origin: &RequestOrigin,
    asked: &mut Asked,
    request: Request,
    answered: &mut Answered,
) -> Result<Response<Body>, (OciFailure, TokenFault)> {
    let credential = credential_of(&request).map_err(|failure| (failure.into(), TokenFault::Invalid))?;
    let identified = token::bearer::identify(server, asked, origin, credential).await;
    identified.map_err(|failure| (failure, TokenFault::Invalid))?;
    answered.caller = Some(asked.caller.clone());
    let answer = async {
        let mirrored = mirror::resolve(server, asked, origin, route).await?;
        let route = mirrored.as_ref().unwrap_or(route);
        // Apart from its callers': all handlers at once are more than a thread's stack should hold.
        Box::pin(dispatch(server, route, origin, asked, request)).await
    };
    answer.await.map_err(|failure| (failure, TokenFault::InsufficientScope))
}

async fn dispatch(
    server: &Server,
    route: &OciRoute,
    origin: &RequestOrigin,
    asked: &Asked,
    request: Request,
) -> Result<Response<Body>, OciFailure> {
    match route {
        OciRoute::Base => token::base(server, asked),
        OciRoute::Token => token::answer(server, asked, origin, request).await,
        OciRoute::Names => names::answer(server, asked).await,
        OciRoute::Tags { name } => tags::answer(server, asked, name, request).await,
        OciRoute::Manifest { name, reference } => {
            manifests::answer(server, asked, name, reference, request).await
        }
        OciRoute::Blob { name, digest } => blobs::answer(server, asked, name, digest, request).await,
        OciRoute::Uploads { name } => uploads::answer(server, asked, name, None, request).await,
        OciRoute::Upload { name, id } => uploads::answer(server, asked, name, Some(id), request).await,
        OciRoute::Referrers { name, digest } => referrers::answer(server, asked, name, digest, request).await,
    }
}
