//! Chart names.
//!
//! A `ChartName` that exists can stand in a URL path and in a file name. Helm's loader takes any base name;
//! this is the narrower grammar of `helm create`.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

const MAX_CHARACTERS: usize = 250;

/// The name of a chart: 1 to 250 of `A-Z a-z 0-9 . _ -`, neither `.` nor `..`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChartName(Box<str>);

/// Why a text is not a chart name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// The text is empty.
    #[error("the chart name is empty; give it at least one character")]
    Empty,
    /// The text has more than 250 characters.
    #[error("the chart name has {0} bytes; use at most {MAX_CHARACTERS}")]
    TooLong(usize),
    /// The text is `.` or `..`, which a path would swallow.
    #[error("`{0}` is a folder, not a chart name; choose another name")]
    Folder(String),
    /// The text holds something else than letters, digits, `.`, `_` and `-`.
    #[error("chart name `{name}` holds {character:?}; use only letters, digits, `.`, `_` and `-`")]
    Character {
        /// The whole text as given.
        name: String,
        /// The first character that is not allowed.
        character: char,
    },
}

impl ChartName {
    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ChartName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(InvalidName::Empty);
        }
        if text.len() > MAX_CHARACTERS {
            return Err(InvalidName::TooLong(text.len()));
        }
        let foreign =
            |character: &char| !(character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-'));
        if let Some(character) = text.chars().find(foreign) {
            return Err(InvalidName::Character { name: text.to_owned(), character });
        }
        if matches!(text, "." | "..") {
            return Err(InvalidName::Folder(text.to_owned()));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for ChartName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl fmt::Debug for ChartName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, formatter)
    }
}

impl AsRef<str> for ChartName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for ChartName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl Serialize for ChartName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ChartName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_of_real_charts_are_taken() {
        for name in ["a", "linkerd2", "kube-prometheus-stack", "cert_manager", "Upper.Case", "-", "...", "1"]
        {
            assert_eq!(name.parse::<ChartName>().unwrap().as_str(), name);
        }
        assert!("a".repeat(250).parse::<ChartName>().is_ok());
    }

    #[test]
    fn what_a_path_or_url_cannot_carry_is_refused() {
        assert_eq!("".parse::<ChartName>(), Err(InvalidName::Empty));
        assert_eq!("a".repeat(251).parse::<ChartName>(), Err(InvalidName::TooLong(251)));
        for folder in [".", ".."] {
            assert_eq!(folder.parse::<ChartName>(), Err(InvalidName::Folder(folder.to_owned())));
        }
        for (name, character) in
            [("a/b", '/'), ("a\\b", '\\'), ("a b", ' '), ("a%2f", '%'), ("차트", '차'), ("a\0", '\0')]
        {
            let expected = InvalidName::Character { name: name.to_owned(), character };
            assert_eq!(name.parse::<ChartName>(), Err(expected), "{name}");
        }
    }

    #[test]
    fn json_is_the_text_and_is_checked() {
        let name: ChartName = "linkerd2".parse().unwrap();
        assert_eq!(serde_json::to_string(&name).unwrap(), "\"linkerd2\"");
        assert_eq!(serde_json::from_str::<ChartName>("\"linkerd2\"").unwrap(), name);
        assert!(serde_json::from_str::<ChartName>("\"../etc\"").is_err());
    }

    proptest! {
        #[test]
        fn printing_gives_back_what_was_parsed(text in "[A-Za-z0-9._-]{1,250}") {
            if let Ok(name) = text.parse::<ChartName>() {
                prop_assert_eq!(name.to_string(), text);
            } else {
                prop_assert!(text == "." || text == "..");
            }
        }
    }
}
