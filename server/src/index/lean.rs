//! The lean index: the newest stable and the newest pre-release version of each chart are shown in full.
//!
//! Rule: a version that is newest holds its full entry, every other one its lean entry, so that becoming older needs
//! no reading and becoming newest again does.

use std::collections::BTreeSet;

use bytes::Bytes;
use chart::{ChartName, ChartVersion};

use super::order::Channel;
use super::rope::{Found, Rope};
use super::{Change, IndexedVersion};

/// Changes with the entries a lean index shows, and what is missing for them.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// The changes, and those they bring about.
    pub(super) changes: Vec<Change>,
    /// Versions that become the newest of their channel, while the rope has only their lean entries.
    pub(super) needed: Vec<(ChartName, ChartVersion)>,
}

/// Settles changes, at most one for a version and grouped by chart, of a lean rope.
pub(super) fn settle(rope: &Rope, changes: Vec<Change>) -> Settled {
    let mut settled = Settled::default();
    for of_one_chart in changes.chunk_by(|one, other| one.chart() == other.chart()) {
        settle_chart(rope, of_one_chart, &mut settled);
    }
    settled
}

/// Makes lean, of one chart's versions given newest first, all but the newest of each channel.
pub(super) fn reduce(versions: &mut [IndexedVersion]) {
    for channel in Channel::ALL {
        for version in versions.iter_mut().filter(|one| Channel::of(&one.version) == channel).skip(1) {
            version.entry = Bytes::from(chart::index::lean(&version.entry));
        }
    }
}

fn settle_chart(rope: &Rope, changes: &[Change], settled: &mut Settled) {
    let Some(chart) = changes.first().map(|change| change.chart().as_str()) else { return };
    let changed: BTreeSet<&str> = changes.iter().map(|change| change.version().as_str()).collect();
    let mut newest: Vec<&IndexedVersion> = Vec::new();
    for channel in Channel::ALL {
        let former = rope.newest(chart, channel, |_| true);
        let remaining = rope.newest(chart, channel, |version| !changed.contains(version.as_str()));
        let coming = newest_put(changes, channel);
        let was_newest =
            |found: &Found<'_>| former.is_some_and(|former| former.slot.version == found.slot.version);
        match (coming, remaining) {
            (Some(coming), Some(remaining)) if coming.place().order(remaining.place()).is_lt() => {
                newest.push(coming);
                if was_newest(&remaining) {
                    settled.changes.push(demotion(&remaining));
                }
            }
            (_, Some(remaining)) if !was_newest(&remaining) => {
                settled.needed.push((remaining.chart().clone(), remaining.slot.version.clone()));
            }
            (Some(coming), None) => newest.push(coming),
            (_, Some(_)) | (None, None) => {}
        }
    }
    let is_newest = |put: &IndexedVersion| newest.iter().any(|one| one.version == put.version);
    settled.changes.extend(changes.iter().map(|change| match change {
        Change::Put(put) if !is_newest(put) => Change::Put(lean(put.clone())),
        Change::Put(_) | Change::Remove { .. } => change.clone(),
    }));
}

fn newest_put(changes: &[Change], channel: Channel) -> Option<&IndexedVersion> {
    changes
        .iter()
        .filter_map(|change| match change {
            Change::Put(put) if Channel::of(&put.version) == channel => Some(put),
            Change::Put(_) | Change::Remove { .. } => None,
        })
        .min_by(|one, other| one.place().order(other.place()))
}

/// Returns the change that makes a version lean which the rope holds in full.
fn demotion(found: &Found<'_>) -> Change {
    Change::Put(IndexedVersion {
        chart: found.chart().clone(),
        version: found.slot.version.clone(),
        created: found.slot.created,
        entry: Bytes::from(chart::index::lean(&found.entry())),
        archive: found.slot.archive.clone(),
        archive_bytes: found.slot.archive_bytes,
        provenance: found.slot.provenance.clone(),
    })
}

fn lean(version: IndexedVersion) -> IndexedVersion {
    IndexedVersion { entry: Bytes::from(chart::index::lean(&version.entry)), ..version }
}

#[cfg(test)]
mod tests {
    use chart::Timestamp;

    use super::super::fixture::{put, removal, settings, small, version};
    use super::super::{Detail, EntriesNeeded, IndexSettings, RepositoryIndex};
    use super::*;

    /// Returns the versions of chart `a` that are shown in full, newest first.
    fn in_full(index: &RepositoryIndex) -> Vec<String> {
        let snapshot = index.snapshot();
        let pages = snapshot.rope().segments().iter().flat_map(|segment| {
            segment.pages().iter().flat_map(|placed| segment.entries_of(placed)).collect::<Vec<_>>()
        });
        pages
            .filter(|(_, entry)| entry.windows(8).any(|part| part == b"keywords"))
            .map(|(slot, _)| slot.version.to_string())
            .collect()
    }

    fn apply(index: &RepositoryIndex, changes: &[Change]) -> Result<(), EntriesNeeded> {
        index.apply(changes, index.revision() + 1, Timestamp::from_micros(1)).map(drop)
    }

    #[test]
    fn the_newest_of_each_channel_is_shown_in_full() {
        let cases: [(&[&str], &[&str]); 4] = [
            (&["1.0.0", "1.1.0", "2.0.0-rc.1", "2.0.0-rc.2"], &["2.0.0-rc.2", "1.1.0"]),
            (&["1.0.0", "1.1.0", "1.0.0-rc.1", "0.9.0-rc.1"], &["1.1.0", "1.0.0-rc.1"]),
            (&["1.0.0-a", "1.0.0-b"], &["1.0.0-b"]),
            (&["1.0.0"], &["1.0.0"]),
        ];
        for (versions, expected) in cases {
            let versions: Vec<(&str, &str)> = versions.iter().map(|version| ("a", *version)).collect();
            assert_eq!(in_full(&small(Detail::Lean, &versions)), expected);
        }
    }

    #[test]
    fn a_new_newest_makes_the_former_one_lean() {
        let index = small(Detail::Lean, &[("a", "1.0.0"), ("a", "1.1.0-rc.1")]);
        apply(&index, &[put("a", "2.0.0", 0)]).unwrap();
        assert_eq!(in_full(&index), ["2.0.0", "1.1.0-rc.1"]);
        apply(&index, &[put("a", "0.1.0", 0), put("a", "2.1.0-rc.1", 0)]).unwrap();
        assert_eq!(in_full(&index), ["2.1.0-rc.1", "2.0.0"]);
    }

    #[test]
    fn a_removed_newest_asks_for_the_entry_of_the_next_and_changes_nothing_before() {
        let index = small(Detail::Lean, &[("a", "1.0.0"), ("a", "2.0.0"), ("a", "3.0.0")]);
        let removals = [removal("a", "3.0.0"), removal("a", "2.0.0")];
        let EntriesNeeded(needed) = apply(&index, &removals).unwrap_err();
        assert_eq!(needed, [("a".parse().unwrap(), "1.0.0".parse().unwrap())]);
        assert_eq!((index.revision(), in_full(&index)), (1, vec!["3.0.0".to_owned()]));
        let [first, second] = removals;
        apply(&index, &[first, second, Change::Put(version("a", "1.0.0", 0))]).unwrap();
        assert_eq!((index.revision(), in_full(&index)), (2, vec!["1.0.0".to_owned()]));
    }

    #[test]
    fn nothing_is_asked_for_when_a_coming_version_takes_the_place() {
        let index = small(Detail::Lean, &[("a", "1.0.0"), ("a", "2.0.0")]);
        apply(&index, &[removal("a", "2.0.0"), put("a", "1.5.0", 0)]).unwrap();
        assert_eq!(in_full(&index), ["1.5.0"]);
    }

    #[test]
    fn removing_the_last_of_a_channel_asks_for_nothing() {
        let index = small(Detail::Lean, &[("a", "1.0.0"), ("a", "2.0.0-rc.1")]);
        apply(&index, &[removal("a", "2.0.0-rc.1")]).unwrap();
        apply(&index, &[removal("a", "1.0.0")]).unwrap();
        assert!(in_full(&index).is_empty());
    }

    #[test]
    fn an_overwritten_newest_that_moves_behind_its_equal_asks_for_that_one() {
        let versions = [version("a", "1.0.0+x", 5), version("a", "1.0.0+y", 3)];
        let settings: IndexSettings = settings(Detail::Lean);
        let index = RepositoryIndex::load(settings, 1, Timestamp::from_micros(0), versions);
        assert_eq!(in_full(&index), ["1.0.0+x"]);
        let EntriesNeeded(needed) = apply(&index, &[put("a", "1.0.0+x", 1)]).unwrap_err();
        assert_eq!(needed[0].1.as_str(), "1.0.0+y");
        apply(&index, &[put("a", "1.0.0+x", 1), put("a", "1.0.0+y", 3)]).unwrap();
        assert_eq!(in_full(&index), ["1.0.0+y"]);
    }
}
