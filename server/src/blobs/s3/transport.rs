//! The HTTP client under the SDK: its own has no client certificates, and one client means one TLS stack.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;

use super::BucketOptions;

/// A service that does not take the connection within this is away.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Services close idle connections after 20 s or more; a request on a closed one is a lost attempt.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);
/// How many idle connections stay open.
const IDLE_CONNECTIONS: usize = 64;

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub(super) enum UnusableTls {
    /// The file of authorities has none.
    #[error("the file of authorities holds no PEM certificate")]
    NoAuthority,
    /// A certificate or key is none, or they do not belong together.
    #[error("a certificate or key cannot be used")]
    Unusable(#[from] reqwest::Error),
}

/// The HTTP client; clones share its connections.
#[derive(Debug, Clone)]
pub(super) struct Transport(reqwest::Client);

impl Transport {
    /// Returns a client that trusts the given authorities beside the system's and shows the given certificate.
    ///
    /// # Errors
    /// [`UnusableTls`] for what is no certificate or key.
    pub(super) fn new(options: &BucketOptions) -> Result<Self, UnusableTls> {
        let mut builder = reqwest::Client::builder()
            // HTTP/2 would put all transfers on one connection.
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(IDLE_CONNECTIONS);
        if let Some(authorities) = &options.authorities {
            let authorities = reqwest::Certificate::from_pem_bundle(authorities)?;
            if authorities.is_empty() {
                return Err(UnusableTls::NoAuthority);
            }
            builder = builder.tls_certs_merge(authorities);
        }
        if let Some(identity) = &options.identity {
            builder = builder.identity(reqwest::Identity::from_pem(identity)?);
        }
        Ok(Self(builder.build()?))
    }
}

impl HttpClient for Transport {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Transport {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move { send(&client, request).await })
    }
}

async fn send(client: &reqwest::Client, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let unusable = |error: Box<dyn std::error::Error + Send + Sync>| ConnectorError::user(error);
    let request = request.try_into_http1x().map_err(|error| unusable(error.into()))?;
    let request = request.map(reqwest::Body::wrap);
    let request = reqwest::Request::try_from(request).map_err(|error| unusable(error.into()))?;
    let response = client.execute(request).await.map_err(failed)?;
    let response = ::http::Response::<reqwest::Body>::from(response).map(SdkBody::from_body_1_x);
    HttpResponse::try_from(response).map_err(|error| unusable(error.into()))
}

/// Tells the SDK's retries what happened: an attempt that did not get through may be made again.
fn failed(error: reqwest::Error) -> ConnectorError {
    if error.is_timeout() {
        ConnectorError::timeout(error.into())
    } else if error.is_builder() {
        ConnectorError::user(error.into())
    } else {
        ConnectorError::io(error.into())
    }
}
