//! Descriptors: what one piece of content says of another (image specification, "OCI Content Descriptors").

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// Type, digest and size of some content. Fields that are not needed here are passed over when it is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// The type of the content.
    pub media_type: String,
    /// Its digest.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
    /// What kind of artifact it is, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// What else is said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
    /// The platform an image of an index is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
}

/// What an image runs on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Platform {
    /// The processor, as Go names it.
    pub architecture: String,
    /// The system, as Go names it.
    pub os: String,
    /// The processor's variant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// The system's version.
    #[serde(default, rename = "os.version", skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
}

impl Descriptor {
    /// Returns the descriptor of content of which nothing else is said.
    pub fn new(media_type: impl Into<String>, digest: Digest, size: u64) -> Self {
        Self {
            media_type: media_type.into(),
            digest,
            size,
            artifact_type: None,
            annotations: None,
            platform: None,
        }
    }
}

/// A text that names no platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a platform: write system and processor, and a variant if there is one, as in `linux/arm/v7`"
)]
pub struct InvalidPlatform(String);

impl Platform {
    /// Tells whether an image for `self` is one of those that `wanted` asks for: what `wanted` leaves open, as a
    /// variant, is open.
    pub fn is_one_of(&self, wanted: &Self) -> bool {
        let agrees = |own: &Option<String>, asked: &Option<String>| asked.is_none() || own == asked;
        self.os == wanted.os
            && self.architecture == wanted.architecture
            && agrees(&self.variant, &wanted.variant)
            && agrees(&self.os_version, &wanted.os_version)
    }
}

impl FromStr for Platform {
    type Err = InvalidPlatform;

    fn from_str(text: &str) -> Result<Self, InvalidPlatform> {
        let is_word = |word: &str| {
            !word.is_empty()
                && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
        };
        let words: Vec<&str> = text.split('/').collect();
        let (os, architecture, variant) = match words.as_slice() {
            [os, architecture] => (*os, *architecture, None),
            [os, architecture, variant] => (*os, *architecture, Some((*variant).to_owned())),
            [] | [_] | [_, _, _, _, ..] => return Err(InvalidPlatform(text.to_owned())),
        };
        if !words.iter().all(|word| is_word(word)) {
            return Err(InvalidPlatform(text.to_owned()));
        }
        Ok(Self { architecture: architecture.to_owned(), os: os.to_owned(), variant, os_version: None })
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.os, self.architecture)?;
        self.variant.iter().try_for_each(|variant| write!(formatter, "/{variant}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_read_back_as_written() {
        for text in ["linux/amd64", "linux/arm/v7", "windows/amd64"] {
            assert_eq!(text.parse::<Platform>().unwrap().to_string(), text);
        }
        for bad in ["", "linux", "linux/", "/amd64", "linux/arm/v7/x", "linux/a b"] {
            assert!(bad.parse::<Platform>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_asked_for_may_leave_the_variant_open() {
        let platform = |text: &str| text.parse::<Platform>().unwrap();
        for (own, wanted, fits) in [
            ("linux/arm/v7", "linux/arm", true),
            ("linux/arm/v7", "linux/arm/v7", true),
            ("linux/arm/v6", "linux/arm/v7", false),
            ("linux/arm", "linux/arm/v7", false),
            ("linux/amd64", "linux/arm64", false),
            ("windows/amd64", "linux/amd64", false),
        ] {
            assert_eq!(platform(own).is_one_of(&platform(wanted)), fits, "{own} for {wanted}");
        }
    }
}
