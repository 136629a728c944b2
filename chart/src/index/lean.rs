//! The short form of an entry, for versions that are not the newest of their chart.
//!
//! It keeps what a client needs to choose and fetch; the rest is in the archive.

use serde_json::{Map, Value};

use super::json::to_json;

/// What stays. Dependencies go: Helm reads them from the archive.
const KEPT: [&str; 11] = [
    "name",
    "version",
    "description",
    "apiVersion",
    "appVersion",
    "deprecated",
    "kubeVersion",
    "type",
    "urls",
    "created",
    "digest",
];

/// Rancher decides by these which versions a cluster is offered.
const KEPT_ANNOTATIONS: &str = "catalog.cattle.io/";

/// Returns the lean form of an entry that [`super::IndexEntry::to_json`] made: the same fields in the same order,
/// fewer of them. The same bytes always give the same bytes, and a lean entry stays as it is. What is not an entry is
/// returned unchanged.
pub fn lean(json: &[u8]) -> Vec<u8> {
    match serde_json::from_slice::<Map<String, Value>>(json) {
        Ok(mut entry) => {
            entry.retain(keep);
            to_json(&entry).unwrap_or_else(|_| json.to_vec())
        }
        Err(_) => json.to_vec(),
    }
}

fn keep(key: &String, value: &mut Value) -> bool {
    if key != "annotations" {
        return KEPT.contains(&key.as_str());
    }
    let Value::Object(annotations) = value else { return false };
    annotations.retain(|key, _| key.starts_with(KEPT_ANNOTATIONS));
    !annotations.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_chooses_and_fetches_is_kept() {
        let entry = br#"{"name":"a","home":"https://a","sources":["x"],"version":"1.0.0","description":"d","keywords":["k"],"maintainers":[{"name":"m"}],"icon":"i","apiVersion":"v2","appVersion":"2","deprecated":true,"annotations":{"artifacthub.io/changes":"c","catalog.cattle.io/hidden":"true"},"kubeVersion":">=1.20","dependencies":[{"name":"b","repository":""}],"type":"application","urls":["charts/a-1.0.0.tgz"],"created":"2026-01-01T00:00:00Z","digest":"00"}"#;
        let expected = r#"{"name":"a","version":"1.0.0","description":"d","apiVersion":"v2","appVersion":"2","deprecated":true,"annotations":{"catalog.cattle.io/hidden":"true"},"kubeVersion":">=1.20","type":"application","urls":["charts/a-1.0.0.tgz"],"created":"2026-01-01T00:00:00Z","digest":"00"}"#;
        let short = lean(entry);
        assert_eq!(String::from_utf8(short.clone()).unwrap(), expected);
        assert_eq!(lean(&short), short);
    }

    #[test]
    fn annotations_without_use_go_altogether() {
        assert_eq!(lean(br#"{"name":"a","annotations":{"b":"c"}}"#), br#"{"name":"a"}"#);
    }

    #[test]
    fn escapes_survive() {
        let entry = br#"{"description":"\u007f \u2028 \" \\ /"}"#;
        assert_eq!(lean(entry), entry);
    }

    #[test]
    fn what_is_no_entry_is_left_alone() {
        assert_eq!(lean(b"[1, 2]"), b"[1, 2]");
    }
}
