//! What becomes of files that are damaged, cut off, or of another index.

use chart::Timestamp;

use super::*;
use crate::index::fixture::{SMALL, keep, load, read_back, settings, small, text, version};
use crate::index::{Detail, Encoding, Format};

fn body(index: &RepositoryIndex) -> (String, String) {
    let body = index.snapshot().body(Format::Json, Encoding::Identity);
    (text(&body.pieces), body.etag.clone())
}

fn few(detail: Detail) -> RepositoryIndex {
    small(detail, &[("a", "1.0.0"), ("a", "1.1.0-rc.1"), ("a", "2.0.0"), ("b", "1.0.0")])
}

#[test]
fn every_flipped_byte_is_refused() {
    for detail in [Detail::Full, Detail::Lean] {
        let file = keep(&few(detail));
        assert!(read_back(settings(detail), &file).is_ok());
        for position in 0..file.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut damaged = file.clone();
                damaged[position] ^= flip;
                assert!(read_back(settings(detail), &damaged).is_err(), "byte {position} ^ {flip:#x}");
            }
        }
    }
}

#[test]
fn every_beginning_of_a_file_is_refused_and_so_is_more_than_a_file() {
    let file = keep(&few(Detail::Full));
    for length in 0..file.len() {
        assert!(read_back(settings(Detail::Full), &file[..length]).is_err(), "{length} bytes");
    }
    let longer = [&file[..], b"\0"].concat();
    assert!(matches!(read_back(settings(Detail::Full), &longer), Err(Unusable::Long)));
}

#[test]
fn zeros_in_place_of_any_end_are_refused() {
    // What a crash leaves of a file whose bytes were not yet written when its length was.
    let file = keep(&few(Detail::Full));
    for length in 0..file.len() {
        let mut torn = file.clone();
        torn[length..].fill(0);
        let is_changed = torn != file;
        assert_eq!(read_back(settings(Detail::Full), &torn).is_err(), is_changed, "{length} bytes");
    }
}

#[test]
fn a_file_that_grew_shorter_while_it_was_read_is_refused() {
    let file = keep(&few(Detail::Full));
    let terms = Terms { settings: settings(Detail::Full), base: None };
    let opened = KeptIndex::open_with(&file[..file.len() - 9], file.len() as u64, &terms, SMALL).unwrap();
    assert!(matches!(opened.read(), Err(Unusable::Short)));
}

#[test]
fn blocks_that_changed_places_are_refused() {
    let versions = (0..60).map(|patch| version("a", &format!("1.0.{}", 100 + patch), 0));
    let index = load(settings(Detail::Full), SMALL, versions, Timestamp::from_micros(0));
    let mut blocks = Vec::new();
    let file = keep(&index);
    let mut rest = &file[MAGIC.len()..];
    while let Some((length, _)) = rest.split_first_chunk::<8>() {
        let (block, later) = rest.split_at(16 + u64::from_le_bytes(*length) as usize);
        blocks.push(block);
        rest = later;
    }
    assert!(blocks.len() > 9, "several segments");
    blocks.swap(3, 5);
    blocks.swap(4, 6);
    let swapped = [MAGIC, &blocks.concat()[..]].concat();
    assert!(matches!(read_back(settings(Detail::Full), &swapped), Err(Unusable::Checksum)));
}

#[test]
fn an_index_on_other_terms_is_refused() {
    let index = few(Detail::Full);
    let kept_as = |base: Option<&str>| {
        let mut file = Vec::new();
        let stamp = Stamp::new(String::new());
        index.keep(&index.snapshot(), base.map(str::to_owned), stamp, &mut file).unwrap();
        file
    };
    let read = |file: &[u8], settings: IndexSettings, base: Option<&str>, limits: Limits| {
        let terms = Terms { settings, base: base.map(str::to_owned) };
        KeptIndex::open_with(file, file.len() as u64, &terms, limits).and_then(KeptIndex::read)
    };
    let full = || settings(Detail::Full);
    let below = || IndexSettings { context_path: Some("/below".to_owned()), ..full() };
    let (plain, based) = (kept_as(None), kept_as(Some("https://charts.example.test/")));
    assert_eq!(body(&read(&plain, full(), None, SMALL).unwrap()), body(&index));
    assert!(read(&based, full(), Some("https://charts.example.test/"), SMALL).is_ok());
    for refused in [
        read(&plain, settings(Detail::Lean), None, SMALL),
        read(&plain, below(), None, SMALL),
        read(&plain, full(), Some("https://charts.example.test/"), SMALL),
        read(&based, full(), None, SMALL),
        read(&based, full(), Some("https://other.example.test/"), SMALL),
        read(&plain, full(), None, Limits::STANDARD),
    ] {
        assert!(matches!(refused, Err(Unusable::Terms)));
    }
}

#[test]
fn the_head_of_another_release_is_refused_although_its_checksum_fits() {
    let index = few(Detail::Full);
    let head = Head {
        release: "0.0.0-other".to_owned(),
        stamp: Stamp::new(String::new()),
        terms: Terms { settings: settings(Detail::Full), base: None },
        limits: SMALL,
        revision: index.revision(),
        changed_at_micros: 0,
        segments: 0,
    };
    let mut file = Vec::new();
    let mut blocks = BlockWriter::begin(&mut file, MAGIC).unwrap();
    blocks.push(&postcard::to_allocvec(&head).unwrap()).unwrap();
    blocks.finish().unwrap();
    let refused = read_back(settings(Detail::Full), &file);
    assert!(matches!(refused, Err(Unusable::Release(release)) if release == "0.0.0-other"));
}

#[test]
fn a_text_that_does_not_fit_its_rows_is_refused_although_its_checksum_fits() {
    let index = few(Detail::Full);
    let snapshot = index.snapshot();
    let [segment, ..] = snapshot.rope().segments() else { panic!("no segment") };
    let rows = rows::rows_of(segment).unwrap();
    let whole = rows::text_of(segment).to_vec();
    assert!(rows::segment_of(&rows, whole.clone(), None).is_ok());
    assert!(rows::segment_of(&rows, whole.clone(), Some(segment)).is_ok(), "another chart stands before it");
    let shorter = whole[..whole.len() - 1].to_vec();
    let longer = [&whole[..], b"]"].concat();
    let mut other_chart = whole.clone();
    other_chart[3] = b'z';
    for text in [Vec::new(), shorter, longer, other_chart] {
        assert!(matches!(rows::segment_of(&rows, text, None), Err(Unusable::Content(_))));
    }
}
