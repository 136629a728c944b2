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

#[cfg(test)]
mod tests {
    use super::super::Detail;
    use super::super::fixture::{SMALL, load, settings, small, version};
    use super::*;
    use chart::Timestamp;

    fn find(rope: &Rope, chart: &str, text: &str) -> Option<String> {
        let found = rope.find(chart, &text.parse().unwrap())?;
        assert!(String::from_utf8(found.entry().to_vec()).unwrap().contains(&format!("/{chart}-{text}.tgz")));
        Some(found.slot.version.to_string())
    }

    #[test]
    fn a_version_is_found_by_its_text_and_no_other_spelling() {
        let index = small(Detail::Full, &[("a", "v1.0.0"), ("a", "1.0.0+x"), ("a", "1.0"), ("b", "1.0.0")]);
        let snapshot = index.snapshot();
        for text in ["v1.0.0", "1.0.0+x", "1.0"] {
            assert_eq!(find(snapshot.rope(), "a", text).as_deref(), Some(text));
        }
        for (chart, text) in
            [("a", "1.0.0"), ("a", "1.0.0+y"), ("a", "2.0.0"), ("a", "0.1.0"), ("aa", "1.0.0")]
        {
            assert_eq!(find(snapshot.rope(), chart, text), None);
        }
    }

    #[test]
    fn builds_of_one_version_are_found_over_many_segments() {
        let builds = (0..200).map(|build| version("a", &format!("1.0.0+{build}"), build % 7));
        let index = load(settings(Detail::Full), SMALL, builds, Timestamp::from_micros(0));
        let snapshot = index.snapshot();
        assert!(snapshot.rope().segments().len() > 5);
        for build in 0..200 {
            assert!(find(snapshot.rope(), "a", &format!("1.0.0+{build}")).is_some(), "{build}");
        }
        assert!(find(snapshot.rope(), "a", "1.0.0").is_none());
    }

    #[test]
    fn the_newest_wanted_version_of_a_channel_is_found() {
        let index =
            small(Detail::Full, &[("a", "1.0.0"), ("a", "2.0.0"), ("a", "3.0.0-rc.1"), ("b", "9.0.0")]);
        let snapshot = index.snapshot();
        let newest = |chart: &str, channel, unwanted: &str| {
            let found = snapshot.rope().newest(chart, channel, |version| version.as_str() != unwanted);
            found.map(|found| found.slot.version.to_string())
        };
        assert_eq!(newest("a", Channel::Stable, "").as_deref(), Some("2.0.0"));
        assert_eq!(newest("a", Channel::Stable, "2.0.0").as_deref(), Some("1.0.0"));
        assert_eq!(newest("a", Channel::Prerelease, "").as_deref(), Some("3.0.0-rc.1"));
        assert_eq!(newest("b", Channel::Prerelease, ""), None);
        assert_eq!(newest("c", Channel::Stable, ""), None);
    }
}
