//! Image references as people and charts write them: `[host[:port]/]name[:tag][@digest]`.
//!
//! The text stays as it was written; what Docker adds to short names (`docker.io`, `library/`) is told beside it. The
//! rules are those of `distribution/reference`, which Docker, containerd and containers/image share.

use std::fmt;
use std::str::FromStr;

use crate::digest::{Digest, InvalidDigest};
use crate::name::{InvalidOciName, OciName};
use crate::reference::Reference;
use crate::tag::{InvalidTag, Tag};

mod host;
#[cfg(test)]
mod tests;

pub use host::{InvalidRegistryHost, RegistryHost};

/// The registry that short names belong to.
const DOCKER_HUB: &str = "docker.io";
/// Docker's older name for it.
const DOCKER_HUB_ONCE: &str = "index.docker.io";
/// What stands before one-word names there.
const OFFICIAL: &str = "library/";

/// A reference to an image, in its parts and as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ImageReference {
    text: Box<str>,
    host: RegistryHost,
    name: OciName,
    tag: Option<Tag>,
    digest: Option<Digest>,
}

/// Why a text is no image reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidImageReference {
    /// Nothing names an image.
    #[error("`{0}` names no image: write a name, as in `registry.example:5000/team/app:1.0`")]
    NoName(String),
    /// The part before the first slash was meant as a registry.
    #[error(transparent)]
    Host(#[from] InvalidRegistryHost),
    /// The part between host and tag.
    #[error(transparent)]
    Name(#[from] InvalidOciName),
    /// Docker refuses such names: they look like the identifier of a local image.
    #[error("`{0}` looks like an image's identifier: write a name, or `name@sha256:…`")]
    Identifier(String),
    /// The part after the colon.
    #[error(transparent)]
    Tag(#[from] InvalidTag),
    /// The part after the at sign.
    #[error(transparent)]
    Digest(#[from] InvalidDigest),
}

impl ImageReference {
    /// Returns the registry; `docker.io` where none was written.
    pub fn host(&self) -> &RegistryHost {
        &self.host
    }

    /// Returns the name at the registry, with `library/` before one-word names of Docker Hub.
    pub fn name(&self) -> &OciName {
        &self.name
    }

    /// Returns the tag that was written.
    pub fn tag(&self) -> Option<&Tag> {
        self.tag.as_ref()
    }

    /// Returns the digest that was written.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// Returns what a client asks the registry for: the digest, else the tag, else `latest`.
    pub fn reference(&self) -> Reference {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => Reference::Digest(digest.clone()),
            (None, Some(tag)) => Reference::Tag(tag.clone()),
            (None, None) => Reference::Tag(Tag::latest()),
        }
    }

    /// Returns the full form, `host/name[:tag][@digest]`: equal for all ways to write the same reference.
    pub fn normalised(&self) -> String {
        let tag = self.tag.iter().map(|tag| format!(":{tag}"));
        let digest = self.digest.iter().map(|digest| format!("@{digest}"));
        format!("{}/{}", self.host, self.name) + &tag.chain(digest).collect::<String>()
    }
}

impl FromStr for ImageReference {
    type Err = InvalidImageReference;

    fn from_str(text: &str) -> Result<Self, InvalidImageReference> {
        let (named, digest) = match text.split_once('@') {
            Some((named, digest)) => (named, Some(digest.parse()?)),
            None => (text, None),
        };
        let (host, rest) = split_host(named);
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag.parse()?)),
            Some(_) | None => (rest, None),
        };
        if name.is_empty() {
            return Err(InvalidImageReference::NoName(text.to_owned()));
        }
        if host.is_none() && is_identifier(name) {
            return Err(InvalidImageReference::Identifier(name.to_owned()));
        }
        let host = host.filter(|host| *host != DOCKER_HUB_ONCE).unwrap_or(DOCKER_HUB);
        let name = match name.parse::<OciName>()? {
            short if host == DOCKER_HUB && !name.contains('/') => format!("{OFFICIAL}{short}").parse()?,
            name => name,
        };
        Ok(Self { text: text.into(), host: host.parse()?, name, tag, digest })
    }
}

/// Splits off what stands before the first slash when it is a host: it has a dot, a colon or an upper-case letter,
/// which no component of a name on Docker Hub has in first place, or it is `localhost`.
fn split_host(text: &str) -> (Option<&str>, &str) {
    match text.split_once('/') {
        Some((first, rest))
            if first.contains(['.', ':'])
                || first == "localhost"
                || first.contains(|letter: char| letter.is_ascii_uppercase()) =>
        {
            (Some(first), rest)
        }
        Some(_) | None => (None, text),
    }
}

fn is_identifier(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The text as it was written.
impl fmt::Display for ImageReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}
