//! Where the server listens, with which certificate, and how long it takes to stop.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::error::{Combination, ConfigError};
use super::setting::{AnySetting, Setting};
use super::sources::Settings;
use super::value::FromText;

const LISTEN: Setting<Vec<ListenAddress>> = Setting::with_default(
    "listen",
    "127.0.0.1:8080",
    "addresses to listen on, `[http://|https://]HOST:PORT`; port 0 is any free one; https if there is a certificate",
);
const CERTIFICATE: Setting<Option<PathBuf>> =
    Setting::new("tls.certificate", "PEM file with the certificate chain; read again whenever it changes");
const KEY: Setting<Option<PathBuf>> = Setting::new("tls.key", "PEM file with the certificate's private key");
const CLIENT_CA: Setting<Option<PathBuf>> = Setting::new(
    "tls.client_ca",
    "PEM file with authorities; every client must then show a certificate that one of them signed",
);
const SHUTDOWN_GRACE: Setting<Duration> = Setting::with_default(
    "shutdown_grace",
    "30s",
    "how long running requests may take to finish after SIGTERM",
);

pub(super) const SETTINGS: &[&dyn AnySetting] = &[&LISTEN, &CERTIFICATE, &KEY, &CLIENT_CA, &SHUTDOWN_GRACE];

/// How the server is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listening {
    /// Where to listen, at least one: `listen`, `CHARTROOM_LISTEN` (separated by commas), `--listen`; default
    /// `127.0.0.1:8080`.
    pub(crate) listeners: Vec<Listener>,
    /// The certificate of the https listeners, there if any listener has TLS: `tls.certificate`, `tls.key`,
    /// `tls.client_ca` and `CHARTROOM_TLS_CERTIFICATE`, `…_KEY`, `…_CLIENT_CA`; default none.
    pub(crate) tls: Option<TlsFiles>,
    /// How long running requests may take to finish once the server is told to stop: `shutdown_grace`,
    /// `CHARTROOM_SHUTDOWN_GRACE`; default 30 s.
    pub(crate) shutdown_grace: Duration,
}

/// One address to listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listener {
    /// With or without TLS.
    pub(crate) scheme: Scheme,
    /// A name or address, IPv6 without brackets.
    pub(crate) host: String,
    /// The port; 0 takes any free one.
    pub(crate) port: u16,
}

/// The PEM files of a TLS listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TlsFiles {
    /// The certificate chain, the server's own first.
    pub(crate) certificate: PathBuf,
    /// The private key.
    pub(crate) key: PathBuf,
    /// The authorities whose clients are let in; none asks clients for no certificate.
    pub(crate) client_ca: Option<PathBuf>,
}

/// How a client speaks to the server, or to the proxy before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// Without TLS.
    Http,
    /// With TLS.
    Https,
}

/// An address as written; without a scheme it follows the certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ListenAddress {
    scheme: Option<Scheme>,
    host: String,
    port: u16,
}

impl Listening {
    pub(super) fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let tls = TlsFiles::from_paths(
            settings.value(&CERTIFICATE)?,
            settings.value(&KEY)?,
            settings.value(&CLIENT_CA)?,
            ["tls.certificate", "tls.key", "tls.client_ca"],
        )?;
        let addresses = settings.value(&LISTEN)?;
        if addresses.is_empty() {
            return Err(Combination::NothingToListenOn.into());
        }
        let default = if tls.is_some() { Scheme::Https } else { Scheme::Http };
        let listeners: Vec<Listener> = addresses
            .into_iter()
            .map(|ListenAddress { scheme, host, port }| Listener {
                scheme: scheme.unwrap_or(default),
                host,
                port,
            })
            .collect();
        match listeners.iter().find(|listener| listener.scheme == Scheme::Https) {
            Some(listener) if tls.is_none() => {
                Err(Combination::ListenNeedsCertificate { address: listener.to_string() }.into())
            }
            Some(_) | None => Ok(Self { listeners, tls, shutdown_grace: settings.value(&SHUTDOWN_GRACE)? }),
        }
    }
}

impl TlsFiles {
    /// Returns the files if certificate and key are there, `None` if nothing is.
    ///
    /// # Errors
    /// [`Combination::HalfCertificate`] in the words of `names`: certificate, key, client authorities.
    pub(super) fn from_paths(
        certificate: Option<PathBuf>,
        key: Option<PathBuf>,
        client_ca: Option<PathBuf>,
        names: [&'static str; 3],
    ) -> Result<Option<Self>, Combination> {
        let [certificate_name, key_name, client_ca_name] = names;
        let half = |given, missing| Err(Combination::HalfCertificate { given, missing });
        match (certificate, key, client_ca) {
            (Some(certificate), Some(key), client_ca) => Ok(Some(Self { certificate, key, client_ca })),
            (Some(_), None, _) => half(certificate_name, key_name),
            (None, Some(_), _) => half(key_name, certificate_name),
            (None, None, Some(_)) => half(client_ca_name, certificate_name),
            (None, None, None) => Ok(None),
        }
    }
}

impl Scheme {
    /// Returns `http` or `https`.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// Returns the scheme of that name, in any case.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        [Self::Http, Self::Https].into_iter().find(|scheme| scheme.as_str().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scheme, host, port } = self;
        if host.contains(':') {
            write!(formatter, "{scheme}://[{host}]:{port}")
        } else {
            write!(formatter, "{scheme}://{host}:{port}")
        }
    }
}

impl FromText for ListenAddress {
    fn from_text(text: &str) -> Result<Self, String> {
        let refused = || {
            format!(
                "`{text}` is not an address to listen on: write `127.0.0.1:8080`, `0.0.0.0:8080` or `https://[::]:8443`"
            )
        };
        let (scheme, address) = match text.split_once("://") {
            Some((name, address)) => (Some(Scheme::from_name(name).ok_or_else(refused)?), address),
            None => (None, text),
        };
        let (host, port) = address.rsplit_once(':').ok_or_else(refused)?;
        let port = port.parse().map_err(|_| refused())?;
        let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(inner) => inner.parse::<std::net::Ipv6Addr>().map_err(|_| refused())?.to_string(),
            None => host.to_owned(),
        };
        let is_name = !host.is_empty()
            && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
        if is_name || host.parse::<std::net::Ipv6Addr>().is_ok() && address.starts_with('[') {
            Ok(Self { scheme, host, port })
        } else {
            Err(refused())
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::tests::{config, refusal};

    fn shown(given: &[(&str, &str)]) -> Vec<String> {
        config(given).listening.listeners.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn addresses_take_the_scheme_of_the_certificate_unless_they_name_one() {
        let certificate = [("CHARTROOM_TLS_CERTIFICATE", "c.pem"), ("CHARTROOM_TLS_KEY", "k.pem")];
        assert_eq!(shown(&[]), ["http://127.0.0.1:8080"]);
        assert_eq!(
            shown(&[("CHARTROOM_LISTEN", "localhost:0,[::1]:80")]),
            ["http://localhost:0", "http://[::1]:80"]
        );
        assert_eq!(shown(&certificate), ["https://127.0.0.1:8080"]);
        let both = [&certificate[..], &[("CHARTROOM_LISTEN", "http://127.0.0.1:1,0.0.0.0:2,HTTPS://[::]:3")]]
            .concat();
        assert_eq!(shown(&both), ["http://127.0.0.1:1", "https://0.0.0.0:2", "https://[::]:3"]);
    }

    #[test]
    fn what_is_no_address_is_refused_with_examples() {
        for text in [
            "8080",
            ":8080",
            "127.0.0.1",
            "127.0.0.1:",
            "127.0.0.1:70000",
            "ftp://a:1",
            "::1:80",
            "a b:1",
            "[a]:1",
            "http://a:1/x",
        ] {
            let refusal = refusal(&[("CHARTROOM_LISTEN", text)]);
            assert_eq!(
                refusal,
                format!(
                    "the variable `CHARTROOM_LISTEN`: `{text}` is not an address to listen on: write `127.0.0.1:8080`, `0.0.0.0:8080` or `https://[::]:8443`"
                )
            );
        }
    }

    #[test]
    fn half_a_certificate_is_refused() {
        for (given, expected) in [
            (&[("CHARTROOM_TLS_KEY", "k")][..], "`tls.key` is set without `tls.certificate`: TLS needs both"),
            (
                &[("CHARTROOM_TLS_CERTIFICATE", "c")],
                "`tls.certificate` is set without `tls.key`: TLS needs both",
            ),
            (
                &[("CHARTROOM_TLS_CLIENT_CA", "a")],
                "`tls.client_ca` is set without `tls.certificate`: TLS needs both",
            ),
            (
                &[("CHARTROOM_LISTEN", "https://a:1")],
                "`listen` has `https://a:1` but there is no certificate: set `tls.certificate` and `tls.key`, or write `http://`",
            ),
            (
                &[("CHARTROOM_LISTEN", ",")],
                "`listen` is empty: write at least one address, such as `127.0.0.1:8080`",
            ),
        ] {
            assert_eq!(refusal(given), expected);
        }
    }
}
