//! What a path below `/v2` means (distribution specification, "Endpoints").
//!
//! Names hold slashes, so a path is read from its end: the operation first, whatever is before it is the name.

use oci::{Digest, ErrorCode, InvalidReference, OciName, Reference};

use super::error::OciFailure;

/// A path of the registry that means something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum OciRoute {
    /// `/v2/`
    Base,
    /// `/v2/token`
    Token,
    /// `/v2/_catalog`
    Names,
    /// `/v2/{name}/tags/list`
    Tags { name: OciName },
    /// `/v2/{name}/manifests/{reference}`
    Manifest { name: OciName, reference: Reference },
    /// `/v2/{name}/blobs/{digest}`
    Blob { name: OciName, digest: Digest },
    /// `/v2/{name}/blobs/uploads/`
    Uploads { name: OciName },
    /// `/v2/{name}/blobs/uploads/{id}`
    Upload { name: OciName, id: String },
    /// `/v2/{name}/referrers/{digest}`
    Referrers { name: OciName, digest: Digest },
}

impl OciRoute {
    /// Reads a path as it stands behind `/v2/`; names, tags and digests need no percent-encoding, but may have it.
    ///
    /// # Errors
    /// [`OciFailure`] for no operation, and for a name, tag or digest that is none.
    pub(super) fn parse(path: &str) -> Result<Self, OciFailure> {
        let decoded = percent_encoding::percent_decode_str(path).decode_utf8();
        let path = decoded.map_err(|_| no_operation())?;
        let segments: Vec<&str> = path.split('/').collect();
        match segments.as_slice() {
            [""] => Ok(Self::Base),
            ["token"] => Ok(Self::Token),
            ["_catalog"] => Ok(Self::Names),
            [name @ .., "tags", "list"] => Ok(Self::Tags { name: read_name(name)? }),
            [name @ .., "manifests", reference] => {
                let name = read_name(name)?;
                Ok(Self::Manifest { name, reference: reference.parse().map_err(bad_reference)? })
            }
            [name @ .., "blobs", "uploads"] | [name @ .., "blobs", "uploads", ""] => {
                Ok(Self::Uploads { name: read_name(name)? })
            }
            [name @ .., "blobs", "uploads", id] => {
                Ok(Self::Upload { name: read_name(name)?, id: (*id).to_owned() })
            }
            [name @ .., "blobs", digest] => {
                Ok(Self::Blob { name: read_name(name)?, digest: read_digest(digest)? })
            }
            [name @ .., "referrers", digest] => {
                Ok(Self::Referrers { name: read_name(name)?, digest: read_digest(digest)? })
            }
            _ => Err(no_operation()),
        }
    }

    /// Returns the route's template, for metrics and logs: names and digests would make endless series.
    pub(super) const fn template(&self) -> &'static str {
        match self {
            Self::Base => "/v2/",
            Self::Token => "/v2/token",
            Self::Names => "/v2/_catalog",
            Self::Tags { .. } => "/v2/{name}/tags/list",
            Self::Manifest { .. } => "/v2/{name}/manifests/{reference}",
            Self::Blob { .. } => "/v2/{name}/blobs/{digest}",
            Self::Uploads { .. } => "/v2/{name}/blobs/uploads/",
            Self::Upload { .. } => "/v2/{name}/blobs/uploads/{id}",
            Self::Referrers { .. } => "/v2/{name}/referrers/{digest}",
        }
    }

    /// Returns the same operation on another name; one that is about none stays as it is.
    pub(super) fn with_name(&self, name: OciName) -> Self {
        match self.clone() {
            Self::Tags { .. } => Self::Tags { name },
            Self::Manifest { reference, .. } => Self::Manifest { name, reference },
            Self::Blob { digest, .. } => Self::Blob { name, digest },
            Self::Uploads { .. } => Self::Uploads { name },
            Self::Upload { id, .. } => Self::Upload { name, id },
            Self::Referrers { digest, .. } => Self::Referrers { name, digest },
            route @ (Self::Base | Self::Token | Self::Names) => route,
        }
    }

    /// Returns the name it is about, where it is about one.
    pub(super) fn name(&self) -> Option<&OciName> {
        match self {
            Self::Base | Self::Token | Self::Names => None,
            Self::Tags { name }
            | Self::Manifest { name, .. }
            | Self::Blob { name, .. }
            | Self::Uploads { name }
            | Self::Upload { name, .. }
            | Self::Referrers { name, .. } => Some(name),
        }
    }
}

fn read_name(segments: &[&str]) -> Result<OciName, OciFailure> {
    segments
        .join("/")
        .parse()
        .map_err(|refusal: oci::InvalidOciName| OciFailure::new(ErrorCode::NameInvalid, refusal.to_string()))
}

/// Reads a digest of the address.
///
/// # Errors
/// [`ErrorCode::DigestInvalid`].
pub(super) fn read_digest(text: &str) -> Result<Digest, OciFailure> {
    text.parse()
        .map_err(|refusal: oci::InvalidDigest| OciFailure::new(ErrorCode::DigestInvalid, refusal.to_string()))
}

fn bad_reference(refusal: InvalidReference) -> OciFailure {
    let code = match refusal {
        InvalidReference::Digest(_) => ErrorCode::DigestInvalid,
        InvalidReference::Tag(_) => ErrorCode::ManifestInvalid,
    };
    OciFailure::new(code, refusal.to_string())
}

fn no_operation() -> OciFailure {
    OciFailure::from(super::super::Failure::from(super::super::route::NoRoute::Unknown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_has_its_meaning() {
        let name = |text: &str| text.parse::<OciName>().unwrap();
        let digest = Digest::sha256(b"x");
        for (path, route) in [
            ("", OciRoute::Base),
            ("token", OciRoute::Token),
            ("_catalog", OciRoute::Names),
            ("a/tags/list", OciRoute::Tags { name: name("a") }),
            ("tags/list/tags/list", OciRoute::Tags { name: name("tags/list") }),
            (
                "docker.io/a/manifests/1.0.0_x",
                OciRoute::Manifest { name: name("docker.io/a"), reference: "1.0.0_x".parse().unwrap() },
            ),
            (
                &format!("a/manifests/{digest}"),
                OciRoute::Manifest { name: name("a"), reference: Reference::Digest(digest.clone()) },
            ),
            (
                &format!("a/manifests/sha256%3A{}", digest.hex()),
                OciRoute::Manifest { name: name("a"), reference: Reference::Digest(digest.clone()) },
            ),
            (
                &format!("blobs/blobs/{digest}"),
                OciRoute::Blob { name: name("blobs"), digest: digest.clone() },
            ),
            ("a/b/blobs/uploads/", OciRoute::Uploads { name: name("a/b") }),
            ("a/b/blobs/uploads", OciRoute::Uploads { name: name("a/b") }),
            ("a/blobs/uploads/1-2", OciRoute::Upload { name: name("a"), id: "1-2".to_owned() }),
            (
                &format!("a/referrers/{digest}"),
                OciRoute::Referrers { name: name("a"), digest: digest.clone() },
            ),
        ] {
            assert_eq!(OciRoute::parse(path).ok(), Some(route), "{path}");
        }
    }

    #[test]
    fn what_breaks_a_grammar_is_refused_by_its_code() {
        for (path, code) in [
            ("A/tags/list", ErrorCode::NameInvalid),
            ("tags/list", ErrorCode::NameInvalid),
            ("a/../b/tags/list", ErrorCode::NameInvalid),
            ("a/blobs/sha256:baddigeststring", ErrorCode::DigestInvalid),
            ("a/manifests/sha256:baddigeststring", ErrorCode::DigestInvalid),
            ("a/manifests/.x", ErrorCode::ManifestInvalid),
            ("a/nothing", ErrorCode::NameUnknown),
            ("%ff", ErrorCode::NameUnknown),
        ] {
            assert_eq!(OciRoute::parse(path).unwrap_err().code(), code, "{path}");
        }
    }
}
