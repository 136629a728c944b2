//! A YAML document as nodes that know which bytes they are made of; `compose` makes it.
//!
//! The tree is for finding places, not for values: what a scalar means is `meaning`'s business.

use std::ops::Range;

use saphyr_parser::ScalarStyle;

use super::position::Position;

/// One node and its bytes.
#[derive(Debug)]
pub(crate) struct Node {
    /// The node's bytes. A block collection begins with its first key or dash and ends with its last
    /// value; an absent node is the empty range where its value would begin.
    pub(crate) span: Range<usize>,
    /// Where the node begins, for messages.
    pub(crate) position: Position,
    /// The anchor's number; none when the node has no anchor.
    pub(crate) anchor: Option<usize>,
    /// Whether a tag (`!!str`) stands before the node.
    pub(crate) is_tagged: bool,
    /// What the node is.
    pub(crate) kind: Kind,
}

/// What a node is.
#[derive(Debug)]
pub(crate) enum Kind {
    /// Nothing stands after the colon or dash: null.
    Absent,
    /// A scalar as the parser understands it, and how it is written.
    Scalar {
        /// The text without quotes and escapes.
        text: String,
        /// How it is written.
        style: ScalarStyle,
    },
    /// A reference to the node with this anchor number.
    Alias(usize),
    /// A list.
    Sequence {
        /// The items in order.
        items: Vec<Item>,
        /// Whether it is written in brackets.
        is_flow: bool,
    },
    /// A mapping.
    Mapping {
        /// The entries in order.
        entries: Vec<Entry>,
        /// Whether it is written in braces.
        is_flow: bool,
    },
}

/// One item of a list.
#[derive(Debug)]
pub(crate) struct Item {
    /// The offset of the dash; none inside brackets.
    pub(crate) dash: Option<usize>,
    /// The item itself.
    pub(crate) node: Node,
}

/// One entry of a mapping.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The key.
    pub(crate) key: Node,
    /// The offset of the colon when it follows the key on its line; none for the `? key` form.
    pub(crate) colon: Option<usize>,
    /// The value.
    pub(crate) value: Node,
}

impl Item {
    /// Returns the bytes from the dash, or from the item itself inside brackets, to the item's end.
    pub(crate) fn span(&self) -> Range<usize> {
        self.dash.unwrap_or(self.node.span.start)..self.node.span.end
    }
}

impl Entry {
    /// Returns the bytes from the key's start to the value's end.
    pub(crate) fn span(&self) -> Range<usize> {
        self.key.span.start..self.value.span.end.max(self.key.span.end)
    }
}
