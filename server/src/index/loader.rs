//! The first filling of an index.
//!
//! Charts that come in order are laid down as soon as they are complete, so that loading holds the entries once;
//! what comes out of order waits for the end.

use std::cmp::Ordering;

use chart::Timestamp;

use super::layout::{Layout, Limits};
use super::order::by_name;
use super::page::{Draft, Line};
use super::snapshot::Snapshot;
use super::{Change, Detail, IndexSettings, IndexedVersion, RepositoryIndex, edit, lean, merge};

/// An index in the making, for versions that come one by one: each once and in full, in any order, best grouped by
/// chart in byte order of the names.
pub(crate) struct Loader {
    settings: IndexSettings,
    layout: Layout,
    /// The versions of the chart that comes now.
    current: Vec<IndexedVersion>,
    late: Vec<IndexedVersion>,
}

impl Loader {
    /// Begins an empty index.
    pub(crate) fn new(settings: IndexSettings) -> Self {
        Self::with_limits(settings, Limits::STANDARD)
    }

    pub(super) fn with_limits(settings: IndexSettings, limits: Limits) -> Self {
        Self { settings, layout: Layout::new(limits), current: Vec::new(), late: Vec::new() }
    }

    /// Adds a version.
    pub(crate) fn push(&mut self, version: IndexedVersion) {
        let order =
            self.current.first().map_or(Ordering::Equal, |first| by_name(&first.chart, &version.chart));
        match order {
            Ordering::Equal => self.current.push(version),
            Ordering::Less => {
                self.lay_current();
                self.current.push(version);
            }
            Ordering::Greater => self.late.push(version),
        }
    }

    /// Returns the index as of `revision`, which was made at `changed_at`.
    pub(crate) fn finish(mut self, revision: u64, changed_at: Timestamp) -> RepositoryIndex {
        self.lay_current();
        let limits = self.layout.limits();
        let mut rope = self.layout.finish();
        if !self.late.is_empty() {
            let changes: Vec<Change> = self.late.into_iter().map(Change::Put).collect();
            let mut changes = edit::last_of_each(&changes);
            if self.settings.detail == Detail::Lean {
                // Versions that only come never make another one the newest, so none is needed.
                changes = lean::settle(&rope, changes).changes;
            }
            rope = merge::merge(&rope, &edit::edits_of(&rope, changes), limits);
        }
        RepositoryIndex::with(limits, Snapshot::new(self.settings, rope, revision, changed_at))
    }

    fn lay_current(&mut self) {
        let Some(chart) = self.current.first().map(|first| first.chart.clone()) else { return };
        self.current.sort_by(|one, other| one.place().order(other.place()));
        if self.settings.detail == Detail::Lean {
            lean::reduce(&mut self.current);
        }
        let lines = self.current.drain(..).map(|version| Line::of(version).1).collect();
        for draft in Draft::pages(&chart, lines, self.layout.limits()) {
            self.layout.push(draft);
            self.layout.lay_full();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{SMALL, load, settings, text, version};
    use super::super::{Encoding, Format};
    use super::*;

    #[test]
    fn the_order_of_arrival_does_not_matter() {
        let charts = ["B", "a", "a-b", "a.b", "ab"];
        let grouped: Vec<IndexedVersion> = charts
            .iter()
            .flat_map(|chart| (0..9).map(move |patch| version(chart, &format!("1.0.{patch}"), patch)))
            .collect();
        // As a locale sorts: letters before case and punctuation.
        let mut by_locale = grouped.clone();
        by_locale.sort_by_key(|one| one.chart.as_str().to_lowercase().replace(['-', '.'], ""));
        let mut interleaved = grouped.clone();
        interleaved.sort_by(|one, other| one.version.cmp(&other.version));
        let reversed: Vec<_> = grouped.iter().rev().cloned().collect();
        for detail in [Detail::Full, Detail::Lean] {
            let body = |versions: &[IndexedVersion]| {
                let index = load(settings(detail), SMALL, versions.to_vec(), Timestamp::from_micros(0));
                let body = index.snapshot().body(Format::Json, Encoding::Identity);
                (text(&body.pieces), body.etag.clone())
            };
            for other in [&by_locale, &interleaved, &reversed] {
                assert_eq!(body(other), body(&grouped));
            }
        }
    }
}
