//! Paths into values: `image.repository`, `podAnnotations."a.b/c"`, `initContainers[0].image`.
//!
//! A path is parsed once; printing it gives a text that parses to the same path.

use std::fmt;
use std::str::FromStr;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment {
    /// The entry of a mapping with this key.
    Key(String),
    /// The item of a list at this place, from 0.
    Index(usize),
}

/// A path from the top of a document to one value; it has at least one segment and begins with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ValuePath(Vec<Segment>);

/// Why a text is not a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidPath {
    /// Nothing stands where a key must stand.
    #[error("the path `{0}` has an empty key: write it as `\"\"` if the key really is empty")]
    EmptyKey(String),
    /// A quoted key does not end.
    #[error("the path `{0}` opens a quote that it does not close")]
    OpenQuote(String),
    /// Brackets do not hold a number.
    #[error("the path `{0}` must have a number between `[` and `]`, as in `initContainers[0]`")]
    BadIndex(String),
    /// Something other than `.` or `[` follows a key or an index.
    #[error("the path `{path}` must have `.` or `[` before `{rest}`: put keys with dots in quotes")]
    NoSeparator {
        /// The whole path.
        path: String,
        /// What follows.
        rest: String,
    },
}

impl ValuePath {
    /// Returns the path of plain keys, each taken as it stands.
    pub(crate) fn of_keys(keys: &[&str]) -> Self {
        Self(keys.iter().map(|key| Segment::Key((*key).to_owned())).collect())
    }

    /// Returns the path of these steps; nothing when there are none, or the first is an index.
    pub(crate) fn new(segments: Vec<Segment>) -> Option<Self> {
        matches!(segments.first(), Some(Segment::Key(_))).then_some(Self(segments))
    }

    /// Returns the last key on the way; indices behind it are left out.
    pub(crate) fn last_key(&self) -> &str {
        let keys = self.0.iter().rev().filter_map(|segment| match segment {
            Segment::Key(key) => Some(key.as_str()),
            Segment::Index(_) => None,
        });
        keys.into_iter().next().unwrap_or_default()
    }

    /// Returns the steps, from the top of the document.
    pub(crate) fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// Returns the path's text as far as its first `count` segments.
    pub(crate) fn prefix(&self, count: usize) -> String {
        let mut text = String::new();
        for segment in self.0.iter().take(count) {
            match segment {
                Segment::Index(index) => text.push_str(&format!("[{index}]")),
                Segment::Key(key) => {
                    if !text.is_empty() {
                        text.push('.');
                    }
                    text.push_str(&quoted_when_needed(key));
                }
            }
        }
        text
    }
}

impl fmt::Display for ValuePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.prefix(self.0.len()))
    }
}

impl FromStr for ValuePath {
    type Err = InvalidPath;

    fn from_str(text: &str) -> Result<Self, InvalidPath> {
        let (first, mut rest) = take_key(text, text)?;
        let mut segments = vec![first];
        while !rest.is_empty() {
            let (segment, left) = if let Some(after) = rest.strip_prefix('[') {
                take_index(text, after)?
            } else if let Some(after) = rest.strip_prefix('.') {
                take_key(text, after)?
            } else {
                return Err(InvalidPath::NoSeparator { path: text.to_owned(), rest: rest.to_owned() });
            };
            segments.push(segment);
            rest = left;
        }
        Ok(Self(segments))
    }
}

fn take_key<'text>(path: &str, text: &'text str) -> Result<(Segment, &'text str), InvalidPath> {
    if let Some(after) = text.strip_prefix('"') {
        return take_quoted_key(path, after);
    }
    let end = text.find(['.', '[']).unwrap_or(text.len());
    let (key, rest) = text.split_at(end);
    if key.is_empty() {
        return Err(InvalidPath::EmptyKey(path.to_owned()));
    }
    Ok((Segment::Key(key.to_owned()), rest))
}

fn take_quoted_key<'text>(path: &str, text: &'text str) -> Result<(Segment, &'text str), InvalidPath> {
    let mut key = String::new();
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        match character {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => {
                return Ok((Segment::Key(key), text.get(at + 1..).unwrap_or_default()));
            }
            _ => {
                key.push(character);
                escaped = false;
            }
        }
    }
    Err(InvalidPath::OpenQuote(path.to_owned()))
}

fn take_index<'text>(path: &str, text: &'text str) -> Result<(Segment, &'text str), InvalidPath> {
    let bad = || InvalidPath::BadIndex(path.to_owned());
    let (digits, rest) = text.split_once(']').ok_or_else(bad)?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(bad());
    }
    Ok((Segment::Index(digits.parse().map_err(|_| bad())?), rest))
}

fn quoted_when_needed(key: &str) -> String {
    if key.is_empty() || key.contains(['.', '[', '"', '\\']) {
        format!("\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        key.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(text: &str) -> Segment {
        Segment::Key(text.to_owned())
    }

    #[test]
    fn dots_brackets_and_quotes_are_understood() {
        let table: [(&str, Vec<Segment>); 6] = [
            ("image", vec![key("image")]),
            ("image.repository", vec![key("image"), key("repository")]),
            ("a.\"b.c/d\".e", vec![key("a"), key("b.c/d"), key("e")]),
            ("\"a\\\"b\\\\\"", vec![key("a\"b\\")]),
            ("a[0].b", vec![key("a"), Segment::Index(0), key("b")]),
            ("a[10][2]", vec![key("a"), Segment::Index(10), Segment::Index(2)]),
        ];
        for (text, segments) in table {
            assert_eq!(text.parse::<ValuePath>().unwrap().segments(), segments, "{text}");
        }
    }

    #[test]
    fn malformed_paths_say_what_is_wrong() {
        let table = [
            ("", "empty key"),
            ("a..b", "empty key"),
            ("a.", "empty key"),
            ("[0]", "empty key"),
            ("a.\"b", "does not close"),
            ("a[x]", "a number"),
            ("a[-1]", "a number"),
            ("a[0", "a number"),
            ("a[99999999999999999999999]", "a number"),
            ("\"a\"b", "before `b`"),
            ("a[0]b", "before `b`"),
        ];
        for (text, reason) in table {
            let problem = text.parse::<ValuePath>().unwrap_err().to_string();
            assert!(problem.contains(reason), "{text}: {problem}");
        }
    }

    proptest! {
        #[test]
        fn a_printed_path_parses_to_itself(
            first in ".{0,6}",
            rest in proptest::collection::vec(prop_oneof![".{0,6}".prop_map(Segment::Key), (0usize..99).prop_map(Segment::Index)], 0..4),
        ) {
            let path = ValuePath(std::iter::once(Segment::Key(first)).chain(rest).collect());
            prop_assert_eq!(path.to_string().parse::<ValuePath>().unwrap(), path);
        }
    }
}
