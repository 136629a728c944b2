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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matches(constraint: &str, version: &str) -> bool {
        constraint.parse::<VersionConstraint>().unwrap().matches(&version.parse().unwrap())
    }

    #[test]
    fn constraints_differ_from_those_of_other_languages() {
        for (constraint, version, is_match) in [
            ("1.2.3", "1.9.0", false),
            ("1", "1.9.0", true),
            (">1.2", "1.2.3", false),
            (">1.2", "1.3.0", true),
            ("<=1.2", "1.2.9", true),
            ("^0.2", "0.3.0", false),
            ("~1", "1.9.0", true),
            ("^1.2 || ^2", "2.7.1", true),
            (">=1.20.0-0", "1.25.4-gke.100", true),
            (">=1.20.0", "1.25.4-gke.100", false),
            ("*", "1.0.0-rc.1", false),
            (">=1.0.0 || >=2.0.0-0", "1.5.0-rc.1", false),
            (">=1.0.0 || >=2.0.0-0", "2.5.0-rc.1", true),
            ("1.2.3", "v1.2.3+build", true),
        ] {
            assert_eq!(matches(constraint, version), is_match, "{constraint} {version}");
        }
    }

    #[test]
    fn what_masterminds_refuses_is_refused() {
        for text in [
            "",
            " ",
            "||",
            "1 ||",
            "|| 1",
            ",",
            "1,",
            "1,,2",
            "==1",
            "=!1",
            "<>1",
            "><1",
            "!1",
            "^^1",
            "~~1",
            "~=1",
            "^",
            "> ",
            "1.2.3.4",
            "1.2-",
            "1.2+",
            "a",
            "latest",
            "vv1",
            "V1",
            "1.2.3 && 2",
            "1 -2",
            "1- 2",
            "1 - 2 - 3",
            ">1 - 2",
            "3 1 - 2",
            "1 - ",
            "- 1",
            ">1.2<2",
            "1.2.3-a..b",
            "1.2.3-é",
            "1;2",
        ] {
            assert!(
                matches!(text.parse::<VersionConstraint>(), Err(InvalidConstraint::Shape(_))),
                "{text:?}"
            );
        }
        for text in ["1|2", "1.|", "1.2.3-01", "1x", "1.xx", "**", "18446744073709551616", ">=1.2.3-00 <2"] {
            assert!(
                matches!(text.parse::<VersionConstraint>(), Err(InvalidConstraint::Version(_))),
                "{text:?}"
            );
        }
    }

    #[test]
    fn length_and_number_of_alternatives_are_limited() {
        let alternatives = |count: usize| vec!["1.2.3"; count].join("||");
        assert!(alternatives(32).parse::<VersionConstraint>().is_ok());
        let refused = Err(InvalidConstraint::TooManyAlternatives(33));
        assert_eq!(alternatives(33).parse::<VersionConstraint>(), refused);
        let spaced = |length: usize| format!("{:<length$}", "1");
        assert!(spaced(512).parse::<VersionConstraint>().is_ok());
        assert_eq!(spaced(513).parse::<VersionConstraint>(), Err(InvalidConstraint::TooLong(513)));
    }

    #[test]
    fn json_is_the_text_and_is_checked() {
        let constraint: VersionConstraint = "^1.2 || ~3".parse().unwrap();
        assert_eq!(serde_json::to_string(&constraint).unwrap(), "\"^1.2 || ~3\"");
        assert_eq!(serde_json::from_str::<VersionConstraint>("\"^1.2 || ~3\"").unwrap(), constraint);
        assert!(serde_json::from_str::<VersionConstraint>("\"\"").is_err());
    }

    const ANY_TEXT: &str = "[0-9xX*v.|,=!<>~^ a+-]{0,24}|\\PC{0,12}";
    const VERSION: &str = "[1-9]\\.[0-9]\\.[0-9](-[a-z]{1,3})?";

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_printed_as_it_was(text in ANY_TEXT) {
            if let Ok(constraint) = text.parse::<VersionConstraint>() {
                constraint.matches(&"1.2.3".parse().unwrap());
                prop_assert_eq!(constraint.to_string(), text);
            }
        }

        #[test]
        fn a_version_matches_itself_and_the_ranges_that_begin_with_it(text in VERSION) {
            for operator in ["", "=", ">=", "<=", "~", "^"] {
                let constraint = format!("{operator}{text}");
                prop_assert!(matches(&constraint, &text), "{}", constraint);
            }
            for operator in ["!=", ">", "<"] {
                let constraint = format!("{operator}{text}");
                prop_assert!(!matches(&constraint, &text), "{}", constraint);
            }
        }
    }
}
