//! One document of a rendering, and the template it came from.

use std::sync::OnceLock;

use chart::yaml::{self, Budget, Value};
use oci::Digest;

/// What one rendered document may cost: a dashboard or a definition has at most a few megabytes.
const BUDGET: Budget =
    Budget { bytes: 16 << 20, nodes: 1_000_000, depth: 256, alias_nodes: 200_000, alias_bytes: 8 << 20 };

/// One document of a rendering.
#[derive(Debug)]
pub(crate) struct Document {
    /// The template below the chart, without the chart's own name: `templates/a.yaml`, `charts/b/templates/c.yaml`.
    pub(crate) template: String,
    /// The YAML text.
    pub(crate) text: String,
    digest: Digest,
    value: OnceLock<Value>,
}

impl Document {
    /// Joins a template's name with what it rendered.
    pub(crate) fn new(template: String, text: String) -> Self {
        let digest = Digest::sha256(format!("{template}\n{text}").as_bytes());
        Self { template, text, digest, value: OnceLock::new() }
    }

    /// Returns the digest of template name and text.
    pub(crate) fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Returns the document as Helm's parser reads it; null when it is no YAML, which helm has refused before.
    pub(crate) fn value(&self) -> &Value {
        self.value.get_or_init(|| yaml::parse(self.text.as_bytes(), &BUDGET).unwrap_or(Value::Null))
    }

    /// Returns `kind` and `metadata.name`; empty texts when there are none.
    pub(crate) fn kind_and_name(&self) -> (&str, &str) {
        let value = self.value();
        let kind = value.get("kind").and_then(Value::as_str).unwrap_or_default();
        let name = value.get("metadata").and_then(|metadata| metadata.get("name"));
        (kind, name.and_then(Value::as_str).unwrap_or_default())
    }

    /// Returns whether only `helm test` runs it.
    pub(crate) fn is_test(&self) -> bool {
        let annotations = self.value().get("metadata").and_then(|metadata| metadata.get("annotations"));
        let hooks = annotations.and_then(|annotations| annotations.get("helm.sh/hook"));
        hooks.and_then(Value::as_str).is_some_and(|hooks| {
            hooks
                .split(',')
                .map(str::trim)
                .all(|hook| matches!(hook, "test" | "test-success" | "test-failure"))
        })
    }
}

/// Splits what `helm template` prints into documents.
pub(crate) fn split_documents(text: &str) -> Vec<Document> {
    let mut documents = Vec::new();
    let mut template = String::new();
    let mut body = String::new();
    let mut close = |template: &str, body: &mut String| {
        let text = std::mem::take(body);
        if !text.trim().is_empty() {
            documents.push(Document::new(template.to_owned(), text));
        }
    };
    for line in text.split_inclusive('\n') {
        if line.trim_end() == "---" {
            close(&template, &mut body);
        } else if let Some(source) = line.strip_prefix("# Source: ") {
            let below = source.trim().split_once('/').map_or(source.trim(), |(_, below)| below);
            template = below.to_owned();
        } else {
            body.push_str(line);
        }
    }
    close(&template, &mut body);
    documents
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_keep_the_template_they_came_from() {
        let text = "---\n# Source: a/templates/x.yaml\nkind: Pod\nmetadata: {name: p}\n---\n\
                    # Source: a/charts/b/templates/y.yaml\nkind: Job\nmetadata:\n  name: t\n  annotations:\n    \
                    \"helm.sh/hook\": test\n---\n\n";
        let documents = split_documents(text);
        let seen: Vec<_> = documents
            .iter()
            .map(|document| (document.template.as_str(), document.kind_and_name(), document.is_test()))
            .collect();
        let expected =
            [("templates/x.yaml", ("Pod", "p"), false), ("charts/b/templates/y.yaml", ("Job", "t"), true)];
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_separator_inside_a_text_is_no_separator() {
        let text = "---\n# Source: a/templates/x.yaml\ndata:\n  k: |\n    ---\n    b: 1\n";
        let documents = split_documents(text);
        assert_eq!(documents.len(), 1);
        let data = documents[0].value().get("data").and_then(|data| data.get("k")).and_then(Value::as_str);
        assert_eq!(data, Some("---\nb: 1\n"));
    }
}
