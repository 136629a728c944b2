//! Removes: an entry or item with its line, or with its comma inside braces and brackets.

use std::ops::Range;

use super::layout::{column, whole_lines};
use super::splice::Splice;

/// Returns the splice that removes the element `index` of a collection whose elements cover `spans`.
///
/// Nothing when there is no such element, when it is the only one (its collection has to be replaced), or
/// when it shares its first line with something that stays.
pub(crate) fn remove_element(
    text: &str,
    spans: &[Range<usize>],
    is_flow: bool,
    index: usize,
) -> Option<Splice> {
    let span = spans.get(index)?;
    if spans.len() == 1 {
        return None;
    }
    if is_flow {
        let before = index.checked_sub(1).and_then(|before| spans.get(before));
        return Some(match (spans.get(index + 1), before) {
            (Some(next), _) => Splice::remove(span.start..next.start),
            (None, Some(before)) => Splice::remove(before.end..span.end),
            (None, None) => return None,
        });
    }
    let lead = text.get(span.start - column(text, span.start)..span.start)?;
    lead.bytes().all(|byte| byte == b' ').then(|| Splice::remove(whole_lines(text, span)))
}
