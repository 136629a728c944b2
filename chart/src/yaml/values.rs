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
        let (value, nodes) = compose(document.text, &budget).map_err(|error| document.place(error))?;
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

/// Splits at lines that begin with `---`, as Kubernetes' YAML reader does before any parser looks at them. The
/// line goes, but for one at the beginning of a document.
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
