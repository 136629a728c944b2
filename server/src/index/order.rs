//! The order of an index: charts by the bytes of their names, versions newest first.
//!
//! Of equal precedence (only the build metadata differs) the later `created` comes first, then the greater text, so
//! that the order follows from the set alone.

use std::cmp::Ordering;

use chart::{ChartName, ChartVersion, Timestamp};

/// Where one version stands in the index.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    /// The chart's name.
    pub(super) chart: &'a ChartName,
    /// The version.
    pub(super) version: &'a ChartVersion,
    /// When it was published.
    pub(super) created: Timestamp,
}

impl Place<'_> {
    /// Returns how this place stands to another: `Less` comes first in the index.
    pub(super) fn order(self, other: Place<'_>) -> Ordering {
        by_name(self.chart, other.chart)
            .then_with(|| other.version.precedence(self.version))
            .then_with(|| other.created.micros().cmp(&self.created.micros()))
            .then_with(|| other.version.as_str().cmp(self.version.as_str()))
    }
}

/// Returns how two charts stand to each other: by the bytes of their names, which no locale changes.
pub(super) fn by_name(one: &ChartName, other: &ChartName) -> Ordering {
    one.as_str().cmp(other.as_str())
}

/// The two kinds of which a lean index keeps the newest version in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Channel {
    /// Versions without a pre-release part.
    Stable,
    /// Versions with one, which clients see only when asked to.
    Prerelease,
}

impl Channel {
    /// Both kinds.
    pub(super) const ALL: [Self; 2] = [Self::Stable, Self::Prerelease];

    /// Returns the kind `version` is of.
    pub(super) fn of(version: &ChartVersion) -> Self {
        if version.prerelease().is_empty() { Self::Stable } else { Self::Prerelease }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_come_by_name_then_newest_then_latest_then_text() {
        let in_order = [
            ("B", "1.0.0", 0),
            ("a", "2.0.0", 0),
            ("a", "2.0.0-rc.1", 0),
            ("a", "1.0.0+a", 5),
            ("a", "1.0.0+c", 3),
            ("a", "1.0.0+b", 3),
            ("a", "0.9.0", 9),
            ("a-b", "0.1.0", 0),
        ];
        let parsed = in_order.map(|(chart, version, created)| {
            let chart: ChartName = chart.parse().unwrap();
            let version: ChartVersion = version.parse().unwrap();
            (chart, version, Timestamp::from_micros(created))
        });
        let places =
            parsed.each_ref().map(|(chart, version, created)| Place { chart, version, created: *created });
        for (first, one) in places.iter().enumerate() {
            for (second, other) in places.iter().enumerate() {
                assert_eq!(one.order(*other), first.cmp(&second), "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn a_version_with_a_prerelease_part_is_of_the_other_channel() {
        let channel = |text: &str| Channel::of(&text.parse().unwrap());
        assert_eq!(channel("1.0.0+build-1"), Channel::Stable);
        assert_eq!(channel("1.0.0-rc.1"), Channel::Prerelease);
    }
}
