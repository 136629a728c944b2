//! Version constraints, as Masterminds/semver 3.5.0 reads and checks them.
//!
//! A constraint is alternatives (`||`) of comparisons that must all hold (space or comma). A pre-release
//! matches only an alternative that itself names one.

mod comparison;
mod parse;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::version::ChartVersion;
use comparison::Comparison;

const MAX_BYTES: usize = 512;
const MAX_ALTERNATIVES: usize = 32;

/// A set of versions, such as `^1.2 || >=3.0.0-0 <4`. Keeps its text as it was written.
#[derive(Clone)]
pub struct VersionConstraint {
    text: Box<str>,
    alternatives: Vec<Alternative>,
}

/// Comparisons that must all hold.
#[derive(Clone)]
struct Alternative {
    comparisons: Vec<Comparison>,
}

/// Why a text is not a version constraint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidConstraint {
    /// The text has more than 512 bytes.
    #[error("the version constraint has {0} bytes; use at most {MAX_BYTES}")]
    TooLong(usize),
    /// There are more than 32 alternatives.
    #[error("the version constraint has {0} alternatives; use at most {MAX_ALTERNATIVES}")]
    TooManyAlternatives(usize),
    /// An alternative is not a list of comparisons; the empty text is one such.
    #[error("`{0}` is not a version constraint; write it as `^1.2`, `>=1.2 <2` or `1.2 - 2.3`")]
    Shape(String),
    /// A version in a comparison is not one.
    #[error("`{0}` in the version constraint does not compare with a version; write it as `>=1.2.3`")]
    Version(String),
}

impl VersionConstraint {
    /// Returns the constraint as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns whether `version` is in the set.
    pub fn matches(&self, version: &ChartVersion) -> bool {
        self.alternatives.iter().any(|alternative| alternative.matches(version))
    }
}

impl Alternative {
    fn matches(&self, version: &ChartVersion) -> bool {
        let takes_prereleases = self.comparisons.iter().any(Comparison::names_prerelease);
        (takes_prereleases || version.prerelease().is_empty())
            && self.comparisons.iter().all(|comparison| comparison.matches(version))
    }
}

impl FromStr for VersionConstraint {
    type Err = InvalidConstraint;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > MAX_BYTES {
            return Err(InvalidConstraint::TooLong(text.len()));
        }
        let rewritten = parse::rewrite_hyphen_ranges(text);
        let parts: Vec<&str> = rewritten.split("||").collect();
        if parts.len() > MAX_ALTERNATIVES {
            return Err(InvalidConstraint::TooManyAlternatives(parts.len()));
        }
        let parse = |part: &&str| parse::comparisons(part).map(|comparisons| Alternative { comparisons });
        let alternatives = parts.iter().map(parse).collect::<Result<_, _>>()?;
        Ok(Self { text: text.into(), alternatives })
    }
}

impl fmt::Display for VersionConstraint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.text)
    }
}

impl fmt::Debug for VersionConstraint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, formatter)
    }
}

impl PartialEq for VersionConstraint {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for VersionConstraint {}

impl Serialize for VersionConstraint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for VersionConstraint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
