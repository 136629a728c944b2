//! The index beside a model: a sorted list that is rendered from nothing after every batch of changes.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use chart::Timestamp;
use proptest::prelude::*;

use super::fixture::{SMALL, filled, keep, load, read_back, removal, settings, text};
use super::layout::Limits;
use super::{Change, Detail, Encoding, EntriesNeeded, Format, IndexedVersion, RepositoryIndex, Snapshot};

const CHARTS: [&str; 6] = ["B", "a", "a-1", "b", "no", "z.z"];

/// Among them equal precedence, other spellings, and `a` at `1-2.0.0` beside `a-1` at `2.0.0`.
const VERSIONS: [&str; 24] = [
    "0.1.0",
    "0.2.0",
    "0.3.0",
    "0.3.1",
    "0.4.0",
    "1.0.0",
    "v1.0.0",
    "1.0.0+x",
    "1.0.0+y",
    "1.0",
    "1-2.0.0",
    "2.0.0",
    "2.0.0-rc.1",
    "2.0.0-rc.2",
    "2.1.0",
    "2.2.0",
    "2.3.0-a",
    "3.0.0",
    "3.1.0-b+1",
    "3.1.0-b+2",
    "4.0.0",
    "5.0.0",
    "6.0.0",
    "7.0.0-rc.1",
];

type Model = BTreeMap<(String, String), IndexedVersion>;

fn order(one: &IndexedVersion, other: &IndexedVersion) -> Ordering {
    let chart = one.chart.as_str().cmp(other.chart.as_str());
    let precedence = other.version.precedence(&one.version);
    let created = other.created.micros().cmp(&one.created.micros());
    chart.then(precedence).then(created).then(other.version.as_str().cmp(one.version.as_str()))
}

/// Returns what the index shows of the model, in order.
fn shown(model: &Model, detail: Detail) -> Vec<IndexedVersion> {
    let mut versions: Vec<IndexedVersion> = model.values().cloned().collect();
    versions.sort_by(order);
    let mut seen = BTreeSet::new();
    for version in &mut versions {
        let is_newest = seen.insert((version.chart.clone(), version.version.prerelease().is_empty()));
        if detail == Detail::Lean && !is_newest {
            version.entry = chart::index::lean(&version.entry).into();
        }
    }
    versions
}

fn rendered(shown: &[IndexedVersion], changed_at: Timestamp) -> String {
    let mut charts: Vec<String> = Vec::new();
    for of_one in shown.chunk_by(|one, other| one.chart == other.chart) {
        let entries: Vec<&str> =
            of_one.iter().map(|version| std::str::from_utf8(&version.entry).unwrap()).collect();
        charts.push(format!("\"{}\":[{}]", of_one[0].chart, entries.join(",")));
    }
    format!("{{\"apiVersion\":\"v1\",\"entries\":{{{}}},\"generated\":\"{changed_at}\"}}", charts.join(","))
}

fn apply(index: &RepositoryIndex, mut changes: Vec<Change>, model: &Model, revision: u64, at: Timestamp) {
    if let Err(EntriesNeeded(needed)) = index.apply(&changes, revision, at) {
        assert!(!needed.is_empty());
        assert_ne!(index.revision(), revision, "nothing was changed");
        for (chart, version) in needed {
            let full = &model[&(chart.to_string(), version.to_string())];
            changes.push(Change::Put(full.clone()));
        }
        index.apply(&changes, revision, at).unwrap();
    }
    assert_eq!(index.revision(), revision);
}

fn check(index: &RepositoryIndex, model: &Model, detail: Detail, at: Timestamp) {
    let snapshot = index.snapshot();
    let shown = shown(model, detail);
    let body = snapshot.body(Format::Json, Encoding::Identity);
    assert_eq!(text(&body.pieces), rendered(&shown, at));
    assert_eq!(snapshot.version_count(), model.len());
    assert_eq!(snapshot.chart_count(), model.keys().map(|(chart, _)| chart).collect::<BTreeSet<_>>().len());
    check_against_fresh_loads(&snapshot, model, detail, at);
    check_layout(&snapshot);
}

fn check_against_fresh_loads(snapshot: &Snapshot, model: &Model, detail: Detail, at: Timestamp) {
    let fresh = [
        load(settings(detail), Limits::STANDARD, model.values().cloned(), at),
        load(settings(detail), SMALL, model.values().rev().cloned(), at),
        RepositoryIndex::load(settings(detail), 9, at, model.values().rev().cloned()),
    ];
    let body = snapshot.body(Format::Json, Encoding::Identity);
    for other in fresh {
        let other = other.snapshot().body(Format::Json, Encoding::Identity);
        assert_eq!(text(&other.pieces), text(&body.pieces));
        assert_eq!(other.etag, body.etag);
    }
}

fn check_other_forms(snapshot: &Snapshot) {
    let body = |format, encoding| snapshot.body(format, encoding);
    let mut tags = BTreeSet::new();
    for format in [Format::Json, Format::Yaml] {
        let (plain, packed) = (body(format, Encoding::Identity), body(format, Encoding::Gzip));
        let mut back = String::new();
        flate2::read::GzDecoder::new(&*packed.pieces.concat()).read_to_string(&mut back).unwrap();
        assert_eq!(back, text(&plain.pieces));
        for body in [plain, packed] {
            assert_eq!(body.length as usize, body.pieces.concat().len());
            assert!(tags.insert(body.etag.clone()), "each form has a tag of its own");
        }
    }
    let yaml = body(Format::Yaml, Encoding::Identity).pieces.concat();
    let json: serde_json::Value =
        serde_json::from_slice(&body(Format::Json, Encoding::Identity).pieces.concat()).unwrap();
    assert_eq!(chart::yaml::parse(&yaml, &chart::yaml::Budget::default()).unwrap().to_json(), json);
}

fn check_archives(index: &RepositoryIndex, model: &Model) {
    for chart in CHARTS {
        for version in VERSIONS {
            let file_name = format!("{chart}-{version}.tgz");
            let named = |(chart, version): &(&str, &str)| format!("{chart}-{version}.tgz") == file_name;
            let keys = model.keys().map(|(chart, version)| (chart.as_str(), version.as_str()));
            let expected = keys.filter(named).min_by_key(|(chart, _)| chart.len());
            let expected = expected.map(|(chart, version)| &model[&(chart.to_owned(), version.to_owned())]);
            let located = index.find_archive(&file_name);
            assert_eq!(located.is_some(), expected.is_some(), "{file_name}");
            if let (Some(located), Some(expected)) = (located, expected) {
                assert_eq!((&located.chart, &located.version), (&expected.chart, &expected.version));
                assert_eq!(
                    (&located.archive, &located.provenance),
                    (&expected.archive, &expected.provenance)
                );
                assert_eq!(
                    (located.archive_bytes, located.created),
                    (expected.archive_bytes, expected.created)
                );
                assert!(expected.archive.as_str().ends_with(located.digest().unwrap().hex()));
            }
        }
    }
}

fn check_layout(snapshot: &Snapshot) {
    let segments = snapshot.rope().segments();
    for segment in segments {
        let json = &segment.rendition(Format::Json).text;
        assert!(!segment.pages().is_empty());
        assert!(json.len() <= SMALL.segment_most_bytes || segment.pages().len() == 1);
        for placed in segment.pages() {
            assert!(!placed.page().slots().is_empty() && placed.page().slots().len() <= SMALL.page_versions);
            assert!(placed.page().json_bytes() <= SMALL.page_bytes || placed.page().slots().len() == 1);
        }
    }
}

prop_compose! {
    fn change()(
        chart in 0..CHARTS.len(), version in 0..VERSIONS.len(), created in 0i64..4, length in 0usize..600,
        is_signed: bool, is_put in proptest::bool::weighted(0.65),
    ) -> Change {
        let (chart, version) = (CHARTS[chart], VERSIONS[version]);
        if is_put {
            let filling = format!("{}{}", if is_signed { "signed" } else { "" }, "x".repeat(length));
            Change::Put(filled(chart, version, created, &filling))
        } else {
            removal(chart, version)
        }
    }
}

fn follow(model: &mut Model, changes: &[Change]) {
    for change in changes {
        let key = (change.chart().to_string(), change.version().to_string());
        match change {
            Change::Put(version) => model.insert(key, version.clone()),
            Change::Remove { .. } => model.remove(&key),
        };
    }
}

/// Keeps the index and reads it back: every body has the same pieces and the same tag, as it had before.
fn read_back_the_same(index: &RepositoryIndex, detail: Detail) -> RepositoryIndex {
    let back = read_back(settings(detail), &keep(index)).unwrap();
    let (kept, read) = (index.snapshot(), back.snapshot());
    assert_eq!((read.revision(), read.changed_at()), (kept.revision(), kept.changed_at()));
    for format in [Format::Json, Format::Yaml] {
        for encoding in [Encoding::Identity, Encoding::Gzip] {
            let (kept, read) = (kept.body(format, encoding), read.body(format, encoding));
            assert_eq!(read.pieces, kept.pieces);
            assert_eq!(read.etag, kept.etag);
        }
    }
    back
}

fn run(detail: Detail, initial: &[Change], batches: Vec<Vec<Change>>) {
    let mut model = Model::new();
    follow(&mut model, initial);
    let start = Timestamp::from_micros(0);
    let index = load(settings(detail), SMALL, model.values().cloned(), start);
    check(&index, &model, detail, start);
    for (number, batch) in batches.into_iter().enumerate() {
        let at = Timestamp::from_micros(1 + number as i64);
        follow(&mut model, &batch);
        apply(&index, batch, &model, 2 + number as u64, at);
        check(&index, &model, detail, at);
    }
    check_other_forms(&index.snapshot());
    check_archives(&index, &model);
    let fresh =
        load(settings(detail), Limits::STANDARD, model.values().cloned(), index.snapshot().changed_at());
    let yaml = |index: &RepositoryIndex| index.snapshot().body(Format::Yaml, Encoding::Identity);
    assert_eq!(yaml(&index).etag, yaml(&fresh).etag);
    assert_eq!(text(&yaml(&index).pieces), text(&yaml(&fresh).pieces));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_full_index_equals_the_model_after_every_batch(
        initial in prop::collection::vec(change(), 0..120),
        batches in prop::collection::vec(prop::collection::vec(change(), 1..6), 0..12),
    ) {
        run(Detail::Full, &initial, batches);
    }

    #[test]
    fn a_lean_index_equals_the_model_after_every_batch(
        initial in prop::collection::vec(change(), 0..120),
        batches in prop::collection::vec(prop::collection::vec(change(), 1..6), 0..12),
    ) {
        run(Detail::Lean, &initial, batches);
    }

    #[test]
    fn an_index_that_was_kept_and_read_back_equals_the_model_and_takes_further_batches(
        initial in prop::collection::vec(change(), 0..120),
        batches in prop::collection::vec(prop::collection::vec(change(), 1..6), 0..8),
        detail in prop_oneof![Just(Detail::Full), Just(Detail::Lean)],
    ) {
        let mut model = Model::new();
        follow(&mut model, &initial);
        let start = Timestamp::from_micros(0);
        let mut index = load(settings(detail), SMALL, model.values().cloned(), start);
        for (number, batch) in batches.into_iter().enumerate() {
            index = read_back_the_same(&index, detail);
            let at = Timestamp::from_micros(1 + number as i64);
            follow(&mut model, &batch);
            apply(&index, batch, &model, 2 + number as u64, at);
            check(&index, &model, detail, at);
        }
        let index = read_back_the_same(&index, detail);
        check_other_forms(&index.snapshot());
        check_archives(&index, &model);
    }

    #[test]
    fn batches_that_empty_or_fill_a_repository_equal_the_model(
        initial in prop::collection::vec(change(), 100..200),
        batch in prop::collection::vec(change(), 0..150),
        detail in prop_oneof![Just(Detail::Full), Just(Detail::Lean)],
    ) {
        let mut model = Model::new();
        follow(&mut model, &initial);
        let emptying: Vec<Change> =
            model.keys().map(|(chart, version)| removal(chart, version)).collect();
        let (one_half, other_half) = emptying.split_at(emptying.len() / 2);
        run(detail, &initial, vec![one_half.to_vec(), other_half.to_vec(), batch]);
    }
}
