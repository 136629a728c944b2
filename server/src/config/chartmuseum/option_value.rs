//! The value of a ChartMuseum option, read by Go's rules.

use std::collections::BTreeMap;
use std::time::Duration;

use super::options::Kind;

/// A value, by kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum OptionValue {
    Switch(bool),
    Number(i64),
    Text(String),
    Time(Duration),
    Pairs(BTreeMap<String, String>),
}

/// Go's units of time in nanoseconds, longer names first.
const UNITS: [(&str, f64); 8] = [
    ("ns", 1.0),
    ("us", 1e3),
    ("µs", 1e3),
    ("μs", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 60e9),
    ("h", 3_600e9),
];

impl OptionValue {
    /// Parses a flag's or variable's text.
    ///
    /// # Errors
    /// What the text should have been.
    pub(super) fn parse(text: &str, kind: Kind) -> Result<Self, &'static str> {
        match kind {
            Kind::Switch => parse_switch(text).map(Self::Switch).ok_or("write `true` or `false`"),
            Kind::Number => parse_number(text).map(Self::Number).ok_or("write a whole number"),
            Kind::Text => Ok(Self::Text(text.to_owned())),
            Kind::Time => {
                parse_time(text).map(Self::Time).ok_or("write a length of time such as `30s` or `5m`")
            }
            Kind::Pairs => Ok(Self::Pairs(parse_pair(text).into_iter().collect())),
        }
    }

    /// Takes over a later occurrence of the same flag: pairs add up, everything else is replaced.
    pub(super) fn merge(&mut self, later: Self) {
        match (self, later) {
            (Self::Pairs(pairs), Self::Pairs(more)) => pairs.extend(more),
            (earlier, later) => *earlier = later,
        }
    }
}

/// Reads what Go's `strconv.ParseBool` does.
fn parse_switch(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// Reads a decimal number, or one with a base in front (`0x`, `0o`, `0b`, `0`), as Go's flags do.
fn parse_number(text: &str) -> Option<i64> {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = match lower.get(..2) {
        Some("0x") => (16, lower.get(2..)?),
        Some("0o") => (8, lower.get(2..)?),
        Some("0b") => (2, lower.get(2..)?),
        Some(two) if two.starts_with('0') => (8, lower.get(1..)?),
        Some(_) | None => (10, lower.as_str()),
    };
    // A second sign is none of Go's digits, but `from_str_radix` would take it.
    let number = i64::from_str_radix(digits.strip_prefix(['+', '-']).map_or(digits, |_| ""), radix).ok()?;
    Some(if is_negative { -number } else { number })
}

/// Reads what Go's `time.ParseDuration` does: numbers with units, fractions included; negative ones are nothing here.
fn parse_time(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    let mut nanoseconds = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let (number, after) = rest.split_at_checked(digits)?;
        let (unit, scale) = UNITS.iter().find(|(unit, _)| after.starts_with(unit))?;
        nanoseconds += number.parse::<f64>().ok()? * scale;
        rest = after.strip_prefix(unit)?;
    }
    Duration::try_from_secs_f64(nanoseconds / 1e9).ok()
}

fn parse_pair(text: &str) -> Option<(String, String)> {
    let (tenant, id) = text.split_once('=').unwrap_or(("", text));
    (!id.is_empty()).then(|| (tenant.trim_matches('/').to_owned(), id.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_and_numbers_are_gos() {
        for (text, expected) in
            [("1", Some(true)), ("T", Some(true)), ("False", Some(false)), ("yes", None), ("", None)]
        {
            assert_eq!(parse_switch(text), expected, "{text}");
        }
        for (text, expected) in [
            ("8080", Some(8080)),
            ("-1", Some(-1)),
            ("+7", Some(7)),
            ("0x1F", Some(31)),
            ("0b11", Some(3)),
            ("010", Some(8)),
            ("0", Some(0)),
            ("--1", None),
            ("0x", None),
            ("1.5", None),
            ("", None),
        ] {
            assert_eq!(parse_number(text), expected, "{text}");
        }
    }

    #[test]
    fn times_are_gos() {
        for (text, milliseconds) in [
            ("5m", Some(300_000)),
            ("1h30m", Some(5_400_000)),
            ("1.5h", Some(5_400_000)),
            ("300ms", Some(300)),
            (".5s", Some(500)),
            ("0", Some(0)),
            ("0s", Some(0)),
            ("5", None),
            ("-5m", None),
            ("", None),
            ("5d", None),
            ("s", None),
        ] {
            assert_eq!(parse_time(text), milliseconds.map(Duration::from_millis), "{text}");
        }
    }

    #[test]
    fn pairs_add_up_and_texts_replace() {
        let mut pairs = OptionValue::parse("one", Kind::Pairs).unwrap();
        pairs.merge(OptionValue::parse("team/a=two=2", Kind::Pairs).unwrap());
        let expected =
            [("", "one"), ("team/a", "two=2")].map(|(tenant, id)| (tenant.to_owned(), id.to_owned()));
        assert_eq!(pairs, OptionValue::Pairs(expected.into()));
        let mut number = OptionValue::Number(1);
        number.merge(OptionValue::Number(2));
        assert_eq!(number, OptionValue::Number(2));
    }
}
