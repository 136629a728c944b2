//! References to images, as people type them: `registry:5000/path/name:tag@sha256:…`.

use std::str::FromStr;

use oci::{Digest, InvalidDigest};

/// An image reference in its parts. Nothing is added to it: a short name stays short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ImageReference {
    /// Registry host and path.
    pub(crate) repository: String,
    /// The tag.
    pub(crate) tag: Option<String>,
    /// The digest.
    pub(crate) digest: Option<Digest>,
}

/// Why a text is no image reference.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidImage {
    /// The part before tag and digest.
    #[error(
        "`{0}` is not the name of an image: write host and path, as in registry.local.cloud:5000/ubuntu/keepalived"
    )]
    Repository(String),
    /// The part after the last colon.
    #[error("`{0}` is not a tag: use up to 128 letters, digits, `.`, `_` and `-`")]
    Tag(String),
    /// The part after the at sign.
    #[error(transparent)]
    Digest(#[from] InvalidDigest),
}

impl FromStr for ImageReference {
    type Err = InvalidImage;

    fn from_str(text: &str) -> Result<Self, InvalidImage> {
        let (named, digest) = match text.split_once('@') {
            Some((named, digest)) => (named, Some(digest.parse()?)),
            None => (text, None),
        };
        // A colon before the last slash belongs to the registry's port.
        let (repository, tag) = match named.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
            Some(_) | None => (named, None),
        };
        if !is_repository(repository) {
            return Err(InvalidImage::Repository(repository.to_owned()));
        }
        if let Some(tag) = tag.filter(|tag| !is_tag(tag)) {
            return Err(InvalidImage::Tag(tag.to_owned()));
        }
        Ok(Self { repository: repository.to_owned(), tag: tag.map(str::to_owned), digest })
    }
}

fn is_repository(text: &str) -> bool {
    let is_component = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_alphanumeric())
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b':'))
    };
    let (host, path) = text.split_once('/').unwrap_or(("", text));
    (host.is_empty() || is_component(host))
        && !text.starts_with('/')
        && path
            .split('/')
            .all(|part| is_component(part) && !part.contains(':') && part.to_lowercase() == part)
}

fn is_tag(text: &str) -> bool {
    text.len() <= 128
        && text.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_path_tag_and_digest_are_told_apart() {
        let digest = Digest::sha256(b"");
        let table = [
            ("nginx".to_owned(), "nginx", None, None),
            ("nginx:1.27".to_owned(), "nginx", Some("1.27"), None),
            ("localhost:5000/nginx".to_owned(), "localhost:5000/nginx", None, None),
            (
                "registry.local.cloud:5000/ubuntu/keepalived:v2.2.4".to_owned(),
                "registry.local.cloud:5000/ubuntu/keepalived",
                Some("v2.2.4"),
                None,
            ),
            (format!("a/b:1@{digest}"), "a/b", Some("1"), Some(&digest)),
            (format!("a/b@{digest}"), "a/b", None, Some(&digest)),
        ];
        for (text, repository, tag, digest) in table {
            let image: ImageReference = text.parse().unwrap();
            assert_eq!(image.repository, repository, "{text}");
            assert_eq!((image.tag.as_deref(), image.digest.as_ref()), (tag, digest), "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", ":1", "a/B", "a b", "/a", "a//b", "a:", "a:b c", "a@sha256:0", "a:\"", "a/b:5000/c"]
        {
            assert!(text.parse::<ImageReference>().is_err(), "{text}");
        }
    }
}
