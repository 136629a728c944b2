//! How a registry is spoken to.

use std::time::Duration;

use super::credentials::CredentialSource;

/// How a registry is spoken to. The default asks without credentials and trusts the system's authorities.
///
/// Proxies are those of `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Who asks.
    pub credentials: CredentialSource,
    /// PEM with certificate authorities to trust besides the system's.
    pub authorities: Option<Vec<u8>>,
    /// PEM with a client certificate, its chain and its key.
    pub client_certificate: Option<Vec<u8>>,
    /// How long a connection may take to come about.
    pub connect_timeout: Duration,
    /// How long nothing may move before a transfer counts as cut. A transfer as such may take any time.
    pub stall_timeout: Duration,
    /// How often to try again what failed for now. A download that moves on in between is not counted.
    pub retries: u32,
    /// How many requests that read may be under way at once, and how many that write.
    pub requests_at_once: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            credentials: CredentialSource::default(),
            authorities: None,
            client_certificate: None,
            connect_timeout: Duration::from_secs(15),
            stall_timeout: Duration::from_secs(60),
            retries: 4,
            // Browsers' limit per host; more streams rarely fill a line better, and registries begin to say 429.
            requests_at_once: 6,
        }
    }
}
