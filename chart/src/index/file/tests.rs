use crate::{ChartMetadata, Timestamp};

use super::*;

fn entry(name: &str, version: &str) -> IndexEntry {
    let yaml = format!("apiVersion: v2\nname: {name}\nversion: {version}\ndescription: \"{name}: it's 1\"\n");
    IndexEntry::new(
        ChartMetadata::parse(yaml.as_bytes(), None).unwrap(),
        Some(Timestamp::from_micros(1_000_000)),
        None,
    )
}

fn index() -> IndexFile {
    IndexFile {
        api_version: "v1".to_owned(),
        entries: BTreeMap::from([
            ("a".to_owned(), vec![entry("a", "2.0.0"), entry("a", "1.0.0")]),
            ("empty".to_owned(), Vec::new()),
            ("on".to_owned(), vec![entry("on", "1.0.0")]),
        ]),
        generated: Some(Timestamp::from_micros(2_500_000)),
    }
}

fn json(index: &IndexFile) -> String {
    let mut out = Vec::new();
    index.write_json(&mut out);
    String::from_utf8(out).unwrap()
}

fn yaml(index: &IndexFile) -> String {
    let mut out = Vec::new();
    index.write_yaml(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn both_forms_read_back() {
    for index in [index(), IndexFile { entries: BTreeMap::new(), generated: None, ..index() }] {
        for text in [json(&index), yaml(&index)] {
            let (read, skipped) = IndexFile::read(text.as_bytes()).unwrap();
            assert_eq!(read, index, "{text}");
            assert!(skipped.is_empty());
        }
    }
}

#[test]
fn yaml_has_the_form_of_helm() {
    let expected = "\
apiVersion: v1
entries:
  a:
  - apiVersion: v2
    created: \"1970-01-01T00:00:01Z\"
    description: \"a: it's 1\"
    name: a
    urls:
    - charts/a-2.0.0.tgz
    version: \"2.0.0\"
";
    let written = yaml(&index());
    assert!(written.starts_with(expected), "{written}");
    assert!(written.contains("  empty: []\n  \"on\":\n  - apiVersion: v2\n"), "{written}");
    assert!(written.ends_with("generated: \"1970-01-01T00:00:02.5Z\"\n"), "{written}");
}

#[test]
fn versions_are_sorted_when_read_and_when_written() {
    let mut mixed = index();
    mixed.entries.values_mut().for_each(|versions| versions.reverse());
    assert_eq!(json(&mixed), json(&index()));
    let unsorted = r#"{"apiVersion":"v1","entries":{"a":[{"name":"a","version":"1.0.0"},{"name":"a","version":"2.0.0"}]}}"#;
    let (read, _) = IndexFile::read(unsorted.as_bytes()).unwrap();
    assert_eq!(read.entries["a"][0].metadata.version.as_str(), "2.0.0");
}

#[test]
fn broken_entries_are_skipped_with_a_reason() {
    let text = "apiVersion: v1\nentries:\n  a:\n  - null\n  - {name: a, version: one}\n  - {name: a, version: 1.0.0}\n\
                \x20 b: null\n  c: [{name: c, version: 1.0.0, appVersion: 1.10}]\n";
    let (read, skipped) = IndexFile::read(text.as_bytes()).unwrap();
    assert_eq!(read.entries["a"].len(), 1);
    assert_eq!(read.entries["b"].len(), 0);
    let skipped: Vec<_> =
        skipped.iter().map(|entry| (entry.chart.as_str(), entry.version.as_str())).collect();
    assert_eq!(skipped, [("a", ""), ("a", "one"), ("c", "1.0.0")]);
}

#[test]
fn unknown_fields_and_legacy_fields_are_read_over() {
    let text = r#"{"serverInfo":{"contextPath":"/x"},"apiVersion":"v1","publicKeys":[],"entries":{"a":[{"name":"a",
        "version":"1.0.0","engine":"gotpl","tillerVersion":">2","icon":null,"mystery":[1]}]},"other":1}"#;
    let (read, skipped) = IndexFile::read(text.as_bytes()).unwrap();
    assert_eq!((read.entries.len(), skipped.len()), (1, 0));
}

#[test]
fn what_is_no_index_is_refused() {
    for (text, reason) in [
        ("", "the index is empty"),
        ("<!DOCTYPE html><html><body>Sign in</body></html>", "the index"),
        ("entries: {}\n", "the index has no `apiVersion`"),
        ("{}", "the index has no `apiVersion`"),
        ("null", "the index"),
        (r#"{"apiVersion":"v1","entries":[]}"#, "the index has a wrong field"),
        (r#"{"apiVersion":"v1","entries":{"a":{}}}"#, "the index has a wrong field"),
        (r#"{"apiVersion":"v1","generated":""}"#, "the index has a wrong field"),
        ("apiVersion: v1\nentries: [", "the index is not valid YAML"),
    ] {
        let error = IndexFile::read(text.as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with(reason), "{text}: {error}");
    }
}

#[test]
fn an_index_in_the_form_of_helm_reads() {
    let text = "\
apiVersion: v1
entries:
  alpine:
  - apiVersion: v2
    appVersion: \"3.18\"
    created: \"2023-06-01T12:00:00.123456789+09:00\"
    description: A chart
    digest: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
    maintainers:
    - email: a@b.c
      name: somebody
    name: alpine
    urls:
    - https://example.com/alpine-0.1.0.tgz
    version: 0.1.0
generated: \"2023-06-01T12:00:00.1Z\"
";
    let (read, skipped) = IndexFile::read(text.as_bytes()).unwrap();
    assert!(skipped.is_empty(), "{skipped:?}");
    let entry = &read.entries["alpine"][0];
    assert_eq!(entry.metadata.app_version, "3.18");
    assert_eq!(entry.created.unwrap().to_string(), "2023-06-01T03:00:00.123456Z");
    assert!(entry.digest.is_some());
}
