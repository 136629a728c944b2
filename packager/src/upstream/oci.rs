//! Charts of OCI registries: manifest, archive layer, provenance layer.
//!
//! Names and refusals are the upstream's; where its bytes come from, a mirror may say.

use chart::{ChartVersion, VersionConstraint};
use oci::client::{Failure, Registry, RegistryAddress};
use oci::{Content, Descriptor, Digest, Reference, RegistryHost, Tag};

use super::{Fetched, Fetcher, LARGEST_ARCHIVE, LARGEST_PROVENANCE, UpstreamError, check_digest};
use crate::lock::{OciOrigin, Origin};
use crate::recipe::OciName;

const CHART_LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
/// The media type of Helm before 3.7.
const OLD_CHART_LAYER: &str = "application/tar+gzip";
const PROVENANCE_LAYER: &str = "application/vnd.cncf.helm.chart.provenance.v1.prov";

/// Who named the digest of something that came with others.
const RECIPE: &str = "the recipe";
const MANIFEST: &str = "its manifest";

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
    let place = Place::of(fetcher, name)?;
    let reference = match expected {
        Some(digest) => Reference::Digest(digest.clone()),
        None => Reference::Tag(place.tag(version)?),
    };
    let what = match &reference {
        Reference::Tag(tag) => place.asked(&format!(":{tag}")),
        Reference::Digest(digest) => place.asked(&format!("@{digest}")),
    };
    let refuse = |failure| refusal(failure, &what, expected.map(|digest| (RECIPE, digest)));
    let resolved = place.registry.resolve(&place.name, &reference).await.map_err(refuse)?;
    let digest = resolved.descriptor.digest.clone();
    check_digest(&place.shown, RECIPE, expected, &digest)?;
    let manifest = resolved.manifest().map_err(refuse)?;
    let layers = match manifest.content {
        Content::Image { layers, .. } => layers,
        Content::Index { .. } => return Err(place.no_chart("it is an index of images")),
    };
    let layer = |types: &[&str]| layers.iter().find(|layer| types.contains(&layer.media_type.as_str()));
    let chart = layer(&[CHART_LAYER, OLD_CHART_LAYER])
        .ok_or_else(|| place.no_chart("its manifest has no layer with a chart"))?;
    let archive = place.pull(chart, LARGEST_ARCHIVE).await?;
    let provenance = match layer(&[PROVENANCE_LAYER]).filter(|_| with_provenance) {
        Some(layer) => Some(place.pull(layer, LARGEST_PROVENANCE).await?),
        None => None,
    };
    let origin = OciOrigin { oci: name.to_string(), version: version.to_string(), manifest: digest };
    Ok(Fetched { bytes: archive, origin: Origin::Oci(origin), provenance })
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
    let place = Place::of(fetcher, name)?;
    let tags = place.registry.tags(&place.name).await;
    let tags = tags.map_err(|failure| refusal(failure, &place.asked(""), None))?;
    let mut versions: Vec<ChartVersion> =
        tags.iter().filter_map(|tag| tag.as_str().replace('_', "+").parse().ok()).collect();
    versions.sort_by(|one, other| other.cmp(one));
    Ok(versions)
}

/// Where the bytes of a chart are: at its registry, or at the mirror of that.
#[derive(Debug)]
struct Place {
    registry: Registry,
    name: oci::OciName,
    /// The upstream's own name.
    shown: String,
}

impl Place {
    fn of(fetcher: &Fetcher, name: &OciName) -> Result<Self, UpstreamError> {
        let shown = format!("oci://{name}");
        let no_name = |reason: String| UpstreamError::Manifest { name: shown.clone(), reason };
        let host: RegistryHost = name.host.parse().map_err(|error| no_name(format!("{error}")))?;
        let own = RegistryAddress::of(&host);
        let url = own.url(&name.path).map_err(|error| no_name(error.to_string()))?;
        let place = fetcher.mirrors.place_of(&url);
        let no_registry = || UpstreamError::NoRegistry { name: shown.clone(), place: place.to_string() };
        let address = if place == url {
            own
        } else {
            format!("{}://{}", place.scheme(), place.authority()).parse().map_err(|_| no_registry())?
        };
        let path = place.path().strip_prefix("/v2/").ok_or_else(no_registry)?;
        let name = path.parse().map_err(|error| no_name(format!("{error}")))?;
        Ok(Self { registry: fetcher.registry(&address)?, name, shown })
    }

    /// Returns the tag of a version; tags cannot hold `+`, so Helm writes `_` in its place.
    fn tag(&self, version: &ChartVersion) -> Result<Tag, UpstreamError> {
        let tag = version.as_str().replace('+', "_").parse();
        tag.map_err(|error: oci::InvalidTag| self.no_chart(&error.to_string()))
    }

    /// Returns the bytes of a layer; one that says it is larger than `limit` is not asked for.
    async fn pull(&self, layer: &Descriptor, limit: usize) -> Result<Vec<u8>, UpstreamError> {
        let what = self.asked(&format!("@{}", layer.digest));
        if layer.size > limit as u64 {
            return Err(UpstreamError::TooLarge { url: what, limit });
        }
        let mut pull = self.registry.pull_blob(&self.name, layer);
        let mut bytes = Vec::new();
        let refuse = |failure| refusal(failure, &what, Some((MANIFEST, &layer.digest)));
        while let Some(piece) = pull.next().await.map_err(refuse)? {
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }

    /// Names something of what is asked for where it is asked for, which a mirror may be.
    fn asked(&self, what: &str) -> String {
        format!("oci://{}/{}{what}", self.registry.address().host(), self.name)
    }

    fn no_chart(&self, reason: &str) -> UpstreamError {
        UpstreamError::Manifest { name: self.shown.clone(), reason: reason.to_owned() }
    }
}

/// Says a failure as one of an upstream: what to do about it is for whoever keeps the recipe.
fn refusal(failure: Failure, what: &str, expected: Option<(&'static str, &Digest)>) -> UpstreamError {
    let what = what.to_owned();
    match (failure, expected) {
        (Failure::WrongDigest { found: actual, .. }, Some((named_by, expected))) => {
            UpstreamError::OtherDigest { what, named_by, expected: expected.clone(), actual }
        }
        (Failure::Missing { .. }, _) => UpstreamError::Gone { url: what },
        (Failure::Unauthorized { refusal, .. } | Failure::Denied { refusal, .. }, _) => {
            UpstreamError::NoAccess { url: what, status: refusal.status }
        }
        (Failure::Manifest { reason, .. }, _) => {
            UpstreamError::Manifest { name: what, reason: reason.to_string() }
        }
        (
            failure @ (Failure::WrongDigest { .. }
            | Failure::Unreachable { .. }
            | Failure::Untrusted { .. }
            | Failure::Busy { .. }
            | Failure::Refused { .. }
            | Failure::BadAnswer { .. }
            | Failure::WrongSize { .. }
            | Failure::NoPlatform { .. }
            | Failure::Credentials(_)
            | Failure::Layout(_)
            | Failure::Source { .. }),
            _,
        ) => UpstreamError::Registry { name: what, failure: Box::new(failure) },
    }
}

#[cfg(test)]
mod tests {
    use super::super::{CredentialFiles, FetcherSettings, Mirrors};
    use super::*;

    fn place(name: &str, mirror: &str) -> Result<String, UpstreamError> {
        let settings = FetcherSettings {
            retries: 0,
            authorities: None,
            credentials: CredentialFiles::default(),
            mirrors: Mirrors::new([mirror.parse().unwrap()]),
        };
        let fetcher = Fetcher::new(&settings).unwrap();
        let place = Place::of(&fetcher, &name.parse().unwrap())?;
        Ok(format!("{} {}", place.registry.address(), place.name))
    }

    #[test]
    fn a_name_is_asked_for_at_its_registry_or_at_the_mirror_of_that() {
        let hub = "oci://docker.io/bitnamicharts=oci://m.local/hub";
        let plain = "https://ghcr.io=http://m.local:5000";
        for (name, mirror, asked) in [
            ("ghcr.io/a/b", hub, "https://ghcr.io a/b"),
            ("127.0.0.1:5000/a", hub, "http://127.0.0.1:5000 a"),
            ("docker.io/bitnamicharts/redis", hub, "https://m.local hub/redis"),
            ("registry-1.docker.io/bitnamicharts/redis", hub, "https://m.local hub/redis"),
            ("docker.io/other/redis", hub, "https://docker.io other/redis"),
            ("ghcr.io/a/b", plain, "http://m.local:5000 a/b"),
        ] {
            assert_eq!(place(name, mirror).unwrap(), asked, "{name} {mirror}");
        }
    }

    #[test]
    fn a_mirror_below_a_folder_is_no_registry() {
        for to in ["https://m.local/repository/ghcr", "file:///srv/ghcr"] {
            let refusal = place("ghcr.io/a/b", &format!("https://ghcr.io={to}")).unwrap_err().to_string();
            let expected =
                format!("`oci://ghcr.io/a/b` has its mirror at `{to}/v2/a/b`, where no registry can be");
            assert!(refusal.starts_with(&expected), "{refusal}");
        }
    }
}
