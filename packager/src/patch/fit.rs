//! Where one hunk fits: at its line, else nearest to it, else with less context, as GNU patch looks for it.

use std::fmt;

use diffy::{Hunk, Line};

/// How many lines of context may be disregarded at each end, as GNU patch's default.
const MOST_FUZZ: usize = 2;

/// How a hunk was applied when not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Drift {
    /// How many lines further down, or further up when negative.
    pub(crate) offset: isize,
    /// How many lines of context at each end did not fit.
    pub(crate) fuzz: usize,
}

impl fmt::Display for Drift {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        let lines = self.offset.unsigned_abs();
        let direction = if self.offset < 0 { "up" } else { "down" };
        if self.offset != 0 {
            write!(formatter, "{lines} line{} further {direction}", plural(lines))?;
        }
        if self.fuzz > 0 {
            let comma = if self.offset == 0 { "" } else { ", " };
            write!(formatter, "{comma}with {} line{} of context changed", self.fuzz, plural(self.fuzz))?;
        }
        Ok(())
    }
}

/// The lines after a hunk.
pub(super) struct Applied<'text> {
    pub(super) lines: Vec<&'text str>,
    /// The first line that a later hunk may touch.
    pub(super) floor: usize,
    /// How far later hunks are shifted against their line numbers.
    pub(super) shift: isize,
    pub(super) drift: Option<Drift>,
}

/// Applies `hunk` to `lines`, not before line `floor`; `shift` is what earlier hunks moved. Nothing when it fits nowhere.
pub(super) fn apply_hunk<'text>(
    lines: &[&'text str],
    hunk: &Hunk<'text, str>,
    floor: usize,
    shift: isize,
) -> Option<Applied<'text>> {
    let start = hunk.old_range().start();
    // A hunk without old lines stands behind the line it names.
    let written = if hunk.old_range().is_empty() { start } else { start.saturating_sub(1) };
    let expected = written.saturating_add_signed(shift);
    for fuzz in 0..=MOST_FUZZ {
        let (leading, trailing) = context_to_drop(hunk.lines(), fuzz);
        if fuzz > 0 && leading == 0 && trailing == 0 {
            return None;
        }
        let kept = hunk.lines().get(leading..hunk.lines().len() - trailing)?;
        let old: Vec<&str> = kept.iter().filter_map(|line| before(line)).collect();
        if fuzz > 0 && old.is_empty() {
            return None;
        }
        if let Some(at) = nearest(lines, &old, expected + leading, floor) {
            let new: Vec<&str> = kept.iter().filter_map(|line| after(line)).collect();
            let offset = at.cast_signed() - (expected + leading).cast_signed();
            let grown = new.len().cast_signed() - old.len().cast_signed();
            let mut result = lines.get(..at)?.to_vec();
            result.extend(&new);
            result.extend(lines.get(at + old.len()..)?);
            let drift = (offset != 0 || fuzz > 0).then_some(Drift { offset, fuzz });
            let floor = at + new.len();
            return Some(Applied { lines: result, floor, shift: shift + offset + grown, drift });
        }
    }
    None
}

/// Returns whether `lines` have from `floor` on what `hunk` would make: its new lines, and none of those it removes.
pub(super) fn is_there_already(lines: &[&str], hunk: &Hunk<'_, str>, floor: usize) -> bool {
    let adds = hunk.lines().iter().any(|line| matches!(line, Line::Insert(_)));
    let new: Vec<&str> = hunk.lines().iter().filter_map(|line| after(line)).collect();
    adds && nearest(lines, &new, hunk.new_range().start().saturating_sub(1), floor).is_some()
}

/// Returns how many lines of context to drop at both ends: as in GNU patch, the longer side gives first.
fn context_to_drop(lines: &[Line<'_, str>], fuzz: usize) -> (usize, usize) {
    let is_context = |line: &&Line<'_, str>| matches!(line, Line::Context(_));
    let leading = lines.iter().take_while(is_context).count();
    let trailing = lines.iter().rev().take_while(is_context).count();
    let longest = leading.max(trailing);
    let drop = |side: usize| (side + fuzz).saturating_sub(longest).min(side);
    (drop(leading), drop(trailing))
}

/// Returns the place nearest to `expected`, not before `floor`, where `old` stands.
fn nearest(lines: &[&str], old: &[&str], expected: usize, floor: usize) -> Option<usize> {
    let last = lines.len().checked_sub(old.len())?;
    if old.is_empty() {
        // Without old lines there is nothing to look for: the place is the one written.
        return (floor..=last).contains(&expected).then_some(expected);
    }
    let fits = |at: &usize| lines.get(*at..at + old.len()).is_some_and(|found| found == old);
    (floor..=last).filter(fits).min_by_key(|at| at.abs_diff(expected))
}

fn before<'text>(line: &Line<'text, str>) -> Option<&'text str> {
    match line {
        Line::Context(text) | Line::Delete(text) => Some(text),
        Line::Insert(_) => None,
    }
}

fn after<'text>(line: &Line<'text, str>) -> Option<&'text str> {
    match line {
        Line::Context(text) | Line::Insert(text) => Some(text),
        Line::Delete(_) => None,
    }
}
