//! The target of a delivery: the site's registry and repository, and how image names are formed there.

use serde::Serialize;

use crate::located::{Located, LocatedProblem, Problem};

/// Where everything will live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// The registry: `host[:port]`, and a path below it if all names are to begin with one.
    pub(crate) registry: String,
    /// The chart repository's name or URL, as the site's people type it.
    pub(crate) repository: String,
    /// How the names of images are formed.
    pub(crate) path_policy: PathPolicy,
}

/// How an upstream image's name becomes the site's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PathPolicy {
    /// `registry/quay.io/minio/minio`: nothing can collide.
    #[default]
    KeepHost,
    /// `registry/minio/minio`: as `docker pull` users expect; collisions are refused.
    StripHost,
}

/// Reads the value of `target`: registry and repository.
///
/// # Errors
/// [`LocatedProblem`] with the line and column.
pub(super) fn read(value: Located<'_>) -> Result<(String, String), LocatedProblem> {
    let (mut registry, mut repository) = (None, None);
    for field in value.known_entries("target", &["registry", "repository"])? {
        let text = field.value.text(field.key)?;
        if text.is_empty() || text.contains(char::is_whitespace) {
            return Err(field.value.breaks(field.key, "write a name without blanks"));
        }
        match field.key {
            "registry" if text.contains("://") || text.ends_with('/') => {
                return Err(field
                    .value
                    .breaks("registry", "write `HOST:PORT` without a scheme, as in an image's name"));
            }
            "registry" => registry = Some(text.to_owned()),
            _ => repository = Some(text.to_owned()),
        }
    }
    let missing = |key, remedy| value.refuse(Problem::Missing { key, remedy });
    let registry = registry.ok_or_else(|| missing("registry", "write the site's registry as `HOST:PORT`"))?;
    let repository =
        repository.ok_or_else(|| missing("repository", "write the name of the site's chart repository"))?;
    Ok((registry, repository))
}
