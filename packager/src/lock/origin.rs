//! Where a locked chart came from, as coordinates that anyone can look up.

use std::fmt;

use oci::Digest;
use serde::{Deserialize, Serialize};

use crate::recipe::Upstream;

/// Where a locked chart came from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Origin {
    /// A repository with an index.
    Repository(RepositoryOrigin),
    /// An OCI registry.
    Oci(OciOrigin),
    /// A folder of a git repository.
    Git(GitOrigin),
    /// A folder or archive beside the recipe.
    Path(PathOrigin),
}

/// An archive of a repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RepositoryOrigin {
    /// The repository's URL.
    pub(crate) repository: String,
    /// The chart's name there.
    pub(crate) chart: String,
    /// The version.
    pub(crate) version: String,
    /// Where the archive was.
    pub(crate) url: String,
}

/// A chart of a registry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OciOrigin {
    /// Host and path.
    pub(crate) oci: String,
    /// The version.
    pub(crate) version: String,
    /// The digest of the manifest.
    pub(crate) manifest: Digest,
}

/// A folder of a git repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GitOrigin {
    /// What was cloned.
    pub(crate) git: String,
    /// The commit.
    pub(crate) commit: String,
    /// The folder, empty for the top.
    pub(crate) path: String,
    /// The object name of the folder's tree.
    pub(crate) tree: String,
}

/// A folder or archive beside the recipe.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PathOrigin {
    /// The path relative to the recipe.
    pub(crate) path: String,
}

impl Origin {
    /// Returns whether this is what `upstream` names, so that what was locked may be kept.
    pub(crate) fn is_of(&self, upstream: &Upstream) -> bool {
        match (self, upstream) {
            (Self::Repository(origin), Upstream::Repository { repository, chart, version, .. }) => {
                (origin.repository.as_str(), origin.chart.as_str(), origin.version.as_str())
                    == (repository.as_str(), chart.as_str(), version.as_str())
            }
            (Self::Oci(origin), Upstream::Oci { name, version, .. }) => {
                origin.oci == name.to_string() && origin.version == version.as_str()
            }
            (Self::Git(origin), Upstream::Git { url, commit, path }) => {
                (&origin.git, origin.commit.as_str(), &origin.path) == (url, commit.as_str(), path)
            }
            (Self::Path(origin), Upstream::Path { path, .. }) => path.to_str() == Some(origin.path.as_str()),
            (Self::Repository(_) | Self::Oci(_) | Self::Git(_) | Self::Path(_), _) => false,
        }
    }

    /// Returns whether this is on this machine, and read anew each time.
    pub(crate) fn is_local(&self) -> bool {
        match self {
            Self::Path(_) => true,
            Self::Repository(_) | Self::Oci(_) | Self::Git(_) => false,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repository(origin) => {
                write!(formatter, "{} {} of {}", origin.chart, origin.version, origin.repository)
            }
            Self::Oci(origin) => write!(formatter, "oci://{} {}", origin.oci, origin.version),
            Self::Git(origin) => {
                write!(formatter, "{} at {}, folder `{}`", origin.git, origin.commit, origin.path)
            }
            Self::Path(origin) => formatter.write_str(&origin.path),
        }
    }
}
