//! Values that may hold an image, or a part of one, judged by key and value; whether they do, a trace shows.

use std::collections::BTreeSet;

use chart::archive::ArchiveFile;
use serde_json::{Map, Value};

use crate::edit::{Segment, ValuePath};
use crate::images::{ImageName, is_registry_host};
use crate::render::Scopes;

/// A value that may be part of an image reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// Where it stands.
    pub(crate) path: ValuePath,
    /// What stands there; empty when nothing does.
    pub(crate) value: String,
}

/// Returns the candidates among `values`; `global.imageRegistry`, which many charts read and few list; and registries
/// that only templates name.
pub(crate) fn candidates(
    values: &Map<String, Value>,
    files: &[ArchiveFile],
    scopes: &Scopes,
) -> Vec<Candidate> {
    let mut found = Vec::new();
    for (key, value) in values {
        collect(value, &mut vec![Segment::Key(key.clone())], &mut found);
    }
    let mut unlisted = registries_in_templates(files, scopes);
    unlisted.insert("global.imageRegistry".to_owned());
    for path in unlisted.iter().filter_map(|text| text.parse::<ValuePath>().ok()) {
        if !found.iter().any(|candidate| candidate.path == path) {
            found.push(Candidate { path, value: String::new() });
        }
    }
    found
}

/// Returns the paths of registries that templates read.
fn registries_in_templates(files: &[ArchiveFile], scopes: &Scopes) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    for file in files {
        let Ok(text) = str::from_utf8(&file.bytes) else { continue };
        for scope in scopes.of(&file.path) {
            for piece in text.split(".Values.").skip(1) {
                let is_part =
                    |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '_');
                let path = piece.split(|character| !is_part(character)).next().unwrap_or_default();
                if path.to_lowercase().ends_with("registry") && !path.contains("..") {
                    paths.insert(scope.join(path));
                }
            }
        }
    }
    paths
}

fn collect(value: &Value, path: &mut Vec<Segment>, found: &mut Vec<Candidate>) {
    match value {
        Value::Object(entries) => {
            for (key, below) in entries {
                path.push(Segment::Key(key.clone()));
                collect(below, path, found);
                path.pop();
            }
        }
        Value::Array(items) => {
            for (index, below) in items.iter().enumerate() {
                path.push(Segment::Index(index));
                collect(below, path, found);
                path.pop();
            }
        }
        Value::String(_) | Value::Null => {
            let text = value.as_str().unwrap_or_default();
            if let Some(path) = ValuePath::new(path.clone())
                && is_candidate(path.last_key(), text)
            {
                found.push(Candidate { path, value: text.to_owned() });
            }
        }
        Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Keys of the dialects: `registry`, `hub`, `repository`, `image`, `name` with a path in it, and their compounds.
fn is_candidate(key: &str, text: &str) -> bool {
    let key = key.to_lowercase();
    let is_host_key = key.ends_with("registry") || key == "hub";
    if text.is_empty() {
        return is_host_key;
    }
    if text.contains(char::is_whitespace) || text.contains("://") || text.contains("{{") {
        return false;
    }
    let Ok(image) = text.parse::<ImageName>() else { return is_host_key && !text.contains('/') };
    let is_name_key = key.contains("repo") || key.ends_with("image") || key == "release";
    let has_path = text.contains('/');
    is_host_key
        || is_name_key
        // A whole reference needs no key that says so: the trace shows what it is.
        || (has_path && !image.is_bare())
        || (key == "name" && has_path)
        || (has_path && is_registry_host(&image.host) && text.contains(&image.host))
}

impl Candidate {
    /// Returns whether nothing stands there.
    pub(crate) fn is_empty(&self) -> bool {
        self.value.is_empty()
    }

    /// Returns whether the key says that a host stands there; it has no tag, but may have a port.
    fn is_host(&self) -> bool {
        let key = self.path.last_key().to_lowercase();
        key.ends_with("registry") || key == "hub"
    }

    /// Returns the tag or digest that the value ends in; empty without one.
    pub(crate) fn version(&self) -> &str {
        if self.is_host() { "" } else { split_version(&self.value).1 }
    }

    /// Returns the value with a mark that a rendering can be searched for. It stays a host, a path, or a reference.
    pub(crate) fn marked(&self, number: usize) -> String {
        let mark = format!("zq{number}qz");
        if self.is_empty() {
            return format!("{mark}.invalid");
        }
        if self.is_host() {
            return format!("{}/{mark}", self.value.trim_end_matches('/'));
        }
        // Tag and digest stay behind the mark.
        let (name, rest) = split_version(&self.value);
        format!("{name}-{mark}{rest}")
    }
}

/// Splits a reference before its tag or digest.
pub(crate) fn split_version(text: &str) -> (&str, &str) {
    let end_of_digest = text.find('@').unwrap_or(text.len());
    let name = text.get(..end_of_digest).unwrap_or(text);
    let slash = name.rfind('/').map_or(0, |at| at + 1);
    let colon = name.get(slash..).and_then(|last| last.find(':')).map(|at| slash + at);
    text.split_at(colon.unwrap_or(end_of_digest))
}

/// Returns the numbers of the marks in a text, in their order.
pub(crate) fn marks_in(text: &str) -> Vec<usize> {
    let pieces = text.split("zq").skip(1);
    pieces.filter_map(|piece| piece.split_once("qz")?.0.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use chart::ChartMetadata;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_dialects_are_candidates_and_other_texts_are_not() {
        let values = json!({
            "image": {"registry": "quay.io", "repository": "a/b", "tag": "1", "pullPolicy": "Always"},
            "proxy": {"name": "cr.l5d.io/l/proxy", "version": "2"},
            "name": "plain", "url": "https://quay.io/a/b", "hub": "", "nothing": "", "host": "db.example.org:5432",
            "list": [{"image": "velero/plugin:v1"}],
            "crdRepository": "o/crds", "other": "gcr.io/x/y:1", "whole": "x/y:1",
        });
        let template =
            "image: {{ .Values.imageRegistry | default \"docker.io\" }}/{{ .Values.image.registry }}";
        let metadata = "apiVersion: v2\nname: a\nversion: 1.0.0\n";
        let file =
            |path: &str, text: &str| ArchiveFile { path: path.to_owned(), bytes: text.as_bytes().to_vec() };
        let files = [
            file("charts/runner/Chart.yaml", "apiVersion: v2\nname: runner\nversion: 1.0.0\n"),
            file("charts/runner/templates/a.yaml", template),
        ];
        let scopes = Scopes::of_chart(&files, &ChartMetadata::parse(metadata.as_bytes(), None).unwrap());
        let found: Vec<_> = candidates(values.as_object().unwrap(), &files, &scopes)
            .iter()
            .map(|one| one.path.to_string())
            .collect();
        let expected = [
            "crdRepository",
            "hub",
            "image.registry",
            "image.repository",
            "list[0].image",
            "other",
            "proxy.name",
            "whole",
            "global.imageRegistry",
            "runner.image.registry",
            "runner.imageRegistry",
        ];
        let mut found = found;
        found.sort();
        let mut expected = expected.map(str::to_owned).to_vec();
        expected.sort();
        assert_eq!(found, expected);
    }

    #[test]
    fn marks_stand_before_tag_and_digest_and_are_found_again() {
        let table = [
            ("a.registry", "docker.io", "docker.io/zq7qz"),
            ("a.registry", "", "zq7qz.invalid"),
            ("a.repository", "x/y", "x/y-zq7qz"),
            ("a.image", "h:5000/x/y:1", "h:5000/x/y-zq7qz:1"),
            ("a.image", "x/y:1@sha256:0", "x/y-zq7qz:1@sha256:0"),
        ];
        for (path, value, marked) in table {
            let candidate = Candidate { path: path.parse().unwrap(), value: value.to_owned() };
            assert_eq!(candidate.marked(7), marked);
            assert_eq!(marks_in(marked), [7]);
        }
        assert_eq!(marks_in("docker.io/zq1qz/a-zq22qz:zq"), [1, 22]);
    }
}
