//! Changes turned into edits: what goes from which place, and what comes to which.
//!
//! The place of a version depends on when it was published, so one that is overwritten may go from one place and come
//! to another.

use std::collections::BTreeMap;

use chart::{ChartName, ChartVersion, Timestamp};

use super::order::Place;
use super::page::Line;
use super::rope::Rope;
use super::{Change, IndexedVersion};

/// One thing to do at one place.
#[derive(Debug)]
pub(super) enum Edit {
    /// The version at this place goes.
    Remove {
        /// The chart's name.
        chart: ChartName,
        /// The version.
        version: ChartVersion,
        /// When it was published.
        created: Timestamp,
    },
    /// A version comes.
    Insert {
        /// The chart's name.
        chart: ChartName,
        /// The version and its entry.
        line: Line,
    },
}

impl Edit {
    pub(super) fn chart(&self) -> &ChartName {
        match self {
            Self::Remove { chart, .. } | Self::Insert { chart, .. } => chart,
        }
    }

    pub(super) fn place(&self) -> Place<'_> {
        match self {
            Self::Remove { chart, version, created } => Place { chart, version, created: *created },
            Self::Insert { chart, line } => line.slot.place(chart),
        }
    }

    /// Returns the version that comes, if one does.
    pub(super) fn inserted(&self) -> Option<&Line> {
        match self {
            Self::Insert { line, .. } => Some(line),
            Self::Remove { .. } => None,
        }
    }
}

/// Returns the last change of each version, grouped by chart.
pub(super) fn last_of_each(changes: &[Change]) -> Vec<Change> {
    let mut last: BTreeMap<(&str, &str), &Change> = BTreeMap::new();
    for change in changes {
        last.insert((change.chart().as_str(), change.version().as_str()), change);
    }
    last.into_values().cloned().collect()
}

/// Returns what the changes, at most one for a version, do to the rope, in the order of the places.
pub(super) fn edits_of(rope: &Rope, changes: Vec<Change>) -> Vec<Edit> {
    let mut edits = Vec::with_capacity(changes.len());
    for change in changes {
        if let Some(found) = rope.find(change.chart().as_str(), change.version()) {
            edits.push(Edit::Remove {
                chart: found.chart().clone(),
                version: found.slot.version.clone(),
                created: found.slot.created,
            });
        }
        if let Change::Put(version) = change {
            edits.push(insertion_of(version));
        }
    }
    edits.sort_by(|one, other| one.place().order(other.place()));
    edits
}

fn insertion_of(version: IndexedVersion) -> Edit {
    let (chart, line) = Line::of(version);
    Edit::Insert { chart, line }
}
