//! Chart repositories: an index and the archives that it names.

use chart::index::{IndexEntry, IndexFile};
use chart::{ChartName, ChartVersion, VersionConstraint};
use oci::Digest;
use url::Url;

use super::{Fetched, Fetcher, LARGEST_ARCHIVE, LARGEST_PROVENANCE, UpstreamError, check_digest};
use crate::lock::{Origin, RepositoryOrigin};

/// The largest index that is read; Helm stops at nothing.
const LARGEST_INDEX: usize = 256 * 1024 * 1024;

/// How many versions a refusal lists.
const SHOWN_VERSIONS: usize = 5;

/// Returns the index entry of one version, which must be listed exactly as written.
///
/// # Errors
/// [`UpstreamError`].
pub(super) async fn find(
    fetcher: &Fetcher,
    repository: &Url,
    chart: &ChartName,
    version: &ChartVersion,
) -> Result<IndexEntry, UpstreamError> {
    let index = read_index(fetcher, repository).await?;
    let versions = versions_of(&index, repository, chart)?;
    let found = versions.iter().find(|entry| entry.metadata.version == *version);
    found.cloned().ok_or_else(|| no_version(repository, chart, version.as_str(), versions))
}

/// Returns every version of a chart that the index lists, newest first.
///
/// # Errors
/// [`UpstreamError`].
pub(super) async fn versions(
    fetcher: &Fetcher,
    repository: &Url,
    chart: &ChartName,
) -> Result<Vec<ChartVersion>, UpstreamError> {
    let index = read_index(fetcher, repository).await?;
    let listed = versions_of(&index, repository, chart)?;
    Ok(listed.iter().map(|entry| entry.metadata.version.clone()).collect())
}

/// Returns the version of a dependency, as Helm chooses: the one its lock names, else the newest that fits.
///
/// # Errors
/// [`UpstreamError`], also when no version fits.
pub(crate) async fn choose(
    fetcher: &Fetcher,
    repository: &Url,
    chart: &ChartName,
    constraint: &str,
    chosen: Option<&str>,
) -> Result<ChartVersion, UpstreamError> {
    let index = read_index(fetcher, repository).await?;
    let versions = versions_of(&index, repository, chart)?;
    let wanted = chosen.unwrap_or(constraint);
    let refuse = || no_version(repository, chart, wanted, versions);
    if let Some(version) = chosen.and_then(|chosen| chosen.parse::<ChartVersion>().ok()) {
        let is_listed = |entry: &&IndexEntry| {
            entry.metadata.version == version || entry.metadata.version.precedence(&version).is_eq()
        };
        let entry = versions.iter().find(is_listed).ok_or_else(refuse)?;
        return Ok(entry.metadata.version.clone());
    }
    let constraint = if constraint.is_empty() { "*" } else { constraint };
    let constraint: VersionConstraint = constraint.parse().map_err(|_| refuse())?;
    let fitting = versions.iter().find(|entry| constraint.matches(&entry.metadata.version));
    fitting.map(|entry| entry.metadata.version.clone()).ok_or_else(refuse)
}

/// Fetches the archive of an entry, checked against the recipe's digest and the index's.
///
/// # Errors
/// [`UpstreamError`].
pub(super) async fn fetch(
    fetcher: &Fetcher,
    repository: &Url,
    entry: &IndexEntry,
    expected: Option<&Digest>,
    with_provenance: bool,
) -> Result<Fetched, UpstreamError> {
    let (chart, version) = (entry.metadata.name.to_string(), entry.metadata.version.to_string());
    let url = entry.urls.first().and_then(|url| resolve(repository, url));
    let no_url = || UpstreamError::NoUrl { repository: repository.to_string(), chart: chart.clone() };
    let url = fetcher.mirrors.upstream_of(url.ok_or_else(no_url)?);
    let bytes = fetcher.get(&url, LARGEST_ARCHIVE).await?;
    let actual = Digest::sha256(&bytes);
    check_digest(url.as_str(), "the recipe", expected, &actual)?;
    check_digest(url.as_str(), "the index of its repository", entry.digest.as_ref(), &actual)?;
    let provenance = if with_provenance { Some(fetch_provenance(fetcher, &url).await?) } else { None };
    let origin =
        RepositoryOrigin { repository: repository.to_string(), chart, version, url: url.to_string() };
    Ok(Fetched { bytes, origin: Origin::Repository(origin), provenance })
}

async fn fetch_provenance(fetcher: &Fetcher, archive: &Url) -> Result<Vec<u8>, UpstreamError> {
    let mut url = archive.clone();
    url.set_path(&format!("{}.prov", archive.path()));
    fetcher.get(&url, LARGEST_PROVENANCE).await
}

async fn read_index(fetcher: &Fetcher, repository: &Url) -> Result<std::sync::Arc<IndexFile>, UpstreamError> {
    let mut url = repository.clone();
    url.set_path(&format!("{}/index.yaml", repository.path().trim_end_matches('/')));
    let read = async || {
        let bytes = fetcher.get(&url, LARGEST_INDEX).await?;
        // What Helm skips is skipped: the version that is wanted is missing then, and said to be.
        let (index, _) = IndexFile::read(&bytes)
            .map_err(|problem| UpstreamError::Index { url: url.to_string(), problem })?;
        Ok(index)
    };
    fetcher.index(&url, read).await
}

fn versions_of<'index>(
    index: &'index IndexFile,
    repository: &Url,
    chart: &ChartName,
) -> Result<&'index [IndexEntry], UpstreamError> {
    let (repository, name) = (repository.to_string(), chart.to_string());
    let found = index.entries.get(chart.as_str()).map(Vec::as_slice);
    found.ok_or(UpstreamError::NoChart { repository, chart: name })
}

fn no_version(repository: &Url, chart: &ChartName, wanted: &str, versions: &[IndexEntry]) -> UpstreamError {
    let newest: Vec<_> =
        versions.iter().take(SHOWN_VERSIONS).map(|entry| entry.metadata.version.to_string()).collect();
    let (repository, chart, wanted) = (repository.to_string(), chart.to_string(), wanted.to_owned());
    UpstreamError::NoVersion { repository, chart, wanted, newest: newest.join(", ") }
}

/// Resolves a URL of an index as Helm does: relative ones against the repository as a folder, keeping its query.
fn resolve(repository: &Url, url: &str) -> Option<Url> {
    let mut folder = repository.clone();
    folder.set_path(&format!("{}/", repository.path().trim_end_matches('/')));
    let mut resolved = folder.join(url).ok()?;
    if resolved.query().is_none() && resolved.host_str() == folder.host_str() {
        resolved.set_query(repository.query());
    }
    matches!(resolved.scheme(), "http" | "https").then_some(resolved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_an_index_are_resolved_as_helm_does() {
        let table = [
            ("https://h/charts", "a-1.0.0.tgz", Some("https://h/charts/a-1.0.0.tgz")),
            ("https://h/charts/", "sub/a.tgz", Some("https://h/charts/sub/a.tgz")),
            ("https://h/charts", "/a.tgz", Some("https://h/a.tgz")),
            ("https://h/charts", "https://other/a.tgz", Some("https://other/a.tgz")),
            ("https://h/charts?token=x", "a.tgz", Some("https://h/charts/a.tgz?token=x")),
            ("https://h/charts?token=x", "https://other/a.tgz", Some("https://other/a.tgz")),
            ("https://h/charts", "ftp://h/a.tgz", None),
            ("https://h/charts", "oci://h/a", None),
        ];
        for (repository, url, expected) in table {
            let resolved = resolve(&repository.parse().unwrap(), url);
            assert_eq!(resolved.as_ref().map(Url::as_str), expected, "{repository} {url}");
        }
    }
}
