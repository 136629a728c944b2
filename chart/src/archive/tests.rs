//! Archives as a whole: what is refused, what is read, and what packing gives back.

mod hostile;
mod packing;
mod refusals;

use super::*;
use crate::testing::{ChartBuilder, RawEntry};

fn read(bytes: &[u8]) -> Result<ChartArchive, ArchiveError> {
    ChartArchive::read(bytes, &Limits::default())
}

fn chart() -> ChartBuilder {
    ChartBuilder::new("alpine", "1.0.0")
}

#[test]
fn a_chart_is_read_with_all_its_files() {
    let archive =
        chart().file("values.yaml", "a: 1\n").file("templates/x.yaml", "{{ . }}").file("crds/c.yaml", "c");
    let archive = read(&archive.description("Small.").build()).unwrap();
    assert_eq!(archive.metadata().name.as_str(), "alpine");
    assert_eq!(archive.metadata().description, "Small.");
    assert_eq!(archive.values(), Some(&b"a: 1\n"[..]));
    assert_eq!(archive.file("crds/c.yaml"), Some(&b"c"[..]));
    assert_eq!(archive.file("crds/absent.yaml"), None);
    let templates: Vec<_> = archive.templates().map(|file| file.path.as_str()).collect();
    assert_eq!(templates, ["templates/x.yaml"]);
    assert_eq!(archive.files().len(), 4);
}

#[test]
fn files_lose_their_byte_order_mark() {
    let with_mark = "\u{feff}apiVersion: v2\nname: alpine\nversion: 1.0.0\n";
    let archive = read(&chart().chart_yaml(with_mark).file("values.yaml", "\u{feff}a: 1\n").build()).unwrap();
    assert_eq!(archive.values(), Some(&b"a: 1\n"[..]));
    assert!(!archive.file("Chart.yaml").unwrap().starts_with(b"\xef\xbb\xbf"));
}

#[test]
fn what_helm_passes_over_is_passed_over() {
    let whole = chart().build();
    let name = "alpine/by-extended-header".to_owned();
    let record = super::extension::record("path", &name);
    for (case, bytes) in [
        ("a folder", chart().raw_entry(RawEntry::new(b'5', "alpine/x/", "")).build()),
        (
            "a folder with a size",
            chart().raw_entry(RawEntry::new(b'5', "alpine/x/", "").declaring(9)).build(),
        ),
        (
            "a global header",
            chart().raw_entry(RawEntry::new(b'g', "g", super::extension::record("comment", "c"))).build(),
        ),
        ("an empty link", chart().raw_entry(RawEntry::new(b'2', "alpine/link", "")).build()),
        ("a link as values", chart().raw_entry(RawEntry::new(b'2', "alpine/values.yaml", "")).build()),
        ("records at the end", chart().raw_entry(RawEntry::new(b'x', "x", &record)).build()),
        ("garbage behind", [whole.as_slice(), b"garbage"].concat()),
        ("an archive of two members", [whole.as_slice(), whole.as_slice()].concat()),
    ] {
        assert!(read(&bytes).is_ok(), "{case}");
    }
}

#[test]
fn extended_headers_name_the_next_entry() {
    let records = super::extension::record("path", "alpine/by-records");
    let archive = chart()
        .raw_entry(RawEntry::new(b'x', "x", records))
        .raw_entry(RawEntry::new(b'0', "alpine/short", "1"))
        .raw_entry(RawEntry::new(b'L', "././@LongLink", "alpine/by-long-name\0"))
        .raw_entry(RawEntry::new(b'0', "alpine/short", "2"))
        .raw_entry(RawEntry::new(b'0', "alpine/plain", "3"));
    let archive = read(&archive.build()).unwrap();
    assert_eq!(archive.file("by-records"), Some(&b"1"[..]));
    assert_eq!(archive.file("by-long-name"), Some(&b"2"[..]));
    assert_eq!(archive.file("plain"), Some(&b"3"[..]));
    assert_eq!(archive.file("short"), None);
}

/// A reader that believed the header's size would take the second file's header for contents, and see other files
/// than Helm.
#[test]
fn a_size_in_records_overrides_the_headers() {
    let records = super::extension::record("size", "600");
    let archive = chart()
        .raw_entry(RawEntry::new(b'x', "x", records))
        .raw_entry(RawEntry::new(b'0', "alpine/big", vec![b'b'; 600]).declaring(0))
        .raw_entry(RawEntry::new(b'0', "alpine/after", "after"));
    let archive = read(&archive.build()).unwrap();
    assert_eq!(archive.file("big").map(<[u8]>::len), Some(600));
    assert_eq!(archive.file("after"), Some(&b"after"[..]));
}

/// Go takes nothing for the contents of a legacy folder, so that what seem to be contents are entries.
#[test]
fn a_legacy_folder_with_a_size_hides_no_entry() {
    let archive = chart()
        .raw_entry(RawEntry::new(0, "alpine/folder/", "").declaring(600))
        .raw_entry(RawEntry::new(b'0', "alpine/seen", "by Helm"));
    assert_eq!(read(&archive.build()).unwrap().file("seen"), Some(&b"by Helm"[..]));
}

#[test]
fn of_several_files_with_one_path_the_last_counts() {
    let archive = read(&chart().file("templates/a", "first").file("templates/a", "second").build()).unwrap();
    assert_eq!(archive.file("templates/a"), Some(&b"second"[..]));
}

#[test]
fn subcharts_are_folders_or_archives() {
    let subchart = ChartBuilder::new("sub", "2.0.0").file("values.yaml", "b: 2\n");
    let archive = chart()
        .subchart(&subchart)
        .packed_subchart("anything.tgz", &ChartBuilder::new("packed", "3.0.0").build())
        .packed_subchart("anything.tgz.prov", b"kept as a file")
        .file("charts/_draft/Chart.yaml", "not: [yaml")
        .file("charts/.DS_Store", "");
    assert_eq!(read(&archive.build()).unwrap().files().len(), 7);
}

#[test]
fn file_names_keep_the_plus() {
    let (name, version) = ("a".parse().unwrap(), "1.0.0+build".parse().unwrap());
    assert_eq!(file_name(&name, &version), "a-1.0.0+build.tgz");
}
