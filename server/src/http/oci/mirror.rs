//! Mirror names: containerd asks a mirror for `docker.io/library/redis` as `/v2/library/redis/…?ns=docker.io`.
//!
//! The host is part of the name that answers, so that two upstreams with the same path never mix, and there is no other
//! name to fall back to. Each repository is a mirror of its own: the host comes behind its path.

use oci::{ErrorCode, OciName};

use super::super::Server;
use super::super::origin::registry_base;
use super::super::request::Asked;
use super::access::{hidden, out_of_scope, readable, unknown};
use super::error::OciFailure;
use super::route::OciRoute;
use crate::access::{Action, Caller};
use crate::catalog::CatalogError;
use crate::config::RequestOrigin;
use crate::repository_path::RepositoryPath;

/// Returns the route that answers a read for another host; `None` where the route itself does.
///
/// A token for the name in the address is one for the name that answers: clients know no other, and a challenge that named
/// it would tell strangers which repositories there are.
///
/// # Errors
/// As for a name that is not there, in words about the name in the address, when the caller may not read the one that answers.
pub(super) async fn resolve(
    server: &Server,
    asked: &mut Asked,
    origin: &RequestOrigin,
    route: &OciRoute,
) -> Result<Option<OciRoute>, OciFailure> {
    let Some((name, host)) = route.name().zip(asked.query("ns").map(str::to_ascii_lowercase)) else {
        return Ok(None);
    };
    if !is_read(route, asked) || host.is_empty() || is_own(server, origin, &host) {
        return Ok(None);
    }
    let repository = longest_repository(server, name).await?;
    let mirrored = mirrored_name(repository.as_str(), name, &host).ok_or_else(|| hidden(asked, name))?;
    if let Some(grants) = &mut asked.grants
        && grants.allow(name, Action::Pull)
    {
        grants.add(&mirrored, Action::Pull);
    }
    match readable(server, asked, &mirrored).await {
        Ok(_) => Ok(Some(route.with_name(mirrored))),
        Err(failure) => Err(about(asked, name, failure)),
    }
}

/// Tells whether the route only reads: what is written goes where the address says.
fn is_read(route: &OciRoute, asked: &Asked) -> bool {
    let reads = asked.method == axum::http::Method::GET || asked.method == axum::http::Method::HEAD;
    match route {
        OciRoute::Tags { .. }
        | OciRoute::Manifest { .. }
        | OciRoute::Blob { .. }
        | OciRoute::Referrers { .. } => reads,
        OciRoute::Base
        | OciRoute::Token
        | OciRoute::Names
        | OciRoute::Uploads { .. }
        | OciRoute::Upload { .. } => false,
    }
}

/// Tells whether `host` is this server, by the name the client used or by its public one.
fn is_own(server: &Server, origin: &RequestOrigin, host: &str) -> bool {
    let public = registry_base(server, origin).map(|(_, host)| host);
    let own = [public.as_deref(), origin.host.as_deref()];
    own.into_iter()
        .flatten()
        .any(|own| without_usual_port(&own.to_ascii_lowercase()) == without_usual_port(host))
}

fn without_usual_port(host: &str) -> &str {
    host.strip_suffix(":443").or_else(|| host.strip_suffix(":80")).unwrap_or(host)
}

/// Returns the repository whose path is the longest that `name` goes on from. While the catalog is away, it is the longest
/// of those in memory.
async fn longest_repository(server: &Server, name: &OciName) -> Result<RepositoryPath, CatalogError> {
    let Ok(parent) = name.split_last().0.parse::<OciName>() else { return Ok(RepositoryPath::root()) };
    match server.app.catalog.find_repository_of_new_name(&parent).await {
        Ok(path) => Ok(path),
        Err(error) if server.app.repositories.is_loaded() => {
            tracing::debug!(%error, "the mirror's repository is looked for in memory");
            let loaded = server.app.repositories.loaded();
            let parents: Vec<&str> = parent.prefixes().collect();
            let longest = loaded.iter().map(|repository| repository.path());
            let longest = longest.filter(|path| parents.contains(&path.as_str()));
            let longest = longest.max_by_key(|path| path.as_str().len());
            Ok(longest.cloned().unwrap_or_else(RepositoryPath::root))
        }
        Err(error) => Err(error),
    }
}

/// Returns the name that holds `host`'s content; `None` when `host` cannot be part of a name, as one with a port.
fn mirrored_name(repository: &str, name: &OciName, host: &str) -> Option<OciName> {
    if repository.is_empty() {
        return format!("{host}/{name}").parse().ok();
    }
    let rest = name.as_str().strip_prefix(repository)?.strip_prefix('/')?;
    format!("{repository}/{host}/{rest}").parse().ok()
}

/// Says the same of the name in the address that `failure` says of the name that would have answered.
fn about(asked: &Asked, name: &OciName, failure: OciFailure) -> OciFailure {
    match failure.code() {
        ErrorCode::NameUnknown => unknown(name),
        ErrorCode::Unauthorized if asked.caller == Caller::Anonymous => hidden(asked, name),
        ErrorCode::Unauthorized => out_of_scope(&format!("`{name}`"), Action::Pull.word()),
        ErrorCode::BlobUnknown
        | ErrorCode::BlobUploadInvalid
        | ErrorCode::BlobUploadUnknown
        | ErrorCode::Denied
        | ErrorCode::DigestInvalid
        | ErrorCode::ManifestBlobUnknown
        | ErrorCode::ManifestInvalid
        | ErrorCode::ManifestUnknown
        | ErrorCode::NameInvalid
        | ErrorCode::SizeInvalid
        | ErrorCode::TooManyRequests
        | ErrorCode::Unavailable
        | ErrorCode::Unsupported => failure,
    }
}

#[cfg(test)]
mod tests;
