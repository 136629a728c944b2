//! Writes a value as YAML: one line, or a first line and lines below it.
//!
//! Collections are written over lines except inside braces and brackets, or when they are empty.

use saphyr_parser::ScalarStyle;
use serde_json::Value;

use super::layout::Layout;
use super::scalar::{write_key, write_literal, write_scalar};

/// A value as text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Written {
    /// What stands on the line of the key or dash; empty when everything stands below.
    pub(crate) head: String,
    /// The lines below, as indented relative to each other.
    pub(crate) body: Vec<String>,
    /// How the lines below stand to the key.
    pub(crate) shape: Shape,
}

/// How a value may be spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Over lines, as people write it.
    Lines,
    /// On one line: where lines of its own would run into what follows.
    OneLine,
}

/// What the lines of a written value are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// There are none: everything is on one line.
    Line,
    /// The lines of a literal block scalar.
    Literal,
    /// The entries of a mapping.
    Mapping,
    /// The items of a list.
    Sequence,
}

impl Written {
    /// Returns how many spaces the lines below stand in from the key.
    pub(crate) fn indent(&self, layout: &Layout) -> usize {
        match self.shape {
            Shape::Sequence => layout.list_step,
            Shape::Line | Shape::Literal | Shape::Mapping => layout.step,
        }
    }

    /// Returns the lines of an entry `key: value`.
    pub(crate) fn below_key(self, key: &str, layout: &Layout) -> Vec<String> {
        let indent = self.indent(layout);
        let separator = if self.head.is_empty() { "" } else { " " };
        let first = format!("{}:{separator}{}", write_key(key, false), self.head);
        std::iter::once(first).chain(indented(self.body, indent)).collect()
    }

    /// Returns what stands behind a dash: its line, and the lines below as they stand from the column after it.
    pub(crate) fn compact(self) -> (String, Vec<String>) {
        let mut body = self.body;
        match self.shape {
            Shape::Mapping | Shape::Sequence if !body.is_empty() => {
                let first = body.remove(0);
                (first, body)
            }
            Shape::Line | Shape::Literal | Shape::Mapping | Shape::Sequence => (self.head, body),
        }
    }

    /// Returns the lines of an item `- value`; a collection begins on the dash's line.
    pub(crate) fn behind_dash(self) -> Vec<String> {
        let (first, below) = self.compact();
        std::iter::once(format!("- {first}")).chain(indented(below, 2)).collect()
    }
}

/// Writes `value` in `form`; `old` is the style of the scalar that it replaces.
pub(crate) fn write_value(value: &Value, old: Option<ScalarStyle>, layout: &Layout, form: Form) -> Written {
    match form {
        Form::Lines => write_block(value, old, layout),
        Form::OneLine => line(write_flow(value, old)),
    }
}

fn write_block(value: &Value, old: Option<ScalarStyle>, layout: &Layout) -> Written {
    match value {
        Value::Object(entries) if !entries.is_empty() => {
            let lines = entries
                .iter()
                .flat_map(|(key, value)| write_block(value, None, layout).below_key(key, layout));
            Written { head: String::new(), body: lines.collect(), shape: Shape::Mapping }
        }
        Value::Array(items) if !items.is_empty() => {
            let lines = items.iter().flat_map(|item| write_block(item, None, layout).behind_dash());
            Written { head: String::new(), body: lines.collect(), shape: Shape::Sequence }
        }
        Value::String(text) => match write_literal(text) {
            Some((header, body)) => Written { head: header.to_owned(), body, shape: Shape::Literal },
            None => line(write_scalar(value, old, false)),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) => line(write_scalar(value, old, false)),
        Value::Array(_) | Value::Object(_) => line(write_flow(value, old)),
    }
}

/// Writes `value` on one line, as it may stand inside braces and brackets.
pub(crate) fn write_flow(value: &Value, old: Option<ScalarStyle>) -> String {
    match value {
        Value::Object(entries) => {
            let entries = entries
                .iter()
                .map(|(key, value)| format!("{}: {}", write_key(key, true), write_flow(value, None)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => {
            let items = items.iter().map(|item| write_flow(item, None));
            format!("[{}]", items.collect::<Vec<_>>().join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => write_scalar(value, old, true),
    }
}

/// Returns `lines` with `indent` spaces before each that is not empty.
pub(crate) fn indented(lines: Vec<String>, indent: usize) -> impl Iterator<Item = String> {
    lines.into_iter().map(move |line| if line.is_empty() { line } else { format!("{:indent$}{line}", "") })
}

fn line(head: String) -> Written {
    Written { head, body: Vec::new(), shape: Shape::Line }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::meaning::{is_same, meaning_of};
    use super::*;

    const LAYOUT: Layout = Layout { step: 2, list_step: 2, line_end: "\n" };

    #[test]
    fn collections_are_written_over_lines() {
        let value = json!({
            "tolerations": [{"key": "role", "operator": "Exists"}, [1, []]],
            "limits": {"cpu": "100m", "empty": {}},
            "script": "a\n\n  b\n",
        });
        let lines = write_block(&value, None, &LAYOUT).body.join("\n");
        let expected = "tolerations:\n  - key: role\n    operator: Exists\n  - - 1\n    - []\n\
                        limits:\n  cpu: \"100m\"\n  empty: {}\nscript: |\n  a\n\n    b";
        assert_eq!(lines, expected);
    }

    #[test]
    fn one_line_is_enough_inside_braces() {
        let value = json!({"a": [1, "x:y", {}], "b c": null});
        assert_eq!(write_flow(&value, None), "{a: [1, \"x:y\", {}], b c: null}");
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[ -~\n가]{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("[ -~]{0,6}", inner, 0..4)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_value_reads_back_as_itself(value in any_value(), list_step in prop_oneof![Just(0usize), Just(2)]) {
            let layout = Layout { list_step, ..LAYOUT };
            let block = write_block(&value, None, &layout).below_key("top", &layout).join("\n") + "\n";
            prop_assert!(is_same(&meaning_of(&block).unwrap(), &json!({"top": value})), "{}", block);
            let flow = format!("top: {}", write_flow(&value, None));
            prop_assert!(is_same(&meaning_of(&flow).unwrap(), &json!({"top": value})), "{}", flow);
        }
    }
}
