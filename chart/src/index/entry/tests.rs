use serde_json::json;

use super::*;

const DIGEST: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn metadata(yaml: &str) -> ChartMetadata {
    ChartMetadata::parse(yaml.as_bytes(), None).unwrap()
}

fn entry(yaml: &str) -> IndexEntry {
    IndexEntry::new(metadata(yaml), Some(Timestamp::from_micros(0)), Some(Digest::sha256(b"")))
}

fn text(entry: &IndexEntry) -> String {
    String::from_utf8(entry.to_json()).unwrap()
}

#[test]
fn json_is_compact_in_helms_order_without_empty_fields() {
    let entry =
        entry("apiVersion: v1\nversion: v1.0.0+b\nname: a\ntype: library\nhome: https://a/\nunknown: x\n");
    let expected = format!(
        r#"{{"name":"a","home":"https://a/","version":"v1.0.0+b","apiVersion":"v1","type":"library","urls":["charts/a-v1.0.0+b.tgz"],"created":"1970-01-01T00:00:00Z","digest":"{DIGEST}"}}"#
    );
    assert_eq!(text(&entry), expected);
}

#[test]
fn what_is_not_known_is_left_out() {
    let entry = IndexEntry::new(metadata("name: a\nversion: 1.0.0\n"), None, None);
    assert_eq!(
        text(&entry),
        r#"{"name":"a","version":"1.0.0","apiVersion":"v1","urls":["charts/a-1.0.0.tgz"]}"#
    );
}

#[test]
fn json_reads_back() {
    let yaml = "apiVersion: v2\nname: a\nversion: 1.0.0\nappVersion: \"1.10\"\ndescription: a \"b\" \\ ü 😀\n\
                keywords: [x]\nmaintainers: [{name: m, email: e}]\nannotations: {a/b: \"true\"}\n\
                dependencies: [{name: b, version: 1.x, repository: \"\", import-values: [x, {child: c, parent: p}]}]\n";
    let entry = entry(yaml);
    let value = serde_json::from_slice(&entry.to_json()).unwrap();
    assert_eq!(IndexEntry::from_json(&value).unwrap(), entry);
}

/// YAML 1.1 gives up on an implicit key of more than 1,024 characters, and with it on the whole index.
#[test]
fn keys_too_long_for_yaml_are_left_out() {
    let (short, long) = ("s".repeat(990), "l".repeat(1_000));
    let entry = entry(&format!(
        "apiVersion: v2\nname: a\nversion: 1.0.0\nannotations:\n  ? {short}\n  : kept\n  ? {long}\n  : dropped\n\
         dependencies:\n- name: b\n  import-values:\n  - ? {long}\n    : x\n  - kept\n"
    ));
    let value: Value = serde_json::from_slice(&entry.to_json()).unwrap();
    assert_eq!(value["annotations"], json!({ short: "kept" }));
    assert_eq!(value["dependencies"][0]["import-values"], json!(["kept"]));
    assert_eq!(entry.metadata.annotations.len(), 2);
}

#[test]
fn entries_that_helm_skips_are_refused() {
    for (value, reason) in [
        (json!(null), "null"),
        (json!({"name": "a"}), "version"),
        (json!({"version": "1.0.0"}), "name"),
        (json!({"name": "a/b", "version": "1.0.0"}), "name"),
        (json!({"name": "a", "version": "one"}), "version"),
        (json!({"name": "a", "version": "1.0.0", "type": "other"}), "type"),
        (json!({"name": "a", "version": "1.0.0", "appVersion": 1.1}), "string"),
        (json!({"name": "a", "version": "1.0.0", "urls": "x"}), "sequence"),
        (json!({"name": "a", "version": "1.0.0", "created": "then"}), "then"),
        (json!({"name": "a", "version": "1.0.0", "maintainers": [null]}), "maintainers"),
        (json!("text"), "map"),
    ] {
        let error = IndexEntry::from_json(&value).unwrap_err().to_string();
        assert!(error.contains(reason), "{value}: {error}");
    }
}

#[test]
fn a_digest_has_a_prefix_or_not_and_is_dropped_when_malformed() {
    for (text, digest) in [
        (DIGEST.to_owned(), Some(Digest::sha256(b""))),
        (format!("sha256:{DIGEST}"), Some(Digest::sha256(b""))),
        ("abc".to_owned(), None),
    ] {
        let value = json!({"name": "a", "version": "1.0.0", "digest": text, "unknown": 1, "urls": null});
        assert_eq!(IndexEntry::from_json(&value).unwrap().digest, digest);
    }
}

#[test]
fn sorting_puts_the_newest_first() {
    let version = |version: &str, created: i64| {
        IndexEntry::new(
            metadata(&format!("name: a\nversion: {version}\n")),
            Some(Timestamp::from_micros(created)),
            None,
        )
    };
    let mut entries = [
        version("1.0.0", 9),
        version("1.0.0+b", 5),
        version("1.0.0+a", 7),
        version("2.0.0-rc.1", 1),
        version("10.0.0", 0),
        version("1.0.0+c", 5),
    ];
    entries.sort_by(IndexEntry::newest_first);
    let order: Vec<_> = entries.iter().map(|entry| entry.metadata.version.as_str()).collect();
    assert_eq!(order, ["10.0.0", "2.0.0-rc.1", "1.0.0", "1.0.0+a", "1.0.0+c", "1.0.0+b"]);
}
