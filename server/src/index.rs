//! The index of one repository, held in memory and fed with its changes in the order of their revisions.
//!
//! Rule: no HTTP, no SQL, no clock, no async. The bytes served are a function of the versions, the settings and the
//! time of the last change: equal on every replica and after every restart, whatever the order of the publishes.

mod edit;
mod fingerprint;
#[cfg(test)]
mod fixture;
mod frame;
mod gzip;
mod kept;
mod layout;
mod lean;
mod loader;
mod locate;
mod merge;
#[cfg(test)]
mod model;
mod order;
mod page;
mod rope;
mod segment;
mod snapshot;
mod yaml;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use bytes::Bytes;
use chart::{ChartName, ChartVersion, Timestamp};
use serde::{Deserialize, Serialize};

use crate::blobs::BlobKey;

pub(crate) use kept::{KeptIndex, Stamp, Terms, Unusable};
use layout::Limits;
pub(crate) use loader::Loader;
pub(crate) use locate::Located;
use order::Place;
pub(crate) use snapshot::{Encoding, Format, Snapshot};

/// How much of each version the index shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Detail {
    /// Every entry in full.
    Full,
    /// The newest stable and the newest pre-release version of each chart in full, the others as [`chart::index::lean`].
    Lean,
}

/// What a repository's index looks like. Other settings need another index: load it anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IndexSettings {
    /// How much of each version the index shows.
    pub(crate) detail: Detail,
    /// `serverInfo.contextPath`, which `helm cm-push` reads; left out of the index when none.
    pub(crate) context_path: Option<String>,
}

/// One version as the index keeps it.
#[derive(Debug, Clone)]
pub(crate) struct IndexedVersion {
    /// The chart's name.
    pub(crate) chart: ChartName,
    /// The version, unique in its chart.
    pub(crate) version: ChartVersion,
    /// When it was published.
    pub(crate) created: Timestamp,
    /// The full index entry: one compact JSON object.
    pub(crate) entry: Bytes,
    /// Where the archive's bytes lie.
    pub(crate) archive: BlobKey,
    /// The archive's length in bytes.
    pub(crate) archive_bytes: u64,
    /// Where the provenance file's bytes lie, when there is one.
    pub(crate) provenance: Option<BlobKey>,
}

impl IndexedVersion {
    fn place(&self) -> Place<'_> {
        Place { chart: &self.chart, version: &self.version, created: self.created }
    }
}

/// One change of what the index shows.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// The version is now this, whether it was there before or not.
    Put(IndexedVersion),
    /// The version is no longer shown. Of one that was not, nothing happens.
    Remove {
        /// The chart's name.
        chart: ChartName,
        /// The version.
        version: ChartVersion,
    },
}

impl Change {
    fn chart(&self) -> &ChartName {
        match self {
            Self::Put(put) => &put.chart,
            Self::Remove { chart, .. } => chart,
        }
    }

    fn version(&self) -> &ChartVersion {
        match self {
            Self::Put(put) => &put.version,
            Self::Remove { version, .. } => version,
        }
    }
}

/// Versions of a lean index that are now the newest of their kind, while the index holds only their lean entries.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} versions become the newest of their charts: put their full entries in the same call", .0.len())]
pub(crate) struct EntriesNeeded(pub(crate) Vec<(ChartName, ChartVersion)>);

/// The index of one repository. Readers take a [`Snapshot`] without waiting; changes swap in the next one.
pub(crate) struct RepositoryIndex {
    limits: Limits,
    snapshot: ArcSwap<Snapshot>,
    /// Two appliers at once would each swap in a snapshot without the other's changes.
    applying: Mutex<()>,
}

impl fmt::Debug for RepositoryIndex {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RepositoryIndex").field("snapshot", &self.snapshot()).finish_non_exhaustive()
    }
}

impl RepositoryIndex {
    fn with(limits: Limits, snapshot: Snapshot) -> Self {
        Self { limits, snapshot: ArcSwap::from_pointee(snapshot), applying: Mutex::new(()) }
    }

    /// Returns the index of `versions`, which come in any order, each chart and version once, in full.
    ///
    /// Versions grouped by chart in byte order of the names are laid down as they come; a [`Loader`] does the same
    /// for a source that is no iterator.
    pub(crate) fn load(
        settings: IndexSettings,
        revision: u64,
        changed_at: Timestamp,
        versions: impl IntoIterator<Item = IndexedVersion>,
    ) -> Self {
        let mut loader = Loader::new(settings);
        for version in versions {
            loader.push(version);
        }
        loader.finish(revision, changed_at)
    }

    /// Applies the changes up to `revision` with one swap at the end and returns what is then served.
    ///
    /// Of several changes to one version the last counts. A revision that is not after the current one changes nothing,
    /// so that a change that is told twice does no harm.
    ///
    /// # Errors
    /// [`EntriesNeeded`], only when the index is lean: nothing was changed; read those versions, add them as
    /// [`Change::Put`] and call again.
    pub(crate) fn apply(
        &self,
        changes: &[Change],
        revision: u64,
        changed_at: Timestamp,
    ) -> Result<Arc<Snapshot>, EntriesNeeded> {
        let _applying = self.applying.lock().unwrap_or_else(PoisonError::into_inner);
        let current = self.snapshot();
        if revision <= current.revision() {
            return Ok(current);
        }
        let mut changes = edit::last_of_each(changes);
        if current.settings().detail == Detail::Lean {
            let settled = lean::settle(current.rope(), changes);
            if !settled.needed.is_empty() {
                return Err(EntriesNeeded(settled.needed));
            }
            changes = settled.changes;
        }
        let edits = edit::edits_of(current.rope(), changes);
        let rope = merge::merge(current.rope(), &edits, self.limits);
        let next = Arc::new(current.followed_by(rope, revision, changed_at));
        self.snapshot.store(Arc::clone(&next));
        Ok(next)
    }

    /// Returns the revision of the last change applied.
    pub(crate) fn revision(&self) -> u64 {
        self.snapshot.load().revision()
    }

    /// Returns what is served now.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Returns the version whose archive is named `file_name`, as [`Snapshot::find_archive`].
    pub(crate) fn find_archive(&self, file_name: &str) -> Option<Located> {
        self.snapshot.load().find_archive(file_name)
    }
}

#[cfg(test)]
mod tests {
    use super::fixture::{put, removal, small, text};
    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    #[test]
    fn a_revision_that_was_applied_changes_nothing_again() {
        let index = small(Detail::Full, &[("a", "1.0.0")]);
        index.apply(&[put("a", "2.0.0", 0)], 5, at(5)).unwrap();
        for revision in [1, 4, 5] {
            let snapshot = index.apply(&[removal("a", "2.0.0")], revision, at(9)).unwrap();
            assert_eq!((snapshot.revision(), snapshot.changed_at(), snapshot.version_count()), (5, at(5), 2));
        }
    }

    #[test]
    fn of_several_changes_to_one_version_the_last_counts() {
        let index = small(Detail::Full, &[("a", "1.0.0")]);
        let changes = [
            put("a", "2.0.0", 0),
            removal("a", "1.0.0"),
            removal("a", "2.0.0"),
            put("a", "1.0.0", 7),
            put("b", "1.0.0", 0),
            removal("b", "1.0.0"),
        ];
        let snapshot = index.apply(&changes, 2, at(2)).unwrap();
        assert_eq!((snapshot.version_count(), snapshot.chart_count()), (1, 1));
        assert_eq!(index.find_archive("a-1.0.0.tgz").unwrap().created, at(7));
    }

    #[test]
    fn a_batch_without_visible_changes_still_moves_revision_and_time() {
        let index = small(Detail::Full, &[("a", "1.0.0")]);
        let snapshot = index.apply(&[], 2, at(60_000_000)).unwrap();
        assert_eq!((index.revision(), snapshot.changed_at()), (2, at(60_000_000)));
    }

    #[test]
    fn readers_see_a_batch_whole_or_not_at_all() {
        let index = small(Detail::Full, &[("a", "1.0.0"), ("b", "1.0.0")]);
        let is_done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            let reader = || {
                while !is_done.load(std::sync::atomic::Ordering::Relaxed) {
                    let body = index.snapshot().body(Format::Json, Encoding::Identity);
                    let json: serde_json::Value = serde_json::from_str(&text(&body.pieces)).unwrap();
                    let newest = |chart: &str| json["entries"][chart][0]["version"].clone();
                    assert_eq!(newest("a"), newest("b"));
                }
            };
            scope.spawn(reader);
            scope.spawn(reader);
            for number in 2..500 {
                let version = format!("{number}.0.0");
                let changes = [put("a", &version, 0), put("b", &version, 0)];
                index.apply(&changes, number, at(0)).unwrap();
            }
            is_done.store(true, std::sync::atomic::Ordering::Relaxed);
        });
    }
}
