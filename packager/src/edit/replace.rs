//! Replaces one node by a new value: its line keeps its comment, the lines around keep everything.

use std::ops::Range;

use saphyr_parser::ScalarStyle;
use serde_json::Value;

use super::layout::{Layout, column, line_end, whole_lines};
use super::place::{Place, Slot};
use super::splice::Splice;
use super::tree::{Kind, Node};
use super::writer::{Form, Shape, Written, indented, write_flow, write_value};

/// Returns the splices that put `value` where the node of `place` is.
pub(crate) fn replace(
    text: &str,
    place: &Place<'_>,
    value: &Value,
    layout: &Layout,
    form: Form,
) -> Vec<Splice> {
    let style = style_of(place.node);
    if place.is_in_flow {
        return vec![fill(place, write_flow(value, style))];
    }
    let written = write_value(value, style, layout, form);
    match place.slot {
        Slot::Root => replace_document(text, place.node, written, layout),
        Slot::Key { start, colon } => {
            let indent = column(text, start) + body_indent(text, start, place.node, &written, layout);
            replace_below_key(text, place.node, colon, written, indent, layout)
        }
        Slot::Dash(dash) => replace_item(text, place.node, dash, written, layout),
    }
}

/// Returns how a scalar on one line is written; a text that stood over lines has no style to keep.
fn style_of(node: &Node) -> Option<ScalarStyle> {
    match &node.kind {
        Kind::Scalar { style: ScalarStyle::Literal | ScalarStyle::Folded, .. } => None,
        Kind::Scalar { style, .. } => Some(*style),
        Kind::Absent | Kind::Alias(_) | Kind::Sequence { .. } | Kind::Mapping { .. } => None,
    }
}

/// Puts `new` over the node's bytes, or behind its colon or dash when there are none.
fn fill(place: &Place<'_>, new: String) -> Splice {
    let span = place.node.span.clone();
    if span.is_empty() && place.slot != Slot::Root {
        return Splice::insert(span.start, format!(" {new}"));
    }
    Splice::replace(span, new)
}

/// Returns how far the new lines stand in; those of the same kind stand where the old ones stood.
fn body_indent(text: &str, key_start: usize, old: &Node, new: &Written, layout: &Layout) -> usize {
    let is_same_kind = match &old.kind {
        Kind::Sequence { is_flow, .. } => !is_flow && new.shape == Shape::Sequence,
        Kind::Mapping { is_flow, .. } => !is_flow && new.shape == Shape::Mapping,
        Kind::Absent | Kind::Scalar { .. } | Kind::Alias(_) => false,
    };
    if is_same_kind {
        return column(text, old.span.start).saturating_sub(column(text, key_start));
    }
    new.indent(layout)
}

/// An empty document holds at most comments: what is new goes below them.
fn replace_document(text: &str, old: &Node, new: Written, layout: &Layout) -> Vec<Splice> {
    let lines = if new.body.is_empty() { vec![new.head] } else { new.body };
    let mut block = lines.join(layout.line_end);
    if !old.span.is_empty() {
        return vec![Splice::replace(old.span.clone(), block)];
    }
    if !text.is_empty() && !text.ends_with('\n') {
        block.insert_str(0, layout.line_end);
    }
    block.push_str(layout.line_end);
    vec![Splice::insert(text.len(), block)]
}

/// Head and body are replaced apart, so that a comment behind the head and comment lines above the body stay.
fn replace_below_key(
    text: &str,
    old: &Node,
    colon: usize,
    new: Written,
    indent: usize,
    layout: &Layout,
) -> Vec<Splice> {
    let after_colon = colon + 1;
    let (old_head, old_body) = parts(text, old, after_colon);
    let mut splices = Vec::new();
    if old_head.is_empty() && !new.head.is_empty() {
        splices.push(Splice::insert(after_colon, format!(" {}", new.head)));
    } else if !old_head.is_empty() && new.head.is_empty() {
        splices.push(Splice::remove(after_colon..old_head.end));
    } else if !old_head.is_empty() {
        splices.push(Splice::replace(old_head.clone(), new.head));
    }
    let lines: Vec<String> = indented(new.body, indent).collect();
    match old_body {
        Some(range) => {
            let ends_line = text.get(range.clone()).is_some_and(|old| old.ends_with('\n'));
            splices.push(Splice::replace(range, joined(&lines, layout, ends_line)));
        }
        None if lines.is_empty() => {}
        None => {
            let at = line_end(text, old_head.end);
            splices.push(Splice::insert(at, format!("{}{}", layout.line_end, lines.join(layout.line_end))));
        }
    }
    splices
}

/// Returns the bytes behind the colon on the key's line, and the whole lines below.
fn parts(text: &str, old: &Node, after_colon: usize) -> (Range<usize>, Option<Range<usize>>) {
    match &old.kind {
        Kind::Absent => (after_colon..after_colon, None),
        Kind::Scalar { style: ScalarStyle::Literal | ScalarStyle::Folded, .. } => {
            block_scalar_parts(text, &old.span)
        }
        Kind::Sequence { is_flow: false, .. } | Kind::Mapping { is_flow: false, .. } => {
            (after_colon..after_colon, Some(whole_lines(text, &old.span)))
        }
        Kind::Scalar { .. } | Kind::Alias(_) | Kind::Sequence { .. } | Kind::Mapping { .. } => {
            (old.span.clone(), None)
        }
    }
}

fn block_scalar_parts(text: &str, span: &Range<usize>) -> (Range<usize>, Option<Range<usize>>) {
    let source = text.get(span.clone()).unwrap_or_default();
    let header = source.find(|character: char| character.is_whitespace() || character == '#');
    let header_end = header.map_or(span.end, |length| span.start + length);
    let below = source.find('\n').map(|at| span.start + at + 1).filter(|start| *start < span.end);
    (span.start..header_end, below.map(|start| whole_lines(text, &(start..span.end))))
}

fn joined(lines: &[String], layout: &Layout, ends_line: bool) -> String {
    let mut block = lines.join(layout.line_end);
    if ends_line && !lines.is_empty() {
        block.push_str(layout.line_end);
    }
    block
}

/// A list item is replaced whole; a collection begins on the line of its dash.
fn replace_item(text: &str, old: &Node, dash: Option<usize>, new: Written, layout: &Layout) -> Vec<Splice> {
    let indent = dash.map_or_else(|| column(text, old.span.start), |dash| column(text, dash) + 2);
    let (first, below) = new.compact();
    let block: Vec<String> = std::iter::once(first).chain(indented(below, indent)).collect();
    let block = block.join(layout.line_end);
    if old.span.is_empty() {
        return vec![Splice::insert(old.span.start, format!(" {block}"))];
    }
    vec![Splice::replace(old.span.clone(), block)]
}
