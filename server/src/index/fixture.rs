//! Versions for the index's tests.

use bytes::Bytes;
use chart::Timestamp;
use oci::Digest;

use super::layout::Limits;
use super::{
    Change, Detail, IndexSettings, IndexedVersion, KeptIndex, Loader, RepositoryIndex, Stamp, Terms, Unusable,
};
use crate::blobs::BlobKey;

/// Limits that a dozen versions reach.
pub(super) const SMALL: Limits =
    Limits { page_versions: 4, page_bytes: 1_500, segment_fewest_bytes: 900, segment_most_bytes: 3_000 };

pub(super) fn settings(detail: Detail) -> IndexSettings {
    IndexSettings { detail, context_path: None }
}

/// Returns a version whose entry, archive and digest follow from the arguments; `filling` is in the full entry only.
pub(super) fn filled(chart: &str, version: &str, created: i64, filling: &str) -> IndexedVersion {
    let created = Timestamp::from_micros(created);
    let digest = Digest::sha256(format!("{chart} {version} {filling}").as_bytes());
    let entry = format!(
        "{{\"name\":\"{chart}\",\"version\":\"{version}\",\"keywords\":[\"{filling}\"],\
         \"urls\":[\"charts/{chart}-{version}.tgz\"],\"created\":\"{created}\",\"digest\":\"{}\"}}",
        digest.hex()
    );
    IndexedVersion {
        chart: chart.parse().unwrap(),
        version: version.parse().unwrap(),
        created,
        entry: Bytes::from(entry),
        archive: BlobKey::from_catalog(format!("blobs/{}", digest.hex())),
        archive_bytes: filling.len() as u64,
        provenance: filling
            .contains("signed")
            .then(|| BlobKey::from_catalog(format!("blobs/{}.prov", digest.hex()))),
    }
}

pub(super) fn version(chart: &str, version: &str, created: i64) -> IndexedVersion {
    filled(chart, version, created, "word")
}

pub(super) fn put(chart: &str, text: &str, created: i64) -> Change {
    Change::Put(version(chart, text, created))
}

pub(super) fn removal(chart: &str, version: &str) -> Change {
    Change::Remove { chart: chart.parse().unwrap(), version: version.parse().unwrap() }
}

/// Loads versions in the given order under the given limits.
pub(super) fn load(
    settings: IndexSettings,
    limits: Limits,
    versions: impl IntoIterator<Item = IndexedVersion>,
    changed_at: Timestamp,
) -> RepositoryIndex {
    let mut loader = Loader::with_limits(settings, limits);
    for version in versions {
        loader.push(version);
    }
    loader.finish(1, changed_at)
}

/// Returns a small index of these charts and versions.
pub(super) fn small(detail: Detail, versions: &[(&str, &str)]) -> RepositoryIndex {
    let versions = versions.iter().map(|(chart, text)| version(chart, text, 0));
    load(settings(detail), SMALL, versions, Timestamp::from_micros(0))
}

/// Returns an index as the bytes of a file.
pub(super) fn keep(index: &RepositoryIndex) -> Vec<u8> {
    let mut file = Vec::new();
    let stamp = Stamp::new("a stamp".to_owned());
    index.keep(&index.snapshot(), None, stamp, &mut file).unwrap();
    file
}

/// Reads a file of [`keep`], of an index with such settings under the small limits.
pub(super) fn read_back(settings: IndexSettings, file: &[u8]) -> Result<RepositoryIndex, Unusable> {
    let terms = Terms { settings, base: None };
    KeptIndex::open_with(file, file.len() as u64, &terms, SMALL)?.read()
}

/// Returns the text of pieces in a row.
pub(super) fn text(pieces: &[Bytes]) -> String {
    String::from_utf8(pieces.concat()).unwrap()
}
