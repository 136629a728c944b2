//! The short form of an entry, for versions that are not the newest of their chart.
//!
//! It keeps what a client needs to choose and fetch; the rest is in the archive.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

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
    shorten(json).unwrap_or_else(|| json.to_vec())
}

/// A JSON object whose values stay as they are written: a large index has tens of thousands of entries to shorten.
struct Members<'j>(Vec<(Cow<'j, str>, &'j RawValue)>);

/// A key that is borrowed where it holds no escape.
#[derive(serde::Deserialize)]
struct Key<'j>(#[serde(borrow)] Cow<'j, str>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((Key(key), value)) = map.next_entry()? {
                    members.push((key, value));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

fn shorten(json: &[u8]) -> Option<Vec<u8>> {
    let Members(members) = serde_json::from_slice(json).ok()?;
    let mut out = vec![b'{'];
    for (key, value) in &members {
        if key == "annotations" {
            let kept = kept_annotations(value.get())?;
            if kept.len() > b"{}".len() {
                push_member(&mut out, key, &kept)?;
            }
        } else if KEPT.contains(&&**key) {
            push_member(&mut out, key, value.get().as_bytes())?;
        }
    }
    out.push(b'}');
    Some(out)
}

fn kept_annotations(json: &str) -> Option<Vec<u8>> {
    let Members(members) = serde_json::from_str(json).ok()?;
    let mut out = vec![b'{'];
    for (key, value) in members.iter().filter(|(key, _)| key.starts_with(KEPT_ANNOTATIONS)) {
        push_member(&mut out, key, value.get().as_bytes())?;
    }
    out.push(b'}');
    Some(out)
}

fn push_member(out: &mut Vec<u8>, key: &str, value: &[u8]) -> Option<()> {
    if out.len() > 1 {
        out.push(b',');
    }
    out.extend_from_slice(&to_json(&key).ok()?);
    out.push(b':');
    out.extend_from_slice(value);
    Some(())
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
