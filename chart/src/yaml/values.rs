//! `values.yaml`: one or more documents, merged as Helm 4's `LoadValues` merges them.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::compose::compose;
use super::{Budget, DecodeError, YamlError, YamlProblem, text};

const SEPARATOR: &str = "---";

/// Why bytes are not chart values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidValues {
    /// The file is not YAML, or asks for more than the budget.
    #[error("`values.yaml` is not valid YAML: {0}")]
    Yaml(#[from] YamlError),
    /// The file is YAML, but not a map that JSON can express.
    #[error("`values.yaml` is not a map of values: {0}")]
    Field(#[from] DecodeError),
    /// Something else than a comment follows `---` on its line.
    #[error("line {line} of `values.yaml` has `{text}` after `---`; put it on a line of its own")]
    Separator {
        /// The line, from 1.
        line: usize,
        /// What follows the separator.
        text: String,
    },
}

/// Parses a `values.yaml`: the maps of all its documents, later ones merged over earlier ones, maps into
/// maps. The budget is for all documents together.
///
/// # Errors
/// [`InvalidValues`] for what Helm 4 would refuse too, and for what costs more than `budget`.
pub fn parse_values(bytes: &[u8], budget: &Budget) -> Result<Map<String, Json>, InvalidValues> {
    if bytes.len() > budget.bytes {
        let problem = YamlProblem::TooLong { bytes: bytes.len(), limit: budget.bytes };
        return Err(YamlError::at_start(problem).into());
    }
    let mut text = text::decode(bytes)?;
    // Helm's reader ends every line, also the last one, which shows in a block text there.
    if !text.is_empty() && !text.ends_with('\n') {
        text.to_mut().push('\n');
    }
    let mut budget = budget.clone();
    let mut values = Map::new();
    for document in split_documents(&text)? {
        // Files glued together may each begin with a byte order mark.
        let text = document.text.strip_prefix('\u{feff}').unwrap_or(document.text);
        let (value, nodes) = compose(text, &budget).map_err(|error| document.place(error))?;
        budget.nodes = budget.nodes.saturating_sub(nodes);
        if let Some(map) = Option::<Map<String, Json>>::deserialize(&value)? {
            merge(&mut values, map);
        }
    }
    Ok(values)
}

/// One document and where it begins.
struct Document<'a> {
    text: &'a str,
    lines_before: usize,
}

impl Document<'_> {
    fn place(&self, error: YamlError) -> YamlError {
        YamlError { line: error.line + self.lines_before, ..error }
    }
}

/// Splits at lines that begin with `---`, as Kubernetes' YAML reader does before any parser looks at them.
/// The line goes, but for one at the beginning of a document.
fn split_documents(text: &str) -> Result<Vec<Document<'_>>, InvalidValues> {
    let mut documents = Vec::new();
    let mut start = 0;
    let mut lines_before = 0;
    let mut end = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if let Some(rest) = line.strip_prefix(SEPARATOR) {
            let rest = rest.trim();
            if !rest.is_empty() && !rest.starts_with('#') {
                return Err(InvalidValues::Separator { line: index + 1, text: rest.to_owned() });
            }
            if start < end {
                documents.push(Document { text: text.get(start..end).unwrap_or_default(), lines_before });
                start = end + line.len();
                lines_before = index + 1;
            }
        }
        end += line.len();
    }
    documents.push(Document { text: text.get(start..end).unwrap_or_default(), lines_before });
    Ok(documents)
}

fn merge(values: &mut Map<String, Json>, over: Map<String, Json>) {
    for (key, value) in over {
        match (values.get_mut(&key), value) {
            (Some(Json::Object(present)), Json::Object(value)) => merge(present, value),
            (_, value) => _ = values.insert(key, value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(text: &str) -> Result<Json, InvalidValues> {
        parse_values(text.as_bytes(), &Budget::for_values()).map(Json::from)
    }

    #[test]
    fn later_documents_are_merged_over_earlier_ones() {
        for (text, expected) in [
            ("", json!({})),
            ("# nothing\n", json!({})),
            ("a: 1\n", json!({"a": 1})),
            ("a: 1\n---\nb: 2\n", json!({"a": 1, "b": 2})),
            ("---\na: 1\n---\na: 2\n", json!({"a": 2})),
            ("a: {b: 1, c: [1]}\n--- # next\na: {c: [2], d: 3}\n", json!({"a": {"b": 1, "c": [2], "d": 3}})),
            ("a: {b: 1}\n---\na: 2\n", json!({"a": 2})),
            ("a: 1\n---\na: {b: 1}\n", json!({"a": {"b": 1}})),
            ("a: {b: 1}\n---\na: ~\n", json!({"a": null})),
            ("a: 1\n---\n---\n# empty\n---\nb: 2", json!({"a": 1, "b": 2})),
            ("---\n---\na: 1\n", json!({"a": 1})),
            ("a: |\n  text\n  ---\n", json!({"a": "text\n---\n"})),
            ("a: |\n  text", json!({"a": "text\n"})),
            ("a: 1\n---\n\u{feff}b: 2\n", json!({"a": 1, "b": 2})),
        ] {
            assert_eq!(parse(text), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn an_error_names_the_line_of_the_whole_file() {
        let error = parse("a: 1\n---\nb: 2\nc: ]\n").unwrap_err();
        assert!(matches!(&error, InvalidValues::Yaml(error) if error.line == 4), "{error}");
        let error = parse("a: 1\n--- b\n").unwrap_err();
        assert_eq!(error, InvalidValues::Separator { line: 2, text: "b".to_owned() });
    }

    #[test]
    fn what_is_no_map_of_json_values_is_refused() {
        for (text, reason) in [
            ("a", "the document is a text; it must be a map"),
            ("[a]", "the document is a list; it must be a map"),
            ("a: 1\n---\n- b\n", "the document is a list; it must be a map"),
            ("a: {b: [1, .inf]}", "`a.b[1]` is a number; it must be a finite one"),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.to_string(), format!("`values.yaml` is not a map of values: {reason}"));
        }
    }

    #[test]
    fn all_documents_share_one_budget() {
        let budget = Budget { nodes: 12, ..Budget::for_values() };
        assert!(parse_values(b"a: 1\n---\nb: 2\n---\nc: 3\n---\nd: 4\n", &budget).is_ok());
        assert!(parse_values(b"a: 1\n---\nb: 2\n---\nc: 3\n---\nd: [4]\n", &budget).is_err());
        let budget = Budget { bytes: 3, ..Budget::for_values() };
        assert!(parse_values(b"a: 1", &budget).is_err());
    }
}
