//! Puts a text at a place of a list: a new item, or one from further down with its line and comment.

use std::ops::Range;

use serde_json::Value;

use super::layout::{Layout, column, line_end, whole_lines};
use super::remove::remove_element;
use super::splice::Splice;
use super::tree::Item;
use super::writer::write_flow;

/// Returns the splices that make `value` the item `index` of `items`; when it stands at `moved_from`
/// already it is moved from there.
///
/// Nothing when a dash shares its line with something else, which cannot be edited by lines.
pub(crate) fn put_at(
    text: &str,
    (items, is_flow): (&[Item], bool),
    index: usize,
    value: &Value,
    moved_from: Option<usize>,
    layout: &Layout,
) -> Option<Vec<Splice>> {
    let spans: Vec<Range<usize>> = items.iter().map(Item::span).collect();
    let removed = match moved_from {
        Some(from) => Some(remove_element(text, &spans, is_flow, from)?),
        None => None,
    };
    let written = write_flow(value, None);
    let inserted = match (spans.get(index), is_flow) {
        (Some(next), true) => Splice::insert(next.start, format!("{written}, ")),
        (None, true) => Splice::insert(spans.last()?.end, format!(", {written}")),
        (Some(next), false) => {
            let lead = blank_lead(text, next.start)?;
            let line = match moved_from {
                Some(from) => whole_line(text, spans.get(from)?),
                None => None,
            };
            let line = line.unwrap_or_else(|| format!("{lead}- {written}{}", layout.line_end));
            Splice::insert(next.start - lead.len(), line)
        }
        (None, false) => {
            let last = spans.last()?;
            let lead = blank_lead(text, last.start)?;
            Splice::insert(line_end(text, last.end), format!("{}{lead}- {written}", layout.line_end))
        }
    };
    Some(std::iter::once(inserted).chain(removed).collect())
}

/// Returns the item's own lines when a line break ends them.
fn whole_line(text: &str, span: &Range<usize>) -> Option<String> {
    text.get(whole_lines(text, span)).filter(|line| line.ends_with('\n')).map(str::to_owned)
}

fn blank_lead(text: &str, dash: usize) -> Option<&str> {
    text.get(dash - column(text, dash)..dash).filter(|lead| lead.bytes().all(|byte| byte == b' '))
}
