//! Sends requests to one registry: in turn, authorized, again when it makes sense.
//! Rule: credentials go to the registry's own origin only, and what is sent is never redirected.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, DATE, RETRY_AFTER};
use reqwest::{Body, Certificate, Client, Identity, Response, redirect};
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use url::Url;

use super::address::RegistryAddress;
use super::authorization::Authorizer;
use super::blob_source::{BlobSource, BlobStream};
use super::failure::{Failure, InvalidSettings, innermost};
use super::patience::{Patience, is_temporary, retry_after};
use super::push::OnSent;
use super::refusal::{REFUSAL_BYTES, Refusal};
use super::request::{Answer, Request, WholeAnswer, stalled, text};
use super::settings::Settings;

const USER_AGENT: &str = concat!("chartroom-oci/", env!("CARGO_PKG_VERSION"));
const MOST_REDIRECTS: usize = 10;

/// How many times the stall timeout a registry may take to answer once it has everything: it may have to copy 10 GiB.
const STALLS_TO_COMMIT: u32 = 10;

/// What sends requests to one registry.
#[derive(Debug)]
pub(super) struct Transport {
    address: RegistryAddress,
    following: Client,
    unredirected: Client,
    authorizer: Authorizer,
    greeted: OnceCell<()>,
    // Whoever writes may wait for its source to be read, whoever reads waits for nobody: with one limit for both, copies
    // in opposite directions could wait for each other.
    reading: Arc<Semaphore>,
    writing: Arc<Semaphore>,
    stall_timeout: Duration,
    retries: u32,
}

impl Transport {
    pub(super) fn new(address: RegistryAddress, settings: &Settings) -> Result<Self, InvalidSettings> {
        let places = || Arc::new(Semaphore::new(settings.requests_at_once.max(1)));
        Ok(Self {
            following: client(settings, safe_redirects())?,
            unredirected: client(settings, redirect::Policy::none())?,
            authorizer: Authorizer::new(address.clone(), settings.credentials.clone()),
            address,
            greeted: OnceCell::new(),
            reading: places(),
            writing: places(),
            stall_timeout: settings.stall_timeout,
            retries: settings.retries,
        })
    }

    pub(super) fn address(&self) -> &RegistryAddress {
        &self.address
    }

    /// Returns tries for what goes beyond one request.
    pub(super) fn patience(&self) -> Patience {
        Patience::new(self.retries)
    }

    /// Returns the URL of a path below `/v2/`.
    pub(super) fn url(&self, path: &str) -> Result<Url, Failure> {
        self.address.url(path).map_err(|reason| Failure::BadAnswer {
            what: format!("`{}`", self.address),
            reason: reason.to_string(),
        })
    }

    /// Sends a request, again as often as allowed, and returns the answer before its body.
    pub(super) async fn open(&self, request: &Request) -> Result<Answer, Failure> {
        let mut patience = self.patience();
        loop {
            let failure = match self.attempt(request).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            if !failure.is_temporary() || !patience.rest(failure.asked_wait()).await {
                return Err(failure);
            }
        }
    }

    /// Sends a request, again as often as allowed until its whole answer is here.
    pub(super) async fn fetch(&self, request: &Request, limit: usize) -> Result<WholeAnswer, Failure> {
        let mut patience = self.patience();
        loop {
            let result = match self.attempt(request).await {
                Ok(answer) => answer.whole(limit).await,
                Err(failure) => Err(failure),
            };
            let failure = match result {
                Ok(whole) => return Ok(whole),
                Err(failure) => failure,
            };
            if !failure.is_temporary() || !patience.rest(failure.asked_wait()).await {
                return Err(failure);
            }
        }
    }

    /// Sends a request once, or twice when the registry asks who this is.
    pub(super) async fn attempt(&self, request: &Request) -> Result<Answer, Failure> {
        let place = self.place(if request.reads() { &self.reading } else { &self.writing }).await;
        self.greet().await?;
        let mut is_repeated = false;
        loop {
            let response = self.dispatch(request).await?;
            let may_repeat = response.status() == 401 && !is_repeated;
            if may_repeat && self.authorizer.is_worth_repeating(&response, request).await {
                is_repeated = true;
                continue;
            }
            return self.judge(request, response, place).await;
        }
    }

    async fn dispatch(&self, request: &Request) -> Result<Response, Failure> {
        let client = if request.reads() { &self.following } else { &self.unredirected };
        let mut sent =
            client.request(request.method.clone(), request.url.clone()).headers(request.headers.clone());
        if !request.reads() {
            sent = sent.body(request.body.clone());
        }
        if self.is_own(&request.url)
            && let Some(authorization) = self.authorizer.header(&self.unredirected, request).await?
        {
            sent = sent.header(AUTHORIZATION, authorization);
        }
        let response = timeout(self.stall_timeout, sent.send()).await;
        let response = response.map_err(|_| stalled(&request.what, &request.url, self.stall_timeout))?;
        response.map_err(|error| unreachable(&request.what, &request.url, &error))
    }

    /// Sends a blob as the body of a request, once.
    pub(super) async fn upload<S: BlobSource>(
        &self,
        request: &Request,
        source: &S,
        size: u64,
        sent: &OnSent,
    ) -> Result<Answer, Failure> {
        let place = self.place(&self.writing).await;
        let upload = Upload::new(source.open().await?, sent.clone());
        let mut sending = self.unredirected.request(request.method.clone(), request.url.clone());
        if self.is_own(&request.url)
            && let Some(authorization) = self.authorizer.header(&self.unredirected, request).await?
        {
            sending = sending.header(AUTHORIZATION, authorization);
        }
        let (moved, trouble) = (Arc::clone(&upload.moved), Arc::clone(&upload.trouble));
        let sending =
            sending.headers(request.headers.clone()).header(CONTENT_LENGTH, size).body(upload.into_body());
        let response = self.watch(request, sending.send(), size, &moved).await;
        if let Some(failure) = trouble.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(failure);
        }
        let response = response?.map_err(|error| unreachable(&request.what, &request.url, &error))?;
        self.judge(request, response, place).await
    }

    /// Waits for the answer to an upload as long as bytes move.
    async fn watch<T>(
        &self,
        request: &Request,
        sending: impl Future<Output = T>,
        size: u64,
        moved: &AtomicU64,
    ) -> Result<T, Failure> {
        let mut sending = std::pin::pin!(sending);
        let (mut before, mut stalls) = (0, 0);
        loop {
            if let Ok(answered) = timeout(self.stall_timeout, &mut sending).await {
                return Ok(answered);
            }
            let now = moved.load(Ordering::Relaxed);
            stalls = if now == before { stalls + 1 } else { 0 };
            before = now;
            let allowed = if now == size { STALLS_TO_COMMIT } else { 1 };
            if stalls >= allowed {
                return Err(stalled(&request.what, &request.url, self.stall_timeout * stalls));
            }
        }
    }

    /// Asks once how the registry wants to be asked. Some hide what is private by 404, without a challenge.
    async fn greet(&self) -> Result<(), Failure> {
        let greeting = self.greeted.get_or_try_init(async || {
            let (what, url) = (format!("`{}`", self.address), self.url("")?);
            let response = timeout(self.stall_timeout, self.following.get(url.clone()).send()).await;
            let response = response.map_err(|_| stalled(&what, &url, self.stall_timeout))?;
            let response = response.map_err(|error| unreachable(&what, &url, &error))?;
            self.authorizer.learn(&response).await;
            Ok(())
        });
        greeting.await.copied()
    }

    /// Turns every answer that was not wanted into its failure.
    async fn judge(
        &self,
        request: &Request,
        response: Response,
        place: Option<OwnedSemaphorePermit>,
    ) -> Result<Answer, Failure> {
        let (what, status) = (request.what.clone(), response.status());
        let answer =
            Answer { response, what: what.clone(), stall_timeout: self.stall_timeout, _place: place };
        if request.accepted.contains(&status.as_u16()) {
            return Ok(answer);
        }
        if status.is_redirection() {
            let to = text(answer.response.headers(), "location").unwrap_or("an address it does not name");
            return Err(request.bad_answer(format!("it sends elsewhere, to `{to}`")));
        }
        Err(refused(what, refusal_of(answer).await))
    }

    /// The semaphore is never closed, so there is always a place in the end.
    async fn place(&self, places: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
        Arc::clone(places).acquire_owned().await.ok()
    }

    fn is_own(&self, url: &Url) -> bool {
        self.address.url("").is_ok_and(|own| own.origin() == url.origin())
    }

    /// Returns an address that the registry gave, which may be relative.
    pub(super) fn resolve(&self, request: &Request, address: &str) -> Result<Url, Failure> {
        let url = request.url.join(address).map_err(|reason| request.bad_answer(reason.to_string()))?;
        let is_safe = url.scheme() == "https" || (url.scheme() == "http" && self.address.is_plain());
        if is_safe { Ok(url) } else { Err(request.bad_answer(format!("it leads from HTTPS to `{url}`"))) }
    }
}

/// A blob on its way out, and what happens to it.
struct Upload {
    stream: BlobStream,
    sent: OnSent,
    moved: Arc<AtomicU64>,
    trouble: Arc<Mutex<Option<Failure>>>,
}

impl Upload {
    fn new(stream: BlobStream, sent: OnSent) -> Self {
        Self { stream, sent, moved: Arc::default(), trouble: Arc::default() }
    }

    /// The failure of a source is kept aside, since a body can only break off.
    fn into_body(self) -> Body {
        let Self { stream, sent, moved, trouble } = self;
        Body::wrap_stream(stream.map(move |piece| match piece {
            Ok(piece) => {
                let now = moved.fetch_add(piece.len() as u64, Ordering::Relaxed) + piece.len() as u64;
                sent(now);
                Ok(piece)
            }
            Err(failure) => {
                let text = failure.to_string();
                *trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
                Err(std::io::Error::other(text))
            }
        }))
    }
}

fn client(settings: &Settings, redirects: redirect::Policy) -> Result<Client, InvalidSettings> {
    let mut builder = Client::builder()
        .user_agent(USER_AGENT)
        .redirect(redirects)
        .connect_timeout(settings.connect_timeout)
        // With HTTP/2 all transfers would share one connection, and with it one window and one congestion.
        .http1_only()
        // A decoded body is not the one that the digest means.
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate();
    if let Some(pem) = &settings.authorities {
        let authorities = Certificate::from_pem_bundle(pem).map_err(InvalidSettings::Authorities)?;
        builder = builder.tls_certs_merge(authorities);
    }
    if let Some(pem) = &settings.client_certificate {
        builder = builder.identity(Identity::from_pem(pem).map_err(InvalidSettings::ClientCertificate)?);
    }
    builder.build().map_err(InvalidSettings::Tls)
}

/// Registries send readers on to where their bytes are. The client takes credentials away on the way to another host.
fn safe_redirects() -> redirect::Policy {
    redirect::Policy::custom(|attempt| {
        let leaves_https = attempt.previous().last().is_some_and(|last| last.scheme() == "https")
            && attempt.url().scheme() != "https";
        if leaves_https || attempt.previous().len() > MOST_REDIRECTS {
            attempt.stop()
        } else {
            attempt.follow()
        }
    })
}

/// Reads what an answer says about a failure; what cannot be read is left out.
pub(super) async fn refusal_of(mut answer: Answer) -> Refusal {
    let status = answer.response.status().as_u16();
    let headers = answer.response.headers();
    let wait = retry_after(text(headers, RETRY_AFTER.as_str()), text(headers, DATE.as_str()));
    let mut body = Vec::new();
    while let Ok(Some(piece)) = answer.next().await {
        body.extend(piece.iter().take(REFUSAL_BYTES - body.len()));
        if body.len() >= REFUSAL_BYTES {
            break;
        }
    }
    Refusal { retry_after: wait, ..Refusal::read(status, &body) }
}

/// Returns the failure that a refusal means.
pub(super) fn refused(what: String, refusal: Refusal) -> Failure {
    let advice = "log in to this registry with credentials it accepts";
    match refusal.status {
        401 => Failure::Unauthorized { what, advice, refusal },
        403 => Failure::Denied { what, refusal },
        404 => Failure::Missing { what, refusal },
        status if is_temporary(status) => Failure::Busy { what, refusal },
        _ => Failure::Refused { what, refusal },
    }
}

/// Returns the failure of a request that got no answer.
pub(super) fn unreachable(what: &str, url: &Url, error: &reqwest::Error) -> Failure {
    let host = url.host_str().unwrap_or_default();
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let (what, reason) = (what.to_owned(), innermost(error));
    // The TLS library's errors are not in the HTTP library's interface, but say this word.
    if error.is_connect() && reason.contains("certificate") {
        return Failure::Untrusted { what, host, reason };
    }
    Failure::Unreachable {
        what,
        host,
        reason: if error.is_timeout() { "no answer in time".to_owned() } else { reason },
    }
}
