//! Packing: reproducible, readable by others, and the same files come back.

use std::collections::BTreeMap;
use std::fs;

use proptest::prelude::*;

use super::*;

const OPTIONS: PackOptions = PackOptions { modified_seconds: 1_600_000_000 };

fn file(path: &str, contents: &str) -> ArchiveFile {
    ArchiveFile { path: path.to_owned(), bytes: contents.as_bytes().to_vec() }
}

fn metadata_file() -> ArchiveFile {
    file("Chart.yaml", "# by hand\nname: alpine\nversion: 1.0.0\napiVersion: v2\nunknown: kept\n")
}

fn names(archive: &[u8]) -> Vec<String> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(archive));
    archive
        .entries()
        .unwrap()
        .map(|entry| entry.unwrap().path().unwrap().to_str().unwrap().to_owned())
        .collect()
}

#[test]
fn entries_are_in_helms_order() {
    let files =
        ["zebra", "requirements.lock", "templates/b", "templates/a", "values.schema.json", "values.yaml"];
    let files = files.iter().map(|path| file(path, if path.ends_with("json") { "{}" } else { "" }));
    let subchart = |name: &str| format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n");
    let files = files
        .chain([file("charts/z/Chart.yaml", &subchart("b-by-name")), file("charts/z/values.yaml", "")])
        .chain([file("charts/a/Chart.yaml", &subchart("c-by-name"))])
        .chain([file("Chart.lock", ""), metadata_file()]);
    let packed = pack_files(files.collect(), &OPTIONS).unwrap();
    assert_eq!(packed.file_name, "alpine-1.0.0.tgz");
    let expected = [
        "alpine/Chart.yaml",
        "alpine/Chart.lock",
        "alpine/values.yaml",
        "alpine/values.schema.json",
        "alpine/templates/b",
        "alpine/templates/a",
        "alpine/zebra",
        "alpine/requirements.lock",
        "alpine/charts/b-by-name/Chart.yaml",
        "alpine/charts/b-by-name/values.yaml",
        "alpine/charts/c-by-name/Chart.yaml",
    ];
    assert_eq!(names(&packed.bytes), expected);
}

#[test]
fn chart_yaml_keeps_its_authors_bytes() {
    let packed = pack_files(vec![metadata_file()], &OPTIONS).unwrap();
    assert_eq!(read(&packed.bytes).unwrap().into_files(), [metadata_file()]);
}

#[test]
fn packed_subcharts_are_unpacked() {
    let subchart =
        ChartBuilder::new("sub", "1.0.0").packed_subchart("x.tgz", &ChartBuilder::new("x", "1.0.0").build());
    let nested = ArchiveFile { path: "charts/any.tgz".to_owned(), bytes: subchart.build() };
    let packed = pack_files(vec![metadata_file(), nested], &OPTIONS).unwrap();
    let expected =
        ["alpine/Chart.yaml", "alpine/charts/sub/Chart.yaml", "alpine/charts/sub/charts/x/Chart.yaml"];
    assert_eq!(names(&packed.bytes), expected);
}

#[test]
fn headers_are_helms() {
    let packed = pack_files(vec![metadata_file()], &OPTIONS).unwrap();
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(packed.bytes.as_slice()));
    let entry = archive.entries().unwrap().next().unwrap().unwrap();
    let header = entry.header();
    assert_eq!((header.mode().unwrap(), header.mtime().unwrap()), (0o644, 1_600_000_000));
    assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
    assert_eq!((header.username().unwrap(), header.groupname().unwrap()), (Some(""), Some("")));
    assert!(header.as_ustar().is_some());
}

/// A change of this digest breaks the locks of every chart packed before.
#[test]
fn the_same_files_give_the_same_bytes_in_every_build() {
    let files = || vec![metadata_file(), file("values.yaml", &"key: value\n".repeat(300))];
    let packed = pack_files(files(), &OPTIONS).unwrap();
    assert_eq!(packed, pack_files(files(), &OPTIONS).unwrap());
    let digest = oci::Digest::sha256(&packed.bytes).to_string();
    assert_eq!(digest, "sha256:a0109fd0446aaaf87ed7ab9f81ba1a9c8f406193181d4fc578974bffd9bc7098");
}

#[test]
fn charts_that_helm_would_not_pack_are_refused() {
    let metadata =
        |more: &str| file("Chart.yaml", &format!("apiVersion: v2\nname: alpine\nversion: 1.0.0\n{more}"));
    let subchart = |folder: &str| {
        file(&format!("charts/{folder}/Chart.yaml"), "apiVersion: v2\nname: s\nversion: 1.0.0\n")
    };
    let wanting = "dependencies:\n- {name: s, version: 1.0.0}\n- {name: t, version: 1.0.0}\n";
    for (files, reason) in [
        (vec![], "`Chart.yaml` is missing"),
        (vec![metadata(wanting), subchart("s")], "the dependencies `t` are missing in `charts/`"),
        (vec![metadata(""), subchart("a"), subchart("b")], "`charts/s` is there twice"),
        (vec![metadata(""), file("a", ""), file("a", "")], "`alpine/a` is there twice"),
        (
            vec![metadata(""), file("values.schema.json", "{")],
            "`alpine/values.schema.json` is not valid JSON",
        ),
        (vec![metadata(""), file("../a", "")], "`../a` is not a path inside a chart"),
        (vec![metadata(""), file("/a", "")], "`/a` is not a path inside a chart"),
        (vec![metadata(""), file("a//b", "")], "`a//b` is not a path inside a chart"),
        (vec![metadata(""), file("values.yaml", "[")], "`values.yaml` is refused"),
        (vec![metadata(""), file("charts/README", "")], "`charts/README` is neither"),
        (vec![metadata(""), file("charts/x.tgz", "")], "the subchart `charts/x.tgz` is refused"),
        (vec![metadata(""), file("big", &" ".repeat(5_242_881))], "`alpine/big` has 5242881 bytes"),
    ] {
        let error = pack_files(files, &OPTIONS).unwrap_err().to_string();
        assert!(error.starts_with(reason), "{error}");
    }
}

/// Paths below a chart that have no meaning of their own.
fn any_path() -> impl Strategy<Value = String> {
    let name = "[a-zA-Z0-9_ üé한-]{1,60}";
    let folder = prop_oneof![Just("templates/".to_owned()), Just("crds/".to_owned()), Just(String::new())];
    (folder, prop::collection::vec(name, 1..6))
        .prop_map(|(folder, names)| format!("{folder}{}", names.join("/")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn packed_files_come_back(contents in prop::collection::btree_map(any_path(), prop::collection::vec(any::<u8>(), 0..2_000), 0..12)) {
        let mut files = vec![metadata_file()];
        files.extend(contents.into_iter().map(|(path, bytes)| ArchiveFile { path, bytes: without_mark(bytes) }));
        let packed = pack_files(files.clone(), &OPTIONS).unwrap();
        let by_path = |files: Vec<ArchiveFile>| -> BTreeMap<_, _> { files.into_iter().map(|file| (file.path, file.bytes)).collect() };
        let read = read(&packed.bytes).unwrap();
        prop_assert_eq!(by_path(read.into_files()), by_path(files.clone()));
        prop_assert_eq!(names(&packed.bytes).len(), files.len());
        files.reverse();
        let other_order = pack_files(files, &OPTIONS).unwrap();
        prop_assert_eq!(other_order.metadata, packed.metadata);
    }
}

fn without_mark(bytes: Vec<u8>) -> Vec<u8> {
    crate::archive::walk::without_byte_order_mark(bytes)
}

/// A chart's folder on disk.
struct ChartFolder(tempfile::TempDir);

impl ChartFolder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write("Chart.yaml", "apiVersion: v2\nname: alpine\nversion: 1.0.0\n");
        folder
    }

    fn write(&self, path: &str, contents: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
    }

    fn link(&self, target: &str, path: &str) {
        std::os::unix::fs::symlink(target, self.0.path().join(path)).unwrap();
    }

    fn pack(&self) -> Result<Vec<String>, String> {
        pack_directory(self.0.path(), &OPTIONS)
            .map(|packed| names(&packed.bytes))
            .map_err(|error| error.to_string())
    }
}

#[test]
fn a_folder_is_packed_in_lexical_order_without_ignored_files() {
    let folder = ChartFolder::new();
    folder.write(".helmignore", "*.bak\ndocs/\n");
    for path in
        ["b", "a/z", "a.txt", "templates/b", "templates/a/x", "templates/.swp", "docs/x", "x.bak", ".hidden"]
    {
        folder.write(path, "");
    }
    let expected = [
        "alpine/Chart.yaml",
        "alpine/templates/a/x",
        "alpine/templates/b",
        "alpine/.helmignore",
        "alpine/.hidden",
        "alpine/a/z",
        "alpine/a.txt",
        "alpine/b",
    ];
    assert_eq!(folder.pack().unwrap(), expected);
}

#[test]
fn links_are_followed_inside_and_outside() {
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("outside"), "1").unwrap();
    let folder = ChartFolder::new();
    folder.write("real/x", "");
    folder.link("real", "linked");
    folder.link(elsewhere.path().join("outside").to_str().unwrap(), "from-outside");
    let expected = ["alpine/Chart.yaml", "alpine/from-outside", "alpine/linked/x", "alpine/real/x"];
    assert_eq!(folder.pack().unwrap(), expected);
}

#[test]
fn folders_that_cannot_be_packed_are_refused() {
    let folder = ChartFolder::new();
    folder.write("a/b/c", "");
    folder.link("../..", "a/b/up");
    assert_eq!(folder.pack().unwrap_err(), "the link `a/b/up` leads back to a folder it is in; remove it");

    let folder = ChartFolder::new();
    folder.link("nowhere", "dangling");
    assert!(folder.pack().unwrap_err().contains("dangling` could not be read"));

    let folder = ChartFolder::new();
    let _socket = std::os::unix::net::UnixListener::bind(folder.0.path().join("socket")).unwrap();
    assert!(folder.pack().unwrap_err().starts_with("`socket` is neither a file nor a folder"));

    let folder = ChartFolder::new();
    folder.write("big", &" ".repeat(5_242_881));
    assert!(folder.pack().unwrap_err().starts_with("`big` has more than 5242880 bytes"));

    let folder = ChartFolder::new();
    folder.write(".helmignore", "ok\n**/x\n");
    assert!(folder.pack().unwrap_err().starts_with("line 2 of `.helmignore` uses `**`"));

    assert!(
        pack_directory("/nowhere".as_ref(), &OPTIONS)
            .unwrap_err()
            .to_string()
            .starts_with("`/nowhere` could")
    );
}
