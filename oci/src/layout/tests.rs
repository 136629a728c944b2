use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::media_type;

fn empty_layout() -> (TempDir, Layout) {
    let folder = TempDir::new().unwrap();
    let layout = Layout::create(folder.path().join("layout")).unwrap();
    (folder, layout)
}

fn put(layout: &Layout, media_type: &str, bytes: &[u8]) -> Descriptor {
    let blob = Descriptor::new(media_type, Digest::sha256(bytes), bytes.len() as u64);
    layout.put_blob(&blob, bytes).unwrap();
    blob
}

fn put_json(layout: &Layout, media_type: &str, value: &Value) -> Descriptor {
    put(layout, media_type, value.to_string().as_bytes())
}

/// An image of one layer with these bytes.
fn put_image(layout: &Layout, content: &[u8]) -> Descriptor {
    let config = put(layout, media_type::IMAGE_CONFIG, b"{}");
    let layer = put(layout, "application/vnd.oci.image.layer.v1.tar", content);
    let manifest = json!({"schemaVersion": 2, "mediaType": media_type::IMAGE_MANIFEST,
        "config": config, "layers": [layer]});
    put_json(layout, media_type::IMAGE_MANIFEST, &manifest)
}

fn names(layout: &Layout) -> Vec<(String, Option<String>)> {
    let entries = layout.entries().unwrap();
    entries.iter().map(|entry| (entry.digest.to_string(), name_of(entry).map(str::to_owned))).collect()
}

fn files_in(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

#[test]
fn a_new_layout_is_what_the_specification_asks_for() {
    let (_folder, layout) = empty_layout();
    let marker: Value = serde_json::from_slice(&fs::read(layout.root().join("oci-layout")).unwrap()).unwrap();
    assert_eq!(marker, json!({"imageLayoutVersion": "1.0.0"}));
    let index: Value = serde_json::from_slice(&fs::read(layout.root().join("index.json")).unwrap()).unwrap();
    assert_eq!(index, json!({"schemaVersion": 2, "mediaType": media_type::IMAGE_INDEX, "manifests": []}));
}

#[test]
fn only_layouts_of_the_known_version_open() {
    let folder = TempDir::new().unwrap();
    let open = || Layout::open(folder.path()).unwrap_err();
    assert!(matches!(open(), LayoutError::NoLayout { .. }));
    for (marker, expected) in [(r#"{"imageLayoutVersion":"2.0.0"}"#, "Version"), ("{}", "Json"), ("", "Json")]
    {
        fs::write(folder.path().join("oci-layout"), marker).unwrap();
        assert!(format!("{:?}", open()).starts_with(expected), "{marker}");
    }
}

#[test]
fn a_layout_that_exists_is_kept() {
    let (_folder, layout) = empty_layout();
    let image = put_image(&layout, b"x");
    layout.add(&image, Some("one")).unwrap();
    let again = Layout::create(layout.root()).unwrap();
    assert_eq!(again.find("one").unwrap().map(|entry| entry.digest), Some(image.digest));
}

#[test]
fn names_move_as_tags_do() {
    let (_folder, layout) = empty_layout();
    let (first, second) = (put_image(&layout, b"1"), put_image(&layout, b"2"));
    let (one, two) = (first.digest.to_string(), second.digest.to_string());
    let name = |text: &str| Some(text.to_owned());
    layout.add(&first, None).unwrap();
    layout.add(&first, None).unwrap();
    assert_eq!(names(&layout), [(one.clone(), None)]);
    layout.add(&first, Some("stable")).unwrap();
    layout.add(&first, None).unwrap();
    assert_eq!(names(&layout), [(one.clone(), name("stable"))], "the entry without a name got one");
    layout.add(&first, Some("first")).unwrap();
    layout.add(&second, Some("stable")).unwrap();
    assert_eq!(names(&layout), [(one, name("first")), (two, name("stable"))]);
}

#[test]
fn what_others_wrote_into_the_index_stays() {
    let (_folder, layout) = empty_layout();
    let path = layout.root().join("index.json");
    let foreign =
        json!({"mediaType": "application/x", "digest": Digest::sha256(b"f"), "size": 1, "urls": ["u"]});
    fs::write(&path, json!({"schemaVersion": 2, "manifests": [foreign], "x": {"y": 1}}).to_string()).unwrap();
    layout.add(&put_image(&layout, b"x"), Some("mine")).unwrap();
    let index: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    assert_eq!((&index["manifests"][0], &index["x"]["y"]), (&foreign, &json!(1)));
    assert_eq!(index["manifests"].as_array().unwrap().len(), 2);
}

#[test]
fn many_who_add_at_once_lose_nothing() {
    let (_folder, layout) = empty_layout();
    let image = put_image(&layout, b"x");
    std::thread::scope(|scope| {
        for number in 0..8 {
            let (layout, image) = (layout.clone(), image.clone());
            scope.spawn(move || layout.add(&image, Some(&format!("name-{number}"))).unwrap());
        }
    });
    assert_eq!(layout.entries().unwrap().len(), 8);
}

#[test]
fn a_manifest_that_is_not_there_is_not_listed() {
    let (_folder, layout) = empty_layout();
    let absent = Descriptor::new(media_type::IMAGE_MANIFEST, Digest::sha256(b"absent"), 6);
    assert!(matches!(layout.add(&absent, Some("x")), Err(LayoutError::Missing { .. })));
    assert!(matches!(layout.read_manifest(&absent), Err(LayoutError::Missing { .. })));
}

#[test]
fn bytes_that_are_not_the_ones_meant_are_never_stored() {
    let (_folder, layout) = empty_layout();
    let meant = Descriptor::new("application/x", Digest::sha256(b"meant"), 5);
    assert!(matches!(layout.put_blob(&meant, b"other"), Err(LayoutError::WrongDigest { .. })));
    assert!(matches!(layout.put_blob(&meant, b"mean"), Err(LayoutError::WrongSize { found: 4, .. })));
    assert!(matches!(layout.put_blob(&meant, b"meant more"), Err(LayoutError::WrongSize { .. })));
    assert!(!layout.has_blob(&meant).unwrap());
    let mut dropped = layout.write_blob(&meant).unwrap();
    dropped.append(b"mea").unwrap();
    drop(dropped);
    assert_eq!(files_in(&layout.root().join("blobs/sha256")), 0, "something was left behind");
    layout.put_blob(&meant, b"meant").unwrap();
    assert_eq!(layout.open_blob(&meant).unwrap().into_bytes().unwrap(), b"meant");
}

#[test]
fn damage_is_told_when_it_is_read() {
    let (_folder, layout) = empty_layout();
    let blob = put(&layout, "application/x", b"whole");
    let path = layout.root().join("blobs/sha256").join(blob.digest.hex());
    for (damaged, expected) in [("whale", "WrongDigest"), ("who", "WrongSize"), ("wholesome", "WrongSize")] {
        fs::write(&path, damaged).unwrap();
        let failure = layout.open_blob(&blob).unwrap().into_bytes().unwrap_err();
        assert!(format!("{failure:?}").starts_with(expected), "{damaged}: {failure:?}");
    }
    assert!(!layout.has_blob(&blob).unwrap(), "another length is another blob");
}

#[test]
fn a_sparse_index_is_whole_and_names_what_is_absent() {
    let (_folder, layout) = empty_layout();
    let present = put_image(&layout, b"amd64");
    let absent = Descriptor::new(media_type::IMAGE_MANIFEST, Digest::sha256(b"arm64"), 5);
    let index = json!({"schemaVersion": 2, "mediaType": media_type::IMAGE_INDEX,
        "manifests": [absent, present]});
    let index = put_json(&layout, media_type::IMAGE_INDEX, &index);
    let survey = layout.survey(&index).unwrap();
    assert_eq!(survey.manifests, [index, present]);
    assert_eq!(survey.absent, [absent]);
    assert_eq!((survey.blobs.len(), survey.lost.len()), (2, 0));
}

#[test]
fn an_image_without_its_layer_is_broken() {
    let (_folder, layout) = empty_layout();
    let image = put_image(&layout, b"layer");
    fs::remove_file(layout.root().join("blobs/sha256").join(Digest::sha256(b"layer").hex())).unwrap();
    let survey = layout.survey(&image).unwrap();
    assert_eq!(survey.lost.iter().map(|blob| blob.size).collect::<Vec<_>>(), [5]);
    assert!(survey.absent.is_empty());
}
