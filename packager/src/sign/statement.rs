//! The text under the signature: the chart's metadata, `...`, and the digest of its archive (helm, `pkg/provenance`).

use chart::ChartMetadata;
use oci::Digest;
use serde_json::{Map, Value, json};

use crate::edit::write_document;

/// Returns the statement that the archive called `file_name` is this chart and has this digest.
pub(super) fn of(metadata: &ChartMetadata, file_name: &str, digest: &Digest) -> String {
    // Metadata is plain texts and lists, which JSON always holds.
    let metadata = serde_json::to_value(metadata).unwrap_or_default();
    let metadata = write_document(&sorted(metadata));
    let files = write_document(&json!({"files": {file_name: digest.to_string()}}));
    // RFC 9580 §7.1: blanks at the end of a line are no part of what is signed, and a clear-signed text does not end
    // with a line break.
    let text = format!("{metadata}\n...\n{files}");
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// Returns the value with the keys of each mapping sorted, as Go writes them.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(entries) => {
            let mut entries: Vec<_> = entries.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            entries.sort_by(|(one, _), (other, _)| one.cmp(other));
            Value::Object(entries.into_iter().collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_statement_is_laid_out_as_helm_lays_it_out() {
        let metadata =
            "apiVersion: v2\nname: a\nversion: 1.0.0\ndescription: |\n  two  \n  lines\nkeywords: [b, a]\n";
        let metadata = ChartMetadata::parse(metadata.as_bytes(), None).unwrap();
        let digest = Digest::sha256(b"x");
        let expected = format!("name: a\nversion: \"1.0.0\"\n\n...\nfiles:\n  a-1.0.0.tgz: {digest}");
        let text = of(&metadata, "a-1.0.0.tgz", &digest);
        assert!(text.ends_with(&expected), "{text}");
        assert!(text.starts_with("apiVersion: v2\ndescription: "), "{text}");
        assert!(text.lines().all(|line| line == line.trim_end()), "{text}");
    }
}
