//! What a URL path means. One pure function, so that every address of the server is in one table of tests.
//!
//! A repository path may have any number of segments, which routers by pattern cannot express, so the path is read
//! from its ends: the surface at the front, the thing asked for at the back.

use percent_encoding::percent_decode_str;

use super::catalog::changes::Feed;
use crate::repository_path::{InvalidRepositoryPath, RepositoryPath};

/// How repository paths are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tenancy {
    /// Chartroom's own: any depth, reserved words.
    Paths,
    /// ChartMuseum's `--depth`: exactly so many segments.
    Depth(usize),
    /// ChartMuseum's `--depth-dynamic`: any depth.
    Dynamic,
}

/// A path that means something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// `/`
    Welcome,
    /// `/health`
    Health,
    /// `/info`
    Info,
    /// `/live`
    Live,
    /// `/ready`
    Ready,
    /// `/metrics`
    Metrics,
    /// `/{repository}/index.yaml`
    Index { repository: RepositoryPath },
    /// `/{repository}/charts/{file}`
    Archive { repository: RepositoryPath, file: String },
    /// `/{repository}/artifacthub-repo.yml`
    ArtifactHub { repository: RepositoryPath },
    /// `/api/{repository}/charts`
    Charts { repository: RepositoryPath },
    /// `/api/{repository}/charts/{name}`
    Chart { repository: RepositoryPath, name: String },
    /// `/api/{repository}/charts/{name}/{version}`
    Version { repository: RepositoryPath, name: String, version: String },
    /// `/api/{repository}/charts/{name}/{version}/templates`
    Templates { repository: RepositoryPath, name: String, version: String },
    /// `/api/{repository}/charts/{name}/{version}/values`
    Values { repository: RepositoryPath, name: String, version: String },
    /// `/api/{repository}/prov`
    Provenance { repository: RepositoryPath },
    /// `/catalog/v1/repositories`
    Repositories,
    /// `/catalog/v1/repositories/{repository}`, with a single `/` behind it for the default one
    Repository { repository: RepositoryPath },
    /// `/catalog/v1/repositories/{repository}/changes`
    Changes { repository: RepositoryPath, feed: Feed },
    /// `/catalog/v1/repositories/{repository}/removed`
    Removed { repository: RepositoryPath },
    /// `/catalog/v1/repositories/{repository}/removed/{name}/{version}/restore`
    Restore { repository: RepositoryPath, name: String, version: String },
    /// `/catalog/v1/status`
    Status,
}

/// A path that means nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoRoute {
    /// No surface has such an address.
    #[error("not found")]
    Unknown,
    /// The address is one, but its repository path is not.
    #[error(transparent)]
    Repository(#[from] InvalidRepositoryPath),
    /// A segment is not UTF-8, or hides a slash.
    #[error("the address holds a segment that cannot be part of one: check the percent-encoding")]
    Encoding,
}

impl Route {
    /// Reads a URL path as it came on the wire, without its query.
    ///
    /// # Errors
    /// [`NoRoute`]: unknown, or with a repository path that is not one.
    pub(crate) fn parse(path: &str, tenancy: Tenancy) -> Result<Self, NoRoute> {
        let segments = decode(path)?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match segments.as_slice() {
            [""] => Ok(Self::Welcome),
            ["health"] => Ok(Self::Health),
            ["info"] => Ok(Self::Info),
            ["live"] => Ok(Self::Live),
            ["ready"] => Ok(Self::Ready),
            ["metrics"] => Ok(Self::Metrics),
            ["catalog", "v1", rest @ ..] => catalog(rest),
            [rest @ .., "index.yaml"] => Ok(Self::Index { repository: tenancy.read(rest)? }),
            [rest @ .., "artifacthub-repo.yml"] => Ok(Self::ArtifactHub { repository: tenancy.read(rest)? }),
            ["api", rest @ ..] if !is_file(&segments) || tenancy == Tenancy::Paths => api(rest, tenancy),
            [rest @ .., "charts", file] => {
                Ok(Self::Archive { repository: tenancy.read(rest)?, file: (*file).to_owned() })
            }
            _ => Err(NoRoute::Unknown),
        }
    }

    /// Returns the route's template, for metrics and logs: names and versions would make endless series.
    pub(crate) const fn template(&self) -> &'static str {
        match self {
            Self::Welcome => "/",
            Self::Health => "/health",
            Self::Info => "/info",
            Self::Live => "/live",
            Self::Ready => "/ready",
            Self::Metrics => "/metrics",
            Self::Index { .. } => "/{repository}/index.yaml",
            Self::Archive { .. } => "/{repository}/charts/{file}",
            Self::ArtifactHub { .. } => "/{repository}/artifacthub-repo.yml",
            Self::Charts { .. } => "/api/{repository}/charts",
            Self::Chart { .. } => "/api/{repository}/charts/{name}",
            Self::Version { .. } => "/api/{repository}/charts/{name}/{version}",
            Self::Templates { .. } => "/api/{repository}/charts/{name}/{version}/templates",
            Self::Values { .. } => "/api/{repository}/charts/{name}/{version}/values",
            Self::Provenance { .. } => "/api/{repository}/prov",
            Self::Repositories => "/catalog/v1/repositories",
            Self::Repository { .. } => "/catalog/v1/repositories/{repository}",
            Self::Changes { feed: Feed::Index, .. } => "/catalog/v1/repositories/{repository}/changes",
            Self::Changes { feed: Feed::Registry, .. } => {
                "/catalog/v1/repositories/{repository}/changes/registry"
            }
            Self::Removed { .. } => "/catalog/v1/repositories/{repository}/removed",
            Self::Restore { .. } => "/catalog/v1/repositories/{repository}/removed/{name}/{version}/restore",
            Self::Status => "/catalog/v1/status",
        }
    }
}

impl Tenancy {
    fn read(self, segments: &[&str]) -> Result<RepositoryPath, NoRoute> {
        match self {
            Self::Paths => Ok(RepositoryPath::from_segments(segments)?),
            Self::Depth(depth) if segments.len() != depth => Err(NoRoute::Unknown),
            Self::Depth(_) | Self::Dynamic => Ok(RepositoryPath::from_tenant_segments(segments)?),
        }
    }
}

fn catalog(rest: &[&str]) -> Result<Route, NoRoute> {
    // `changes` and `removed` are no segments of a path, so they always end it.
    let read = |path: &[&str]| RepositoryPath::from_segments(path);
    match rest {
        ["status"] => Ok(Route::Status),
        ["repositories"] => Ok(Route::Repositories),
        ["repositories", ""] => Ok(Route::Repository { repository: RepositoryPath::root() }),
        ["repositories", path @ .., "changes"] => {
            Ok(Route::Changes { repository: read(path)?, feed: Feed::Index })
        }
        ["repositories", path @ .., "changes", "registry"] => {
            Ok(Route::Changes { repository: read(path)?, feed: Feed::Registry })
        }
        ["repositories", path @ .., "removed"] => Ok(Route::Removed { repository: read(path)? }),
        ["repositories", path @ .., "removed", name, version, "restore"] => Ok(Route::Restore {
            repository: read(path)?,
            name: (*name).to_owned(),
            version: (*version).to_owned(),
        }),
        ["repositories", path @ ..] => Ok(Route::Repository { repository: read(path)? }),
        _ => Err(NoRoute::Unknown),
    }
}

fn api(rest: &[&str], tenancy: Tenancy) -> Result<Route, NoRoute> {
    if let [path @ .., "prov"] = rest
        && !path.contains(&"charts")
    {
        return Ok(Route::Provenance { repository: tenancy.read(path)? });
    }
    let at = match tenancy {
        // A chart may be named `charts`, a segment of a path may not: the first one ends the path.
        Tenancy::Paths | Tenancy::Dynamic => rest.iter().position(|segment| *segment == "charts"),
        Tenancy::Depth(depth) => (rest.get(depth) == Some(&"charts")).then_some(depth),
    };
    let Some((path, [_, tail @ ..])) = at.map(|at| rest.split_at(at)) else { return Err(NoRoute::Unknown) };
    let repository = tenancy.read(path)?;
    match tail {
        [] => Ok(Route::Charts { repository }),
        [name] => Ok(Route::Chart { repository, name: (*name).to_owned() }),
        [name, version] => {
            Ok(Route::Version { repository, name: (*name).to_owned(), version: (*version).to_owned() })
        }
        [name, version, "templates"] => {
            Ok(Route::Templates { repository, name: (*name).to_owned(), version: (*version).to_owned() })
        }
        [name, version, "values"] => {
            Ok(Route::Values { repository, name: (*name).to_owned(), version: (*version).to_owned() })
        }
        _ => Err(NoRoute::Unknown),
    }
}

/// ChartMuseum lets a tenant be named `api`: what ends like a file is one, whatever it begins with.
fn is_file(segments: &[&str]) -> bool {
    segments.last().is_some_and(|last| [".yaml", ".tgz", ".prov"].iter().any(|end| last.ends_with(end)))
}

fn decode(path: &str) -> Result<Vec<String>, NoRoute> {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.split('/')
        .map(|segment| {
            let decoded = percent_decode_str(segment).decode_utf8().map_err(|_| NoRoute::Encoding)?;
            // `%2F` and its like would smuggle a separator past everything that looks at segments.
            if decoded.contains(['/', '\\', '\0']) {
                return Err(NoRoute::Encoding);
            }
            Ok(decoded.into_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(path: &str) -> RepositoryPath {
        path.parse().unwrap()
    }

    #[test]
    fn every_address_has_its_meaning() {
        let root = RepositoryPath::root();
        let version = |repository, name: &str, version: &str| Route::Version {
            repository,
            name: name.into(),
            version: version.into(),
        };
        for (path, route) in [
            ("/", Route::Welcome),
            ("/health", Route::Health),
            ("/index.yaml", Route::Index { repository: root.clone() }),
            ("/a/b/index.yaml", Route::Index { repository: repository("a/b") }),
            ("/charts/a-1.0.0.tgz", Route::Archive { repository: root.clone(), file: "a-1.0.0.tgz".into() }),
            (
                "/t/charts/a-1%2B2.tgz",
                Route::Archive { repository: repository("t"), file: "a-1+2.tgz".into() },
            ),
            ("/t/charts/a-1+2.tgz", Route::Archive { repository: repository("t"), file: "a-1+2.tgz".into() }),
            ("/t/artifacthub-repo.yml", Route::ArtifactHub { repository: repository("t") }),
            ("/api/charts", Route::Charts { repository: root.clone() }),
            ("/api/a/b/charts", Route::Charts { repository: repository("a/b") }),
            ("/api/charts/charts/1.0", version(root.clone(), "charts", "1.0")),
            ("/api/t/charts/a/1.0.0+b", version(repository("t"), "a", "1.0.0+b")),
            ("/api/prov", Route::Provenance { repository: root.clone() }),
            ("/api/charts/prov", Route::Chart { repository: root.clone(), name: "prov".into() }),
            ("/api/t/prov", Route::Provenance { repository: repository("t") }),
            ("/catalog/v1/repositories", Route::Repositories),
            ("/catalog/v1/repositories/", Route::Repository { repository: root.clone() }),
            ("/catalog/v1/repositories/a/b", Route::Repository { repository: repository("a/b") }),
            (
                "/catalog/v1/repositories/changes",
                Route::Changes { repository: root.clone(), feed: Feed::Index },
            ),
            (
                "/catalog/v1/repositories/a/b/changes/registry",
                Route::Changes { repository: repository("a/b"), feed: Feed::Registry },
            ),
            ("/catalog/v1/repositories/a/b/removed", Route::Removed { repository: repository("a/b") }),
            (
                "/catalog/v1/repositories/t/removed/changes/1.0.0%2Bb/restore",
                Route::Restore {
                    repository: repository("t"),
                    name: "changes".into(),
                    version: "1.0.0+b".into(),
                },
            ),
            ("/catalog/v1/status", Route::Status),
        ] {
            assert_eq!(Route::parse(path, Tenancy::Paths), Ok(route), "{path}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for path in
            ["/x", "//", "/charts", "/api", "/api/x", "/charts/a/b", "/api/charts/a/1/x", "/catalog/v2/x"]
        {
            assert_eq!(Route::parse(path, Tenancy::Paths), Err(NoRoute::Unknown), "{path}");
        }
    }

    #[test]
    fn paths_that_climb_or_hide_separators_are_refused() {
        for path in
            ["/../index.yaml", "/%2e%2e/index.yaml", "//index.yaml", "/a//index.yaml", "/A/index.yaml"]
        {
            assert!(matches!(Route::parse(path, Tenancy::Paths), Err(NoRoute::Repository(_))), "{path}");
        }
        for path in [
            "/a%2Fb/index.yaml",
            "/a%5Cb/index.yaml",
            "/%ff/index.yaml",
            "/charts/..%2F..%2Fx.tgz",
            "/a%00/x",
        ] {
            assert_eq!(Route::parse(path, Tenancy::Paths), Err(NoRoute::Encoding), "{path}");
        }
        for tenancy in [Tenancy::Depth(1), Tenancy::Dynamic] {
            for path in ["/../index.yaml", "/%2e%2e/charts/a-1.0.0.tgz", "//index.yaml", "/api/../charts"] {
                assert!(matches!(Route::parse(path, tenancy), Err(NoRoute::Repository(_))), "{path}");
            }
        }
    }

    #[test]
    fn depth_counts_segments_as_chartmuseum_does() {
        let tenant =
            |path: &str| RepositoryPath::from_tenant_segments(&path.split('/').collect::<Vec<_>>()).unwrap();
        for (path, depth, route) in [
            ("/org1/index.yaml", 1, Some(Route::Index { repository: tenant("org1") })),
            ("/index.yaml", 1, None),
            ("/api/index.yaml", 1, Some(Route::Index { repository: tenant("api") })),
            (
                "/api/charts/a-1.tgz",
                1,
                Some(Route::Archive { repository: tenant("api"), file: "a-1.tgz".into() }),
            ),
            ("/api/charts/charts", 1, Some(Route::Charts { repository: tenant("charts") })),
            ("/api/a/b/charts/x", 2, Some(Route::Chart { repository: tenant("a/b"), name: "x".into() })),
        ] {
            assert_eq!(Route::parse(path, Tenancy::Depth(depth)).ok(), route, "{path}");
        }
    }
}
