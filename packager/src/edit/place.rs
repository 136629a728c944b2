//! Where a path leads in a document: the deepest node that is there, and what is missing below it.
//!
//! What an edit may not touch is refused here, with the line it stands on.

use super::EditError;
use super::path::{Segment, ValuePath};
use super::tree::{Kind, Node};

/// The deepest node of a path that exists.
#[derive(Debug)]
pub(crate) struct Place<'tree> {
    /// The node.
    pub(crate) node: &'tree Node,
    /// What it stands behind.
    pub(crate) slot: Slot,
    /// Whether it stands inside braces or brackets.
    pub(crate) is_in_flow: bool,
    /// How many segments of the path lead to it.
    pub(crate) found: usize,
}

/// What a node stands behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    /// Nothing: it is the document.
    Root,
    /// A key; both are offsets.
    Key {
        /// Where the key begins.
        start: usize,
        /// Where its colon stands.
        colon: usize,
    },
    /// The dash of a list item, or the comma of one in brackets: its offset.
    Dash(Option<usize>),
}

impl<'tree> Place<'tree> {
    /// Follows `path` from `root` as far as it exists.
    ///
    /// # Errors
    /// [`EditError`] when the path runs through an alias, an anchored node that is used elsewhere, a
    /// scalar, a list without that item, or a key written as `? key`.
    pub(crate) fn find(root: &'tree Node, path: &ValuePath) -> Result<Self, EditError> {
        let mut place = Place { node: root, slot: Slot::Root, is_in_flow: false, found: 0 };
        for segment in path.segments() {
            place.refuse_shared(root, path)?;
            match place.step(segment, path)? {
                Some(next) => place = next,
                None => break,
            }
        }
        place.refuse_shared(root, path)?;
        Ok(place)
    }

    /// Returns the segments of `path` that are missing below this place.
    pub(crate) fn missing<'path>(&self, path: &'path ValuePath) -> &'path [Segment] {
        path.segments().get(self.found..).unwrap_or_default()
    }

    fn step(&self, segment: &Segment, path: &ValuePath) -> Result<Option<Place<'tree>>, EditError> {
        match (&self.node.kind, segment) {
            (Kind::Mapping { entries, is_flow }, Segment::Key(key)) => {
                // Of two equal keys the last one counts, as in Go's parser.
                let Some(entry) = entries.iter().rev().find(|entry| entry.key.scalar_text() == Some(key))
                else {
                    return Ok(None);
                };
                let Some(colon) = entry.colon else {
                    return Err(EditError::ExplicitKey {
                        path: path.prefix(self.found + 1),
                        at: entry.key.position,
                    });
                };
                let slot = Slot::Key { start: entry.key.span.start, colon };
                Ok(Some(self.below(&entry.value, slot, *is_flow)))
            }
            (Kind::Sequence { items, is_flow }, Segment::Index(index)) => match items.get(*index) {
                Some(item) => Ok(Some(self.below(&item.node, Slot::Dash(item.dash), *is_flow))),
                None => Err(EditError::NoSuchItem {
                    path: path.prefix(self.found),
                    index: *index,
                    length: items.len(),
                    at: self.node.position,
                }),
            },
            (Kind::Alias(_), _) => {
                Err(EditError::ThroughAlias { path: path.prefix(self.found), at: self.node.position })
            }
            (Kind::Absent, Segment::Key(_)) => Ok(None),
            (Kind::Scalar { .. }, Segment::Key(_)) if self.is_written_null() => Ok(None),
            (Kind::Absent | Kind::Scalar { .. } | Kind::Mapping { .. }, Segment::Index(_)) => {
                Err(EditError::NotAList { path: path.prefix(self.found), at: self.node.position })
            }
            (Kind::Scalar { .. } | Kind::Sequence { .. }, Segment::Key(_)) => {
                Err(EditError::NotAMapping { path: path.prefix(self.found), at: self.node.position })
            }
        }
    }

    fn below(&self, node: &'tree Node, slot: Slot, is_flow: bool) -> Place<'tree> {
        Place { node, slot, is_in_flow: self.is_in_flow || is_flow, found: self.found + 1 }
    }

    fn is_written_null(&self) -> bool {
        let is_plain =
            matches!(&self.node.kind, Kind::Scalar { style: saphyr_parser::ScalarStyle::Plain, .. });
        is_plain && matches!(self.node.scalar_text(), Some("~" | "null" | "Null" | "NULL"))
    }

    /// An edit inside an anchored node would change every place that refers to it.
    fn refuse_shared(&self, root: &Node, path: &ValuePath) -> Result<(), EditError> {
        match self.node.anchor {
            Some(anchor) if root.refers_to(anchor) => {
                Err(EditError::Shared { path: path.prefix(self.found), at: self.node.position })
            }
            Some(_) | None => Ok(()),
        }
    }
}
