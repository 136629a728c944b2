//! Splices: the only way a text changes. What no splice names stays byte for byte.

use std::ops::Range;

/// One replacement: the bytes of `range` give way to `text`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Splice {
    /// The byte range that goes; empty for an insertion.
    pub(crate) range: Range<usize>,
    /// What comes in its place; empty for a removal.
    pub(crate) text: String,
}

impl Splice {
    /// Replaces the bytes of `range` by `text`.
    pub(crate) fn replace(range: Range<usize>, text: impl Into<String>) -> Self {
        Self { range, text: text.into() }
    }

    /// Inserts `text` before the byte `at`.
    pub(crate) fn insert(at: usize, text: impl Into<String>) -> Self {
        Self { range: at..at, text: text.into() }
    }

    /// Removes the bytes of `range`.
    pub(crate) fn remove(range: Range<usize>) -> Self {
        Self { range, text: String::new() }
    }
}

/// Returns `text` with all `splices` made, or nothing when two overlap or one does not fit the text.
pub(crate) fn apply(text: &str, mut splices: Vec<Splice>) -> Option<String> {
    splices.sort_by_key(|splice| (splice.range.start, splice.range.end));
    let mut result = String::with_capacity(text.len());
    let mut copied = 0;
    for splice in splices {
        result.push_str(text.get(copied..splice.range.start)?);
        result.push_str(&splice.text);
        copied = splice.range.end;
    }
    result.push_str(text.get(copied..)?);
    Some(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splices_apply_in_the_order_of_the_text() {
        let splices = vec![Splice::remove(4..5), Splice::insert(0, "<"), Splice::replace(1..2, "BB")];
        assert_eq!(apply("abcde", splices).unwrap(), "<aBBcd");
    }

    #[test]
    fn overlapping_or_misplaced_splices_are_refused() {
        assert_eq!(apply("abcde", vec![Splice::remove(0..3), Splice::remove(2..4)]), None);
        assert_eq!(apply("abc", vec![Splice::insert(7, "x")]), None);
        assert_eq!(apply("한", vec![Splice::insert(1, "x")]), None);
    }
}
