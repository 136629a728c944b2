//! The site's registry, and what images are called there.

use std::collections::BTreeMap;
use std::str::FromStr;

use oci::Digest;

use crate::catalogue::PathPolicy;
use crate::gate::Check;
use crate::images::ImageName;
use crate::profile::{Substitution, source_of};
use crate::recipe::Waiver;

/// The registry to point at.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    prefix: String,
    policy: PathPolicy,
    substitutions: Vec<Substitution>,
    declared: Vec<Declared>,
}

/// Images that are declared to stay under their own names: the mirror configuration of the nodes finds them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Declared {
    /// Host and path of the image, or its whole reference; every image without one.
    pub(crate) subject: Option<String>,
    /// Why they may stay.
    pub(crate) reason: String,
}

/// Why a text is no registry.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no registry: write a host with its port, as in registry.local.cloud:5000")]
pub(crate) struct InvalidSite(String);

/// Two images that would have one name at the site.
#[derive(Debug, thiserror::Error)]
#[error("`{first}` and `{second}` would both be `{name}`: use the path policy keep-host")]
pub(crate) struct Collision {
    /// One image.
    pub(crate) first: String,
    /// The other.
    pub(crate) second: String,
    /// The name of both.
    pub(crate) name: String,
}

impl Declared {
    /// Takes an image from the command line.
    pub(crate) fn by_flag(image: &str) -> Self {
        Self { subject: Some(image.to_owned()), reason: "declared by --leave".to_owned() }
    }

    /// Takes the waivers of the check `foreign-image`.
    pub(crate) fn of_waivers(waivers: &[Waiver]) -> Vec<Self> {
        let of_images = waivers.iter().filter(|waiver| waiver.check == Check::ForeignImage);
        let declared =
            of_images.map(|waiver| Self { subject: waiver.subject.clone(), reason: waiver.reason.clone() });
        declared.collect()
    }
}

impl Site {
    /// Takes a registry's host, with a path if the images lie below one.
    ///
    /// # Errors
    /// [`InvalidSite`] when no image could have that name.
    pub(crate) fn new(
        prefix: &str,
        policy: PathPolicy,
        declared: Vec<Declared>,
    ) -> Result<Self, InvalidSite> {
        let prefix = prefix.trim_end_matches('/').to_owned();
        let image = ImageName::from_str(&format!("{prefix}/a/b"));
        if !image.is_ok_and(|image| prefix.starts_with(&image.host)) {
            return Err(InvalidSite(prefix));
        }
        Ok(Self { prefix, policy, substitutions: Vec::new(), declared })
    }

    /// Returns the site where images are named after the place they are really fetched from.
    pub(crate) fn knowing(&self, substitutions: &[Substitution]) -> Self {
        Self { substitutions: substitutions.to_vec(), ..self.clone() }
    }

    /// Returns the registry with its path.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Returns the path policy.
    pub(crate) fn policy(&self) -> PathPolicy {
        self.policy
    }

    /// Returns whether an image is there already.
    pub(crate) fn holds(&self, image: &ImageName) -> bool {
        image.repository().strip_prefix(&self.prefix).is_some_and(|rest| rest.starts_with('/'))
    }

    /// Returns why an image may stay under its own name; nothing when it may not.
    pub(crate) fn leaves(&self, image: &ImageName) -> Option<&str> {
        let names = [image.repository(), image.to_string()];
        let is_of = |one: &&Declared| one.subject.as_ref().is_none_or(|subject| names.contains(subject));
        self.declared.iter().find(is_of).map(|one| one.reason.as_str())
    }

    /// Returns the image's name there; tag and digest stay.
    pub(crate) fn name_of(&self, image: &ImageName) -> ImageName {
        if self.holds(image) {
            return image.clone();
        }
        let ImageName { host, path, tag, digest } = source_of(image, &self.substitutions);
        let path = match self.policy {
            // A colon may not stand in a path.
            PathPolicy::KeepHost => format!("{}/{path}", host.replace(':', "-")),
            PathPolicy::StripHost => path,
        };
        let (host, path) = match self.prefix.split_once('/') {
            Some((host, above)) => (host.to_owned(), format!("{above}/{path}")),
            None => (self.prefix.clone(), path),
        };
        ImageName { host, path, tag, digest }
    }

    /// Refuses images from different repositories that would have one name: unless their bytes are known to be the
    /// same, by the digests that are given or by those that pin them.
    ///
    /// # Errors
    /// [`Collision`] for the first pair.
    pub(crate) fn refuse_collisions<'image>(
        &self,
        images: impl IntoIterator<Item = (&'image ImageName, Option<&'image Digest>)>,
    ) -> Result<(), Collision> {
        let mut by_name: BTreeMap<String, (&ImageName, Option<&Digest>)> = BTreeMap::new();
        for (image, digest) in images {
            let name = ImageName { digest: None, ..self.name_of(image) };
            let digest = digest.or(image.digest.as_ref());
            // Without a tag only the digest is asked for, which no other image has.
            if name.is_bare() && digest.is_some() {
                continue;
            }
            let Some((first, first_digest)) = by_name.insert(name.to_string(), (image, digest)) else {
                continue;
            };
            let of = |image: &ImageName| source_of(image, &self.substitutions).repository();
            let is_same_bytes = first_digest.is_some() && first_digest == digest;
            if of(first) != of(image) && !is_same_bytes {
                let (first, second) = (first.to_string(), image.to_string());
                return Err(Collision { first, second, name: name.to_string() });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(prefix: &str, policy: PathPolicy) -> Site {
        let legacy = Substitution { from: "k8s.gcr.io".to_owned(), to: "registry.k8s.io".to_owned() };
        Site::new(prefix, policy, Vec::new()).unwrap().knowing(&[legacy])
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
            assert_eq!(site(prefix, policy).name_of(&image.parse().unwrap()).to_string(), expected);
        }
    }

    #[test]
    fn one_name_for_two_hosts_is_refused_unless_the_bytes_are_the_same() {
        let digest = "@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let collide = |first: &str, second: &str, policy| {
            let images: Vec<ImageName> = [first, second].map(|text| text.parse().unwrap()).to_vec();
            site("r.local:5000", policy).refuse_collisions(images.iter().map(|image| (image, None))).is_err()
        };
        assert!(collide("minio/mc:1", "quay.io/minio/mc:1", PathPolicy::StripHost));
        assert!(!collide("minio/mc:1", "quay.io/minio/mc:1", PathPolicy::KeepHost));
        assert!(!collide("minio/mc:1", "minio/mc:2", PathPolicy::StripHost));
        let pinned = |image: &str| format!("{image}{digest}");
        assert!(!collide(&pinned("minio/mc:1"), &pinned("quay.io/minio/mc:1"), PathPolicy::StripHost));
        assert!(!collide("k8s.gcr.io/a:1", "registry.k8s.io/a:1", PathPolicy::StripHost));
    }

    #[test]
    fn digests_that_are_known_decide_before_names() {
        let images: Vec<ImageName> =
            ["minio/mc:1", "quay.io/minio/mc:1"].map(|text| text.parse().unwrap()).to_vec();
        let (one, other) = (Digest::sha256(b"one"), Digest::sha256(b"other"));
        let site = site("r.local:5000", PathPolicy::StripHost);
        let with = |digests: [&Digest; 2]| {
            let known: Vec<_> =
                images.iter().zip(digests).map(|(image, digest)| (image, Some(digest))).collect();
            site.refuse_collisions(known)
        };
        assert!(with([&one, &one]).is_ok());
        let refusal = with([&one, &other]).unwrap_err().to_string();
        assert!(
            refusal.contains("would both be `r.local:5000/minio/mc:1`: use the path policy keep-host"),
            "{refusal}"
        );
    }

    #[test]
    fn declared_images_may_stay() {
        let declared = |subject: Option<&str>| Declared {
            subject: subject.map(str::to_owned),
            reason: "a node finds it".to_owned(),
        };
        let leaves = |subject: Option<&str>, image: &str| {
            let site = Site::new("r.local:5000", PathPolicy::KeepHost, vec![declared(subject)]).unwrap();
            site.leaves(&image.parse().unwrap()).is_some()
        };
        assert!(
            leaves(Some("docker.io/library/redis"), "redis:7")
                && leaves(Some("docker.io/library/redis:7"), "redis:7")
        );
        assert!(!leaves(Some("docker.io/library/redis:8"), "redis:7") && leaves(None, "redis:7"));
    }

    #[test]
    fn a_site_is_a_host() {
        for bad in ["", "registry", "https://r.local", "a b"] {
            assert!(Site::new(bad, PathPolicy::KeepHost, Vec::new()).is_err(), "{bad}");
        }
    }
}
