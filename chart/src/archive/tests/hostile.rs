//! Archives made to cost memory or time are refused by a limit, before the cost arises.

use super::*;

fn refusal(bytes: &[u8], limits: &Limits) -> ArchiveError {
    let error = ChartArchive::inspect(bytes, limits).unwrap_err();
    assert_eq!(ChartArchive::read(bytes, limits).unwrap_err().to_string(), error.to_string());
    error
}

fn limits() -> Limits {
    Limits { compressed_bytes: 20_000, unpacked_bytes: 10_000, file_bytes: 4_000, entries: 20, depth: 3 }
}

#[test]
fn helms_limits_are_the_default() {
    let limits = Limits::default();
    assert_eq!((limits.unpacked_bytes, limits.file_bytes), (104_857_600, 5_242_880));
    assert!(read(&chart().file("x", vec![0; 5_242_880]).build()).is_ok());
    let error = read(&chart().file("x", vec![0; 5_242_881]).build()).unwrap_err();
    assert!(matches!(error, ArchiveError::FileTooLarge { entry, .. } if entry == "alpine/x"));
}

#[test]
fn a_file_over_its_limit_is_refused_by_what_its_header_says() {
    let bytes = chart().raw_entry(RawEntry::new(b'0', "alpine/x", "").declaring(4_001)).build();
    assert!(matches!(refusal(&bytes, &limits()), ArchiveError::FileTooLarge { bytes: 4_001, .. }));
    let bytes = chart().raw_entry(RawEntry::new(b'0', "alpine/x", "").declaring(u64::from(u32::MAX))).build();
    assert!(matches!(refusal(&bytes, &limits()), ArchiveError::UnpackedTooLarge { .. }));
}

/// Helm passes over an entry whose mode says directory, after unpacking whatever its size says.
#[test]
fn contents_that_are_passed_over_count_too() {
    let mut header = tar::Header::new_ustar();
    header.set_path("alpine/folder").unwrap();
    header.set_mode(0o040_755);
    header.set_size(1 << 40);
    header.set_cksum();
    let mut writer = ArchiveWriter::new(0);
    writer.add_raw(header.as_bytes()).unwrap();
    let error = refusal(&writer.finish().unwrap(), &limits());
    assert!(matches!(error, ArchiveError::UnpackedTooLarge { entry, .. } if entry == "alpine/folder"));
}

#[test]
fn all_files_together_must_stay_below_the_limit() {
    let metadata_bytes = read(&chart().build()).unwrap().file("Chart.yaml").unwrap().len();
    let fill =
        |bytes: usize| chart().file("a", vec![0; 4_000]).file("b", vec![0; 4_000]).file("c", vec![0; bytes]);
    let most = 2_000 - metadata_bytes - 1;
    assert!(ChartArchive::inspect(fill(most).build().as_slice(), &limits()).is_ok());
    let error = refusal(&fill(most + 1).build(), &limits());
    assert!(matches!(error, ArchiveError::UnpackedTooLarge { entry, .. } if entry == "alpine/c"));
}

#[test]
fn nested_archives_share_one_limit() {
    let inner = ChartBuilder::new("inner", "1.0.0").file("x", vec![0; 4_000]).build();
    let packed = |count: usize| {
        (0..count)
            .fold(chart(), |outer, number| outer.packed_subchart(&format!("{number}.tgz"), &inner))
            .build()
    };
    assert!(ChartArchive::inspect(packed(2).as_slice(), &limits()).is_ok());
    let error = refusal(&packed(3), &limits());
    let ArchiveError::Subchart { path, reason } = error else { panic!("{error}") };
    assert_eq!(path, "charts/2.tgz");
    assert!(matches!(*reason, ArchiveError::UnpackedTooLarge { .. }), "{reason}");
}

#[test]
fn entries_of_every_kind_count() {
    for entry in [
        RawEntry::new(b'0', "alpine/x", ""),
        RawEntry::new(b'5', "alpine/x/", ""),
        RawEntry::new(b'x', "x", ""),
        RawEntry::new(b'L', "x", ""),
        RawEntry::new(b'g', "x", ""),
    ] {
        let bytes = (0..20).fold(chart(), |chart, _| chart.raw_entry(entry.clone())).build();
        assert!(
            matches!(refusal(&bytes, &limits()), ArchiveError::TooManyEntries { limit: 20 }),
            "{entry:?}"
        );
    }
}

#[test]
fn extended_headers_are_bounded_each_and_together() {
    let limits = Limits { compressed_bytes: 1 << 20, ..Limits::default() };
    let spaces = " ".repeat(1 << 20);
    for type_byte in [b'x', b'g', b'L', b'K'] {
        let one = chart().raw_entry(RawEntry::new(type_byte, "x", "").declaring((1 << 20) + 1)).build();
        assert!(matches!(refusal(&one, &limits), ArchiveError::ExtensionTooLarge { limit: 1_048_576 }));
    }
    let many = (0..17).fold(chart(), |chart, _| chart.raw_entry(RawEntry::new(b'K', "x", &spaces))).build();
    assert!(matches!(refusal(&many, &limits), ArchiveError::ExtensionTooLarge { limit: 16_777_216 }));
}

#[test]
fn names_longer_than_a_path_are_refused() {
    let long = format!("alpine/{}", "n".repeat(4_096));
    let bytes = chart()
        .raw_entry(RawEntry::new(b'L', "x", &long))
        .raw_entry(RawEntry::new(b'0', "alpine/x", ""))
        .build();
    assert!(matches!(refusal(&bytes, &Limits::default()), ArchiveError::NameTooLong { limit: 4_096, .. }));
}

#[test]
fn subcharts_are_bounded_in_depth() {
    let nest = |depth: usize| {
        let innermost = ChartBuilder::new("deep", "1.0.0").build();
        (0..depth).fold(innermost, |inner, _| chart().packed_subchart("deep.tgz", &inner).build())
    };
    let generous = Limits { unpacked_bytes: 1 << 20, entries: 1_000, ..limits() };
    assert!(ChartArchive::inspect(nest(3).as_slice(), &generous).is_ok());
    assert!(
        refusal(&nest(4), &generous).to_string().ends_with("`charts/deep.tgz` is more than 3 subcharts deep")
    );
    let folders = chart().file(&format!("{}x", "charts/deep/".repeat(4)), "").build();
    assert!(matches!(refusal(&folders, &generous), ArchiveError::TooDeep { .. }));
}

#[test]
fn subcharts_are_bounded_in_number() {
    let bytes = (0..251).fold(chart(), |chart, number| chart.file(&format!("charts/{number}/x"), "")).build();
    assert!(matches!(refusal(&bytes, &Limits::default()), ArchiveError::TooManySubcharts { limit: 250 }));
}

#[test]
fn yaml_is_bounded_over_all_subcharts() {
    let subchart =
        |number: usize| ChartBuilder::new(&format!("s{number}"), "1.0.0").chart_yaml(vec![b' '; 3 << 20]);
    let bytes = (0..3).fold(chart(), |chart, number| chart.subchart(&subchart(number))).build();
    let error = refusal(&bytes, &Limits::default());
    assert!(matches!(error, ArchiveError::TooMuchYaml { entry, .. } if entry == "charts/s2/Chart.yaml"));
}

#[test]
fn an_upload_over_its_limit_is_not_read_on() {
    let digests = |number: u32| oci::Digest::sha256(&number.to_be_bytes()).hex().repeat(2);
    let noise = |file: u32| (0..30).map(|number| digests(file * 100 + number)).collect::<String>();
    let bytes = (0..30).fold(chart(), |chart, file| chart.file(&format!("f{file}"), noise(file))).build();
    let limits = Limits { unpacked_bytes: 1 << 20, entries: 100, ..limits() };
    assert!(bytes.len() > 20_000);
    assert!(matches!(refusal(&bytes, &limits), ArchiveError::CompressedTooLarge { limit: 20_000 }));
}

#[test]
fn yaml_bombs_are_refused() {
    let billion: String = std::iter::once("a0: &a0 [x, x]\n".to_owned())
        .chain((1..40).map(|level| format!("a{level}: &a{level} [*a{0}, *a{0}]\n", level - 1)))
        .collect();
    let nested = "[".repeat(100_000);
    for (file, contents) in [("values.yaml", &billion), ("values.yaml", &nested), ("Chart.lock", &billion)] {
        assert!(read(&chart().file(file, contents).build()).is_err(), "{file}");
    }
    for contents in [&billion, &nested] {
        assert!(read(&chart().chart_yaml(contents).build()).is_err());
    }
}
