//! Fetching charts from where they are published: repositories, registries, git.
//!
//! What comes back was checked against every digest that is known of it, and is the chart that was asked for.

mod credentials;
mod failure;
mod fetcher;
mod git;
mod mirror;
mod oci;
mod repository;

use std::path::Path;

use ::oci::Digest;
use chart::archive::{ChartArchive, Limits};
use chart::{ChartName, ChartVersion};

pub(crate) use self::credentials::CredentialFiles;
pub(crate) use self::failure::UpstreamError;
pub(crate) use self::fetcher::{Fetcher, FetcherSettings, InvalidFetcher};
pub(crate) use self::mirror::{InvalidMirror, Mirror, Mirrors};
pub(crate) use self::oci::choose_tag;
pub(crate) use self::repository::choose;
use crate::lock::{GitOrigin, Origin, PathOrigin};
use crate::recipe::Upstream;
use crate::source::{LocalChart, SourceError, read_bounded};
use crate::vault::write_snapshot;

/// The largest archive that is fetched, in bytes; Helm has no limit of its own.
const LARGEST_ARCHIVE: usize = 100 * 1024 * 1024;

/// The largest provenance file, in bytes.
const LARGEST_PROVENANCE: usize = 1024 * 1024;

/// A chart as it was fetched.
#[derive(Debug, Clone)]
pub(crate) struct Fetched {
    /// What the vault keeps: the archive, or the snapshot of a folder.
    pub(crate) bytes: Vec<u8>,
    /// Where it came from.
    pub(crate) origin: Origin,
    /// The provenance file beside it, when it was asked for and there is one.
    pub(crate) provenance: Option<Vec<u8>>,
}

/// Fetches the chart that `upstream` names, relative to `folder` when it is on this machine.
///
/// # Errors
/// [`UpstreamError`] saying what was asked for and what came back.
pub(crate) async fn fetch(
    upstream: &Upstream,
    folder: &Path,
    fetcher: &Fetcher,
    with_provenance: bool,
) -> Result<Fetched, UpstreamError> {
    match upstream {
        Upstream::Repository { repository, chart, version, digest } => {
            let entry = repository::find(fetcher, repository, chart, version).await?;
            let fetched =
                repository::fetch(fetcher, repository, &entry, digest.as_ref(), with_provenance).await?;
            check_identity(&fetched, chart, version)?;
            Ok(fetched)
        }
        Upstream::Oci { name, version, digest } => {
            let fetched = oci::fetch(fetcher, name, version, digest.as_ref(), with_provenance).await?;
            let chart = name.path.rsplit('/').next().unwrap_or_default().parse()?;
            check_identity(&fetched, &chart, version)?;
            Ok(fetched)
        }
        Upstream::Git { url, commit, path } => {
            let git::Tree { files, name } =
                git::fetch(&fetcher.mirrors.place_of_git(url), commit, path).await?;
            let bytes = write_snapshot(&files)?;
            let (git, commit, path) = (url.clone(), commit.to_string(), path.clone());
            Ok(Fetched {
                bytes,
                origin: Origin::Git(GitOrigin { git, commit, path, tree: name }),
                provenance: None,
            })
        }
        Upstream::Path { path, .. } => {
            let chart = LocalChart::read(upstream, folder)?;
            let bytes = chart.map(bytes_of).transpose()?.unwrap_or_default();
            let provenance = if with_provenance { read_provenance_beside(&folder.join(path))? } else { None };
            let path = path.to_string_lossy().into_owned();
            Ok(Fetched { bytes, origin: Origin::Path(PathOrigin { path }), provenance })
        }
    }
}

/// Returns the versions that are published where `upstream` is; none for git and this machine, where nothing lists them.
///
/// # Errors
/// [`UpstreamError`].
pub(crate) async fn published_versions(
    upstream: &Upstream,
    fetcher: &Fetcher,
) -> Result<Vec<ChartVersion>, UpstreamError> {
    match upstream {
        Upstream::Repository { repository, chart, .. } => {
            repository::versions(fetcher, repository, chart).await
        }
        Upstream::Oci { name, .. } => oci::versions(fetcher, name).await,
        Upstream::Git { .. } | Upstream::Path { .. } => Ok(Vec::new()),
    }
}

/// Returns what the vault keeps of a chart on this machine.
///
/// # Errors
/// The system's; memory does not fail.
pub(crate) fn bytes_of(chart: LocalChart) -> Result<Vec<u8>, std::io::Error> {
    match chart {
        LocalChart::Folder(files) => write_snapshot(&files),
        LocalChart::Archive { bytes, .. } => Ok(bytes),
    }
}

/// Returns the provenance file beside an archive; nothing when there is none.
fn read_provenance_beside(archive: &Path) -> Result<Option<Vec<u8>>, SourceError> {
    let mut path = archive.as_os_str().to_owned();
    path.push(".prov");
    match read_bounded(Path::new(&path), LARGEST_PROVENANCE as u64) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(SourceError::Unreadable { reason, .. }) if reason.kind() == std::io::ErrorKind::NotFound => {
            Ok(None)
        }
        Err(other) => Err(other),
    }
}

/// Checks that an archive holds the chart it was served as.
fn check_identity(fetched: &Fetched, name: &ChartName, version: &ChartVersion) -> Result<(), UpstreamError> {
    let origin = fetched.origin.to_string();
    let metadata = ChartArchive::inspect(fetched.bytes.as_slice(), &Limits::default())
        .map_err(|problem| UpstreamError::Archive { origin: origin.clone(), problem: problem.into() })?;
    if metadata.name != *name || metadata.version != *version {
        let found = format!("{} {}", metadata.name, metadata.version);
        return Err(UpstreamError::OtherChart { origin, found });
    }
    Ok(())
}

/// Checks bytes against the digest that someone named.
fn check_digest(
    what: &str,
    named_by: &'static str,
    expected: Option<&Digest>,
    actual: &Digest,
) -> Result<(), UpstreamError> {
    match expected {
        Some(expected) if expected != actual => Err(UpstreamError::OtherDigest {
            what: what.to_owned(),
            named_by,
            expected: expected.clone(),
            actual: actual.clone(),
        }),
        Some(_) | None => Ok(()),
    }
}
