//! Fingerprints and the entity tags made of them.
//!
//! Rule: what an identity body's tag is made of is a sum over entries, so that it does not depend on how these are
//! grouped, and equal bodies have equal tags on every replica.

use bytes::Bytes;
use xxhash_rust::xxh3::{Xxh3Default, xxh3_64_with_seed, xxh3_128, xxh3_128_with_seed};

use super::order::Place;

/// The fingerprint of one or more entries: a sum modulo 2^128 of theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Fingerprint(u128);

impl Fingerprint {
    /// Returns the fingerprint of the text of one entry at its place.
    pub(super) fn of_entry(place: Place<'_>, text: &[u8]) -> Self {
        let seed = xxh3_64_with_seed(place.chart.as_str().as_bytes(), place.created.micros().cast_unsigned());
        let seed = xxh3_64_with_seed(place.version.as_str().as_bytes(), seed);
        Self(xxh3_128_with_seed(text, seed))
    }

    /// Takes back what [`Self::bits`] gave.
    pub(super) fn from_bits(bits: u128) -> Self {
        Self(bits)
    }

    /// Returns it as a number, to be kept.
    pub(super) fn bits(self) -> u128 {
        self.0
    }

    /// Returns the fingerprint of these bytes alone.
    pub(super) fn of_bytes(bytes: &[u8]) -> Self {
        Self(xxh3_128(bytes))
    }
}

impl std::iter::Sum for Fingerprint {
    fn sum<I: Iterator<Item = Self>>(each: I) -> Self {
        Self(each.fold(0, |sum, one| sum.wrapping_add(one.0)))
    }
}

/// Returns the strong entity tag, quoted, of an uncompressed body: what stands around the entries, and their sum.
pub(super) fn tag_of_entries(prologue: &Bytes, entries: Fingerprint, epilogue: &Bytes) -> String {
    tag_of_parts(&[Fingerprint::of_bytes(prologue), entries, Fingerprint::of_bytes(epilogue)])
}

/// Returns the strong entity tag, quoted, of parts in their order.
pub(super) fn tag_of_parts(parts: &[Fingerprint]) -> String {
    let mut hasher = Xxh3Default::new();
    for part in parts {
        hasher.update(&part.0.to_le_bytes());
    }
    format!("\"{:032x}\"", hasher.digest128())
}

#[cfg(test)]
mod tests {
    use chart::{ChartName, ChartVersion, Timestamp};

    use super::*;

    fn fingerprint(chart: &str, version: &str, created: i64, text: &str) -> Fingerprint {
        let chart: ChartName = chart.parse().unwrap();
        let version: ChartVersion = version.parse().unwrap();
        let created = Timestamp::from_micros(created);
        Fingerprint::of_entry(Place { chart: &chart, version: &version, created }, text.as_bytes())
    }

    #[test]
    fn everything_that_orders_or_fills_the_body_changes_the_fingerprint() {
        let base = fingerprint("a", "1.0.0", 1, "{}");
        assert_eq!(base, fingerprint("a", "1.0.0", 1, "{}"));
        assert_ne!(base, fingerprint("b", "1.0.0", 1, "{}"));
        assert_ne!(base, fingerprint("a", "1.0.1", 1, "{}"));
        assert_ne!(base, fingerprint("a", "1.0.0", 2, "{}"));
        assert_ne!(base, fingerprint("a", "1.0.0", 1, "{ }"));
    }

    #[test]
    fn a_tag_is_quoted_and_knows_the_order_of_its_parts() {
        let (one, other) = (Fingerprint(1), Fingerprint(2));
        let tag = tag_of_parts(&[one, other]);
        assert_eq!(tag.len(), 34);
        assert!(tag.starts_with('"') && tag.ends_with('"'));
        assert_ne!(tag, tag_of_parts(&[other, one]));
    }
}
