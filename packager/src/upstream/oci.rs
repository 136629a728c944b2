//! Charts of OCI registries: manifest, archive layer, provenance layer. A small puller until the `oci` crate has a client;
//! all that others see of it is [`fetch`].

use std::sync::PoisonError;

use chart::{ChartVersion, VersionConstraint};
use oci::Digest;
use reqwest::header::{ACCEPT, HeaderName, WWW_AUTHENTICATE};
use serde::Deserialize;
use url::Url;

use super::fetcher::{Answer, with_basic};
use super::{Fetched, Fetcher, LARGEST_ARCHIVE, LARGEST_PROVENANCE, UpstreamError, check_digest};
use crate::lock::{OciOrigin, Origin};
use crate::recipe::OciName;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CHART_LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
/// The media type of Helm before 3.7.
const OLD_CHART_LAYER: &str = "application/tar+gzip";
const PROVENANCE_LAYER: &str = "application/vnd.cncf.helm.chart.provenance.v1.prov";

/// The largest manifest, in bytes, as registries limit it.
const LARGEST_MANIFEST: usize = 4 * 1024 * 1024;
const LARGEST_TOKEN: usize = 1024 * 1024;
const LARGEST_TAGS: usize = 16 * 1024 * 1024;

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    layers: Vec<Layer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Layer {
    media_type: String,
    digest: Digest,
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

/// Fetches the chart of one version; `expected` is the digest of its manifest.
///
/// # Errors
/// [`UpstreamError`].
pub(super) async fn fetch(
    fetcher: &Fetcher,
    name: &OciName,
    version: &ChartVersion,
    expected: Option<&Digest>,
    with_provenance: bool,
) -> Result<Fetched, UpstreamError> {
    // Tags cannot hold `+`; Helm writes `_` in its place.
    let tag = version.as_str().replace('+', "_");
    let reference = expected.map_or(tag, ToString::to_string);
    let bytes = ask(fetcher, name, &format!("manifests/{reference}"), LARGEST_MANIFEST).await?;
    let digest = Digest::sha256(&bytes);
    let shown = format!("oci://{name}");
    check_digest(&shown, "the recipe", expected, &digest)?;
    let refuse = |reason: String| UpstreamError::Manifest { name: shown.clone(), reason };
    let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|error| refuse(error.to_string()))?;
    let layer =
        |types: &[&str]| manifest.layers.iter().find(|layer| types.contains(&layer.media_type.as_str()));
    let chart = layer(&[CHART_LAYER, OLD_CHART_LAYER])
        .ok_or_else(|| refuse("its manifest has no layer with a chart".to_owned()))?;
    let archive = fetch_blob(fetcher, name, &chart.digest, LARGEST_ARCHIVE).await?;
    let provenance = match layer(&[PROVENANCE_LAYER]).filter(|_| with_provenance) {
        Some(layer) => Some(fetch_blob(fetcher, name, &layer.digest, LARGEST_PROVENANCE).await?),
        None => None,
    };
    let origin = OciOrigin { oci: name.to_string(), version: version.to_string(), manifest: digest };
    Ok(Fetched { bytes: archive, origin: Origin::Oci(origin), provenance })
}

#[derive(Deserialize)]
struct Tags {
    #[serde(default)]
    tags: Option<Vec<String>>,
}

/// Returns the version of a dependency: the one its lock names, else the newest of the tags that fits.
///
/// # Errors
/// [`UpstreamError`], also when no tag fits.
pub(crate) async fn choose_tag(
    fetcher: &Fetcher,
    name: &OciName,
    constraint: &str,
    chosen: Option<&str>,
) -> Result<ChartVersion, UpstreamError> {
    if let Some(version) = chosen.and_then(|chosen| chosen.parse().ok()) {
        return Ok(version);
    }
    let versions = versions(fetcher, name).await?;
    let wanted = if constraint.is_empty() { "*" } else { constraint };
    let fitting = wanted
        .parse::<VersionConstraint>()
        .ok()
        .and_then(|constraint| versions.iter().find(|version| constraint.matches(version)).cloned());
    let newest: Vec<_> = versions.iter().take(5).map(ToString::to_string).collect();
    fitting.ok_or_else(|| UpstreamError::NoVersion {
        repository: format!("oci://{name}"),
        chart: name.path.clone(),
        wanted: wanted.to_owned(),
        newest: newest.join(", "),
    })
}

/// Returns the versions that the tags are of, newest first; other tags are left out.
///
/// # Errors
/// [`UpstreamError`].
pub(super) async fn versions(fetcher: &Fetcher, name: &OciName) -> Result<Vec<ChartVersion>, UpstreamError> {
    let bytes = ask(fetcher, name, "tags/list?n=10000", LARGEST_TAGS).await?;
    let refuse = |error: serde_json::Error| UpstreamError::Manifest {
        name: format!("oci://{name}"),
        reason: error.to_string(),
    };
    let tags: Tags = serde_json::from_slice(&bytes).map_err(refuse)?;
    let mut versions: Vec<ChartVersion> =
        tags.tags.unwrap_or_default().iter().filter_map(|tag| tag.replace('_', "+").parse().ok()).collect();
    versions.sort_by(|one, other| other.cmp(one));
    Ok(versions)
}

async fn fetch_blob(
    fetcher: &Fetcher,
    name: &OciName,
    digest: &Digest,
    limit: usize,
) -> Result<Vec<u8>, UpstreamError> {
    let bytes = ask(fetcher, name, &format!("blobs/{digest}"), limit).await?;
    check_digest(&format!("oci://{name}"), "its manifest", Some(digest), &Digest::sha256(&bytes))?;
    Ok(bytes)
}

/// Asks with what is known, and once more with what the registry asks for (distribution's token protocol).
async fn ask(fetcher: &Fetcher, name: &OciName, what: &str, limit: usize) -> Result<Vec<u8>, UpstreamError> {
    let upstream = url_of(name, what)?;
    let url = fetcher.mirrors.place_of(&upstream);
    let host = if url == upstream { &name.host } else { url.authority() };
    let key = name.to_string();
    let known = fetcher.tokens.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
    let headers: [(HeaderName, &str); 1] = [(ACCEPT, MANIFEST)];
    let first = fetcher.ask(&url, limit, &headers, |request| with_token(request, known.as_deref())).await;
    let refusal = match first {
        Ok(Answer { bytes, .. }) => return Ok(bytes),
        Err(refusal @ UpstreamError::NoAccess { status: 401, .. }) => refusal,
        Err(other) => return Err(other),
    };
    let credential = fetcher.credentials.of_registry(host);
    match challenge(fetcher, &url).await? {
        Some(Challenge::Bearer { realm, service, scope }) => {
            let mut realm = Url::parse(&realm).map_err(|_| refusal)?;
            let scope = scope.unwrap_or_else(|| format!("repository:{}:pull", name.path));
            realm.query_pairs_mut().append_pair("service", &service).append_pair("scope", &scope);
            let answer =
                fetcher.ask(&realm, LARGEST_TOKEN, &[], |request| with_basic(request, credential)).await?;
            let refuse =
                |reason: &str| UpstreamError::Manifest { name: key.clone(), reason: reason.to_owned() };
            let token: Token = serde_json::from_slice(&answer.bytes)
                .map_err(|_| refuse("its registry's token service answers something else than a token"))?;
            let token = token.token.or(token.access_token);
            let token = token.ok_or_else(|| refuse("its registry's token service gives no token"))?;
            fetcher.tokens.lock().unwrap_or_else(PoisonError::into_inner).insert(key, token.clone());
            let answer =
                fetcher.ask(&url, limit, &headers, |request| with_token(request, Some(&token))).await?;
            Ok(answer.bytes)
        }
        Some(Challenge::Basic) if credential.is_some() => {
            let answer =
                fetcher.ask(&url, limit, &headers, |request| with_basic(request, credential)).await?;
            Ok(answer.bytes)
        }
        Some(Challenge::Basic) | None => Err(refusal),
    }
}

fn with_token(request: reqwest::RequestBuilder, token: Option<&str>) -> reqwest::RequestBuilder {
    match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Challenge {
    Basic,
    Bearer { realm: String, service: String, scope: Option<String> },
}

async fn challenge(fetcher: &Fetcher, url: &Url) -> Result<Option<Challenge>, UpstreamError> {
    let headers = fetcher.refusal_headers(url).await?;
    let value = headers.get(WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
    Ok(value.and_then(parse_challenge))
}

/// Reads `WWW-Authenticate` (RFC 9110 §11.6.1): the scheme and quoted parameters.
fn parse_challenge(value: &str) -> Option<Challenge> {
    let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
    if scheme.eq_ignore_ascii_case("basic") {
        return Some(Challenge::Basic);
    }
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let (mut realm, mut service, mut scope) = (None, String::new(), None);
    let mut rest = rest.trim_start();
    while let Some((name, after)) = rest.split_once('=') {
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_once(',').unwrap_or((after, "")),
        };
        match name.trim().to_ascii_lowercase().as_str() {
            "realm" => realm = Some(value.to_owned()),
            "service" => value.clone_into(&mut service),
            "scope" => scope = Some(value.to_owned()),
            _ => {}
        }
        rest = after.trim_start_matches([',', ' ']);
    }
    Some(Challenge::Bearer { realm: realm?, service, scope })
}

/// Returns the URL of a part of a repository.
fn url_of(name: &OciName, what: &str) -> Result<Url, UpstreamError> {
    Url::parse(&format!("{}{}/{what}", api_of(&name.host), name.path))
        .map_err(|error| UpstreamError::Manifest { name: name.to_string(), reason: error.to_string() })
}

/// Returns what the addresses of a registry begin with; loopback speaks plain HTTP, as docker has it.
pub(super) fn api_of(host: &str) -> String {
    let host = match host {
        "docker.io" | "index.docker.io" => "registry-1.docker.io",
        host => host,
    };
    let bare = host.split(':').next().unwrap_or_default();
    let scheme = if matches!(bare, "localhost" | "127.0.0.1") { "http" } else { "https" };
    format!("{scheme}://{host}/v2/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read_as_registries_write_them() {
        let bearer = |realm: &str, service: &str, scope: Option<&str>| {
            let (realm, service) = (realm.to_owned(), service.to_owned());
            Some(Challenge::Bearer { realm, service, scope: scope.map(str::to_owned) })
        };
        let table = [
            (
                "Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\",scope=\"repository:a/b:pull,push\"",
                bearer(
                    "https://auth.docker.io/token",
                    "registry.docker.io",
                    Some("repository:a/b:pull,push"),
                ),
            ),
            ("bearer realm=\"https://h/t\", service=x", bearer("https://h/t", "x", None)),
            ("Basic realm=\"x\"", Some(Challenge::Basic)),
            ("Bearer service=\"x\"", None),
            ("Negotiate", None),
        ];
        for (value, expected) in table {
            assert_eq!(parse_challenge(value), expected, "{value}");
        }
    }

    #[test]
    fn docker_hub_answers_under_another_name_and_loopback_without_tls() {
        let url = |text: &str| url_of(&text.parse().unwrap(), "manifests/1.0.0").unwrap().to_string();
        assert_eq!(
            url("docker.io/bitnamicharts/redis"),
            "https://registry-1.docker.io/v2/bitnamicharts/redis/manifests/1.0.0"
        );
        assert_eq!(url("127.0.0.1:5000/a"), "http://127.0.0.1:5000/v2/a/manifests/1.0.0");
        assert_eq!(url("ghcr.io/a/b"), "https://ghcr.io/v2/a/b/manifests/1.0.0");
    }
}
