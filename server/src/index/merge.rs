//! Edits worked into a rope: only pages with an edit are rewritten, only segments with such a page are copied.

use chart::ChartName;

use super::edit::Edit;
use super::layout::{Layout, Limits};
use super::order::by_name;
use super::page::{Draft, Line};
use super::rope::Rope;
use super::segment::{PlacedPage, Segment};

/// Returns the rope with the edits, which come in the order of their places.
pub(super) fn merge(rope: &Rope, edits: &[Edit], limits: Limits) -> Rope {
    let mut layout = Layout::new(limits);
    let mut segments = rope.segments();
    let mut edits = edits;
    while let Some(first) = edits.first() {
        let at = segments.partition_point(|segment| !segment.begins_after(first.place())).saturating_sub(1);
        let (untouched, from) = segments.split_at(at);
        layout.share(untouched);
        let Some((segment, later)) = from.split_first() else {
            insert(&mut layout, edits);
            edits = &[];
            continue;
        };
        let (here, rest) =
            split_before(edits, later.first().map(|next| |edit: &Edit| next.begins_after(edit.place())));
        rewrite_segment(&mut layout, segment, here);
        segments = later;
        edits = rest;
    }
    layout.share(segments);
    layout.finish()
}

/// Splits edits where those begin that do not come before the next thing; without one, after the last.
fn split_before(edits: &[Edit], is_before_next: Option<impl Fn(&Edit) -> bool>) -> (&[Edit], &[Edit]) {
    let count = is_before_next.map_or(edits.len(), |is_before_next| edits.partition_point(is_before_next));
    edits.split_at(count)
}

fn rewrite_segment(layout: &mut Layout, segment: &Segment, edits: &[Edit]) {
    let mut edits = edits;
    let mut pages = segment.pages().iter().peekable();
    while let Some(placed) = pages.next() {
        let (here, rest) =
            split_before(edits, pages.peek().map(|next| |edit: &Edit| next.begins_after(edit.place())));
        rewrite_page(layout, segment, placed, here);
        edits = rest;
    }
}

/// Rewrites one page with the edits from its beginning to the next page's, some of which are of charts beside its own.
fn rewrite_page(layout: &mut Layout, segment: &Segment, placed: &PlacedPage, edits: &[Edit]) {
    let chart = placed.chart();
    let (before, from) = edits.split_at(edits.partition_point(|edit| by_name(edit.chart(), chart).is_lt()));
    let (own, after) = from.split_at(from.partition_point(|edit| by_name(edit.chart(), chart).is_eq()));
    insert(layout, before);
    if own.is_empty() {
        layout.push(segment.draft_of(placed));
    } else {
        push_lines(layout, chart, edited(segment.lines_of(placed), chart, own));
    }
    insert(layout, after);
}

/// Returns a page's lines after the edits.
fn edited(mut lines: Vec<Line>, chart: &ChartName, edits: &[Edit]) -> Vec<Line> {
    let removed: Vec<&Edit> = edits.iter().filter(|edit| edit.inserted().is_none()).collect();
    lines.retain(|line| removed.binary_search_by(|edit| edit.place().order(line.slot.place(chart))).is_err());
    lines.extend(edits.iter().filter_map(Edit::inserted).cloned());
    lines.sort_by(|one, other| one.slot.place(chart).order(other.slot.place(chart)));
    lines
}

/// Adds the versions that come, of charts that have no page here.
fn insert(layout: &mut Layout, edits: &[Edit]) {
    for of_one_chart in edits.chunk_by(|one, other| one.chart() == other.chart()) {
        let lines = of_one_chart.iter().filter_map(Edit::inserted).cloned().collect();
        if let Some(first) = of_one_chart.first() {
            push_lines(layout, first.chart(), lines);
        }
    }
}

fn push_lines(layout: &mut Layout, chart: &ChartName, lines: Vec<Line>) {
    for draft in Draft::pages(chart, lines, layout.limits()) {
        layout.push(draft);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use chart::Timestamp;

    use super::super::fixture::{SMALL, load, put, removal, settings, small, text, version};
    use super::super::{Change, Detail, Encoding, Format, RepositoryIndex, Snapshot};

    fn apply(index: &RepositoryIndex, changes: &[Change]) -> Arc<Snapshot> {
        index.apply(changes, index.revision() + 1, Timestamp::from_micros(1)).unwrap()
    }

    fn many(charts: usize, versions: usize) -> RepositoryIndex {
        let all = (0..charts).flat_map(|chart| {
            (0..versions).map(move |patch| version(&format!("chart-{chart:03}"), &format!("1.0.{patch}"), 0))
        });
        load(settings(Detail::Full), SMALL, all, Timestamp::from_micros(0))
    }

    fn texts(snapshot: &Snapshot) -> Vec<Bytes> {
        snapshot
            .rope()
            .segments()
            .iter()
            .map(|segment| segment.rendition(Format::Json).text.clone())
            .collect()
    }

    /// Returns how many of the segments are not those of `before`.
    fn copied(before: &Snapshot, after: &Snapshot) -> usize {
        let is_shared = |segment| before.rope().segments().iter().any(|former| Arc::ptr_eq(former, segment));
        after.rope().segments().iter().filter(|segment| !is_shared(segment)).count()
    }

    #[test]
    fn a_publish_copies_at_most_two_segments_wherever_it_lands() {
        let changes = [
            put("chart-000", "2.0.0", 0),
            put("chart-050", "2.0.0", 0),
            put("chart-050", "0.1.0", 0),
            put("chart-099", "0.1.0", 0),
            put("0", "1.0.0", 0),
            put("chart-050x", "1.0.0", 0),
            put("z", "1.0.0", 0),
        ];
        for change in changes {
            let index = many(100, 10);
            let before = index.snapshot();
            assert!(before.rope().segments().len() > 50);
            let after = apply(&index, std::slice::from_ref(&change));
            assert!((1..=2).contains(&copied(&before, &after)), "{change:?}");
        }
    }

    #[test]
    fn a_publish_into_a_large_chart_copies_at_most_two_segments() {
        for version in ["2.0.0", "1.0.500-rc.1", "0.1.0"] {
            let index = many(1, 1_000);
            let before = index.snapshot();
            let after = apply(&index, &[put("chart-000", version, 0)]);
            assert!((1..=2).contains(&copied(&before, &after)), "{version}");
        }
    }

    #[test]
    fn no_change_copies_nothing() {
        let index = many(20, 10);
        let before = index.snapshot();
        let after = apply(&index, &[removal("chart-003", "9.9.9"), removal("none", "1.0.0")]);
        assert_eq!(copied(&before, &after), 0);
        assert_eq!(texts(&before), texts(&after));
    }

    #[test]
    fn when_a_charts_first_page_goes_the_next_one_opens_the_chart() {
        let index = many(1, 40);
        let first_segment = index.snapshot().rope().segments()[0].version_count();
        let goes: Vec<Change> =
            (40 - first_segment..40).map(|patch| removal("chart-000", &format!("1.0.{patch}"))).collect();
        let after = apply(&index, &goes);
        assert!(texts(&after)[0].starts_with(b"],\"chart-000\":[{"));
        assert!(texts(&after).iter().skip(1).all(|text| text.starts_with(b",{")));
        let body = after.body(Format::Json, Encoding::Identity);
        let json: serde_json::Value = serde_json::from_str(&text(&body.pieces)).unwrap();
        assert_eq!(json["entries"]["chart-000"].as_array().unwrap().len(), 40 - first_segment);
    }

    #[test]
    fn removals_leave_no_crumbs() {
        let index = many(10, 100);
        let segments = index.snapshot().rope().segments().len();
        for chart in 0..10 {
            for patch in (0..100).filter(|patch| patch % 10 != 0) {
                apply(&index, &[removal(&format!("chart-{chart:03}"), &format!("1.0.{patch}"))]);
            }
        }
        let snapshot = index.snapshot();
        let left: usize = texts(&snapshot).iter().map(Bytes::len).sum();
        assert_eq!(snapshot.version_count(), 100);
        assert!(snapshot.rope().segments().len() * 5 < segments);
        assert!(snapshot.rope().segments().len() <= left / SMALL.segment_fewest_bytes + 1);
        let pages: usize = snapshot.rope().segments().iter().map(|segment| segment.pages().len()).sum();
        assert!(pages <= 60, "{pages} pages for 10 charts of 10 versions");
    }

    #[test]
    fn a_last_segment_that_became_small_joins_the_one_before() {
        let index = many(10, 10);
        let before = texts(&index.snapshot()).len();
        let goes: Vec<Change> = (0..10)
            .flat_map(|patch| {
                ["chart-007", "chart-008", "chart-009"].map(|chart| removal(chart, &format!("1.0.{patch}")))
            })
            .skip(1)
            .collect();
        let snapshot = apply(&index, &goes);
        assert!(texts(&snapshot).len() < before);
        assert!(texts(&snapshot).iter().all(|text| text.len() >= SMALL.segment_fewest_bytes));
    }

    #[test]
    fn an_entry_larger_than_a_segment_has_one_of_its_own() {
        let index = small(Detail::Full, &[("a", "1.0.0"), ("b", "1.0.0"), ("c", "1.0.0")]);
        let large = super::super::fixture::filled("b", "2.0.0", 0, &"x".repeat(10_000));
        let snapshot = apply(&index, &[Change::Put(large)]);
        let body = snapshot.body(Format::Json, Encoding::Identity);
        serde_json::from_str::<serde_json::Value>(&text(&body.pieces)).unwrap();
        assert!(texts(&snapshot).iter().filter(|text| text.len() > SMALL.segment_most_bytes).count() == 1);
    }
}
