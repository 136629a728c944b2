//! Shell patterns with the syntax and answers of Go's `filepath.Match` on Unix.
//!
//! `*` and `?` never match a slash, `[a-z]` and `[^a-z]` are classes, a backslash quotes the next character.

use std::str::Chars;

/// The pattern has a class that is empty or never ends, or ends in a backslash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a `[` class is empty or not closed, or a `\\` stands at the end; quote the character with `\\`")]
pub struct MalformedPattern;

/// What one character of a name is compared with.
#[derive(Debug, PartialEq, Eq)]
enum Token {
    Literal(char),
    AnyButSlash,
    Class { is_negated: bool, ranges: Vec<(char, char)> },
}

/// Tokens that match a run of characters, behind a star or not.
#[derive(Debug, Default)]
struct Chunk {
    has_star: bool,
    tokens: Vec<Token>,
    is_malformed: bool,
}

/// Checks a pattern the way Helm does, by trying it on `abc`: what lies behind the first difference from that text
/// is not looked at, and a mistake there makes a pattern that matches nothing.
pub(super) fn check_pattern(pattern: &str) -> Result<(), MalformedPattern> {
    matches(pattern, "abc").map(|_| ())
}

/// Returns whether `pattern` matches all of `name`.
pub(super) fn matches(pattern: &str, name: &str) -> Result<bool, MalformedPattern> {
    let chunks = split(pattern);
    let mut rest = name;
    let mut following = chunks.iter().peekable();
    while let Some(chunk) = following.next() {
        if chunk.is_malformed {
            return Err(MalformedPattern);
        }
        match chunk.find(rest, following.peek().is_none()) {
            Some(behind) => rest = behind,
            None => return Ok(false),
        }
    }
    Ok(rest.is_empty())
}

impl Chunk {
    /// Returns what follows the first match of the chunk in `name`: at its start or, after a star, behind
    /// characters that are no slash. The last chunk must end where the name ends.
    fn find<'n>(&self, name: &'n str, is_last: bool) -> Option<&'n str> {
        if self.has_star && self.tokens.is_empty() {
            return (!name.contains('/')).then_some("");
        }
        let mut rest = name;
        loop {
            if let Some(behind) = self.strip(rest)
                && (behind.is_empty() || !is_last)
            {
                return Some(behind);
            }
            let mut characters = rest.chars();
            if !self.has_star || characters.next().is_none_or(|skipped| skipped == '/') {
                return None;
            }
            rest = characters.as_str();
        }
    }

    fn strip<'n>(&self, name: &'n str) -> Option<&'n str> {
        let mut characters = name.chars();
        let is_match =
            self.tokens.iter().all(|token| characters.next().is_some_and(|next| token.matches(next)));
        is_match.then_some(characters.as_str())
    }
}

impl Token {
    fn matches(&self, character: char) -> bool {
        match self {
            Self::Literal(literal) => *literal == character,
            Self::AnyButSlash => character != '/',
            Self::Class { is_negated, ranges } => {
                ranges.iter().any(|(first, last)| (first..=last).contains(&&character)) != *is_negated
            }
        }
    }
}

/// Splits a pattern at its stars, up to the first mistake.
fn split(pattern: &str) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut chunk = Chunk::default();
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        let token = match character {
            '*' => {
                if !chunk.tokens.is_empty() {
                    chunks.push(std::mem::take(&mut chunk));
                }
                chunk.has_star = true;
                continue;
            }
            '?' => Some(Token::AnyButSlash),
            '[' => class(&mut characters),
            '\\' => characters.next().map(Token::Literal),
            literal => Some(Token::Literal(literal)),
        };
        match token {
            Some(token) => chunk.tokens.push(token),
            None => {
                chunk.is_malformed = true;
                break;
            }
        }
    }
    chunks.push(chunk);
    chunks
}

/// Reads a class after its `[`; `None` when it is malformed.
fn class(characters: &mut Chars) -> Option<Token> {
    let is_negated = characters.as_str().starts_with('^');
    if is_negated {
        characters.next();
    }
    let mut ranges = Vec::new();
    while ranges.is_empty() || !characters.as_str().starts_with(']') {
        let first = class_character(characters)?;
        let mut last = first;
        if characters.as_str().starts_with('-') {
            characters.next();
            last = class_character(characters)?;
        }
        ranges.push((first, last));
    }
    characters.next();
    Some(Token::Class { is_negated, ranges })
}

fn class_character(characters: &mut Chars) -> Option<char> {
    let character = match characters.next()? {
        '-' | ']' => None,
        '\\' => characters.next(),
        character => Some(character),
    };
    // A class cannot end with its pattern.
    character.filter(|_| !characters.as_str().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_go() {
        for (pattern, name, expected) in [
            ("abc", "abc", true),
            ("*", "abc", true),
            ("*c", "abc", true),
            ("a*", "a", true),
            ("a*", "ab/c", false),
            ("a*/b", "abc/b", true),
            ("a*/b", "a/c/b", false),
            ("a*b*c*d*e*/f", "axbxcxdxe/f", true),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/fff", false),
            ("a*b?c*x", "abxbbxdbxebxczzx", true),
            ("a*b?c*x", "abxbbxdbxebxczzy", false),
            ("ab[c]", "abc", true),
            ("ab[b-d]", "abc", true),
            ("ab[e-g]", "abc", false),
            ("ab[^c]", "abc", false),
            ("ab[^e-g]", "abc", true),
            ("a\\*b", "a*b", true),
            ("a\\*b", "ab", false),
            ("a?b", "a☺b", true),
            ("a[^a]b", "a☺b", true),
            ("a???b", "a☺b", false),
            ("[a-ζ]*", "α", true),
            ("*[a-ζ]", "A", false),
            ("a?b", "a/b", false),
            ("a*b", "a/b", false),
            ("[\\]a]", "]", true),
            ("[\\-]", "-", true),
            ("[x\\-]", "z", false),
            ("[-]", "-", false),
            ("*x", "xxx", true),
            ("a**b", "axb", true),
            ("", "", true),
            ("", "a", false),
            ("[d-b]", "c", false),
            ("a[/]b", "a/b", true),
        ] {
            assert_eq!(matches(pattern, name).unwrap_or(false), expected, "{pattern} on {name}");
        }
    }

    #[test]
    fn mistakes_are_seen_when_they_are_reached() {
        for (pattern, name) in [
            ("[]a]", "]"),
            ("[-]", "-"),
            ("[x-]", "x"),
            ("[-x]", "x"),
            ("[a-b-c]", "a"),
            ("[", "a"),
            ("[^", "a"),
            ("[^bc", "a"),
            ("a[", "a"),
            ("a[", "ab"),
            ("\\", "a"),
            ("x[", "abc"),
        ] {
            assert_eq!(matches(pattern, name), Err(MalformedPattern), "{pattern} on {name}");
        }
        assert_eq!(matches("x*[", "abc"), Ok(false));
        assert_eq!(check_pattern("x*["), Ok(()));
    }
}
