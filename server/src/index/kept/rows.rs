//! Segments as a file has them: rows for their pages and versions, and beside these their text as it is served.
//!
//! Where pages begin in the text follows from the rows; the text is compared with that. Fingerprints are kept, so that
//! no entry is hashed again.

use std::io;

use chart::Timestamp;
use serde::{Deserialize, Serialize};

use super::Unusable;
use crate::blobs::BlobKey;
use crate::index::fingerprint::Fingerprint;
use crate::index::page::{Page, Slot};
use crate::index::segment::{PlacedPage, Segment};
use crate::index::snapshot::Format;

#[derive(Serialize, Deserialize)]
struct PageRow<'a> {
    chart: &'a str,
    #[serde(borrow)]
    versions: Vec<VersionRow<'a>>,
}

#[derive(Serialize, Deserialize)]
struct VersionRow<'a> {
    version: &'a str,
    created_micros: i64,
    archive: &'a str,
    archive_bytes: u64,
    provenance: Option<&'a str>,
    entry_bytes: usize,
    fingerprint: u128,
}

/// Returns a segment's rows as bytes.
pub(super) fn rows_of(segment: &Segment) -> io::Result<Vec<u8>> {
    let pages: Vec<PageRow<'_>> = segment.pages().iter().map(page_row).collect();
    postcard::to_allocvec(&pages).map_err(io::Error::other)
}

/// Returns a segment's text.
pub(super) fn text_of(segment: &Segment) -> &[u8] {
    &segment.rendition(Format::Json).text
}

/// Makes a segment of its rows and its text, to stand after another one or as the first.
pub(super) fn segment_of(rows: &[u8], text: Vec<u8>, before: Option<&Segment>) -> Result<Segment, Unusable> {
    let rows: Vec<PageRow<'_>> =
        postcard::from_bytes(rows).map_err(|_| Unusable::Content("list of pages"))?;
    let pages: Result<Vec<Page>, Unusable> = rows.iter().map(|row| page_of(row, text.len())).collect();
    let follows = before.and_then(|segment| segment.pages().last()).map(PlacedPage::chart);
    Segment::take_back(pages?, text, follows).ok_or(Unusable::Content("text"))
}

fn page_row(placed: &PlacedPage) -> PageRow<'_> {
    PageRow {
        chart: placed.chart().as_str(),
        versions: placed.page().slots().iter().map(version_row).collect(),
    }
}

fn version_row(slot: &Slot) -> VersionRow<'_> {
    VersionRow {
        version: slot.version.as_str(),
        created_micros: slot.created.micros(),
        archive: slot.archive.as_str(),
        archive_bytes: slot.archive_bytes,
        provenance: slot.provenance.as_ref().map(BlobKey::as_str),
        entry_bytes: slot.json_bytes,
        fingerprint: slot.fingerprint.bits(),
    }
}

/// `most` is the length of the text: no entry is longer, so that their sum stays a number.
fn page_of(row: &PageRow<'_>, most: usize) -> Result<Page, Unusable> {
    let chart = row.chart.parse().map_err(|_| Unusable::Content("chart name"))?;
    if row.versions.is_empty() || row.versions.iter().any(|version| version.entry_bytes > most) {
        return Err(Unusable::Content("list of versions"));
    }
    let slots: Result<Vec<Slot>, Unusable> = row.versions.iter().map(slot_of).collect();
    Ok(Page::new(chart, slots?))
}

fn slot_of(row: &VersionRow<'_>) -> Result<Slot, Unusable> {
    Ok(Slot {
        version: row.version.parse().map_err(|_| Unusable::Content("version"))?,
        created: Timestamp::from_micros(row.created_micros),
        archive: BlobKey::from_catalog(row.archive.to_owned()),
        archive_bytes: row.archive_bytes,
        provenance: row.provenance.map(|key| BlobKey::from_catalog(key.to_owned())),
        json_bytes: row.entry_bytes,
        fingerprint: Fingerprint::from_bits(row.fingerprint),
    })
}
