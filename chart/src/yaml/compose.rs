//! From events to a tree, under a budget.
//!
//! Open lists and maps wait on a stack of their own, so nesting costs no call stack; every node is paid for
//! before it is kept, those of an alias before they are copied.

mod anchors;
mod frame;

use super::budget::Budget;
use super::error::{YamlError, YamlProblem};
use super::event::{Event, Events};
use super::scalar::Scalar;
use super::value::Value;
use anchors::Anchors;
use frame::{Content, Frame};

/// How much a node costs, itself and everything below it.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    /// Nodes, an alias counted as one more than what it repeats (as Go counts).
    nodes: usize,
    /// Bytes of text in scalars and keys.
    bytes: usize,
    /// Lists and maps inside each other; 0 for a scalar.
    height: usize,
}

/// A complete node on its way to the list or map that holds it.
struct Node {
    value: Value,
    size: Size,
    is_merge_key: bool,
    is_alias: bool,
}

/// Composes the first document of `text`; also returns how many nodes it has.
pub(super) fn compose(text: &str, budget: &Budget) -> Result<(Value, usize), YamlError> {
    let mut events = Events::new(text);
    let mut composer = Composer { budget, frames: Vec::new(), anchors: Anchors::new(budget), nodes: 0 };
    loop {
        let (event, mark) = events.next()?;
        let node = composer.take(event).and_then(|node| match node {
            Some(node) => composer.place(node),
            None => Ok(None),
        });
        if let Some(root) = node.map_err(|problem| mark.error(problem))? {
            // What directly follows the first document must not be broken; further documents are not looked
            // at.
            events.next()?;
            return Ok((root, composer.nodes));
        }
    }
}

struct Composer<'a> {
    budget: &'a Budget,
    frames: Vec<Frame>,
    anchors: Anchors<'a>,
    nodes: usize,
}

impl Composer<'_> {
    /// Takes one event; gives a node when the event completes one.
    fn take(&mut self, event: Event) -> Result<Option<Node>, YamlProblem> {
        match event {
            Event::Scalar { text, is_plain, anchor, tag } => {
                self.pay(1)?;
                let scalar = Scalar { text: &text, is_plain, tag: &tag };
                let is_merge_key = scalar.is_merge_key();
                let value = scalar.resolve()?;
                let size = Size { nodes: 1, bytes: text.len(), height: 0 };
                if let Some(anchor) = anchor {
                    self.anchors.keep(anchor, &value, size)?;
                }
                Ok(Some(Node { value, size, is_merge_key, is_alias: false }))
            }
            Event::Alias(anchor) => self.repeat(&anchor).map(Some),
            Event::SequenceStart { anchor } => self.open(Content::Sequence(Vec::new()), anchor),
            Event::MappingStart { anchor } => self.open(Content::empty_mapping(), anchor),
            Event::End => self.close(),
            Event::DocumentEnd => Ok(Some(Node {
                value: Value::Null,
                size: Size::default(),
                is_merge_key: false,
                is_alias: false,
            })),
        }
    }

    fn open(&mut self, content: Content, anchor: Option<String>) -> Result<Option<Node>, YamlProblem> {
        self.pay(1)?;
        if self.frames.len() >= self.budget.depth {
            return Err(YamlProblem::TooDeep(self.budget.depth));
        }
        let anchor = anchor.map(|name| self.anchors.open(name));
        self.frames.push(Frame::new(content, anchor));
        Ok(None)
    }

    fn close(&mut self) -> Result<Option<Node>, YamlProblem> {
        let Some(frame) = self.frames.pop() else { return Ok(None) };
        let (value, size, anchor) = frame.close();
        if let Some(anchor) = anchor {
            self.anchors.close(anchor, &value, size)?;
        }
        Ok(Some(Node { value, size, is_merge_key: false, is_alias: false }))
    }

    fn repeat(&mut self, anchor: &str) -> Result<Node, YamlProblem> {
        let size = self.anchors.size_of(anchor)?;
        self.pay(1 + size.nodes)?;
        if self.frames.len() + size.height > self.budget.depth {
            return Err(YamlProblem::TooDeep(self.budget.depth));
        }
        let value = self.anchors.copy(anchor, self.nodes)?;
        Ok(Node { value, size: Size { nodes: size.nodes + 1, ..size }, is_merge_key: false, is_alias: true })
    }

    /// Puts a node where it belongs; gives it back when it is the root.
    fn place(&mut self, node: Node) -> Result<Option<Value>, YamlProblem> {
        match self.frames.last_mut() {
            Some(frame) => frame.push(node).map(|()| None),
            None => Ok(Some(node.value)),
        }
    }

    fn pay(&mut self, nodes: usize) -> Result<(), YamlProblem> {
        self.nodes += nodes;
        if self.nodes > self.budget.nodes {
            Err(YamlProblem::TooManyNodes(self.budget.nodes))
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    fn read(text: &str) -> Result<Json, YamlError> {
        compose(text, &Budget::default()).map(|(value, _)| value.to_json())
    }

    #[test]
    fn merge_keys_apply_where_they_stand() {
        for (text, expected) in [
            ("a: 1\n<<: {a: 2, b: 3}\n", json!({"a": 2, "b": 3})),
            ("<<: {a: 2, b: 3}\na: 1\n", json!({"a": 1, "b": 3})),
            ("<<: [{a: 1}, {a: 2, b: 2}]\n", json!({"a": 1, "b": 2})),
            ("<<: {a: 1}\n<<: {a: 2}\n", json!({"a": 2})),
            ("<<: []\n", json!({})),
            ("'<<': {a: 1}\n", json!({"<<": {"a": 1}})),
            ("x: &x {a: 1}\nz: {<<: *x}\n", json!({"x": {"a": 1}, "z": {"a": 1}})),
        ] {
            assert_eq!(read(text), Ok(expected), "{text:?}");
        }
        for text in ["<<: 1", "<<:", "<<: [1]", "x: &x [{a: 1}]\n<<: *x\n", "x: &x a\n<<: *x\n"] {
            assert_eq!(read(text).unwrap_err().problem, YamlProblem::Merge, "{text:?}");
        }
    }

    #[test]
    fn an_alias_repeats_the_latest_anchor_of_its_name() {
        for (text, expected) in [
            ("[&a 1, *a, &a 2, *a]", json!([1, 1, 2, 2])),
            ("[&a [1, &b [2]], *b, *a]", json!([[1, [2]], [2], [1, [2]]])),
            ("&a [&a 1, *a]", json!([1, 1])),
            ("{&a x: 1, *a : 2}", json!({"x": 2})),
            ("[&a , *a]", json!([null, null])),
        ] {
            assert_eq!(read(text), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn an_alias_without_a_finished_anchor_is_refused() {
        for text in ["*a", "[*a, &a 1]", "a: 1\nb: *a\n"] {
            assert_eq!(
                read(text).unwrap_err().problem,
                YamlProblem::UnknownAnchor("a".to_owned()),
                "{text:?}"
            );
        }
        for text in ["&a [*a]", "a: &a {b: [*a]}", "a: &a {<<: *a}"] {
            assert_eq!(
                read(text).unwrap_err().problem,
                YamlProblem::SelfReference("a".to_owned()),
                "{text:?}"
            );
        }
    }

    #[test]
    fn the_last_of_equal_keys_wins_and_keys_are_text() {
        assert_eq!(read("{a: 1, a: 2, 1: b, '1': c, yes: d}"), Ok(json!({"a": 2, "1": "c", "true": "d"})));
    }

    #[test]
    fn an_error_tells_line_and_column() {
        let error = read("a: 1\nb:\n  - *c\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "line 3, column 5: alias `c` has no anchor before it; define it with `&` first"
        );
        let error = read("a: 1\n? [x]\n: y\n").unwrap_err();
        assert_eq!((error.line, error.problem), (2, YamlProblem::Key("a list")));
    }

    #[test]
    fn only_the_first_document_is_read() {
        assert_eq!(read("a: 1\n---\n]\n"), Ok(json!({"a": 1})));
        assert_eq!(read("a: 1\n...\n}\n"), Ok(json!({"a": 1})));
        assert_eq!(read(""), Ok(Json::Null));
    }
}
