//! The rope: all entries of a repository as segments in order, and how a version is found in it.
//!
//! It is never changed; a change makes the next one, which shares all segments the change did not touch.

use std::sync::Arc;

use bytes::Bytes;
use chart::{ChartName, ChartVersion};

use super::order::{Channel, Place};
use super::page::Slot;
use super::segment::{PlacedPage, Segment};

/// The segments of a repository in order.
#[derive(Debug, Default)]
pub(super) struct Rope {
    segments: Vec<Arc<Segment>>,
}

/// A version where it lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found<'a> {
    segment: &'a Segment,
    placed: &'a PlacedPage,
    position: usize,
    /// The version.
    pub(super) slot: &'a Slot,
}

impl<'a> Found<'a> {
    /// Returns the chart's name.
    pub(super) fn chart(&self) -> &'a ChartName {
        self.placed.chart()
    }

    /// Returns the entry's JSON as the index shows it.
    pub(super) fn entry(&self) -> Bytes {
        let range = self.placed.page().entry_ranges().nth(self.position).unwrap_or_default();
        self.segment.text_of(self.placed).slice(range)
    }

    /// Returns where the version stands in the index.
    pub(super) fn place(&self) -> Place<'a> {
        self.slot.place(self.chart())
    }
}

impl Rope {
    pub(super) fn new(segments: Vec<Arc<Segment>>) -> Self {
        Self { segments }
    }

    pub(super) fn segments(&self) -> &[Arc<Segment>] {
        &self.segments
    }

    /// Returns whether a chart of this name has a version.
    pub(super) fn has_chart(&self, chart: &str) -> bool {
        self.pages_of(chart).next().is_some()
    }

    /// Returns a version by its text.
    ///
    /// Versions that differ in build metadata alone are told apart one by one: finding one of `n` such takes `n` steps.
    pub(super) fn find(&self, chart: &str, version: &ChartVersion) -> Option<Found<'_>> {
        let is_before = |placed: &PlacedPage| {
            placed.chart().as_str() < chart
                || placed.chart().as_str() == chart
                    && placed
                        .page()
                        .slots()
                        .first()
                        .is_some_and(|slot| slot.version.precedence(version).is_gt())
        };
        self.pages_from(is_before)
            .take_while(|(_, placed)| placed.chart().as_str() <= chart)
            .filter(|(_, placed)| placed.chart().as_str() == chart)
            .flat_map(found_in)
            .skip_while(|found| found.slot.version.precedence(version).is_gt())
            .take_while(|found| found.slot.version.precedence(version).is_eq())
            .find(|found| found.slot.version == *version)
    }

    /// Returns the newest version of a chart in a channel, of those that `is_wanted`.
    pub(super) fn newest(
        &self,
        chart: &str,
        channel: Channel,
        is_wanted: impl Fn(&ChartVersion) -> bool,
    ) -> Option<Found<'_>> {
        self.pages_of(chart)
            .filter(|(_, placed)| placed.page().has(channel))
            .flat_map(found_in)
            .find(|found| Channel::of(&found.slot.version) == channel && is_wanted(&found.slot.version))
    }

    fn pages_of(&self, chart: &str) -> impl Iterator<Item = (&Segment, &PlacedPage)> {
        self.pages_from(move |placed| placed.chart().as_str() < chart)
            .skip_while(move |(_, placed)| placed.chart().as_str() < chart)
            .take_while(move |(_, placed)| placed.chart().as_str() == chart)
    }

    /// Returns the pages from the last one on for which `is_before` holds, which it does for a beginning of the rope.
    fn pages_from(
        &self,
        is_before: impl Fn(&PlacedPage) -> bool,
    ) -> impl Iterator<Item = (&Segment, &PlacedPage)> {
        let begins_before = |segment: &Arc<Segment>| segment.pages().first().is_some_and(&is_before);
        let at = self.segments.partition_point(begins_before).saturating_sub(1);
        let (first, later) = match self.segments.get(at..) {
            Some([first, later @ ..]) => (Some(first), later),
            Some([]) | None => (None, Default::default()),
        };
        let pages = first.map(|segment| segment.pages()).unwrap_or_default();
        let skipped = pages.partition_point(&is_before).saturating_sub(1);
        first
            .into_iter()
            .flat_map(move |segment| segment.pages().iter().skip(skipped).map(|placed| (&**segment, placed)))
            .chain(later.iter().flat_map(|segment| segment.pages().iter().map(|placed| (&**segment, placed))))
    }
}

fn found_in<'a>((segment, placed): (&'a Segment, &'a PlacedPage)) -> impl Iterator<Item = Found<'a>> {
    let slots = placed.page().slots().iter().enumerate();
    slots.map(move |(position, slot)| Found { segment, placed, position, slot })
}
