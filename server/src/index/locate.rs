//! From an archive's file name to where its bytes lie, without asking the catalog: downloads go on while it is away.

use bytes::Bytes;
use chart::{ChartName, ChartVersion, Timestamp};
use oci::Digest;
use serde::Deserialize;

use super::rope::Found;
use super::snapshot::Snapshot;
use crate::blobs::BlobKey;

/// The longest file name a chart can have: name, dash, version, ending. What is longer is not worth splitting.
const LONGEST_FILE_NAME: usize = 250 + 1 + 256 + ENDING.len();

const ENDING: &str = ".tgz";

/// A version whose archive was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Located {
    /// The chart's name.
    pub(crate) chart: ChartName,
    /// The version.
    pub(crate) version: ChartVersion,
    /// When it was published.
    pub(crate) created: Timestamp,
    /// Where the archive's bytes lie.
    pub(crate) archive: BlobKey,
    /// The archive's length in bytes.
    pub(crate) archive_bytes: u64,
    /// Where the provenance file's bytes lie, when there is one.
    pub(crate) provenance: Option<BlobKey>,
    entry: Bytes,
}

impl Located {
    /// Returns the archive's digest as the index entry has it; `None` when it has none.
    pub(crate) fn digest(&self) -> Option<Digest> {
        #[derive(Deserialize)]
        struct Entry<'a> {
            digest: Option<&'a str>,
        }
        let entry: Entry<'_> = serde_json::from_slice(&self.entry).ok()?;
        Digest::from_sha256_hex(entry.digest?).ok()
    }

    fn of(found: &Found<'_>) -> Self {
        Self {
            chart: found.chart().clone(),
            version: found.slot.version.clone(),
            created: found.slot.created,
            archive: found.slot.archive.clone(),
            archive_bytes: found.slot.archive_bytes,
            provenance: found.slot.provenance.clone(),
            entry: found.entry(),
        }
    }
}

impl Snapshot {
    /// Returns the version whose archive is named `file_name`: `<name>-<version>.tgz`.
    ///
    /// Both parts may hold dashes, so every dash is tried; of several versions, which the catalog does not let in, the
    /// one with the shortest chart name counts.
    pub(crate) fn find_archive(&self, file_name: &str) -> Option<Located> {
        if file_name.len() > LONGEST_FILE_NAME {
            return None;
        }
        let stem = file_name.strip_suffix(ENDING)?;
        stem.match_indices('-').find_map(|(dash, _)| {
            let (chart, version) = (stem.get(..dash)?, stem.get(dash + 1..)?);
            if !self.rope().has_chart(chart) {
                return None;
            }
            let version: ChartVersion = version.parse().ok()?;
            self.rope().find(chart, &version).map(|found| Located::of(&found))
        })
    }
}

#[cfg(test)]
mod tests {
    use chart::Timestamp;

    use super::super::Detail;
    use super::super::fixture::{removal, small, version};

    #[test]
    fn every_dash_may_be_the_one_before_the_version() {
        let index = small(
            Detail::Full,
            &[("a", "1.0.0-rc.1-2"), ("a-b", "1.0.0+c-d"), ("a-b-c", "v1"), ("a-1", "2.0.0"), ("1", "1")],
        );
        let cases = [
            ("a-1.0.0-rc.1-2.tgz", Some(("a", "1.0.0-rc.1-2"))),
            ("a-b-1.0.0+c-d.tgz", Some(("a-b", "1.0.0+c-d"))),
            ("a-b-c-v1.tgz", Some(("a-b-c", "v1"))),
            ("a-1-2.0.0.tgz", Some(("a-1", "2.0.0"))),
            ("1-1.tgz", Some(("1", "1"))),
            ("a-b-c-1.tgz", None),
            ("a-b-c-v1", None),
            ("a-b-c-v1.tgz.prov", None),
            ("a-1.0.0.tgz", None),
            ("-.tgz", None),
            (".tgz", None),
            ("", None),
            ("ä-ö.tgz", None),
        ];
        for (file_name, expected) in cases {
            let located = index.find_archive(file_name);
            let located = located.as_ref().map(|one| (one.chart.as_str(), one.version.as_str()));
            assert_eq!(located, expected, "{file_name}");
        }
    }

    #[test]
    fn of_two_versions_with_one_file_name_the_shorter_chart_counts() {
        let index = small(Detail::Full, &[("a-1", "2.0.0"), ("a", "1-2.0.0")]);
        assert_eq!(index.find_archive("a-1-2.0.0.tgz").unwrap().chart.as_str(), "a");
        index.apply(&[removal("a", "1-2.0.0")], 2, Timestamp::from_micros(1)).unwrap();
        assert_eq!(index.find_archive("a-1-2.0.0.tgz").unwrap().chart.as_str(), "a-1");
    }

    #[test]
    fn a_hostile_name_finds_nothing() {
        let index = small(Detail::Full, &[("a", "1.0.0")]);
        for file_name in ["a-".repeat(10_000) + ".tgz", "-".repeat(500) + ".tgz", "a-".repeat(250) + ".tgz"] {
            assert!(index.find_archive(&file_name).is_none());
        }
    }

    #[test]
    fn the_digest_is_the_entrys() {
        let index = small(Detail::Lean, &[("a", "1.0.0"), ("a", "2.0.0")]);
        for text in ["1.0.0", "2.0.0"] {
            let located = index.find_archive(&format!("a-{text}.tgz")).unwrap();
            let expected = version("a", text, 0);
            assert!(expected.archive.as_str().ends_with(located.digest().unwrap().hex()));
            assert_eq!(located.archive, expected.archive);
        }
    }
}
