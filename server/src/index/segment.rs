//! Segments: contiguous bytes of many pages, which readers are sent as they are.
//!
//! Rule: a segment's bytes depend on its pages and on whether its first page opens a chart, on nothing else. What
//! closes a chart's list therefore stands before the next chart: no neighbour is rewritten when a list's end moves.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use chart::ChartName;

use super::fingerprint::Fingerprint;
use super::gzip::Fragment;
use super::order::{Place, by_name};
use super::page::{Draft, Line, Page, Slot};
use super::snapshot::Format;
use super::yaml;

/// What closes the list before a chart; the body leaves it out before the first and writes it after the last.
const CLOSING: &[u8] = b"],";

/// What joins a page to the one before it in the same list.
const JOINING: &[u8] = b",";

/// A page in its segment.
#[derive(Debug, Clone)]
pub(super) struct PlacedPage {
    page: Arc<Page>,
    /// Where the page's first entry begins in the segment's JSON.
    start: usize,
    /// Whether it is its chart's first page, so that the chart's name stands before it.
    opens: bool,
}

impl PlacedPage {
    pub(super) fn chart(&self) -> &ChartName {
        self.page.chart()
    }

    pub(super) fn page(&self) -> &Page {
        &self.page
    }

    pub(super) fn opens(&self) -> bool {
        self.opens
    }

    /// Returns whether `place` lies before all that belongs here. What is newer than a chart's first page belongs to it.
    pub(super) fn begins_after(&self, place: Place<'_>) -> bool {
        by_name(place.chart, self.chart())
            .then_with(|| match self.page.slots().first() {
                Some(first) if !self.opens => place.order(first.place(self.chart())),
                Some(_) | None => std::cmp::Ordering::Equal,
            })
            .is_lt()
    }
}

/// The text of a segment in one format, and its compressed form once someone has asked for it.
#[derive(Debug)]
pub(super) struct Rendition {
    /// The text.
    pub(super) text: Bytes,
    /// How many bytes at its beginning the first segment of a body leaves out.
    pub(super) lead: usize,
    /// Of the entries alone, however these are grouped.
    pub(super) fingerprint: Fingerprint,
    fragment: OnceLock<Fragment>,
}

impl Rendition {
    /// Makes a rendition that nobody has asked for compressed.
    pub(super) fn new(text: Vec<u8>, lead: usize, fingerprint: Fingerprint) -> Self {
        Self { text: Bytes::from(text), lead, fingerprint, fragment: OnceLock::new() }
    }

    /// Returns the compressed form; the first call makes it (2 to 5 ms), others at that time wait for it.
    pub(super) fn fragment(&self) -> &Fragment {
        self.fragment.get_or_init(|| Fragment::compress(&self.text, self.lead))
    }
}

/// Contiguous bytes of many pages, never empty.
#[derive(Debug)]
pub(super) struct Segment {
    pages: Vec<PlacedPage>,
    json: Rendition,
    yaml: OnceLock<Rendition>,
}

impl Segment {
    /// Lays pages down after a page of chart `follows`, or as the first of all.
    pub(super) fn lay(drafts: Vec<Draft>, follows: Option<&ChartName>) -> Self {
        let mut pages: Vec<PlacedPage> = Vec::with_capacity(drafts.len());
        let mut json = Vec::with_capacity(capacity_for(length_of(&drafts, follows)));
        for Draft { page, pieces } in drafts {
            let opens = pages.last().map(PlacedPage::chart).or(follows) != Some(page.chart());
            open_page(&mut json, opens, page.chart());
            let start = json.len();
            for (index, piece) in pieces.iter().enumerate() {
                if index > 0 {
                    json.extend_from_slice(JOINING);
                }
                json.extend_from_slice(piece);
            }
            pages.push(PlacedPage { page, start, opens });
        }
        Self::of(pages, json)
    }

    /// Takes back a segment from the text that [`Self::lay`] made of these pages; nothing when it made another one.
    pub(super) fn take_back(pages: Vec<Page>, text: Vec<u8>, follows: Option<&ChartName>) -> Option<Self> {
        let mut placed: Vec<PlacedPage> = Vec::with_capacity(pages.len());
        let mut opening = Vec::new();
        let mut end = 0;
        for page in pages {
            let opens = placed.last().map(PlacedPage::chart).or(follows) != Some(page.chart());
            opening.clear();
            open_page(&mut opening, opens, page.chart());
            if !text.get(end..)?.starts_with(&opening) {
                return None;
            }
            let start = end + opening.len();
            end = start + page.json_bytes();
            placed.push(PlacedPage { page: Arc::new(page), start, opens });
        }
        (end == text.len() && !placed.is_empty()).then(|| Self::of(placed, text))
    }

    fn of(pages: Vec<PlacedPage>, json: Vec<u8>) -> Self {
        let lead = if pages.first().is_some_and(PlacedPage::opens) { CLOSING } else { JOINING };
        let fingerprint = pages.iter().map(|placed| placed.page.fingerprint()).sum();
        Self { pages, json: Rendition::new(json, lead.len(), fingerprint), yaml: OnceLock::new() }
    }

    pub(super) fn pages(&self) -> &[PlacedPage] {
        &self.pages
    }

    /// Returns whether `place` lies before all that belongs to this segment.
    pub(super) fn begins_after(&self, place: Place<'_>) -> bool {
        self.pages.first().is_some_and(|first| first.begins_after(place))
    }

    /// Returns the text in one format; the first call for YAML makes it.
    pub(super) fn rendition(&self, format: Format) -> &Rendition {
        match format {
            Format::Json => &self.json,
            Format::Yaml => self.yaml.get_or_init(|| yaml::transcode(self)),
        }
    }

    /// Returns the JSON of one of the segment's own pages: its entries with commas between them.
    pub(super) fn text_of(&self, placed: &PlacedPage) -> Bytes {
        self.json.text.slice(placed.start..placed.start + placed.page.json_bytes())
    }

    /// Returns the versions of one of the segment's own pages with their entries.
    pub(super) fn entries_of<'a>(&self, placed: &'a PlacedPage) -> impl Iterator<Item = (&'a Slot, Bytes)> {
        let text = self.text_of(placed);
        placed
            .page
            .slots()
            .iter()
            .zip(placed.page.entry_ranges())
            .map(move |(slot, range)| (slot, text.slice(range)))
    }

    /// Returns one of the segment's own pages taken apart.
    pub(super) fn lines_of(&self, placed: &PlacedPage) -> Vec<Line> {
        self.entries_of(placed).map(|(slot, json)| Line { slot: slot.clone(), json }).collect()
    }

    /// Returns one of the segment's own pages as it is, on its way into another segment.
    pub(super) fn draft_of(&self, placed: &PlacedPage) -> Draft {
        Draft { page: Arc::clone(&placed.page), pieces: vec![self.text_of(placed)] }
    }

    /// Returns how many versions the segment holds.
    pub(super) fn version_count(&self) -> usize {
        self.pages.iter().map(|placed| placed.page.slots().len()).sum()
    }

    /// Returns how many charts begin in the segment.
    pub(super) fn chart_count(&self) -> usize {
        self.pages.iter().filter(|placed| placed.opens).count()
    }
}

/// Returns how much memory the text of a segment takes: in few sizes, so that what a rewritten one gives back fits others.
pub(super) fn capacity_for(length: usize) -> usize {
    length.next_multiple_of(32 << 10)
}

fn open_page(json: &mut Vec<u8>, opens: bool, chart: &ChartName) {
    if !opens {
        json.extend_from_slice(JOINING);
        return;
    }
    json.extend_from_slice(CLOSING);
    // A chart's name has no character that JSON escapes.
    json.push(b'"');
    json.extend_from_slice(chart.as_str().as_bytes());
    json.extend_from_slice(b"\":[");
}

/// Returns the exact length of the drafts' JSON, so that a segment holds no byte it does not use.
fn length_of(drafts: &[Draft], follows: Option<&ChartName>) -> usize {
    let mut previous = follows;
    let mut length = 0;
    for Draft { page, .. } in drafts {
        let is_opening = previous != Some(page.chart());
        length += if is_opening { CLOSING.len() + page.chart().as_str().len() + 4 } else { JOINING.len() };
        length += page.json_bytes();
        previous = Some(page.chart());
    }
    length
}
