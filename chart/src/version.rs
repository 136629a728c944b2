//! Chart versions, read as Masterminds/semver 3.5.0 `NewVersion` reads them, which is what Helm uses.
//!
//! The text is kept as it was written: `v4.0.0`, `1.2` and `2022.05.08` are versions and stay so in file
//! names.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest version text Masterminds/semver takes, in bytes.
pub(crate) const MAX_BYTES: usize = 256;

/// The version of a chart. Equality and hash are those of the text; the order is precedence first, then the
/// text, so that versions which differ only in build metadata or spelling have a fixed order too.
#[derive(Clone)]
pub struct ChartVersion {
    text: Box<str>,
    major: u64,
    minor: u64,
    patch: u64,
    prerelease: Part,
    build: Part,
}

/// Where a part of the text lies, in bytes; both ends equal when it is absent.
#[derive(Clone, Copy)]
struct Part {
    start: usize,
    end: usize,
}

/// Why a text is not a chart version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidVersion {
    /// The text has more than 256 bytes.
    #[error("the version has {0} bytes; use at most {MAX_BYTES}")]
    TooLong(usize),
    /// The text does not have the shape `MAJOR[.MINOR[.PATCH]][-PRERELEASE][+BUILD]`.
    #[error("version `{0}` is not a semantic version; write it as `1.2.3` or `1.2.3-rc.1`")]
    Shape(String),
    /// A number does not fit 64 bits.
    #[error("version `{0}` has a number above 18446744073709551615; use smaller numbers")]
    Number(String),
    /// A numeric identifier of the pre-release begins with a zero.
    #[error("version `{0}` has a pre-release number that begins with `0`; remove the zero")]
    LeadingZero(String),
}

impl ChartVersion {
    /// Returns the version as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the first number.
    pub fn major(&self) -> u64 {
        self.major
    }

    /// Returns the second number, 0 when the text has none.
    pub fn minor(&self) -> u64 {
        self.minor
    }

    /// Returns the third number, 0 when the text has none.
    pub fn patch(&self) -> u64 {
        self.patch
    }

    /// Returns what stands between `-` and `+`, empty when there is no pre-release.
    pub fn prerelease(&self) -> &str {
        self.part(self.prerelease)
    }

    /// Returns what stands after `+`, empty when there is no build metadata.
    pub fn build(&self) -> &str {
        self.part(self.build)
    }

    /// Returns whether the text is a version of semver.org 2.0.0 without coercion: three numbers, no leading
    /// zeros, no `v`. Only such versions are listed from OCI tags (Masterminds `StrictNewVersion`).
    pub fn is_strict(&self) -> bool {
        let numbers = self.text.split(['-', '+']).next().unwrap_or_default();
        let is_canonical =
            |number: &str| !number.starts_with('v') && (number == "0" || !number.starts_with('0'));
        numbers.split('.').count() == 3 && numbers.split('.').all(is_canonical)
    }

    /// Compares by semver.org 2.0.0 §11: numbers, then pre-release; build metadata does not count.
    pub fn precedence(&self, other: &Self) -> Ordering {
        (self.major, self.minor, self.patch)
            .cmp(&(other.major, other.minor, other.patch))
            .then_with(|| compare_prereleases(self.prerelease(), other.prerelease()))
    }

    fn part(&self, part: Part) -> &str {
        self.text.get(part.start..part.end).unwrap_or_default()
    }
}

/// Compares two pre-releases, of which an empty one (a release) is the greatest.
fn compare_prereleases(left: &str, right: &str) -> Ordering {
    match (left.is_empty(), right.is_empty()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => left.split('.').map(Identifier::of).cmp(right.split('.').map(Identifier::of)),
    }
}

/// One dotted part of a pre-release; numbers come before words. A number beyond 64 bits counts as a word, as
/// it does in Masterminds/semver.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Identifier<'a> {
    Number(u64),
    Word(&'a str),
}

impl<'a> Identifier<'a> {
    fn of(text: &'a str) -> Self {
        text.parse().map_or(Self::Word(text), Self::Number)
    }
}

impl FromStr for ChartVersion {
    type Err = InvalidVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > MAX_BYTES {
            return Err(InvalidVersion::TooLong(text.len()));
        }
        let shape = || InvalidVersion::Shape(text.to_owned());
        let (rest, build) = split_identifiers(text, '+').ok_or_else(shape)?;
        let (numbers, prerelease) = split_identifiers(rest, '-').ok_or_else(shape)?;
        let has_leading_zero = |part: &str| {
            part.len() > 1 && part.starts_with('0') && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        let [major, minor, patch] = parse_numbers(numbers, text)?;
        if prerelease.split('.').any(has_leading_zero) {
            return Err(InvalidVersion::LeadingZero(text.to_owned()));
        }
        Ok(Self {
            text: text.into(),
            major,
            minor,
            patch,
            prerelease: Part { start: rest.len() - prerelease.len(), end: rest.len() },
            build: Part { start: text.len() - build.len(), end: text.len() },
        })
    }
}

/// Parses one to three numbers with an optional `v` before them; those not given are 0. `text` is for the
/// error.
fn parse_numbers(numbers: &str, text: &str) -> Result<[u64; 3], InvalidVersion> {
    let mut parsed = [0; 3];
    let mut slots = parsed.iter_mut();
    for digits in numbers.strip_prefix('v').unwrap_or(numbers).split('.') {
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let slot = slots.next().filter(|_| is_number);
        let slot = slot.ok_or_else(|| InvalidVersion::Shape(text.to_owned()))?;
        *slot = digits.parse().map_err(|_| InvalidVersion::Number(text.to_owned()))?;
    }
    Ok(parsed)
}

/// Splits off what follows the first `mark`: dot-separated identifiers, none of them empty. Gives an empty
/// second part when the mark is absent, nothing when it is there but what follows is not well formed.
fn split_identifiers(text: &str, mark: char) -> Option<(&str, &str)> {
    let Some((before, identifiers)) = text.split_once(mark) else { return Some((text, "")) };
    let is_identifier = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    identifiers.split('.').all(is_identifier).then_some((before, identifiers))
}

impl fmt::Display for ChartVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.text)
    }
}

impl fmt::Debug for ChartVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, formatter)
    }
}

impl PartialEq for ChartVersion {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for ChartVersion {}

impl Hash for ChartVersion {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl PartialOrd for ChartVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ChartVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        self.precedence(other).then_with(|| self.text.cmp(&other.text))
    }
}

impl Serialize for ChartVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for ChartVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn version(text: &str) -> ChartVersion {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn versions_are_coerced_as_masterminds_does() {
        for (text, numbers, prerelease, build, is_strict) in [
            ("1.2.3", [1, 2, 3], "", "", true),
            ("0.0.0", [0, 0, 0], "", "", true),
            ("v4.0.0", [4, 0, 0], "", "", false),
            ("v0.32.1", [0, 32, 1], "", "", false),
            ("1.2", [1, 2, 0], "", "", false),
            ("1", [1, 0, 0], "", "", false),
            ("v1", [1, 0, 0], "", "", false),
            ("2022.05.08", [2022, 5, 8], "", "", false),
            ("01.2.3", [1, 2, 3], "", "", false),
            ("00.0.0", [0, 0, 0], "", "", false),
            ("1.2-rc1", [1, 2, 0], "rc1", "", false),
            ("1-rc.1+b", [1, 0, 0], "rc.1", "b", false),
            ("1.2.3-rc.1+build.5", [1, 2, 3], "rc.1", "build.5", true),
            ("1.2.3+01", [1, 2, 3], "", "01", true),
            ("1.2.3--", [1, 2, 3], "-", "", true),
            ("1.2.3-0", [1, 2, 3], "0", "", true),
            ("1.2.3-0a", [1, 2, 3], "0a", "", true),
            ("1.2.3-a-b.c", [1, 2, 3], "a-b.c", "", true),
            ("1.2.3+a-b", [1, 2, 3], "", "a-b", true),
            ("10.4.0+2288", [10, 4, 0], "", "2288", true),
            ("18446744073709551615.0.0", [u64::MAX, 0, 0], "", "", true),
            ("000018446744073709551615.0.0", [u64::MAX, 0, 0], "", "", false),
        ] {
            let version = version(text);
            assert_eq!([version.major(), version.minor(), version.patch()], numbers, "{text}");
            assert_eq!((version.prerelease(), version.build()), (prerelease, build), "{text}");
            assert_eq!(version.is_strict(), is_strict, "{text}");
            assert_eq!((version.as_str(), version.to_string().as_str()), (text, text));
        }
    }

    #[test]
    fn what_masterminds_refuses_is_refused() {
        let shape = |text: &str| InvalidVersion::Shape(text.to_owned());
        for text in [
            "",
            " ",
            "v",
            "V1.2.3",
            " 1.2.3",
            "1.2.3 ",
            "1.2.3\n",
            "1.2.3.4",
            "1.2.3-",
            "1.2.3+",
            "1..3",
            ".1",
            "1.",
            "1.2.",
            "a",
            "1.a",
            "1.2.3-a..b",
            "1.2.3-.",
            "1.2.3+a..b",
            "1.2.3+a+b",
            "1.2.3-é",
            "1.2.3-a_b",
            "-1.2.3",
            "+1",
            "1,2",
            "vv1",
            "1.2.3-rc/1",
            "..",
            "x",
            "*",
            "latest",
        ] {
            assert_eq!(text.parse::<ChartVersion>(), Err(shape(text)), "{text}");
        }
        for text in ["18446744073709551616.0.0", "0.18446744073709551616.0", "0.0.18446744073709551616"] {
            assert_eq!(text.parse::<ChartVersion>(), Err(InvalidVersion::Number(text.to_owned())));
        }
        for text in ["1.2.3-01", "1.2.3-a.00", "1-007"] {
            assert_eq!(text.parse::<ChartVersion>(), Err(InvalidVersion::LeadingZero(text.to_owned())));
        }
        let longest = format!("1.2.3-{}", "a".repeat(250));
        assert!(longest.parse::<ChartVersion>().is_ok());
        assert_eq!(format!("{longest}a").parse::<ChartVersion>(), Err(InvalidVersion::TooLong(257)));
    }

    #[test]
    fn precedence_follows_semver_and_masterminds_beyond_64_bits() {
        let ascending = [
            "0.0.1-0",
            "0.0.1",
            "1.0.0-1",
            "1.0.0-2",
            "1.0.0-10",
            "1.0.0-18446744073709551615",
            "1.0.0--",
            "1.0.0-100000000000000000000",
            "1.0.0-18446744073709551616",
            "1.0.0-RC",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.1.0",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "1.0.1",
            "1.2",
            "v1.10.0",
            "2",
            "2022.05.08",
        ];
        for pair in ascending.windows(2) {
            let (lower, higher) = (version(pair[0]), version(pair[1]));
            assert_eq!(lower.precedence(&higher), Ordering::Less, "{lower} {higher}");
            assert_eq!(higher.precedence(&lower), Ordering::Greater, "{lower} {higher}");
        }
    }

    #[test]
    fn spelling_and_build_metadata_do_not_change_precedence_but_order_and_equality() {
        for (left, right) in
            [("1.2.3", "1.2.3+b"), ("1.2", "1.2.0"), ("1.0.0", "v1.0.0"), ("2022.05.08", "2022.5.8")]
        {
            let (left, right) = (version(left), version(right));
            assert_eq!(left.precedence(&right), Ordering::Equal);
            assert_ne!(left, right);
            assert_ne!(left.cmp(&right), Ordering::Equal);
        }
    }

    #[test]
    fn json_is_the_text_and_is_checked() {
        assert_eq!(serde_json::to_string(&version("v1.2")).unwrap(), "\"v1.2\"");
        assert_eq!(serde_json::from_str::<ChartVersion>("\"v1.2\"").unwrap(), version("v1.2"));
        assert!(serde_json::from_str::<ChartVersion>("\"latest\"").is_err());
        assert!(serde_json::from_str::<ChartVersion>("1.2").is_err());
    }

    const ANY_TEXT: &str = "\\PC{0,20}|v?[0-9]{1,21}(\\.[0-9]{1,3}){0,3}[-+]?[0-9a-z.+-]{0,9}";
    const IDENTIFIERS: &str = "(0|[1-9][0-9]{0,25}|[0-9]*[a-zA-Z-][0-9a-zA-Z-]{0,6})";

    fn versions() -> impl Strategy<Value = ChartVersion> {
        let prerelease = format!("(-{IDENTIFIERS}(\\.{IDENTIFIERS}){{0,2}})?");
        let pattern = format!("v?[0-3](\\.[0-3]){{0,2}}{prerelease}(\\+[0-9a-z-]{{1,4}})?");
        proptest::string::string_regex(&pattern).unwrap().prop_map(|text| version(&text))
    }

    proptest! {
        #[test]
        fn printing_gives_back_what_was_parsed(text in ANY_TEXT) {
            if let Ok(version) = text.parse::<ChartVersion>() {
                prop_assert_eq!(version.to_string(), text.clone());
                prop_assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".+-".contains(&byte)));
            }
        }

        #[test]
        fn the_order_is_total(a in versions(), b in versions(), c in versions()) {
            prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
            prop_assert_eq!(a.cmp(&b) == Ordering::Equal, a == b);
            prop_assert_eq!(a.precedence(&b), b.precedence(&a).reverse());
            if a <= b && b <= c {
                prop_assert!(a <= c);
            }
        }

        #[test]
        fn strict_versions_print_their_own_parts(version in versions()) {
            let (prerelease, build) = (version.prerelease(), version.build());
            let mut canonical = format!("{}.{}.{}", version.major(), version.minor(), version.patch());
            if !prerelease.is_empty() {
                canonical += &format!("-{prerelease}");
            }
            if !build.is_empty() {
                canonical += &format!("+{build}");
            }
            prop_assert_eq!(version.is_strict(), canonical == version.as_str());
        }
    }
}
