//! The server's surfaces. Each request is read once into a [`Route`](route::Route) and a caller, then answered by the
//! handler of that name; the folders below mirror the addresses.
//!
//! Handlers decide nothing: reads go to the index, the catalog and the blobs, every change to an operation.

mod body;
mod catalog;
mod chartmuseum;
mod conditional;
mod error;
mod health;
mod helm;
pub(crate) mod listen;
mod observe;
mod oci;
mod origin;
mod request;
mod route;
mod surface;
mod welcome;

use std::num::NonZeroUsize;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderValue, Method, Response, header};
use bytes::Bytes;
use futures_util::Stream;
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;

use crate::access::{Credential, Permission, WrongCredentials};
use crate::app::App;
use crate::blobs::StagedBlob;
use crate::operations::create_repository::CreateRepositoryError;
use crate::operations::publish::{PublishError, Published};
use crate::repositories::OpenRepository;
use crate::repository_path::RepositoryPath;
use crate::telemetry::{Metrics, PublishOutcome};
use error::{ErrorKind, Failure};
use observe::Answered;
use request::Asked;
use route::Route;
pub(crate) use route::Tenancy;
pub(crate) use surface::Surface;

/// How many archives are unpacked at the same time, each of which may fill 100 MiB.
const UNPACKED_AT_ONCE: usize = 2;

/// A body of this size is received in the time of one look at the catalog.
const SMALL_BODY: u64 = 64 * 1024;

/// How many requests may wait for a change of a repository at the same time.
const WAITING_AT_ONCE: usize = 256;

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) app: App,
    pub(crate) surface: Arc<Surface>,
    pub(crate) metrics: Metrics,
    /// Held while a request is answered: the others wait their turn.
    pub(crate) room: Arc<Semaphore>,
    /// Held while an archive is unpacked.
    pub(crate) unpacking: Arc<Semaphore>,
    /// Held while an answer waits for a change.
    pub(crate) waiting: Arc<Semaphore>,
    /// Who guessed of late.
    pub(crate) wrong_credentials: WrongCredentials,
}

impl Server {
    /// Gathers what the handlers share.
    pub(crate) fn new(
        app: App,
        surface: Surface,
        metrics: Metrics,
        concurrent_requests: NonZeroUsize,
    ) -> Self {
        let unpacking = Arc::new(Semaphore::new(UNPACKED_AT_ONCE));
        let room = Arc::new(Semaphore::new(concurrent_requests.get()));
        // Never all the room there is: who waits for changes must leave some for those who make them.
        let waiting = Arc::new(Semaphore::new(WAITING_AT_ONCE.min(concurrent_requests.get() / 2)));
        let wrong_credentials = WrongCredentials::new();
        Self { app, surface: Arc::new(surface), metrics, room, unpacking, waiting, wrong_credentials }
    }

    /// Returns the service that answers every request.
    pub(crate) fn router(self) -> Router {
        let server = Arc::new(self);
        Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&server))
            // Bodies are capped where they are staged, by the limit of their kind.
            .layer(DefaultBodyLimit::disable())
            .layer(CatchPanicLayer::new())
            .layer(axum::middleware::from_fn_with_state(server, observe::observe))
    }

    /// Returns the repository when it exists and the caller may read it.
    async fn find_readable(
        &self,
        asked: &Asked,
        path: &RepositoryPath,
    ) -> Result<Option<Arc<OpenRepository>>, Failure> {
        let found = self.app.repositories.find(path).await?;
        Ok(found.filter(|repository| {
            let visibility = repository.row().settings.visibility;
            self.app.rules.anonymous_read.allows(&asked.caller) && asked.caller.may_read(visibility, path)
        }))
    }

    /// Returns what somebody hears who asked for a repository they cannot see, whether it exists or not.
    fn unknown_repository(&self, asked: &Asked, path: &RepositoryPath) -> Failure {
        if asked.caller == crate::access::Caller::Anonymous {
            return CreateRepositoryError::Unauthenticated.into();
        }
        Failure::new(ErrorKind::NotFound, format!("the repository `{path}` does not exist"))
    }

    /// Refuses before a byte of a body of the `announced` length is read: a caller who may not publish, and a large body while nothing may be
    /// written. A small one is received in the time of a look at the catalog, so its transaction refuses it.
    async fn admit_upload(
        &self,
        asked: &Asked,
        path: &RepositoryPath,
        announced: Option<u64>,
    ) -> Result<(), Failure> {
        if !asked.caller.has(Permission::Publish, path) {
            return Err(CreateRepositoryError::denied(&asked.caller, Permission::Publish, path).into());
        }
        if announced.is_some_and(|length| length <= SMALL_BODY) {
            return Ok(());
        }
        match self.app.catalog.read_only_reason().await? {
            None => Ok(()),
            Some(reason) => Err(PublishError::ReadOnly { reason }.into()),
        }
    }

    /// Stages a whole body, refusing by its announced length where that is too much already.
    async fn stage(&self, request: Request) -> Result<StagedBlob, Failure> {
        let limit = self.app.rules.upload_bytes;
        if announced_length(&request).is_some_and(|length| length > limit) {
            return Err(crate::blobs::StageError::TooLarge { limit }.into());
        }
        self.receive(request.into_body().into_data_stream(), limit).await
    }

    /// Stages a body or a part of one, giving up on a client that stops sending.
    async fn receive<S, E>(&self, body: S, limit: u64) -> Result<StagedBlob, Failure>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
    {
        let body = body::with_idle_timeout(body, self.surface.body_idle_timeout);
        Ok(self.app.blobs.staging().receive(body, limit).await?)
    }

    fn count_publish(&self, published: &Result<Published, PublishError>) {
        self.metrics.count_publish(match published {
            Ok(Published { changed: true, .. }) => PublishOutcome::Published,
            Ok(Published { changed: false, .. }) => PublishOutcome::Repeated,
            Err(error) => outcome_of(error),
        });
    }
}

fn announced_length(request: &Request) -> Option<u64> {
    request.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn outcome_of(error: &PublishError) -> PublishOutcome {
    match error {
        PublishError::Archive(_)
        | PublishError::Provenance(_)
        | PublishError::Mismatch(_)
        | PublishError::OtherChart { .. }
        | PublishError::OtherName { .. }
        | PublishError::OtherTag { .. } => PublishOutcome::Invalid,
        PublishError::Repository(_)
        | PublishError::Exists(_)
        | PublishError::Repeated
        | PublishError::ProvenanceExists { .. }
        | PublishError::FileNameTaken { .. }
        | PublishError::NameHoldsImages { .. }
        | PublishError::LimitReached { .. }
        | PublishError::TooManyVersions { .. }
        | PublishError::TooManyBytes { .. }
        | PublishError::ReadOnly { .. } => PublishOutcome::Refused,
        PublishError::Keep(_)
        | PublishError::Catalog(_)
        | PublishError::Overtaken
        | PublishError::Interrupted(_) => PublishOutcome::Failed,
    }
}

/// Answers one request; whatever goes wrong becomes the answer of its kind.
async fn answer(State(server): State<Arc<Server>>, request: Request) -> Response<Body> {
    // Closed only when the server is gone, and then nobody asks.
    let _room = server.room.acquire().await;
    let is_head = request.method() == Method::HEAD;
    let request = request.map(body::Drained::wrap);
    let mut answered = Answered::default();
    let mut response = match route_and_handle(&server, request, &mut answered).await {
        Ok(response) => response,
        Err(failure) => failure.into_response(),
    };
    response.extensions_mut().insert(answered);
    if is_head {
        take_body(&mut response);
    }
    response
}

/// Leaves the headers that a GET would have had, its length among them (RFC 9110 §9.3.2).
fn take_body(response: &mut Response<Body>) {
    let body = std::mem::take(response.body_mut());
    if let Some(length) = http_body::Body::size_hint(&body).exact()
        && !response.headers().contains_key(header::CONTENT_LENGTH)
    {
        response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    }
}

async fn route_and_handle(
    server: &Server,
    request: Request,
    answered: &mut Answered,
) -> Result<Response<Body>, Failure> {
    if let Some(path) = oci::path_below(server, request.uri().path()) {
        return Ok(Box::pin(oci::answer(server, &path, request, answered)).await);
    }
    let Some(path) = strip_context(server.surface.context_path.as_deref(), request.uri().path()) else {
        return Err(route::NoRoute::Unknown.into());
    };
    let is_api = path.starts_with("/api/");
    let route = Route::parse(path, server.surface.tenancy)?;
    answered.route = route.template();
    let credential = credential_of(&request)?;
    let caller = server.app.verifier.identify(credential.as_ref(), server.app.clock.now()).await?;
    answered.caller = Some(caller.clone());
    let asked =
        Asked::new(request.method().clone(), request.headers().clone(), request.uri().query(), caller);
    let mut response = dispatch(server, &route, &asked, request).await?;
    if let Some(origin) = server.surface.cors_allow_origin.as_deref().filter(|_| is_api)
        && let Ok(origin) = HeaderValue::from_str(origin)
    {
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    Ok(response)
}

/// Returns the path below the context path; `/charts` alone stands for `/charts/`.
fn strip_context<'p>(context: Option<&str>, path: &'p str) -> Option<&'p str> {
    let Some(context) = context else { return Some(path) };
    match path.strip_prefix(context) {
        Some("") => Some("/"),
        Some(rest) if rest.starts_with('/') => Some(rest),
        Some(_) | None => None,
    }
}

/// Reads the credential; one that is there but of no known form is refused, so that nobody is anonymous by accident.
fn credential_of(request: &Request) -> Result<Option<Credential>, Failure> {
    let Some(header) = request.headers().get(header::AUTHORIZATION) else { return Ok(None) };
    let credential = header.to_str().ok().and_then(Credential::parse);
    match credential {
        Some(credential) => Ok(Some(credential)),
        None => {
            let text = "the authorization header is of no known form: send a token as `Bearer` or as `Basic` password";
            Err(Failure::new(ErrorKind::Unauthenticated, text))
        }
    }
}

async fn dispatch(
    server: &Server,
    route: &Route,
    asked: &Asked,
    request: Request,
) -> Result<Response<Body>, Failure> {
    let reads = asked.method == Method::GET || asked.method == Method::HEAD;
    match route {
        Route::Index { repository } if reads => helm::index::get(server, asked, repository).await,
        Route::Archive { repository, file } if reads => {
            helm::archive::get(server, asked, repository, file).await
        }
        // What nearly all requests ask for is above: theirs need not be moved about with the futures of the others,
        // which take tens of kilobytes.
        _ => Box::pin(dispatch_rarer(server, route, asked, request)).await,
    }
}

async fn dispatch_rarer(
    server: &Server,
    route: &Route,
    asked: &Asked,
    request: Request,
) -> Result<Response<Body>, Failure> {
    let reads = asked.method == Method::GET || asked.method == Method::HEAD;
    match route {
        Route::Welcome if reads => Ok(welcome::get(server, &origin::origin_of(server, &request))),
        Route::Health if reads => Ok(health::health()),
        Route::Info if reads => Ok(health::info()),
        Route::Live if reads => Ok(health::live()),
        Route::Ready if reads => Ok(health::ready(server, asked).await),
        Route::Metrics if reads => health::metrics(server, asked),
        Route::ArtifactHub { repository } if reads => {
            helm::artifact_hub::get(server, asked, repository).await
        }
        Route::Repositories if reads => catalog::repositories::list(server, asked).await,
        Route::Repository { repository } if reads => {
            catalog::repositories::get(server, asked, repository).await
        }
        Route::Repository { repository } if asked.method == Method::PUT => {
            catalog::repositories::put(server, asked, repository, request).await
        }
        Route::Changes { repository, feed } if reads => {
            catalog::changes::list(server, asked, repository, *feed).await
        }
        Route::Removed { repository } if reads => catalog::removed::list(server, asked, repository).await,
        Route::Restore { repository, name, version } if asked.method == Method::POST => {
            catalog::removed::restore(server, asked, repository, name, version).await
        }
        Route::Status if reads => catalog::status::get(server).await,
        Route::Charts { .. }
        | Route::Chart { .. }
        | Route::Version { .. }
        | Route::Templates { .. }
        | Route::Values { .. }
        | Route::Provenance { .. }
            if server.surface.api =>
        {
            dispatch_chartmuseum(server, route, asked, request).await
        }
        _ => Err(wrong_verb(server, asked)),
    }
}

async fn dispatch_chartmuseum(
    server: &Server,
    route: &Route,
    asked: &Asked,
    request: Request,
) -> Result<Response<Body>, Failure> {
    let reads = asked.method == Method::GET || asked.method == Method::HEAD;
    let posts = asked.method == Method::POST;
    match route {
        Route::Charts { repository } if reads => chartmuseum::charts::list(server, asked, repository).await,
        Route::Charts { repository } if posts => {
            chartmuseum::upload::post(server, asked, repository, request).await
        }
        Route::Chart { repository, name } if reads => {
            chartmuseum::versions::list(server, asked, repository, name).await
        }
        Route::Version { repository, name, version } if reads => {
            chartmuseum::versions::get(server, asked, repository, name, version).await
        }
        Route::Version { repository, name, version }
            if asked.method == Method::DELETE && server.surface.deletes =>
        {
            chartmuseum::delete::delete(server, asked, repository, name, version).await
        }
        Route::Templates { repository, name, version } if reads => {
            chartmuseum::contents::templates(server, asked, repository, name, version).await
        }
        Route::Values { repository, name, version } if reads => {
            chartmuseum::contents::values(server, asked, repository, name, version).await
        }
        Route::Provenance { repository } if posts => {
            chartmuseum::provenance::post(server, asked, repository, request).await
        }
        _ => Err(wrong_verb(server, asked)),
    }
}

fn wrong_verb(server: &Server, asked: &Asked) -> Failure {
    if server.surface.wrong_verb_is_unknown {
        return Failure::new(ErrorKind::NotFound, "not found");
    }
    Failure::new(ErrorKind::MethodNotAllowed, format!("`{}` is not possible here", asked.method))
}

#[cfg(test)]
pub(crate) mod tests;
