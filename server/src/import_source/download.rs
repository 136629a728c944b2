//! Downloads from the server that an index names, with patience and within limits.
//!
//! Credentials go to the origin of the index alone: an index may send clients anywhere.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use reqwest::header::RETRY_AFTER;
use reqwest::{Certificate, Response, StatusCode, Url, redirect};

use super::FetchError;
use crate::blobs::{StageError, StagedBlob, Staging};
use crate::config::Secret;

const USER_AGENT: &str = concat!("chartroom/", env!("CARGO_PKG_VERSION"));
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a server may send nothing in the middle of an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
const MOST_REDIRECTS: usize = 10;
/// How often a download is tried, and how long it waits before the second try; the wait doubles with each further one.
const TRIES: u32 = 4;
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest wait that a server is granted with `Retry-After`.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What the server wants to see.
#[derive(Debug, Clone)]
pub(crate) enum Login {
    /// Nothing.
    Nobody,
    /// A user and a password.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: Secret,
    },
    /// A token.
    Bearer(Secret),
}

/// Which servers are believed.
#[derive(Debug, Clone)]
pub(crate) enum Trust {
    /// Those the system believes.
    System,
    /// Those too whose certificate comes from an authority in this PEM.
    AlsoAuthorities(Vec<u8>),
}

/// Why there can be no downloads.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidDownloads {
    /// The PEM holds no certificate.
    #[error("the file of `--ca-file` holds no PEM certificate: {0}")]
    Authorities(#[source] reqwest::Error),
    /// The TLS library could not be set up.
    #[error("cannot set up TLS: {0}")]
    Tls(#[source] reqwest::Error),
}

/// Downloads for one index.
pub(crate) struct Downloads {
    http: reqwest::Client,
    origin: Url,
    login: Login,
}

/// A try that failed.
struct Failed {
    error: FetchError,
    /// Whether another try may do better, and how long the server wants it to wait.
    again: Option<Option<Duration>>,
}

impl Failed {
    fn for_good(error: FetchError) -> Self {
        Self { error, again: None }
    }

    fn for_now(reason: String, wait: Option<Duration>) -> Self {
        Self { error: FetchError::Away(reason), again: Some(wait) }
    }
}

impl Downloads {
    /// Prepares downloads for the index at `origin`.
    ///
    /// # Errors
    /// [`InvalidDownloads`] when the authorities cannot be used.
    pub(crate) fn new(origin: Url, login: Login, trust: Trust) -> Result<Self, InvalidDownloads> {
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .redirect(redirect::Policy::custom(follow));
        if let Trust::AlsoAuthorities(pem) = trust {
            let authorities = Certificate::from_pem_bundle(&pem).map_err(InvalidDownloads::Authorities)?;
            builder = builder.tls_certs_merge(authorities);
        }
        let http = builder.build().map_err(InvalidDownloads::Tls)?;
        Ok(Self { http, origin, login })
    }

    /// Reads an answer of at most `limit` bytes into memory.
    pub(super) async fn read(&self, url: &Url, limit: u64) -> Result<Vec<u8>, FetchError> {
        self.patiently(async || {
            let mut pieces = self.ask(url).await?.bytes_stream();
            let mut read = Vec::new();
            while let Some(piece) = pieces.next().await {
                let piece = piece.map_err(|error| Failed::for_now(innermost(&error), None))?;
                if read.len() as u64 + piece.len() as u64 > limit {
                    return Err(Failed::for_good(FetchError::TooLarge { limit }));
                }
                read.extend_from_slice(&piece);
            }
            Ok(read)
        })
        .await
    }

    /// Stages an answer of at most `limit` bytes.
    pub(super) async fn fetch(
        &self,
        url: &Url,
        staging: &Staging,
        limit: u64,
    ) -> Result<StagedBlob, FetchError> {
        self.patiently(async || {
            let pieces: std::pin::Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>> =
                Box::pin(self.ask(url).await?.bytes_stream());
            match staging.receive(pieces, limit).await {
                Ok(staged) => Ok(staged),
                Err(StageError::TooLarge { limit }) => Err(Failed::for_good(FetchError::TooLarge { limit })),
                Err(StageError::Cut) => Err(Failed::for_now(format!("`{url}` broke off"), None)),
                Err(StageError::Store(error)) => Err(Failed::for_good(FetchError::Staging(error))),
            }
        })
        .await
    }

    async fn patiently<T>(&self, once: impl AsyncFn() -> Result<T, Failed>) -> Result<T, FetchError> {
        let mut own_wait = FIRST_WAIT;
        for _ in 1..TRIES {
            match once().await {
                Ok(done) => return Ok(done),
                Err(Failed { error, again: None }) => return Err(error),
                Err(Failed { again: Some(asked), .. }) => {
                    tokio::time::sleep(asked.unwrap_or(own_wait).min(LONGEST_WAIT)).await;
                    own_wait *= 2;
                }
            }
        }
        once().await.map_err(|failed| failed.error)
    }

    async fn ask(&self, url: &Url) -> Result<Response, Failed> {
        let request = self.http.get(url.clone());
        let request = match &self.login {
            _ if url.origin() != self.origin.origin() => request,
            Login::Nobody => request,
            Login::Basic { user, password } => request.basic_auth(user, Some(password.reveal())),
            Login::Bearer(token) => request.bearer_auth(token.reveal()),
        };
        let response = request.send().await.map_err(|error| {
            let reason = format!("cannot reach `{url}`: {}", innermost(&error));
            if error.is_redirect() || error.is_builder() {
                return Failed::for_good(FetchError::Refused(reason));
            }
            Failed::for_now(reason, None)
        })?;
        judge(url, response)
    }
}

/// Follows redirects as browsers do, but never from an encrypted connection to an open one.
fn follow(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let is_downgrade = attempt.url().scheme() == "http"
        && attempt.previous().last().is_some_and(|url| url.scheme() == "https");
    if is_downgrade {
        return attempt.error("it redirects from https to http");
    }
    if attempt.previous().len() > MOST_REDIRECTS {
        return attempt.error("it redirects too often");
    }
    attempt.follow()
}

/// Lets a success through and says what any other answer means.
fn judge(url: &Url, response: Response) -> Result<Response, Failed> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => Err(Failed::for_good(FetchError::Absent)),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            let reason = format!(
                "`{url}` answers {status}: give `--username` and `--password-file`, or `--token-file`; they go to the origin of the index alone"
            );
            Err(Failed::for_good(FetchError::Refused(reason)))
        }
        status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
            Err(Failed::for_now(format!("`{url}` answers {status}"), wait_of(&response)))
        }
        status => Err(Failed::for_good(FetchError::Refused(format!("`{url}` answers {status}")))),
    }
}

/// Reads `Retry-After` where it is a number of seconds (RFC 9110 §10.2.3).
fn wait_of(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// Returns the last cause, which says most: `connection refused`, `certificate has expired`.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
