//! Pages: runs of one chart's versions, newest first, which a publish rewrites one of.
//!
//! A page knows its versions but not where their bytes lie; the segment it lies in does.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use chart::{ChartName, ChartVersion, Timestamp};

use super::IndexedVersion;
use super::fingerprint::Fingerprint;
use super::layout::Limits;
use super::order::{Channel, Place};
use crate::blobs::BlobKey;

/// One version of a page.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    pub(super) version: ChartVersion,
    pub(super) created: Timestamp,
    pub(super) archive: BlobKey,
    pub(super) archive_bytes: u64,
    pub(super) provenance: Option<BlobKey>,
    /// The length of the entry's JSON.
    pub(super) json_bytes: usize,
    /// Of the entry's JSON.
    pub(super) fingerprint: Fingerprint,
}

/// One version with its entry, on its way into a page.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) slot: Slot,
    pub(super) json: Bytes,
}

impl Line {
    /// Takes a version apart into its chart and its line.
    pub(super) fn of(version: IndexedVersion) -> (ChartName, Self) {
        let fingerprint = Fingerprint::of_entry(version.place(), &version.entry);
        let slot = Slot {
            version: version.version,
            created: version.created,
            archive: version.archive,
            archive_bytes: version.archive_bytes,
            provenance: version.provenance,
            json_bytes: version.entry.len(),
            fingerprint,
        };
        (version.chart, Self { slot, json: version.entry })
    }
}

impl Slot {
    /// Returns where the version stands in the index, given its chart.
    pub(super) fn place<'a>(&'a self, chart: &'a ChartName) -> Place<'a> {
        Place { chart, version: &self.version, created: self.created }
    }
}

/// A run of one chart's versions, never empty.
#[derive(Debug)]
pub(super) struct Page {
    chart: ChartName,
    slots: Box<[Slot]>,
    /// The length of the entries' JSON and of the commas between them.
    json_bytes: usize,
    has_stable: bool,
    has_prerelease: bool,
}

impl Page {
    /// Makes the page of some versions of one chart, given newest first.
    pub(super) fn new(chart: ChartName, slots: Vec<Slot>) -> Self {
        let entries: usize = slots.iter().map(|slot| slot.json_bytes).sum();
        let has = |channel| slots.iter().any(|slot| Channel::of(&slot.version) == channel);
        Self {
            chart,
            json_bytes: entries + slots.len().saturating_sub(1),
            has_stable: has(Channel::Stable),
            has_prerelease: has(Channel::Prerelease),
            slots: slots.into_boxed_slice(),
        }
    }

    pub(super) fn chart(&self) -> &ChartName {
        &self.chart
    }

    pub(super) fn slots(&self) -> &[Slot] {
        &self.slots
    }

    pub(super) fn json_bytes(&self) -> usize {
        self.json_bytes
    }

    /// Returns whether a version of the page is of this channel.
    pub(super) fn has(&self, channel: Channel) -> bool {
        match channel {
            Channel::Stable => self.has_stable,
            Channel::Prerelease => self.has_prerelease,
        }
    }

    /// Returns the sum of the entries' fingerprints.
    pub(super) fn fingerprint(&self) -> Fingerprint {
        self.slots.iter().map(|slot| slot.fingerprint).sum()
    }

    /// Returns where in the page's JSON its entries lie, in order.
    pub(super) fn entry_ranges(&self) -> impl Iterator<Item = Range<usize>> {
        let mut next = 0;
        self.slots.iter().map(move |slot| {
            let start = next;
            let end = start + slot.json_bytes;
            next = end + 1;
            start..end
        })
    }
}

/// A page on its way into a segment: its JSON is `pieces` with commas between them.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) page: Arc<Page>,
    pub(super) pieces: Vec<Bytes>,
}

impl Draft {
    /// Returns the pages of some versions of one chart, given newest first, each within the limits.
    pub(super) fn pages(chart: &ChartName, lines: Vec<Line>, limits: Limits) -> Vec<Self> {
        let bytes: usize = lines.iter().map(|line| line.json.len() + 1).sum();
        let count = lines.len().div_ceil(limits.page_versions).max(bytes.div_ceil(limits.page_bytes)).max(1);
        let share = lines.len().div_ceil(count);
        let mut drafts = Vec::with_capacity(count);
        let mut slots: Vec<Slot> = Vec::with_capacity(share);
        let mut pieces: Vec<Bytes> = Vec::with_capacity(share);
        let mut filled = 0;
        for line in lines {
            let next = line.json.len() + 1;
            if !slots.is_empty() && (slots.len() == share || filled + next > limits.page_bytes) {
                drafts.push(Self::of(chart, std::mem::take(&mut slots), std::mem::take(&mut pieces)));
                filled = 0;
            }
            filled += next;
            slots.push(line.slot);
            pieces.push(line.json);
        }
        if !slots.is_empty() {
            drafts.push(Self::of(chart, slots, pieces));
        }
        drafts
    }

    fn of(chart: &ChartName, slots: Vec<Slot>, pieces: Vec<Bytes>) -> Self {
        Self { page: Arc::new(Page::new(chart.clone(), slots)), pieces }
    }

    /// Returns one page of both, when they are neighbours in one chart, one of them is small and so is the sum.
    pub(super) fn joined(&self, next: &Self, limits: Limits) -> Option<Self> {
        let (versions, more) = (self.page.slots.len(), next.page.slots.len());
        let bytes = self.page.json_bytes + next.page.json_bytes;
        let is_small = versions.min(more) * 4 <= limits.page_versions;
        let is_room = (versions + more) * 4 <= limits.page_versions * 3 && bytes * 4 <= limits.page_bytes * 3;
        if self.page.chart != next.page.chart || !is_small || !is_room {
            return None;
        }
        let slots = self.page.slots.iter().chain(&*next.page.slots).cloned().collect();
        let pieces = self.pieces.iter().chain(&next.pieces).cloned().collect();
        Some(Self::of(&self.page.chart, slots, pieces))
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::filled;
    use super::*;

    const LIMITS: Limits =
        Limits { page_versions: 8, page_bytes: 4_000, segment_fewest_bytes: 0, segment_most_bytes: 0 };

    fn lines(count: usize, filling: usize) -> Vec<Line> {
        let filling = "x".repeat(filling);
        (0..count).rev().map(|patch| Line::of(filled("a", &format!("1.0.{patch}"), 0, &filling)).1).collect()
    }

    fn drafts(count: usize, filling: usize) -> Vec<Draft> {
        Draft::pages(&"a".parse().unwrap(), lines(count, filling), LIMITS)
    }

    fn lengths(drafts: &[Draft]) -> Vec<usize> {
        drafts.iter().map(|draft| draft.page.slots().len()).collect()
    }

    #[test]
    fn pages_share_the_versions_evenly_within_both_limits() {
        assert_eq!(lengths(&drafts(0, 0)), [0; 0]);
        assert_eq!(lengths(&drafts(8, 0)), [8]);
        assert_eq!(lengths(&drafts(9, 0)), [5, 4]);
        assert_eq!(lengths(&drafts(17, 0)), [6, 6, 5]);
        assert_eq!(lengths(&drafts(3, 5_000)), [1, 1, 1]);
        assert!(drafts(8, 1_000).iter().all(|draft| draft.page.json_bytes() <= LIMITS.page_bytes));
    }

    #[test]
    fn entries_lie_where_the_page_says() {
        let drafts = drafts(3, 10);
        let text = drafts[0].pieces.join(&b',');
        let ranges: Vec<_> = drafts[0].page.entry_ranges().collect();
        assert_eq!(ranges.last().unwrap().end, drafts[0].page.json_bytes());
        for (range, piece) in ranges.into_iter().zip(&drafts[0].pieces) {
            assert_eq!(&text[range], piece);
        }
    }

    #[test]
    fn only_a_small_page_joins_its_neighbour_and_only_with_room_left() {
        let joins = |one: usize, other: usize| {
            let (one, other) = (drafts(one, 0), drafts(other, 0));
            one[0].joined(&other[0], LIMITS).map(|joined| joined.page.slots().len())
        };
        assert_eq!(joins(2, 4), Some(6));
        assert_eq!(joins(4, 1), Some(5));
        assert_eq!(joins(2, 5), None);
        assert_eq!(joins(3, 3), None);
        let other_chart = Draft::pages(&"b".parse().unwrap(), lines(1, 0), LIMITS);
        assert!(drafts(1, 0)[0].joined(&other_chart[0], LIMITS).is_none());
    }
}
