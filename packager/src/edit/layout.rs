//! How a document is laid out: line ends, indentation step, and how far lists stand in.
//!
//! New lines take the layout of the lines that are there, so that an edit reads like its neighbours.

use std::ops::Range;

use super::tree::{Kind, Node};

/// The layout new lines follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    /// How many spaces a mapping below a key stands in.
    pub(crate) step: usize,
    /// How many spaces the dashes of a list below a key stand in.
    pub(crate) list_step: usize,
    /// What ends a line.
    pub(crate) line_end: &'static str,
}

impl Layout {
    /// Reads the layout off `text`: the first nested mapping and the first list below a key decide.
    pub(crate) fn of(text: &str, root: &Node) -> Self {
        let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let step = first_step(text, root, &|node| matches!(node.kind, Kind::Mapping { is_flow: false, .. }));
        let list_step =
            first_step(text, root, &|node| matches!(node.kind, Kind::Sequence { is_flow: false, .. }));
        let step = step.filter(|step| *step > 0).unwrap_or(2);
        Self { step, list_step: list_step.unwrap_or(step), line_end }
    }
}

fn first_step(text: &str, node: &Node, is_wanted: &dyn Fn(&Node) -> bool) -> Option<usize> {
    match &node.kind {
        Kind::Absent | Kind::Scalar { .. } | Kind::Alias(_) => None,
        Kind::Sequence { items, .. } => items.iter().find_map(|item| first_step(text, &item.node, is_wanted)),
        Kind::Mapping { is_flow: true, .. } => None,
        Kind::Mapping { entries, .. } => entries.iter().find_map(|entry| {
            let is_plain = entry.value.anchor.is_none() && !entry.value.is_tagged;
            if is_plain && is_wanted(&entry.value) {
                let (key, value) = (column(text, entry.key.span.start), column(text, entry.value.span.start));
                return value.checked_sub(key);
            }
            first_step(text, &entry.value, is_wanted)
        }),
    }
}

/// Returns how many bytes stand before `offset` on its line.
pub(crate) fn column(text: &str, offset: usize) -> usize {
    offset - line_start(text, offset)
}

/// Returns where the line of `offset` begins.
pub(crate) fn line_start(text: &str, offset: usize) -> usize {
    text.get(..offset).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1)
}

/// Returns where the line of `offset` ends, before its line break.
pub(crate) fn line_end(text: &str, offset: usize) -> usize {
    let rest = text.get(offset..).unwrap_or_default();
    let line = rest.split('\n').next().unwrap_or_default();
    offset + line.strip_suffix('\r').unwrap_or(line).len()
}

/// Returns the whole lines that `range` touches, with the line break behind them.
pub(crate) fn whole_lines(text: &str, range: &Range<usize>) -> Range<usize> {
    let end = range.end.max(range.start + 1) - 1;
    let rest = text.get(end..).unwrap_or_default();
    line_start(text, range.start)..rest.find('\n').map_or(text.len(), |at| end + at + 1)
}

#[cfg(test)]
mod tests {
    use super::super::compose::compose;
    use super::*;

    fn layout_of(text: &str) -> Layout {
        Layout::of(text, &compose(text).unwrap())
    }

    #[test]
    fn the_neighbours_decide() {
        assert_eq!(layout_of("a:\n    b: 1\nc:\n- d\n"), Layout { step: 4, list_step: 0, line_end: "\n" });
        assert_eq!(
            layout_of("a:\r\n  - b:\r\n      c: 1\r\n"),
            Layout { step: 2, list_step: 2, line_end: "\r\n" }
        );
        assert_eq!(layout_of(""), Layout { step: 2, list_step: 2, line_end: "\n" });
    }

    #[test]
    fn lines_are_found_around_an_offset() {
        let text = "ab\r\ncd\nef";
        assert_eq!((line_start(text, 5), line_end(text, 5), column(text, 5)), (4, 6, 1));
        assert_eq!(line_end(text, 0), 2);
        assert_eq!(whole_lines(text, &(4..6)), 4..7);
        assert_eq!(whole_lines(text, &(7..9)), 7..9);
    }
}
