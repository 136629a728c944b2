//! How pages are laid into segments: what is untouched is shared, what is too large is cut, what is too small takes
//! its neighbour in.

use std::sync::Arc;

use chart::ChartName;
use serde::{Deserialize, Serialize};

use super::page::Draft;
use super::rope::Rope;
use super::segment::{PlacedPage, Segment};

/// How large pages and segments become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Limits {
    /// The most versions of a page.
    pub(super) page_versions: usize,
    /// The most bytes of a page, unless one entry is larger.
    pub(super) page_bytes: usize,
    /// A segment below this takes a neighbour in when it is rewritten. Less than half of the most, so that the two
    /// parts of one that was cut do not come together again at once.
    pub(super) segment_fewest_bytes: usize,
    /// The most bytes of a segment, unless one entry is larger.
    pub(super) segment_most_bytes: usize,
}

impl Limits {
    /// What repositories use. Smaller segments cost readers more writes, larger ones cost a publish more copying.
    pub(super) const STANDARD: Self = Self {
        page_versions: 64,
        page_bytes: 64 << 10,
        segment_fewest_bytes: 96 << 10,
        segment_most_bytes: 256 << 10,
    };

    /// Returns how many bytes a new segment gets: room for some publishes before it must be cut.
    fn segment_fill_bytes(self) -> usize {
        self.segment_most_bytes / 4 * 3
    }
}

/// A rope in the making, from its beginning to its end.
pub(super) struct Layout {
    limits: Limits,
    laid: Vec<Arc<Segment>>,
    pending: Vec<Draft>,
    pending_bytes: usize,
}

impl Layout {
    /// Begins an empty rope.
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, laid: Vec::new(), pending: Vec::new(), pending_bytes: 0 }
    }

    /// Returns the limits it keeps.
    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    /// Adds a page, joined to the one before when both are small.
    pub(super) fn push(&mut self, draft: Draft) {
        let joined = self.pending.last().and_then(|last| last.joined(&draft, self.limits));
        if joined.is_some()
            && let Some(last) = self.pending.pop()
        {
            self.pending_bytes -= bytes_of(&last);
        }
        let draft = joined.unwrap_or(draft);
        self.pending_bytes += bytes_of(&draft);
        self.pending.push(draft);
    }

    /// Lays down what was pushed, once that is enough for a segment.
    pub(super) fn lay_full(&mut self) {
        if self.pending_bytes >= self.limits.segment_fill_bytes() {
            self.lay_pending();
        }
    }

    /// Adds neighbouring segments of another rope as they are, but for those the pages before force to change.
    pub(super) fn share(&mut self, segments: &[Arc<Segment>]) {
        let mut segments = segments;
        while let Some((first, rest)) = segments.split_first() {
            if !self.must_take_in(first) {
                self.lay_pending();
                break;
            }
            self.take_in(first);
            segments = rest;
        }
        self.laid.extend_from_slice(segments);
    }

    /// Returns the rope.
    pub(super) fn finish(mut self) -> Rope {
        if self.is_pending_small()
            && let Some(last) = self.laid.pop()
        {
            let pending = std::mem::take(&mut self.pending);
            self.pending_bytes = 0;
            self.take_in(&last);
            for draft in pending {
                self.push(draft);
            }
        }
        self.lay_pending();
        Rope::new(self.laid)
    }

    fn is_pending_small(&self) -> bool {
        !self.pending.is_empty() && self.pending_bytes < self.limits.segment_fewest_bytes
    }

    /// A segment must change when what stands before its first page is no longer right, or a small one needs it.
    fn must_take_in(&self, segment: &Segment) -> bool {
        let is_misplaced = segment
            .pages()
            .first()
            .is_some_and(|first| first.opens() != (self.last_chart() != Some(first.chart())));
        is_misplaced || self.is_pending_small()
    }

    fn take_in(&mut self, segment: &Segment) {
        for placed in segment.pages() {
            self.push(segment.draft_of(placed));
        }
    }

    fn last_chart(&self) -> Option<&ChartName> {
        let laid = || self.laid.last().and_then(|segment| segment.pages().last()).map(PlacedPage::chart);
        self.pending.last().map(|draft| draft.page.chart()).or_else(laid)
    }

    /// Cuts the pending pages into segments of about the same size.
    fn lay_pending(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        let bytes = std::mem::take(&mut self.pending_bytes);
        let count = if bytes <= self.limits.segment_most_bytes {
            1
        } else {
            bytes.div_ceil(self.limits.segment_fill_bytes())
        };
        let share = bytes.div_ceil(count);
        let mut group = Vec::new();
        let mut filled = 0;
        for draft in pending {
            let next = bytes_of(&draft);
            let is_full = filled + next / 2 > share || filled + next > self.limits.segment_most_bytes;
            if !group.is_empty() && is_full {
                self.lay(std::mem::take(&mut group));
                filled = 0;
            }
            filled += next;
            group.push(draft);
        }
        if !group.is_empty() {
            self.lay(group);
        }
    }

    fn lay(&mut self, group: Vec<Draft>) {
        let follows = self.laid.last().and_then(|segment| segment.pages().last()).map(PlacedPage::chart);
        let segment = Segment::lay(group, follows);
        self.laid.push(Arc::new(segment));
    }
}

/// Returns the most bytes a page can take in a segment: as its chart's first.
fn bytes_of(draft: &Draft) -> usize {
    draft.page.json_bytes() + draft.page.chart().as_str().len() + 6
}
