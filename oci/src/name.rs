//! Names: what stands between `/v2/` and the operation (distribution specification, "Pulling manifests").
//!
//! An `OciName` that exists obeys the grammar, so it can stand in any URL as it is.

use std::fmt;
use std::str::FromStr;

/// The longest name. The specification asks for host and name in 255 characters together.
const LONGEST: usize = 255;

/// A name of the registry: lower-case components joined by slashes, `docker.io/bitnami/redis` among them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OciName(Box<str>);

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOciName {
    /// A component breaks the grammar.
    #[error(
        "`{component}` cannot be part of an OCI name: use lower-case letters and digits, joined by `.`, `_`, `__` or `-`"
    )]
    Component {
        /// The component at fault.
        component: String,
    },
    /// The whole is too long.
    #[error("the OCI name has {length} characters: use at most {LONGEST}")]
    TooLong {
        /// How long it is.
        length: usize,
    },
}

impl OciName {
    /// Returns the name as it stands in a URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns what is before the last slash, empty when there is none, and what is after it.
    pub fn split_last(&self) -> (&str, &str) {
        self.0.rsplit_once('/').unwrap_or(("", &self.0))
    }

    /// Returns the name itself and every shorter one it begins with, the longest first.
    pub fn prefixes(&self) -> impl Iterator<Item = &str> {
        let shorter = self.0.rmatch_indices('/').filter_map(|(at, _)| self.0.get(..at));
        std::iter::once(&*self.0).chain(shorter)
    }
}

/// Tells whether `text` matches `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`.
pub fn is_name_component(text: &str) -> bool {
    let is_alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let mut separator = String::new();
    let mut after_alphanumeric = false;
    for byte in text.bytes() {
        if is_alphanumeric(byte) {
            let is_joint = separator.is_empty() || is_separator(&separator);
            if !is_joint {
                return false;
            }
            separator.clear();
            after_alphanumeric = true;
        } else if after_alphanumeric && byte.is_ascii() {
            separator.push(char::from(byte));
        } else {
            return false;
        }
    }
    after_alphanumeric && separator.is_empty()
}

fn is_separator(text: &str) -> bool {
    matches!(text, "." | "_" | "__") || text.bytes().all(|byte| byte == b'-')
}

impl FromStr for OciName {
    type Err = InvalidOciName;

    fn from_str(text: &str) -> Result<Self, InvalidOciName> {
        if let Some(component) = text.split('/').find(|component| !is_name_component(component)) {
            return Err(InvalidOciName::Component { component: component.to_owned() });
        }
        if text.len() > LONGEST {
            return Err(InvalidOciName::TooLong { length: text.len() });
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for OciName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_grammar() {
        for good in ["a", "library/redis", "docker.io/bitnami/redis", "a__b", "a-b", "a---b", "a_b.c-d/0"] {
            assert_eq!(good.parse::<OciName>().unwrap().as_str(), good);
        }
        for bad in [
            "", "/", "a/", "/a", "a//b", "A", "a..b", "a___b", "a._b", "-a", "a-", "a_", "a b", "é", "a:b",
            ".",
        ] {
            assert!(bad.parse::<OciName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn names_are_of_bounded_length() {
        let longest = "a".repeat(LONGEST);
        assert!(longest.parse::<OciName>().is_ok());
        assert_eq!(
            format!("{longest}a").parse::<OciName>(),
            Err(InvalidOciName::TooLong { length: LONGEST + 1 })
        );
    }

    #[test]
    fn prefixes_come_longest_first() {
        let name: OciName = "a/b/c".parse().unwrap();
        assert_eq!(name.prefixes().collect::<Vec<_>>(), ["a/b/c", "a/b", "a"]);
        assert_eq!(name.split_last(), ("a/b", "c"));
        assert_eq!("c".parse::<OciName>().unwrap().split_last(), ("", "c"));
    }
}
