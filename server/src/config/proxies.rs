//! Who a request really comes from, when proxies stand before the server.
//!
//! What a header says counts only as far as trusted proxies wrote it: the list is read from its end, and the first
//! address that is not a trusted proxy is the client, whatever stands before it.

use std::net::IpAddr;

use ipnet::IpNet;

use super::error::ConfigError;
use super::listening::Scheme;
use super::setting::{AnySetting, Setting};
use super::sources::Settings;
use super::value::FromText;

const TRUSTED_PROXIES: Setting<Vec<IpNet>> = Setting::with_default(
    "trusted_proxies",
    "",
    "networks whose proxies are believed about the client, such as `10.0.0.0/8`",
);
const PROXY_HEADERS: Setting<ProxyHeaders> = Setting::with_default(
    "proxy_headers",
    "x-forwarded",
    "headers those proxies write: `x-forwarded` (X-Forwarded-For, -Proto, -Host) or `forwarded` (RFC 7239)",
);

pub(super) const SETTINGS: &[&dyn AnySetting] = &[&TRUSTED_PROXIES, &PROXY_HEADERS];

/// Which proxies are believed, and by which headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proxies {
    /// Their networks: `trusted_proxies`, `CHARTROOM_TRUSTED_PROXIES` (separated by commas); default none.
    pub(crate) trusted: Vec<IpNet>,
    /// The headers they write: `proxy_headers`, `CHARTROOM_PROXY_HEADERS`; default `x-forwarded`.
    pub(crate) headers: ProxyHeaders,
}

/// The two families of headers. Only one is read: a proxy passes the other on as the client wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProxyHeaders {
    /// `X-Forwarded-For`, `X-Forwarded-Proto`, `X-Forwarded-Host`.
    XForwarded,
    /// `Forwarded` of RFC 7239.
    Forwarded,
}

/// The headers of a request that proxies may have written, each with all its lines in order.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ForwardedHeaders<'r> {
    /// `Forwarded`.
    pub(crate) forwarded: &'r [&'r str],
    /// `X-Forwarded-For`.
    pub(crate) forwarded_for: &'r [&'r str],
    /// `X-Forwarded-Proto`.
    pub(crate) forwarded_proto: &'r [&'r str],
    /// `X-Forwarded-Host`.
    pub(crate) forwarded_host: &'r [&'r str],
}

/// Where a request comes from and what address its sender used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestOrigin {
    /// The client's address.
    pub(crate) client: IpAddr,
    /// The scheme the client used.
    pub(crate) scheme: Scheme,
    /// The host, with its port if not the scheme's own, that the client asked for.
    pub(crate) host: Option<String>,
}

/// What one proxy wrote of the one before it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Hop {
    /// `None` if the proxy hid or garbled it.
    address: Option<IpAddr>,
    scheme: Option<Scheme>,
    host: Option<String>,
}

impl Proxies {
    pub(super) fn read(settings: &Settings) -> Result<Self, ConfigError> {
        Ok(Self { trusted: settings.value(&TRUSTED_PROXIES)?, headers: settings.value(&PROXY_HEADERS)? })
    }

    /// Returns where a request comes from.
    ///
    /// `connection` is what the connection itself shows: the peer's address, the listener's scheme and the `Host`
    /// header. The headers change it only if the peer is a trusted proxy.
    pub(crate) fn find_origin(
        &self,
        connection: RequestOrigin,
        headers: ForwardedHeaders<'_>,
    ) -> RequestOrigin {
        // A dual-stack socket shows IPv4 peers as mapped IPv6 ones.
        let connection = RequestOrigin { client: connection.client.to_canonical(), ..connection };
        if !self.is_trusted(connection.client) {
            return connection;
        }
        let hops = match self.headers {
            ProxyHeaders::Forwarded => forwarded_hops(headers.forwarded),
            ProxyHeaders::XForwarded => x_forwarded_hops(headers),
        };
        let mut origin = connection;
        for hop in hops.into_iter().rev() {
            origin.scheme = hop.scheme.unwrap_or(origin.scheme);
            origin.host = hop.host.or(origin.host);
            match hop.address {
                Some(address) => origin.client = address,
                None => break,
            }
            if !self.is_trusted(origin.client) {
                break;
            }
        }
        origin
    }

    fn is_trusted(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(&address))
    }
}

/// Returns the hops of `X-Forwarded-*`, the farthest first. Proxies that append to the other two as they do to `-For`
/// give lists of equal length; else only the last text of each was written by a trusted proxy, and it counts for all.
fn x_forwarded_hops(headers: ForwardedHeaders<'_>) -> Vec<Hop> {
    let addresses = items(headers.forwarded_for);
    let schemes = items(headers.forwarded_proto);
    let hosts = items(headers.forwarded_host);
    let count = addresses.len();
    let at = |list: &[&str], index: usize| {
        if list.len() == count { list.get(index).copied() } else { list.last().copied() }.map(str::to_owned)
    };
    if count == 0 {
        let scheme = schemes.last().and_then(|name| Scheme::from_name(name));
        return vec![Hop { address: None, scheme, host: hosts.last().and_then(|host| valid_host(host)) }];
    }
    addresses
        .iter()
        .enumerate()
        .map(|(index, address)| Hop {
            address: parse_address(address),
            scheme: at(&schemes, index).and_then(|name| Scheme::from_name(&name)),
            host: at(&hosts, index).and_then(|host| valid_host(&host)),
        })
        .collect()
}

/// Returns the hops of `Forwarded` (RFC 7239, section 4), the farthest first.
fn forwarded_hops(lines: &[&str]) -> Vec<Hop> {
    let elements = lines.iter().flat_map(|line| split_outside_quotes(line, ','));
    elements
        .filter(|element| !element.trim().is_empty())
        .map(|element| {
            let mut hop = Hop::default();
            for pair in split_outside_quotes(element, ';') {
                let Some((name, value)) = pair.split_once('=') else { continue };
                let value = value.trim().trim_matches('"');
                match name.trim().to_ascii_lowercase().as_str() {
                    "for" => hop.address = parse_address(value),
                    "proto" => hop.scheme = Scheme::from_name(value),
                    "host" => hop.host = valid_host(value),
                    _ => {}
                }
            }
            hop
        })
        .collect()
}

/// Returns the texts between commas, of all lines in order.
fn items<'r>(lines: &[&'r str]) -> Vec<&'r str> {
    lines.iter().flat_map(|line| line.split(',')).map(str::trim).filter(|item| !item.is_empty()).collect()
}

fn split_outside_quotes(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    text.split(move |letter| {
        is_quoted ^= letter == '"';
        letter == separator && !is_quoted
    })
}

/// Returns the address in `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:4711`.
fn parse_address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(inner, _)| inner);
    let without_port = || text.rsplit_once(':').filter(|(host, _)| !host.contains(':')).map(|(host, _)| host);
    bare.and_then(|inner| inner.parse().ok())
        .or_else(|| text.parse().ok())
        .or_else(|| without_port()?.parse().ok())
        .map(|address: IpAddr| address.to_canonical())
}

/// Returns the host if it can stand in a URL: it will, in answers to the client.
pub(crate) fn valid_host(text: &str) -> Option<String> {
    let is_host = !text.is_empty()
        && text.len() <= 255
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte));
    is_host.then(|| text.to_owned())
}

impl FromText for ProxyHeaders {
    fn from_text(text: &str) -> Result<Self, String> {
        match text {
            "x-forwarded" => Ok(Self::XForwarded),
            "forwarded" => Ok(Self::Forwarded),
            _ => Err(format!("`{text}` is neither `x-forwarded` nor `forwarded`")),
        }
    }
}

#[cfg(test)]
mod tests;
