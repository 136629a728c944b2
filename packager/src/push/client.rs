//! Speaks HTTP with one repository's server.
//!
//! Redirects are never followed: credentials reach the host that was named and no other.

use std::time::Duration;

use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderName, LOCATION, RETRY_AFTER};
use reqwest::{Certificate, RequestBuilder, Response, StatusCode, Url, multipart, redirect};

use super::body::{file_body, read_body};
use super::destination::Credentials;
use super::failure::{RequestFailure, innermost, reason_of, unreachable};
use super::patience::{Patience, is_temporary, retry_after};
use super::progress::Progress;
use super::upload::Upload;

const USER_AGENT: &str = concat!("chartpack/", env!("CARGO_PKG_VERSION"));
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// The largest index that is read; Flux stops at 50 MiB, Helm at nothing.
const INDEX_BYTES: usize = 256 * 1024 * 1024;

/// How much of an error's body is read.
const REASON_BYTES: usize = 64 * 1024;

/// A connection to one server.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    credentials: Credentials,
    retries: u32,
}

/// How a client is made.
#[derive(Debug, Clone)]
pub(crate) struct ClientSettings {
    /// How often to try again.
    pub(crate) retries: u32,
    /// How long one request may take.
    pub(crate) timeout: Duration,
    /// PEM with certificate authorities to trust besides the system's.
    pub(crate) authorities: Option<Vec<u8>>,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidClient {
    /// The file holds no certificates.
    #[error("the file of `--ca-file` holds no PEM certificate: {0}")]
    Authorities(#[source] reqwest::Error),
    /// The TLS library could not be set up.
    #[error("cannot set up TLS: {}", innermost(.0))]
    Tls(#[source] reqwest::Error),
}

impl Client {
    /// Makes a client.
    ///
    /// # Errors
    /// [`InvalidClient`] when the authorities cannot be used.
    pub(crate) fn new(credentials: Credentials, settings: &ClientSettings) -> Result<Self, InvalidClient> {
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(settings.timeout);
        if let Some(pem) = &settings.authorities {
            let authorities = Certificate::from_pem_bundle(pem).map_err(InvalidClient::Authorities)?;
            builder = builder.tls_certs_merge(authorities);
        }
        let http = builder.build().map_err(InvalidClient::Tls)?;
        Ok(Self { http, credentials, retries: settings.retries })
    }

    /// Returns the index at `url`, or nothing when there is none.
    ///
    /// # Errors
    /// [`RequestFailure`] after the last try.
    pub(crate) async fn fetch_index(
        &self,
        url: &Url,
        progress: &Progress,
    ) -> Result<Option<Vec<u8>>, RequestFailure> {
        self.patiently(progress, async || {
            let response = self.ask(url, self.http.get(url.clone())).await?;
            if response.status() == StatusCode::NOT_FOUND {
                return Ok(None);
            }
            let response = self.refuse_failure(response).await?;
            let index = read_body(response, INDEX_BYTES).await;
            index.map(Some).map_err(|error| unreachable(url, &error))
        })
        .await
    }

    /// Sends an archive, and its provenance in the same request.
    ///
    /// # Errors
    /// [`RequestFailure`] after the last try.
    pub(crate) async fn publish(
        &self,
        url: &Url,
        upload: &Upload,
        progress: &Progress,
    ) -> Result<(), RequestFailure> {
        self.patiently(progress, async || {
            let unreadable = |reason| RequestFailure::File { path: upload.path.clone(), reason };
            let file = tokio::fs::File::open(&upload.path).await.map_err(unreadable)?;
            let body = file_body(file, progress.clone());
            let request = match &upload.provenance {
                None => self
                    .http
                    .post(url.clone())
                    .header(CONTENT_TYPE, "application/gzip")
                    .header(CONTENT_LENGTH, upload.size_bytes)
                    .body(body),
                Some(provenance) => self.http.post(url.clone()).multipart(form(upload, body, provenance)),
            };
            let response = self.ask(url, request).await?;
            self.refuse_failure(response).await.map(drop)
        })
        .await
    }

    async fn ask(&self, url: &Url, request: RequestBuilder) -> Result<Response, RequestFailure> {
        let request = match &self.credentials {
            Credentials::Anonymous => request,
            Credentials::Bearer(token) => request.bearer_auth(token.reveal()),
            Credentials::Basic { user, password } => request.basic_auth(user, Some(password.reveal())),
        };
        request.send().await.map_err(|error| unreachable(url, &error))
    }

    /// Turns every answer that is not a success into its failure.
    async fn refuse_failure(&self, response: Response) -> Result<Response, RequestFailure> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        if status.is_redirection() {
            let to = header(&response, LOCATION).unwrap_or_else(|| "an address it does not name".to_owned());
            return Err(RequestFailure::Redirected { to });
        }
        let after = header(&response, RETRY_AFTER);
        let wait = retry_after(after.as_deref(), header(&response, DATE).as_deref());
        let body = read_body(response, REASON_BYTES).await.unwrap_or_default();
        let reason = reason_of(&body, status);
        if is_temporary(status.as_u16()) {
            return Err(RequestFailure::Busy { status, reason, wait });
        }
        Err(match (status, &self.credentials) {
            (StatusCode::UNAUTHORIZED, Credentials::Anonymous) => RequestFailure::NoCredentials { reason },
            (StatusCode::UNAUTHORIZED, Credentials::Bearer(_) | Credentials::Basic { .. }) => {
                RequestFailure::BadCredentials { reason }
            }
            _ => RequestFailure::Refused { status, reason },
        })
    }

    async fn patiently<T>(
        &self,
        progress: &Progress,
        request: impl AsyncFn() -> Result<T, RequestFailure>,
    ) -> Result<T, RequestFailure> {
        let mut patience = Patience::new(self.retries);
        loop {
            let failure = match request().await {
                Ok(done) => return Ok(done),
                Err(failure) => failure,
            };
            let asked = match &failure {
                RequestFailure::Unreachable { .. } => None,
                RequestFailure::Busy { wait, .. } => *wait,
                RequestFailure::NoCredentials { .. }
                | RequestFailure::BadCredentials { .. }
                | RequestFailure::Redirected { .. }
                | RequestFailure::Refused { .. }
                | RequestFailure::File { .. } => return Err(failure),
            };
            let Some(wait) = patience.wait(asked) else { return Err(failure) };
            progress.notice(&format!("{failure}; trying again in {} s", wait.as_secs_f32()));
            tokio::time::sleep(wait).await;
        }
    }
}

fn form(upload: &Upload, body: reqwest::Body, provenance: &[u8]) -> multipart::Form {
    let file_name = chart::archive::file_name(&upload.name, &upload.version);
    let provenance = multipart::Part::bytes(provenance.to_vec()).file_name(format!("{file_name}.prov"));
    let archive = multipart::Part::stream_with_length(body, upload.size_bytes).file_name(file_name);
    multipart::Form::new().part("chart", archive).part("prov", provenance)
}

fn header(response: &Response, name: HeaderName) -> Option<String> {
    response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}
