//! Places in a text: line and column as editors count them, and the table that finds them.
//!
//! Offsets are bytes everywhere; only what a person reads is counted in lines and characters.

use std::fmt;

use saphyr_parser::Marker;

/// A place in a text; line and column begin at 1, the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    /// The line, from 1.
    pub(crate) line: usize,
    /// The column in characters, from 1.
    pub(crate) column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {} column {}", self.line, self.column)
    }
}

/// Where each line of a text begins.
#[derive(Debug)]
pub(crate) struct Lines<'text> {
    text: &'text str,
    starts: Vec<usize>,
}

impl<'text> Lines<'text> {
    /// Finds the lines of `text`; `\n`, `\r\n` and a lone `\r` end one, as in YAML 1.2 §5.4.
    pub(crate) fn of(text: &'text str) -> Self {
        let bytes = text.as_bytes();
        let ends_line = |at: usize| match bytes.get(at) {
            Some(b'\n') => true,
            Some(b'\r') => bytes.get(at + 1) != Some(&b'\n'),
            Some(_) | None => false,
        };
        let starts = std::iter::once(0).chain((0..bytes.len()).filter(|at| ends_line(*at)).map(|at| at + 1));
        Self { text, starts: starts.collect() }
    }

    /// Returns the byte offset of a parser's marker. Only its line and column are used: its index
    /// counts characters over the whole text, which would cost a walk for every node.
    pub(crate) fn offset(&self, marker: &Marker) -> usize {
        let line = marker.line().saturating_sub(1);
        let start = self.starts.get(line).copied().unwrap_or(self.text.len());
        let rest = self.text.get(start..).unwrap_or_default();
        start + rest.char_indices().nth(marker.col()).map_or(rest.len(), |(bytes, _)| bytes)
    }

    /// Returns the line and column of the byte `offset`.
    pub(crate) fn position(&self, offset: usize) -> Position {
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or_default();
        Position { line, column: self.text.get(start..offset).unwrap_or_default().chars().count() + 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_counted_and_bytes_returned() {
        let text = "a: 한글\r\nb: x\rc";
        let lines = Lines::of(text);
        assert_eq!(lines.offset(&Marker::new(0, 1, 4)), 6);
        assert_eq!(lines.offset(&Marker::new(0, 2, 3)), text.find('x').unwrap());
        assert_eq!(lines.position(6), Position { line: 1, column: 5 });
        assert_eq!(lines.position(text.find('c').unwrap()), Position { line: 3, column: 1 });
    }

    #[test]
    fn a_marker_behind_the_text_is_its_end() {
        assert_eq!(Lines::of("ab\n").offset(&Marker::new(0, 9, 4)), 3);
    }
}
