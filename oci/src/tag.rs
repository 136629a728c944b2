//! Tags: the names of manifests within an OCI name (distribution specification, "Pulling manifests").

use std::fmt;
use std::str::FromStr;

use crate::digest::{Algorithm, Digest};

/// The longest tag the grammar allows.
const LONGEST: usize = 128;

/// A tag, `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(Box<str>);

/// A text that is not a tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a tag: use at most {LONGEST} letters, digits, `.`, `_` and `-`, the first of them no `.` or `-`"
)]
pub struct InvalidTag(String);

impl Tag {
    /// Returns the tag that is meant where an image is named without one.
    pub fn latest() -> Self {
        Self("latest".into())
    }

    /// Returns the tag's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the tag under which clients without the referrers API list what refers to `subject` (distribution
    /// specification, "Referrers Tag Schema"): algorithm cut at 32, encoded part at 64 characters.
    pub fn of_referrers(subject: &Digest) -> Self {
        let encoded = subject.hex().get(..64).unwrap_or_else(|| subject.hex());
        Self(format!("{}-{encoded}", subject.algorithm().name()).into_boxed_str())
    }

    /// Tells whether the tag is made from a digest: that of the referrers of something, or a signature, attestation or
    /// SBOM of it, such as `sha256-….sig`. Clients rewrite what such tags name with each thing they attach.
    pub fn is_of_attachments(&self) -> bool {
        [Algorithm::Sha256, Algorithm::Sha512].into_iter().any(|algorithm| {
            let rest = self.0.strip_prefix(algorithm.name()).and_then(|rest| rest.strip_prefix('-'));
            rest.and_then(|rest| rest.split_at_checked(64)).is_some_and(|(hex, suffix)| {
                let is_hex = hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
                is_hex && (suffix.is_empty() || suffix.starts_with('.'))
            })
        })
    }
}

impl FromStr for Tag {
    type Err = InvalidTag;

    fn from_str(text: &str) -> Result<Self, InvalidTag> {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let is_tag = text.bytes().next().is_some_and(is_word)
            && text.bytes().all(|byte| is_word(byte) || matches!(byte, b'.' | b'-'))
            && text.len() <= LONGEST;
        if is_tag { Ok(Self(text.into())) } else { Err(InvalidTag(text.to_owned())) }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_follow_the_grammar() {
        for good in ["latest", "v1.2.3", "1.0.0_up4", "_x", "A-b.c", &"a".repeat(LONGEST)] {
            assert_eq!(good.parse::<Tag>().unwrap().as_str(), good);
        }
        for bad in ["", ".a", "-a", "a+b", "a:b", "a/b", "é", &"a".repeat(LONGEST + 1)] {
            assert!(bad.parse::<Tag>().is_err(), "{bad}");
        }
    }

    #[test]
    fn tags_made_from_digests_are_told_apart() {
        let subject = Digest::sha256(b"x");
        assert_eq!(Tag::of_referrers(&subject).as_str(), format!("sha256-{}", subject.hex()));
        let long = format!("sha512:{}", "a".repeat(128)).parse().unwrap();
        assert_eq!(Tag::of_referrers(&long).as_str(), format!("sha512-{}", "a".repeat(64)));
        for attached in [format!("sha256-{}", subject.hex()), format!("sha256-{}.sig", subject.hex())] {
            assert!(attached.parse::<Tag>().unwrap().is_of_attachments(), "{attached}");
        }
        for other in ["latest".to_owned(), "sha256-abc".to_owned(), format!("sha256-{}x", subject.hex())] {
            assert!(!other.parse::<Tag>().unwrap().is_of_attachments(), "{other}");
        }
    }
}
