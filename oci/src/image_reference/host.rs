//! Hosts of registries: a name or an address, and a port where it is not that of the scheme.
//!
//! A `RegistryHost` that exists can stand in a URL as it is.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// A registry's host, `registry.example`, `localhost:5000`, `[::1]:5000`. Its case is kept, as Docker keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RegistryHost(Box<str>);

/// A text that is no host of a registry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not the host of a registry: write a name or an address, and a port if there is one, as in `registry.example:5000`"
)]
pub struct InvalidRegistryHost(String);

impl RegistryHost {
    /// Returns host and port as they were written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the host without its port, an IPv6 address in its brackets.
    pub fn without_port(&self) -> &str {
        split_port(&self.0).0
    }

    /// Returns the port that was written.
    pub fn port(&self) -> Option<u16> {
        split_port(&self.0).1.and_then(|port| port.parse().ok())
    }

    /// Tells whether nothing that is sent there leaves this machine: `localhost`, `127.0.0.0/8` and `::1`.
    pub fn is_loopback(&self) -> bool {
        let host = self.without_port();
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
        host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
    }
}

/// The port is what follows the last colon that is outside of brackets.
fn split_port(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        Some(_) | None => (text, None),
    }
}

impl FromStr for RegistryHost {
    type Err = InvalidRegistryHost;

    fn from_str(text: &str) -> Result<Self, InvalidRegistryHost> {
        let (host, port) = split_port(text);
        let is_port =
            |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
        if is_host(host) && port.is_none_or(is_port) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidRegistryHost(text.to_owned()))
        }
    }
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().is_ok();
    }
    host.split('.').all(|label| {
        let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty() && label.bytes().all(is_inner) && !label.starts_with('-') && !label.ends_with('-')
    })
}

impl fmt::Display for RegistryHost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports_are_told_apart() {
        for (text, host, port) in [
            ("registry.example", "registry.example", None),
            ("registry.example:5000", "registry.example", Some(5000)),
            ("Registry.Example", "Registry.Example", None),
            ("10.0.0.1:80", "10.0.0.1", Some(80)),
            ("[::1]", "[::1]", None),
            ("[::1]:5000", "[::1]", Some(5000)),
        ] {
            let parsed: RegistryHost = text.parse().unwrap();
            assert_eq!((parsed.as_str(), parsed.without_port(), parsed.port()), (text, host, port));
        }
        for bad in [
            "", ":5000", "a:", "a:65536", "a:x", "a:+1", "-a", "a-", "a..b", "a_b", "::1", "[::1", "[x]",
            "a/b", "é",
        ] {
            assert!(bad.parse::<RegistryHost>().is_err(), "{bad}");
        }
    }

    #[test]
    fn loopback_is_this_machine_only() {
        let is_loopback = |text: &str| text.parse::<RegistryHost>().unwrap().is_loopback();
        for text in ["localhost", "LocalHost:5000", "127.0.0.1:5000", "127.1.2.3", "[::1]:5000"] {
            assert!(is_loopback(text), "{text}");
        }
        for text in ["registry.example", "10.0.0.1", "localhost.example", "127.0.0.1.example", "[::2]"] {
            assert!(!is_loopback(text), "{text}");
        }
    }
}
