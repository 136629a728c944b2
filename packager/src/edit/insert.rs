//! Inserts an entry at the end of a mapping, laid out as its neighbours.

use serde_json::Value;

use super::layout::{Layout, column, line_end};
use super::scalar::write_key;
use super::splice::Splice;
use super::tree::Entry;
use super::writer::{Form, indented, write_flow, write_value};

/// Returns the splice that adds `key: value` behind the last of `entries`; nothing when there are none.
///
/// The new entry stands right below the last one, above comments that follow the mapping.
pub(crate) fn add_entry(
    text: &str,
    entries: &[Entry],
    is_flow: bool,
    (key, value): (&str, &Value),
    layout: &Layout,
    form: Form,
) -> Option<Splice> {
    let (first, last) = (entries.first()?, entries.last()?);
    let end = last.span().end;
    if is_flow {
        return Some(Splice::insert(end, format!(", {}: {}", write_key(key, true), write_flow(value, None))));
    }
    let lines = write_value(value, None, layout, form).below_key(key, layout);
    let lines: Vec<String> = indented(lines, column(text, first.key.span.start)).collect();
    let block = format!("{}{}", layout.line_end, lines.join(layout.line_end));
    Some(Splice::insert(line_end(text, end), block))
}
