//! A list or map that is still open.

use std::collections::BTreeMap;

use super::anchors::OpenAnchor;
use super::{Node, Size};
use crate::yaml::error::YamlProblem;
use crate::yaml::value::Value;

/// A list or map whose end has not been seen.
pub(super) struct Frame {
    content: Content,
    anchor: Option<OpenAnchor>,
    size: Size,
}

/// What an open list or map holds so far.
pub(super) enum Content {
    /// The items of a list.
    Sequence(Vec<Value>),
    /// The entries of a map, and the key whose value comes next.
    Mapping(BTreeMap<String, Value>, Option<Key>),
}

/// A key that waits for its value.
pub(super) enum Key {
    /// The text under which the value is kept.
    Text(String),
    /// `<<`: the value's entries become entries of this map.
    Merge,
}

impl Content {
    /// Returns a map without entries.
    pub(super) fn empty_mapping() -> Self {
        Self::Mapping(BTreeMap::new(), None)
    }
}

impl Frame {
    /// Opens a list or map.
    pub(super) fn new(content: Content, anchor: Option<OpenAnchor>) -> Self {
        Self { content, anchor, size: Size { nodes: 1, bytes: 0, height: 1 } }
    }

    /// Takes the next node: an item, a key or a value.
    pub(super) fn push(&mut self, node: Node) -> Result<(), YamlProblem> {
        self.size.nodes += node.size.nodes;
        self.size.bytes += node.size.bytes;
        self.size.height = self.size.height.max(node.size.height + 1);
        match &mut self.content {
            Content::Sequence(items) => items.push(node.value),
            Content::Mapping(entries, key) => match key.take() {
                None => *key = Some(read_key(node)?),
                // A later key replaces an earlier one, as in Go when it is not strict.
                Some(Key::Text(text)) => _ = entries.insert(text, node.value),
                Some(Key::Merge) => merge(entries, node)?,
            },
        }
        Ok(())
    }

    /// Closes the list or map.
    pub(super) fn close(self) -> (Value, Size, Option<OpenAnchor>) {
        let value = match self.content {
            Content::Sequence(items) => Value::Sequence(items),
            Content::Mapping(entries, _) => Value::Mapping(entries),
        };
        (value, self.size, self.anchor)
    }
}

fn read_key(node: Node) -> Result<Key, YamlProblem> {
    if node.is_merge_key {
        return Ok(Key::Merge);
    }
    node.value.into_key().map(Key::Text).map_err(YamlProblem::Key)
}

/// Merges as Go does: entries replace what stood in the map before, later keys of the map replace them in
/// turn, and of a list of maps the first has the last word.
fn merge(entries: &mut BTreeMap<String, Value>, node: Node) -> Result<(), YamlProblem> {
    match node.value {
        Value::Mapping(merged) => entries.extend(merged),
        Value::Sequence(items) if !node.is_alias => {
            for item in items.into_iter().rev() {
                let Value::Mapping(merged) = item else { return Err(YamlProblem::Merge) };
                entries.extend(merged);
            }
        }
        Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Uint(_)
        | Value::Float(_)
        | Value::String(_)
        | Value::Sequence(_) => return Err(YamlProblem::Merge),
    }
    Ok(())
}
