//! Where a request came from and what address its sender used, as trusted proxies report it or as the connection has it.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request};
use axum::http::header;

use super::Server;
use crate::config::{ForwardedHeaders, RequestOrigin, Scheme, valid_host};

/// Returns the client's address, scheme and host.
pub(super) fn origin_of(server: &Server, request: &Request) -> RequestOrigin {
    let client = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(IpAddr::from([0, 0, 0, 0]), |info| info.0.ip());
    let scheme = request.extensions().get::<Scheme>().copied().unwrap_or(Scheme::Http);
    let lines = |name: &str| -> Vec<&str> {
        request.headers().get_all(name).into_iter().filter_map(|value| value.to_str().ok()).collect()
    };
    // HTTP/2 has the host in the request's own address.
    let authority = request.uri().authority().map(|authority| authority.as_str());
    let host = authority.or_else(|| lines(header::HOST.as_str()).first().copied()).and_then(valid_host);
    let (forwarded, by, proto, hosts) =
        (lines("forwarded"), lines("x-forwarded-for"), lines("x-forwarded-proto"), lines("x-forwarded-host"));
    let headers = ForwardedHeaders {
        forwarded: &forwarded,
        forwarded_for: &by,
        forwarded_proto: &proto,
        forwarded_host: &hosts,
    };
    server.surface.proxies.find_origin(RequestOrigin { client, scheme, host }, headers)
}

/// Returns the URL below which the server's paths are, as the sender of a request should write it, without a slash at
/// its end; `None` when the request named no host that can stand in one and no public URL is set.
pub(super) fn base_url(server: &Server, origin: &RequestOrigin) -> Option<String> {
    let context = server.surface.context_path.as_deref().unwrap_or_default();
    match (&server.surface.public_url, &origin.host) {
        (Some(url), _) => Some(format!("{}{context}", url.trim_end_matches('/'))),
        (None, Some(host)) => Some(format!("{}://{host}{context}", origin.scheme)),
        (None, None) => None,
    }
}

/// Returns scheme and host as clients of the registry must write them, whatever path the server has elsewhere: `/v2` is
/// always at the root. `None` as for [`base_url`].
pub(super) fn registry_base(server: &Server, origin: &RequestOrigin) -> Option<(String, String)> {
    match (&server.surface.public_url, &origin.host) {
        (Some(url), _) => {
            let (scheme, rest) = url.split_once("://")?;
            let host = rest.split('/').next().unwrap_or(rest);
            Some((scheme.to_owned(), host.to_owned()))
        }
        (None, Some(host)) => Some((origin.scheme.to_string(), host.clone())),
        (None, None) => None,
    }
}
