//! What Helm refuses is refused, with the entry named.

use super::*;

/// Reads in both ways, which must agree.
fn refusal(bytes: &[u8]) -> String {
    let read = read(bytes).unwrap_err().to_string();
    let inspected = ChartArchive::inspect(bytes, &Limits::default()).unwrap_err().to_string();
    assert_eq!(read, inspected);
    read
}

fn with_entry(type_byte: u8, name: &str, contents: &str) -> Vec<u8> {
    chart().raw_entry(RawEntry::new(type_byte, name, contents)).build()
}

#[test]
fn entries_with_bad_names_are_refused() {
    for (name, reason) in [
        ("._alpine", "the entry `._alpine` is refused: it is outside the chart's folder"),
        ("Chart.yaml", "the entry `Chart.yaml` is refused: `Chart.yaml` must be inside a folder"),
        ("alpine//etc/passwd", "the entry `alpine//etc/passwd` is refused: it is absolute"),
        ("alpine/../../x", "the entry `alpine/../../x` is refused: it begins with `..`"),
        ("alpine\\c:\\x", "the entry `alpine\\c:\\x` is refused: it begins with a drive letter"),
    ] {
        let refusal = refusal(&with_entry(b'0', name, "x"));
        assert!(refusal.starts_with(reason), "{refusal}");
    }
}

#[test]
fn entries_of_bad_kinds_are_refused() {
    let sparse_record = crate::archive::extension::record("GNU.sparse.major", "1");
    for (bytes, reason) in [
        (with_entry(b'S', "alpine/holes", "x"), "`alpine/holes` is stored as a sparse file"),
        (
            chart()
                .raw_entry(RawEntry::new(b'x', "x", sparse_record))
                .raw_entry(RawEntry::new(b'0', "alpine/holes", "x"))
                .build(),
            "`alpine/holes` is stored as a sparse file",
        ),
        (
            chart().raw_entry(RawEntry::new(b'2', "alpine/link", "").declaring(7)).build(),
            "`alpine/link` is a link or a device and yet has contents",
        ),
        (with_entry(b'x', "x", "no records"), "the tar header after `alpine/Chart.yaml` is damaged"),
        (with_entry(b'g', "g", "no records"), "the tar header after `alpine/Chart.yaml` is damaged"),
    ] {
        let refusal = refusal(&bytes);
        assert!(refusal.starts_with(reason), "{refusal}");
    }
}

#[test]
fn charts_that_break_a_rule_are_refused() {
    let broken = ChartBuilder::new("sub", "x");
    for (builder, reason) in [
        (chart().without_chart_yaml().file("x", ""), "`Chart.yaml` is missing"),
        (chart().without_chart_yaml(), "the archive holds no files"),
        (chart().field("version", "one"), "`Chart.yaml` is refused: field `version`"),
        (
            chart().raw_entry(RawEntry::new(b'0', "x/Chart.yaml", "a: b")),
            "`Chart.yaml` is in the archive twice",
        ),
        (chart().file("values.yaml", "- a\n"), "`values.yaml` is refused"),
        (chart().file("values.yaml", "a: ["), "`values.yaml` is refused"),
        (chart().file("Chart.lock", "generated: then"), "`Chart.lock` is refused"),
        (chart().file("requirements.lock", "- a"), "`requirements.lock` is refused"),
        (
            chart().file("requirements.yaml", "dependencies: 3"),
            "`Chart.yaml` is refused: `requirements.yaml`",
        ),
        (chart().file("charts/README.md", ""), "`charts/README.md` is neither a subchart's folder"),
        (chart().file("charts/sub/values.yaml", ""), "`charts/sub/Chart.yaml` is missing"),
        (chart().subchart(&broken), "`charts/sub/Chart.yaml` is refused: field `version`"),
        (
            chart().file("charts/s.tgz/Chart.yaml", ""),
            "`charts/s.tgz/Chart.yaml` is in a folder that is named like",
        ),
        (
            chart().packed_subchart("s.tgz", b""),
            "the subchart `charts/s.tgz` is refused: the archive is not gzip",
        ),
        (
            chart().packed_subchart("s.tgz", &broken.build()),
            "the subchart `charts/s.tgz` is refused: `Chart.yaml` is refused: field `version`",
        ),
    ] {
        let refusal = refusal(&builder.build());
        assert!(refusal.starts_with(reason), "{refusal}");
    }
}

#[test]
fn an_archive_cut_anywhere_is_refused() {
    let whole = chart().file("values.yaml", "a: 1\n".repeat(50)).build();
    for length in 0..whole.len() {
        assert!(read(&whole[..length]).is_err(), "cut to {length} of {} bytes", whole.len());
    }
}

#[test]
fn an_archive_with_a_flipped_byte_is_refused_or_has_the_same_files() {
    let whole = chart().file("templates/a.yaml", "kind: ConfigMap").build();
    let files = read(&whole).unwrap().into_files();
    for position in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[position] ^= 0x10;
        if let Ok(archive) = read(&flipped) {
            assert_eq!(archive.into_files(), files, "byte {position}");
        }
    }
}

#[test]
fn a_failing_source_is_not_the_archives_fault() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the disk is gone"))
        }
    }
    let whole = chart().build();
    for good in [0, 2, 3, 40, whole.len() - 1] {
        let source = whole[..good].chain(Failing);
        let error = ChartArchive::inspect(source, &Limits::default()).unwrap_err();
        assert!(matches!(error, ArchiveError::Source(_)), "after {good} bytes: {error}");
    }
}
