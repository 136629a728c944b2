//! Asks upstream servers over HTTP: credentials by host, patience with busy servers, limits of size.
//!
//! Credentials reach the host they were kept for and no other; a redirect never leads from https to http.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chart::index::IndexFile;
use oci::client::{Registry, RegistryAddress, Settings};
use reqwest::header::{DATE, HeaderName, RETRY_AFTER};
use reqwest::{Certificate, Identity, Response, StatusCode, Url, redirect};
use tokio::sync::OnceCell;

use super::credentials::{
    CredentialFiles, Credentials, HostSettings, InvalidCredentials, UserPassword, origin_of,
};
use super::{Mirrors, UpstreamError};
use crate::push::RequestFailure;
use crate::push::failure::{innermost, reason_of, unreachable};
use crate::push::patience::{Patience, is_temporary, retry_after};

const USER_AGENT: &str = concat!("chartpack/", env!("CARGO_PKG_VERSION"));
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a server may say nothing in the middle of an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
const MOST_REDIRECTS: usize = 10;

/// How much of an error's body is read.
const REASON_BYTES: usize = 64 * 1024;

/// A client of all upstream servers.
#[derive(Debug)]
pub(crate) struct Fetcher {
    http: reqwest::Client,
    /// Clients of hosts with certificates of their own.
    by_origin: HashMap<String, reqwest::Client>,
    /// PEM with certificate authorities to trust besides the system's.
    authorities: Option<Vec<u8>>,
    /// The certificates of those hosts.
    certificates: HashMap<String, Certificates>,
    credentials: Credentials,
    /// Where to fetch from instead of the upstreams.
    pub(super) mirrors: Mirrors,
    retries: u32,
    indexes: Mutex<HashMap<Url, Arc<OnceCell<Arc<IndexFile>>>>>,
    registries: Mutex<HashMap<RegistryAddress, Registry>>,
}

/// How a fetcher is made.
#[derive(Debug)]
pub(crate) struct FetcherSettings {
    /// How often to try again.
    pub(crate) retries: u32,
    /// PEM with certificate authorities to trust besides the system's.
    pub(crate) authorities: Option<Vec<u8>>,
    /// Where credentials are.
    pub(crate) credentials: CredentialFiles,
    /// Where to fetch from instead of the upstreams.
    pub(crate) mirrors: Mirrors,
}

/// Why there is no fetcher.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidFetcher {
    /// The file holds no certificates.
    #[error("the file of `--ca-file` holds no PEM certificate: {0}")]
    Authorities(#[source] reqwest::Error),
    /// The certificates of a repository cannot be used.
    #[error("the certificates that helm keeps for `{origin}` cannot be used: {reason}")]
    Host {
        /// Scheme, host and port.
        origin: String,
        /// What is wrong.
        reason: String,
    },
    /// The TLS library could not be set up.
    #[error("cannot set up TLS: {}", innermost(.0))]
    Tls(#[source] reqwest::Error),
    /// The credentials cannot be read.
    #[error(transparent)]
    Credentials(#[from] InvalidCredentials),
}

/// PEM of one host.
#[derive(Debug, Default)]
struct Certificates {
    authorities: Option<Vec<u8>>,
    /// The client's key and its certificate.
    identity: Option<Vec<u8>>,
}

impl Fetcher {
    /// Makes a client; HTTPS_PROXY, HTTP_PROXY and NO_PROXY are followed.
    ///
    /// # Errors
    /// [`InvalidFetcher`] when authorities or credentials cannot be used.
    pub(crate) fn new(settings: &FetcherSettings) -> Result<Self, InvalidFetcher> {
        let credentials = Credentials::read(&settings.credentials)?;
        let authorities = settings.authorities.as_deref();
        let http = builder(authorities)?.build().map_err(InvalidFetcher::Tls)?;
        let (mut by_origin, mut certificates) = (HashMap::new(), HashMap::new());
        for (origin, host) in credentials.hosts_with_certificates() {
            let own = Certificates::read(origin, host)?;
            by_origin.insert(origin.clone(), client_of(authorities, origin, &own)?);
            certificates.insert(origin.clone(), own);
        }
        Ok(Self {
            http,
            by_origin,
            authorities: settings.authorities.clone(),
            certificates,
            credentials,
            mirrors: settings.mirrors.clone(),
            retries: settings.retries,
            indexes: Mutex::default(),
            registries: Mutex::default(),
        })
    }

    /// Returns the bytes at `url`, at most `limit`, from its mirror when it has one.
    ///
    /// # Errors
    /// [`UpstreamError`] after the last try.
    pub(crate) async fn get(&self, url: &Url, limit: usize) -> Result<Vec<u8>, UpstreamError> {
        let place = self.mirrors.place_of(url);
        let credential = self.credentials.of_url(&place);
        let mut patience = Patience::new(self.retries);
        loop {
            let client = self.by_origin.get(&origin_of(&place)).unwrap_or(&self.http);
            let failure = match with_basic(client.get(place.clone()), credential).send().await {
                Ok(response) => match read_answer(&place, response, limit).await {
                    Ok(bytes) => return Ok(bytes),
                    Err(error) => error,
                },
                Err(error) => {
                    UpstreamError::Request { url: place.to_string(), failure: unreachable(&place, &error) }
                }
            };
            let wait = failure.is_of_the_network().then(|| patience.wait(failure.asked_wait()));
            let Some(wait) = wait.flatten() else { return Err(failure) };
            tokio::time::sleep(wait).await;
        }
    }

    /// Returns the client of a registry, one per run. Mirrors are not looked at.
    ///
    /// # Errors
    /// [`oci::client::InvalidSettings`] when the certificates cannot be used.
    pub(crate) fn registry(
        &self,
        address: &RegistryAddress,
    ) -> Result<Registry, oci::client::InvalidSettings> {
        let mut registries = self.registries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(registry) = registries.get(address) {
            return Ok(registry.clone());
        }
        let own = self.certificates.get(&address.to_string());
        let authorities = [self.authorities.as_ref(), own.and_then(|own| own.authorities.as_ref())];
        let authorities: Vec<_> = authorities.into_iter().flatten().map(Vec::as_slice).collect();
        let settings = Settings {
            credentials: self.credentials.of_registry(address),
            authorities: (!authorities.is_empty()).then(|| authorities.join(&b'\n')),
            client_certificate: own.and_then(|own| own.identity.clone()),
            retries: self.retries,
            ..Settings::default()
        };
        let registry = Registry::connect(address.clone(), &settings)?;
        registries.insert(address.clone(), registry.clone());
        Ok(registry)
    }

    /// Returns the index at `url`, read once per run.
    ///
    /// # Errors
    /// Those of `read`.
    pub(super) async fn index(
        &self,
        url: &Url,
        read: impl AsyncFnOnce() -> Result<IndexFile, UpstreamError>,
    ) -> Result<Arc<IndexFile>, UpstreamError> {
        let cell = {
            let mut indexes = self.indexes.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(indexes.entry(url.clone()).or_default())
        };
        let index = cell.get_or_try_init(async || read().await.map(Arc::new)).await?;
        Ok(Arc::clone(index))
    }
}

/// Adds user and password to a request, if there are any.
fn with_basic(
    request: reqwest::RequestBuilder,
    credential: Option<&UserPassword>,
) -> reqwest::RequestBuilder {
    match credential {
        Some(UserPassword { user, password }) => request.basic_auth(user, Some(password.reveal())),
        None => request,
    }
}

async fn read_answer(url: &Url, response: Response, limit: usize) -> Result<Vec<u8>, UpstreamError> {
    let status = response.status();
    let headers = response.headers().clone();
    if status.is_success() {
        return read_limited(url, response, limit).await;
    }
    if matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE) {
        return Err(UpstreamError::Gone { url: url.to_string() });
    }
    if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        return Err(UpstreamError::NoAccess { url: url.to_string(), status: status.as_u16() });
    }
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let wait = retry_after(text(RETRY_AFTER), text(DATE));
    let body = read_limited(url, response, REASON_BYTES).await.unwrap_or_default();
    let reason = reason_of(&body, status);
    let failure = if is_temporary(status.as_u16()) {
        RequestFailure::Busy { status, reason, wait }
    } else {
        RequestFailure::Refused { status, reason }
    };
    Err(UpstreamError::Request { url: url.to_string(), failure })
}

async fn read_limited(url: &Url, mut response: Response, limit: usize) -> Result<Vec<u8>, UpstreamError> {
    let failed = |error| UpstreamError::Request { url: url.to_string(), failure: unreachable(url, &error) };
    let too_large = || UpstreamError::TooLarge { url: url.to_string(), limit };
    if response.content_length().is_some_and(|length| length > limit as u64) {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(failed)? {
        if bytes.len() + piece.len() > limit {
            return Err(too_large());
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

fn builder(authorities: Option<&[u8]>) -> Result<reqwest::ClientBuilder, InvalidFetcher> {
    let redirects = redirect::Policy::custom(|attempt| {
        let is_downgrade = attempt.previous().last().is_some_and(|from| from.scheme() == "https")
            && attempt.url().scheme() != "https";
        if is_downgrade {
            attempt.error("a redirect leads from https to http")
        } else if attempt.previous().len() > MOST_REDIRECTS {
            attempt.error("too many redirects")
        } else {
            attempt.follow()
        }
    });
    let mut builder = reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .redirect(redirects)
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT);
    if let Some(pem) = authorities {
        let authorities = Certificate::from_pem_bundle(pem).map_err(InvalidFetcher::Authorities)?;
        builder = builder.tls_certs_merge(authorities);
    }
    Ok(builder)
}

impl Certificates {
    fn read(origin: &str, host: &HostSettings) -> Result<Self, InvalidFetcher> {
        let read = |path: &PathBuf| {
            std::fs::read(path).map_err(|reason| InvalidFetcher::Host {
                origin: origin.to_owned(),
                reason: format!("`{}`: {reason}", path.display()),
            })
        };
        let identity = match (&host.certificate, &host.key) {
            (Some(certificate), Some(key)) => Some([read(key)?, read(certificate)?].join(&b'\n')),
            (Some(_) | None, None) | (None, Some(_)) => None,
        };
        Ok(Self { authorities: host.authorities.as_ref().map(read).transpose()?, identity })
    }
}

fn client_of(
    authorities: Option<&[u8]>,
    origin: &str,
    own: &Certificates,
) -> Result<reqwest::Client, InvalidFetcher> {
    let refuse =
        |error: reqwest::Error| InvalidFetcher::Host { origin: origin.to_owned(), reason: innermost(&error) };
    let mut builder = builder(authorities)?;
    if let Some(pem) = &own.authorities {
        builder = builder.tls_certs_merge(Certificate::from_pem_bundle(pem).map_err(refuse)?);
    }
    if let Some(pem) = &own.identity {
        builder = builder.identity(Identity::from_pem(pem).map_err(refuse)?);
    }
    builder.build().map_err(InvalidFetcher::Tls)
}
