//! Where images are moved to, and what they are called there.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::RelocationError;
use crate::images::ImageName;
use crate::profile::{Substitution, source_of};

/// What becomes of the upstream host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum PathPolicy {
    /// It is the first part of the path: nothing can collide.
    KeepHost,
    /// It is left out: refused when two images would have one name.
    StripHost,
}

/// The registry to point at.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    prefix: String,
    policy: PathPolicy,
    substitutions: Vec<Substitution>,
    left_to_mirror: Vec<String>,
}

/// Why a text is no target.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no registry: write a host with its port, as in registry.local.cloud:5000")]
pub(crate) struct InvalidTarget(String);

impl Target {
    /// Takes a registry's host, with a path if the images lie below one.
    ///
    /// # Errors
    /// [`InvalidTarget`] when no image could have that name.
    pub(crate) fn new(
        prefix: &str,
        policy: PathPolicy,
        left_to_mirror: Vec<String>,
    ) -> Result<Self, InvalidTarget> {
        let prefix = prefix.trim_end_matches('/').to_owned();
        let image = ImageName::from_str(&format!("{prefix}/a/b"));
        if !image.is_ok_and(|image| prefix.starts_with(&image.host)) {
            return Err(InvalidTarget(prefix));
        }
        Ok(Self { prefix, policy, substitutions: Vec::new(), left_to_mirror })
    }

    /// Returns the target where images are named after the place they are really fetched from.
    pub(crate) fn knowing(&self, substitutions: &[Substitution]) -> Self {
        Self { substitutions: substitutions.to_vec(), ..self.clone() }
    }

    /// Returns the registry with its path.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Returns whether an image is there already.
    pub(crate) fn holds(&self, image: &ImageName) -> bool {
        image.repository().strip_prefix(&self.prefix).is_some_and(|rest| rest.starts_with('/'))
    }

    /// Returns whether an image is declared to be left to the mirror configuration.
    pub(crate) fn leaves(&self, image: &ImageName) -> bool {
        self.left_to_mirror.iter().any(|one| *one == image.repository() || *one == image.to_string())
    }

    /// Returns the image's name there; tag and digest stay.
    pub(crate) fn of(&self, image: &ImageName) -> ImageName {
        if self.holds(image) {
            return image.clone();
        }
        let ImageName { host, path, tag, digest } = source_of(image, &self.substitutions);
        let path = match self.policy {
            PathPolicy::KeepHost => format!("{}/{path}", host.replace(':', "-")),
            PathPolicy::StripHost => path,
        };
        let (host, above) = self
            .prefix
            .split_once('/')
            .map_or((self.prefix.as_str(), None), |(host, above)| (host, Some(above)));
        let path = above.map_or(path.clone(), |above| format!("{above}/{path}"));
        ImageName { host: host.to_owned(), path, tag, digest }
    }

    /// Refuses images of different repositories that would have one: by digest where both are pinned, else by name.
    ///
    /// # Errors
    /// [`RelocationError::Collision`] for the first pair.
    pub(crate) fn refuse_collisions<'image>(
        &self,
        images: impl Iterator<Item = &'image ImageName>,
    ) -> Result<(), RelocationError> {
        let mut by_target: BTreeMap<String, &ImageName> = BTreeMap::new();
        for image in images {
            let target = self.of(image).repository();
            let Some(first) = by_target.insert(target.clone(), image) else { continue };
            let of = |image: &ImageName| source_of(image, &self.substitutions).repository();
            let is_same_bytes = first.digest.is_some() && first.digest == image.digest;
            if of(first) != of(image) && !is_same_bytes {
                let (first, second) = (first.to_string(), image.to_string());
                return Err(RelocationError::Collision { first, second, target });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(prefix: &str, policy: PathPolicy) -> Target {
        let legacy = Substitution { from: "k8s.gcr.io".to_owned(), to: "registry.k8s.io".to_owned() };
        Target::new(prefix, policy, Vec::new()).unwrap().knowing(&[legacy])
    }

    #[test]
    fn names_follow_the_policy_and_keep_tag_and_digest() {
        let digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let pinned = format!("k8s.gcr.io/a/b:1@{digest}");
        let kept = format!("r.local:5000/registry.k8s.io/a/b:1@{digest}");
        let table = [
            ("r.local:5000", PathPolicy::KeepHost, "redis:7", "r.local:5000/docker.io/library/redis:7"),
            ("r.local:5000", PathPolicy::StripHost, "quay.io/a/b", "r.local:5000/a/b"),
            ("r.local:5000/mirror", PathPolicy::KeepHost, "a/b:1", "r.local:5000/mirror/docker.io/a/b:1"),
            ("r.local:5000", PathPolicy::KeepHost, pinned.as_str(), kept.as_str()),
            ("r.local:5000", PathPolicy::KeepHost, "r.local:5000/x:1", "r.local:5000/x:1"),
            ("r.local:5000", PathPolicy::KeepHost, "h:80/x:1", "r.local:5000/h-80/x:1"),
        ];
        for (prefix, policy, image, expected) in table {
            assert_eq!(target(prefix, policy).of(&image.parse().unwrap()).to_string(), expected);
        }
    }

    #[test]
    fn one_name_for_two_hosts_is_refused_unless_the_bytes_are_the_same() {
        let digest = "@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let collide = |first: &str, second: &str, policy| {
            let images: Vec<ImageName> = [first, second].map(|text| text.parse().unwrap()).to_vec();
            target("r.local:5000", policy).refuse_collisions(images.iter()).is_err()
        };
        assert!(collide("minio/mc:1", "quay.io/minio/mc:1", PathPolicy::StripHost));
        assert!(!collide("minio/mc:1", "quay.io/minio/mc:1", PathPolicy::KeepHost));
        assert!(!collide("minio/mc:1", "minio/mc:2", PathPolicy::StripHost));
        let pinned = |image: &str| format!("{image}{digest}");
        assert!(!collide(&pinned("minio/mc:1"), &pinned("quay.io/minio/mc:1"), PathPolicy::StripHost));
        assert!(!collide("k8s.gcr.io/a:1", "registry.k8s.io/a:1", PathPolicy::StripHost));
    }

    #[test]
    fn a_target_is_a_host() {
        for bad in ["", "registry", "https://r.local", "a b"] {
            assert!(Target::new(bad, PathPolicy::KeepHost, Vec::new()).is_err(), "{bad}");
        }
    }
}
