//! The text of a constraint.
//!
//! Masterminds/semver reads it with regular expressions; this reads exactly the same texts, oddities
//! included: `|` is taken for a digit, and a hyphen range is rewritten before anything else is looked at.

use super::InvalidConstraint;
use super::comparison::{Comparison, Operator, Precision};

/// A version in a constraint, cut into its parts.
struct Pattern<'a> {
    whole: &'a str,
    major: &'a str,
    minor: Option<&'a str>,
    patch: Option<&'a str>,
    /// The pre-release with its `-`.
    prerelease: &'a str,
}

/// Replaces each `A - B` by `>= A, <= B `.
pub(super) fn rewrite_hyphen_ranges(text: &str) -> String {
    let mut rewritten = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some((from, to, after)) = split_hyphen_range(rest) {
            rewritten.push_str(&format!(">= {from}, <= {to} "));
            rest = after;
        } else {
            rewritten.push(first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
    }
    rewritten
}

/// Splits a hyphen range, and the spaces around it, off the beginning of `text`: `A`, `B` and what follows.
fn split_hyphen_range(text: &str) -> Option<(&str, &str, &str)> {
    let (from, rest) = split_pattern(skip_spaces(text))?;
    let rest = skip_some_spaces(skip_some_spaces(rest)?.strip_prefix('-')?)?;
    let (to, rest) = split_pattern(rest)?;
    Some((from.whole, to.whole, skip_spaces(rest)))
}

/// Parses comparisons separated by spaces or a comma, at least one.
pub(super) fn comparisons(text: &str) -> Result<Vec<Comparison>, InvalidConstraint> {
    let shape = || InvalidConstraint::Shape(text.to_owned());
    let mut found = Vec::new();
    let mut rest = skip_spaces(text);
    loop {
        let (operator, after) = split_operator(rest).ok_or_else(shape)?;
        let (pattern, after) = split_pattern(skip_spaces(after)).ok_or_else(shape)?;
        found.push(compare(operator, &pattern)?);
        let after_spaces = skip_spaces(after);
        let next = skip_spaces(after_spaces.strip_prefix(',').unwrap_or(after_spaces));
        if after_spaces.is_empty() {
            return Ok(found);
        }
        if next.len() == after.len() {
            return Err(shape());
        }
        rest = next;
    }
}

fn split_operator(text: &str) -> Option<(Operator, &str)> {
    let end =
        text.find(|character| !matches!(character, '=' | '!' | '>' | '<' | '~' | '^')).unwrap_or(text.len());
    let (operator, rest) = text.split_at_checked(end)?;
    let operator = match operator {
        "" | "=" => Operator::Equal,
        "!=" => Operator::NotEqual,
        ">" => Operator::Greater,
        "<" => Operator::Less,
        ">=" | "=>" => Operator::GreaterOrEqual,
        "<=" | "=<" => Operator::LessOrEqual,
        "~" | "~>" => Operator::Tilde,
        "^" => Operator::Caret,
        _ => return None,
    };
    Some((operator, rest))
}

/// Splits a version off the beginning: `v`, up to three numbers or wildcards, a pre-release and build
/// metadata.
fn split_pattern(text: &str) -> Option<(Pattern<'_>, &str)> {
    let (major, mut rest) = split_while(text.strip_prefix('v').unwrap_or(text), is_number_or_wildcard)?;
    let minor = split_marked(&mut rest, '.', is_number_or_wildcard);
    let patch = minor.and_then(|_| split_marked(&mut rest, '.', is_number_or_wildcard));
    let before_prerelease = rest;
    let prerelease = split_identifiers(&mut rest, '-').map_or("", |end| end_at(before_prerelease, end));
    split_identifiers(&mut rest, '+');
    Some((Pattern { whole: end_at(text, rest), major, minor, patch, prerelease }, rest))
}

/// Splits `mark` and one or more characters off the beginning of `rest`; leaves it alone when they are not
/// there.
fn split_marked<'a>(rest: &mut &'a str, mark: char, is_part: fn(char) -> bool) -> Option<&'a str> {
    let (part, after) = split_while(rest.strip_prefix(mark)?, is_part)?;
    *rest = after;
    Some(part)
}

/// Splits `mark` and dotted identifiers off the beginning of `rest`; gives what is left when they are there.
fn split_identifiers<'a>(rest: &mut &'a str, mark: char) -> Option<&'a str> {
    split_marked(rest, mark, is_identifier)?;
    while split_marked(rest, '.', is_identifier).is_some() {}
    Some(rest)
}

/// Returns `text` without `end`, which is the end of it.
fn end_at<'a>(text: &'a str, end: &str) -> &'a str {
    text.get(..text.len() - end.len()).unwrap_or_default()
}

fn split_while(text: &str, is_part: fn(char) -> bool) -> Option<(&str, &str)> {
    let end = text.find(|character| !is_part(character)).unwrap_or(text.len());
    text.split_at_checked(end).filter(|(part, _)| !part.is_empty())
}

fn is_number_or_wildcard(character: char) -> bool {
    character.is_ascii_digit() || matches!(character, 'x' | 'X' | '*' | '|')
}

fn is_identifier(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '-'
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\u{c}' | '\r')
}

fn skip_spaces(text: &str) -> &str {
    text.trim_start_matches(is_space)
}

fn skip_some_spaces(text: &str) -> Option<&str> {
    text.starts_with(is_space).then(|| skip_spaces(text))
}

fn compare(operator: Operator, pattern: &Pattern<'_>) -> Result<Comparison, InvalidConstraint> {
    let is_open = |part: &Option<&str>| part.is_none_or(|part| matches!(part, "x" | "X" | "*"));
    let prerelease = pattern.prerelease;
    let (precision, bound) = match (pattern.major, pattern.minor, pattern.patch) {
        (major, _, _) if is_open(&Some(major)) => (Precision::Nothing, format!("0.0.0{prerelease}")),
        (major, minor, _) if is_open(&minor) => (Precision::Major, format!("{major}.0.0{prerelease}")),
        (major, Some(minor), patch) if is_open(&patch) => {
            (Precision::Minor, format!("{major}.{minor}.0{prerelease}"))
        }
        _ => (Precision::Patch, pattern.whole.to_owned()),
    };
    let bound = bound.parse().map_err(|_| InvalidConstraint::Version(pattern.whole.to_owned()))?;
    Ok(Comparison { operator, bound, precision })
}
