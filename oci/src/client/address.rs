//! Where a registry is: scheme and host. Rule: HTTPS, unless plain HTTP was asked for or never leaves this machine.

use std::fmt;
use std::str::FromStr;

use url::Url;

use crate::image_reference::{InvalidRegistryHost, RegistryHost};

/// The host that answers for Docker Hub.
const DOCKER_HUB: &str = "registry-1.docker.io";

/// Docker's names for Docker Hub, under which its credentials are kept.
const DOCKER_HUB_NAMES: [&str; 3] = ["docker.io", "index.docker.io", DOCKER_HUB];

/// A registry's scheme and host.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RegistryAddress {
    is_plain: bool,
    host: RegistryHost,
}

/// A text that is no address of a registry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRegistryAddress {
    /// The part after the scheme is no host.
    #[error(transparent)]
    Host(#[from] InvalidRegistryHost),
    /// The scheme is neither `http` nor `https`.
    #[error("`{0}` is not the address of a registry: use `https://` or `http://`, or the host alone")]
    Scheme(String),
}

impl RegistryAddress {
    /// Returns the address of a host that an image reference names: plain HTTP for loopback, else HTTPS.
    pub fn of(host: &RegistryHost) -> Self {
        Self { is_plain: host.is_loopback(), host: host.clone() }
    }

    /// Returns the same host over plain HTTP: everybody on the way can read and change what is sent.
    #[must_use]
    pub fn over_plain_http(self) -> Self {
        Self { is_plain: true, ..self }
    }

    /// Returns the host, as image references write it.
    pub fn host(&self) -> &RegistryHost {
        &self.host
    }

    /// Tells whether nothing protects what is sent.
    pub fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// Returns the URL of a path below `/v2/`.
    ///
    /// # Errors
    /// [`url::ParseError`] when the path cannot be part of one.
    pub fn url(&self, path: &str) -> Result<Url, url::ParseError> {
        let scheme = if self.is_plain { "http" } else { "https" };
        let host = self.host.as_str();
        let host = if DOCKER_HUB_NAMES.contains(&host) { DOCKER_HUB } else { host };
        format!("{scheme}://{host}/v2/{path}").parse()
    }

    /// Returns the names under which files of credentials may know this registry.
    pub(super) fn known_as(&self) -> Vec<&str> {
        let host = self.host.as_str();
        if DOCKER_HUB_NAMES.contains(&host) { DOCKER_HUB_NAMES.to_vec() } else { vec![host] }
    }
}

impl FromStr for RegistryAddress {
    type Err = InvalidRegistryAddress;

    /// Reads `https://host`, `http://host`, or the host alone, which is [`Self::of`] it.
    fn from_str(text: &str) -> Result<Self, InvalidRegistryAddress> {
        let Some((scheme, rest)) = text.split_once("://") else { return Ok(Self::of(&text.parse()?)) };
        let is_plain = match scheme {
            "https" => false,
            "http" => true,
            other => return Err(InvalidRegistryAddress::Scheme(other.to_owned())),
        };
        Ok(Self { is_plain, host: rest.strip_suffix('/').unwrap_or(rest).parse()? })
    }
}

/// The address as a URL.
impl fmt::Display for RegistryAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://{}", if self.is_plain { "http" } else { "https" }, self.host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_loopback_and_for_those_who_ask() {
        for (text, url) in [
            ("registry.example", "https://registry.example/v2/x"),
            ("registry.example:5000", "https://registry.example:5000/v2/x"),
            ("http://registry.example:5000", "http://registry.example:5000/v2/x"),
            ("https://127.0.0.1:5000/", "https://127.0.0.1:5000/v2/x"),
            ("localhost:5000", "http://localhost:5000/v2/x"),
            ("127.0.0.1", "http://127.0.0.1/v2/x"),
            ("[::1]:5000", "http://[::1]:5000/v2/x"),
            ("docker.io", "https://registry-1.docker.io/v2/x"),
            ("index.docker.io", "https://registry-1.docker.io/v2/x"),
        ] {
            assert_eq!(text.parse::<RegistryAddress>().unwrap().url("x").unwrap().as_str(), url);
        }
        let address: RegistryAddress = "registry.example".parse().unwrap();
        assert_eq!(address.over_plain_http().to_string(), "http://registry.example");
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "ftp://a", "https://", "https://a/b", "https://user@a", "a/b", "https://a?b"] {
            assert!(text.parse::<RegistryAddress>().is_err(), "{text}");
        }
    }
}
