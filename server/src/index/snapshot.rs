//! One state of an index, from which bodies are answered.
//!
//! It never changes, so that a reader who holds it sees a whole index however long the answer takes.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use chart::Timestamp;

use super::IndexSettings;
use super::fingerprint::tag_of_entries;
use super::frame::Frame;
use super::gzip::{Fragment, Member};
use super::rope::Rope;

/// The text form of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Compact JSON.
    Json,
    /// YAML as `helm repo index` prints it.
    Yaml,
}

/// The content encoding of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// None.
    Identity,
    /// gzip, one member.
    Gzip,
}

/// An index as bytes to send.
#[derive(Debug)]
pub(crate) struct Body {
    /// The strong entity tag, quoted.
    pub(crate) etag: String,
    /// The length in bytes.
    pub(crate) length: u64,
    /// The bytes, in pieces to be sent in a row.
    pub(crate) pieces: Vec<Bytes>,
}

/// One state of an index.
#[derive(Debug)]
pub(crate) struct Snapshot {
    settings: Arc<IndexSettings>,
    revision: u64,
    changed_at: Timestamp,
    rope: Rope,
    json: OnceLock<Arc<Body>>,
    json_gzip: OnceLock<Arc<Body>>,
    yaml: OnceLock<Arc<Body>>,
    yaml_gzip: OnceLock<Arc<Body>>,
}

impl Snapshot {
    pub(super) fn new(settings: IndexSettings, rope: Rope, revision: u64, changed_at: Timestamp) -> Self {
        Self::with(Arc::new(settings), rope, revision, changed_at)
    }

    /// Returns the state that comes after this one.
    pub(super) fn followed_by(&self, rope: Rope, revision: u64, changed_at: Timestamp) -> Self {
        Self::with(Arc::clone(&self.settings), rope, revision, changed_at)
    }

    fn with(settings: Arc<IndexSettings>, rope: Rope, revision: u64, changed_at: Timestamp) -> Self {
        Self {
            settings,
            revision,
            changed_at,
            rope,
            json: OnceLock::new(),
            json_gzip: OnceLock::new(),
            yaml: OnceLock::new(),
            yaml_gzip: OnceLock::new(),
        }
    }

    pub(super) fn rope(&self) -> &Rope {
        &self.rope
    }

    pub(super) fn settings(&self) -> &IndexSettings {
        &self.settings
    }

    /// Returns the revision of the last change in it.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// Returns the time of the last change in it, which is the index's `generated`.
    pub(crate) fn changed_at(&self) -> Timestamp {
        self.changed_at
    }

    /// Returns how many versions it shows.
    pub(crate) fn version_count(&self) -> usize {
        self.rope.segments().iter().map(|segment| segment.version_count()).sum()
    }

    /// Tells whether it shows a version of this chart.
    pub(crate) fn has_chart(&self, chart: &str) -> bool {
        self.rope.has_chart(chart)
    }

    /// Returns how many charts it shows.
    pub(crate) fn chart_count(&self) -> usize {
        self.rope.segments().iter().map(|segment| segment.chart_count()).sum()
    }

    /// Returns the body in one format and encoding; the first call makes it, others at that time wait for it.
    ///
    /// Uncompressed JSON is glued in microseconds. The other forms are work for a thread that may block: they take
    /// milliseconds after a publish, and up to a second for each 50 MB that were never asked for in that form.
    pub(crate) fn body(&self, format: Format, encoding: Encoding) -> Arc<Body> {
        let body = self.made(format, encoding).get_or_init(|| {
            Arc::new(match encoding {
                Encoding::Identity => self.plain(format),
                Encoding::Gzip => self.compressed(format),
            })
        });
        Arc::clone(body)
    }

    /// Returns the body if it was made already, or is made in microseconds.
    pub(crate) fn ready_body(&self, format: Format, encoding: Encoding) -> Option<Arc<Body>> {
        match (format, encoding) {
            // While others publish nearly every reader is the first after a change: a hop to another thread would cost
            // each of them more than the gluing.
            (Format::Json, Encoding::Identity) => Some(self.body(format, encoding)),
            (Format::Json | Format::Yaml, Encoding::Gzip) | (Format::Yaml, Encoding::Identity) => {
                self.made(format, encoding).get().map(Arc::clone)
            }
        }
    }

    fn made(&self, format: Format, encoding: Encoding) -> &OnceLock<Arc<Body>> {
        match (format, encoding) {
            (Format::Json, Encoding::Identity) => &self.json,
            (Format::Json, Encoding::Gzip) => &self.json_gzip,
            (Format::Yaml, Encoding::Identity) => &self.yaml,
            (Format::Yaml, Encoding::Gzip) => &self.yaml_gzip,
        }
    }

    fn frame(&self, format: Format) -> Frame {
        Frame::new(format, &self.settings, self.changed_at, self.rope.segments().is_empty())
    }

    fn plain(&self, format: Format) -> Body {
        let Frame { prologue, epilogue } = self.frame(format);
        let renditions = || self.rope.segments().iter().map(|segment| segment.rendition(format));
        let etag =
            tag_of_entries(&prologue, renditions().map(|rendition| rendition.fingerprint).sum(), &epilogue);
        let mut pieces = Vec::with_capacity(self.rope.segments().len() + 2);
        pieces.push(prologue);
        pieces.extend(renditions().enumerate().map(|(index, rendition)| match index {
            0 => rendition.text.slice(rendition.lead..),
            _ => rendition.text.clone(),
        }));
        pieces.push(epilogue);
        Body::new(etag, pieces)
    }

    fn compressed(&self, format: Format) -> Body {
        let Frame { prologue, epilogue } = self.frame(format);
        let mut member = Member::new(self.rope.segments().len() + 2);
        member.push(&Fragment::compress(&prologue, 0));
        for (index, segment) in self.rope.segments().iter().enumerate() {
            let fragment = segment.rendition(format).fragment();
            if index == 0 {
                member.push_without_lead(fragment);
            } else {
                member.push(fragment);
            }
        }
        member.push(&Fragment::compress(&epilogue, 0));
        let (pieces, etag) = member.finish();
        Body::new(etag, pieces)
    }
}

impl Body {
    fn new(etag: String, pieces: Vec<Bytes>) -> Self {
        let length = pieces.iter().map(|piece| piece.len() as u64).sum();
        Self { etag, length, pieces }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{SMALL, load, put, removal, settings, small, text, version};
    use super::super::layout::Limits;
    use super::super::{Change, Detail, RepositoryIndex};
    use super::*;

    fn json(index: &RepositoryIndex) -> String {
        text(&index.snapshot().body(Format::Json, Encoding::Identity).pieces)
    }

    fn entry(chart: &str, text: &str) -> String {
        String::from_utf8(version(chart, text, 0).entry.to_vec()).unwrap()
    }

    #[test]
    fn an_empty_index_is_a_whole_document_in_every_form() {
        let index = small(Detail::Full, &[]);
        let snapshot = index.snapshot();
        let generated = snapshot.changed_at();
        assert_eq!(
            json(&index),
            format!("{{\"apiVersion\":\"v1\",\"entries\":{{}},\"generated\":\"{generated}\"}}")
        );
        let yaml = snapshot.body(Format::Yaml, Encoding::Identity);
        assert_eq!(
            text(&yaml.pieces),
            format!("apiVersion: v1\nentries: {{}}\ngenerated: \"{generated}\"\n")
        );
        assert_eq!((snapshot.version_count(), snapshot.chart_count()), (0, 0));
    }

    #[test]
    fn the_context_path_stands_before_the_entries_when_there_is_one() {
        let settings =
            IndexSettings { context_path: Some("/team \"a\"".to_owned()), ..settings(Detail::Full) };
        let index = RepositoryIndex::load(settings, 1, Timestamp::from_micros(0), [version("a", "1.0.0", 0)]);
        let expected = "{\"apiVersion\":\"v1\",\"serverInfo\":{\"contextPath\":\"/team \\\"a\\\"\"},\"entries\":{\"a\":[{";
        assert!(json(&index).starts_with(expected), "{}", json(&index));
        let yaml = text(&index.snapshot().body(Format::Yaml, Encoding::Identity).pieces);
        let expected =
            "apiVersion: v1\nserverInfo:\n  contextPath: \"/team \\\"a\\\"\"\nentries:\n  a:\n  - ";
        assert!(yaml.starts_with(expected), "{yaml}");
    }

    #[test]
    fn commas_and_brackets_stand_right_wherever_a_chart_comes_or_goes() {
        let index = small(Detail::Full, &[("b", "1.0.0")]);
        type Expected = &'static [(&'static str, &'static [&'static str])];
        let steps: [(Change, Expected); 7] = [
            (put("c", "1.0.0", 0), &[("b", &["1.0.0"]), ("c", &["1.0.0"])]),
            (put("a", "1.0.0", 0), &[("a", &["1.0.0"]), ("b", &["1.0.0"]), ("c", &["1.0.0"])]),
            (put("b", "2.0.0", 0), &[("a", &["1.0.0"]), ("b", &["2.0.0", "1.0.0"]), ("c", &["1.0.0"])]),
            (removal("a", "1.0.0"), &[("b", &["2.0.0", "1.0.0"]), ("c", &["1.0.0"])]),
            (removal("c", "1.0.0"), &[("b", &["2.0.0", "1.0.0"])]),
            (removal("b", "2.0.0"), &[("b", &["1.0.0"])]),
            (removal("b", "1.0.0"), &[]),
        ];
        for (number, (change, expected)) in steps.into_iter().enumerate() {
            index.apply(&[change], 2 + number as u64, Timestamp::from_micros(0)).unwrap();
            let charts: Vec<String> = expected
                .iter()
                .map(|(chart, versions)| {
                    let entries: Vec<String> = versions.iter().map(|version| entry(chart, version)).collect();
                    format!("\"{chart}\":[{}]", entries.join(","))
                })
                .collect();
            assert!(
                json(&index).contains(&format!("\"entries\":{{{}}},\"generated\"", charts.join(","))),
                "step {number}"
            );
        }
    }

    #[test]
    fn a_held_snapshot_stays_as_it_was() {
        let index = small(Detail::Full, &[("a", "1.0.0")]);
        let held = index.snapshot();
        let before = held.body(Format::Json, Encoding::Identity);
        let next = index.apply(&[removal("a", "1.0.0")], 2, Timestamp::from_micros(5)).unwrap();
        assert_eq!(held.body(Format::Yaml, Encoding::Identity).pieces.len(), 3);
        assert_eq!(held.body(Format::Json, Encoding::Identity).etag, before.etag);
        assert_ne!(next.body(Format::Json, Encoding::Identity).etag, before.etag);
        assert_eq!((held.revision(), next.revision()), (1, 2));
    }

    #[test]
    fn a_body_is_ready_once_it_was_made() {
        let snapshot = small(Detail::Full, &[("a", "1.0.0")]).snapshot();
        assert!(snapshot.ready_body(Format::Json, Encoding::Gzip).is_none());
        let made = snapshot.body(Format::Json, Encoding::Gzip);
        assert!(Arc::ptr_eq(&made, &snapshot.ready_body(Format::Json, Encoding::Gzip).unwrap()));
        assert!(snapshot.ready_body(Format::Yaml, Encoding::Gzip).is_none());
    }

    #[test]
    fn the_tag_follows_the_bytes_of_its_form() {
        let versions: Vec<_> = (0..40).map(|patch| version("a", &format!("1.0.{patch}"), 0)).collect();
        let body = |limits, changed_at, encoding| {
            let changed_at = Timestamp::from_micros(changed_at);
            let index = load(settings(Detail::Full), limits, versions.clone(), changed_at);
            index.snapshot().body(Format::Json, encoding)
        };
        let plain = |limits, changed_at| body(limits, changed_at, Encoding::Identity).etag.clone();
        let packed = |limits, changed_at| body(limits, changed_at, Encoding::Gzip).etag.clone();
        assert_eq!(plain(SMALL, 0), plain(Limits::STANDARD, 0));
        assert_ne!(plain(SMALL, 0), plain(SMALL, 1));
        assert_eq!(packed(SMALL, 0), packed(SMALL, 0));
        assert_ne!(packed(SMALL, 0), packed(Limits::STANDARD, 0));
        assert_ne!(packed(SMALL, 0), packed(SMALL, 1));
    }
}
