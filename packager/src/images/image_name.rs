//! The name of an image as every client completes it: host, path, tag and digest.
//!
//! Two references that fetch the same thing are the same name: `redis:7` is `docker.io/library/redis:7`.

use std::fmt;
use std::str::FromStr;

use oci::Digest;
use serde::{Serialize, Serializer};

use crate::scaffold::{ImageReference, InvalidImage};

/// The host that short names mean (distribution/reference, `defaultDomain`).
pub(crate) const DOCKER_HUB: &str = "docker.io";

/// The name of an image with host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ImageName {
    /// The registry's host, with its port if there is one.
    pub(crate) host: String,
    /// The path of the repository on that host.
    pub(crate) path: String,
    /// The tag; without tag and digest clients take `latest`.
    pub(crate) tag: Option<String>,
    /// The digest.
    pub(crate) digest: Option<Digest>,
}

impl ImageName {
    /// Returns whether the same bytes are fetched every time.
    pub(crate) fn is_pinned(&self) -> bool {
        self.digest.is_some()
    }

    /// Returns whether only host and path are known.
    pub(crate) fn is_bare(&self) -> bool {
        self.tag.is_none() && self.digest.is_none()
    }

    /// Returns host and path.
    pub(crate) fn repository(&self) -> String {
        format!("{}/{}", self.host, self.path)
    }
}

impl FromStr for ImageName {
    type Err = InvalidImage;

    fn from_str(text: &str) -> Result<Self, InvalidImage> {
        let ImageReference { repository, tag, digest } = text.parse()?;
        let (host, path) = match repository.split_once('/') {
            Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => (host, path),
            Some(_) | None => (DOCKER_HUB, repository.as_str()),
        };
        let host = if host == "index.docker.io" { DOCKER_HUB } else { host };
        let path = if host == DOCKER_HUB && !path.contains('/') {
            format!("library/{path}")
        } else {
            path.to_owned()
        };
        Ok(Self { host: host.to_owned(), path, tag, digest })
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.host, self.path)?;
        if let Some(tag) = &self.tag {
            write!(formatter, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(formatter, "@{digest}")?;
        }
        Ok(())
    }
}

impl Serialize for ImageName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Returns whether a host is one that serves images, judged by its name alone.
pub(crate) fn is_registry_host(host: &str) -> bool {
    let name = host.split(':').next().unwrap_or(host);
    let known =
        [DOCKER_HUB, "quay.io", "gcr.io", "ghcr.io", "mcr.microsoft.com", "public.ecr.aws", "cgr.dev"];
    let ends = [".gcr.io", ".azurecr.io", ".amazonaws.com", "-docker.pkg.dev", ".quay.io"];
    known.contains(&name)
        || ends.iter().any(|end| name.ends_with(end))
        || name.split('.').any(|part| matches!(part, "registry" | "docker" | "cr" | "registry-1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_are_completed_as_clients_do() {
        let table = [
            ("redis:7", "docker.io/library/redis:7"),
            ("gitea/gitea", "docker.io/gitea/gitea"),
            ("index.docker.io/redis", "docker.io/library/redis"),
            ("quay.io/a/b:1", "quay.io/a/b:1"),
            ("localhost:5000/a", "localhost:5000/a"),
            ("quay.io/pause", "quay.io/pause"),
        ];
        for (text, name) in table {
            assert_eq!(text.parse::<ImageName>().unwrap().to_string(), name);
        }
    }

    #[test]
    fn registries_are_known_by_their_host() {
        for host in [
            "docker.io",
            "eu.gcr.io",
            "registry.k8s.io",
            "cr.l5d.io",
            "registry.local.cloud:5000",
            "docker.elastic.co",
        ] {
            assert!(is_registry_host(host), "{host}");
        }
        for host in ["github.com", "example.org", "prometheus.svc.cluster.local:9090", "grafana.com"] {
            assert!(!is_registry_host(host), "{host}");
        }
    }
}
