//! Segments as YAML, made from their JSON when someone asks for it.

use chart::ChartName;

use super::fingerprint::Fingerprint;
use super::segment::{Rendition, Segment};

/// Returns the segment's entries as block sequences below their charts' names, to stand under `entries:`.
pub(super) fn transcode(segment: &Segment) -> Rendition {
    let mut text = Vec::new();
    let mut fingerprints = Vec::new();
    for placed in segment.pages() {
        if placed.opens() {
            text.extend_from_slice(format!("  {}:\n", key(placed.chart())).as_bytes());
        }
        for (slot, json) in segment.entries_of(placed) {
            let start = text.len();
            chart::index::write_yaml_entry(&json, &mut text);
            let entry = text.get(start..).unwrap_or_default();
            fingerprints.push(Fingerprint::of_entry(slot.place(placed.chart()), entry));
        }
    }
    text.shrink_to_fit();
    Rendition::new(text, 0, fingerprints.into_iter().sum())
}

/// Returns the name as a YAML key. What begins with a letter and is no word that YAML 1.1 gives a meaning is a plain
/// string to every reader; the rest might be a number, a date or a sign.
fn key(chart: &ChartName) -> String {
    const WORDS: [&str; 11] = ["y", "yes", "n", "no", "on", "off", "true", "false", "null", "nan", "inf"];
    let name = chart.as_str();
    let is_word = WORDS.iter().any(|word| name.eq_ignore_ascii_case(word));
    if name.starts_with(|first: char| first.is_ascii_alphabetic()) && !is_word {
        name.to_owned()
    } else {
        format!("\"{name}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_not_be_strings_are_quoted() {
        let cases = [
            ("linkerd2", "linkerd2"),
            ("a", "a"),
            ("nullable", "nullable"),
            ("y", "\"y\""),
            ("True", "\"True\""),
            ("NULL", "\"NULL\""),
            ("off", "\"off\""),
            ("3scale", "\"3scale\""),
            ("1e3", "\"1e3\""),
            ("0x10", "\"0x10\""),
            ("2026-01-01", "\"2026-01-01\""),
            ("-", "\"-\""),
            ("---", "\"---\""),
            (".inf", "\".inf\""),
            ("_", "\"_\""),
        ];
        for (name, expected) in cases {
            assert_eq!(key(&name.parse().unwrap()), expected);
        }
    }
}
