//! Value edits that change nothing: neither the chart's values nor its templates have what they name.
//!
//! Only what surely has no effect is refused: a template that passes a part on whole may read anything below it.

use std::fmt;

use chart::archive::ArchiveFile;
use chart::yaml::{Budget, parse_values};
use serde_json::{Map, Value};

use crate::edit::{Position, Segment, ValuePath};
use crate::located::nearest;
use crate::recipe::ValueEdit;
use crate::render::{Scopes, values_of};
use crate::vendor::read_metadata;

/// An edit of something that the chart does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnknownValue {
    path: String,
    at: Option<Position>,
    /// What was probably meant.
    nearest: Option<String>,
}

impl fmt::Display for UnknownValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(at) = self.at {
            write!(formatter, "{at}: ")?;
        }
        write!(formatter, "`{}` is no value of the chart, and no template reads it", self.path)?;
        self.nearest.iter().try_for_each(|path| write!(formatter, "; did you mean `{path}`?"))
    }
}

/// Returns the edits of what the chart does not have; `files` are those of the whole chart, `before` its own values
/// before they were edited. A chart whose metadata cannot be read has no unknown ones: others refuse it.
pub(super) fn unknown_values(
    files: &[ArchiveFile],
    before: Option<&str>,
    edits: &[ValueEdit],
) -> Vec<UnknownValue> {
    let Ok(metadata) = read_metadata(files) else { return Vec::new() };
    let mut files = files.to_vec();
    if let (Some(before), Some(own)) = (before, files.iter_mut().find(|file| file.path == "values.yaml")) {
        own.bytes = before.as_bytes().to_vec();
    }
    let values = values_of(&files, &metadata);
    let conditions = metadata.dependencies.iter().flat_map(|one| one.condition.split(',').map(str::trim));
    let is_packed = files.iter().any(|file| file.path.starts_with("charts/") && file.path.ends_with(".tgz"));
    let packed = metadata.dependencies.iter().filter(|_| is_packed).map(|one| one.effective_name());
    let open: Vec<&str> = conditions.chain(packed).chain(["tags"]).collect();
    let read = ReadPaths::of(&files);
    let scopes = Scopes::of_chart(&files, &metadata);
    let is_known = |path: &ValuePath| {
        is_in(&values, path)
            || open.iter().any(|open| is_below(&path.to_string(), open))
            || scopes.folders().iter().any(|(folder, places)| {
                let text = path.to_string();
                let mut below = places.iter().filter_map(|place| place.strip(&text));
                below.any(|rest| read.has(rest) || is_in_file(&files, folder, rest))
            })
    };
    let unknown = edits.iter().filter(|edit| !is_known(&edit.path));
    let unknown = unknown.map(|ValueEdit { path, at, .. }| {
        let path = path.to_string();
        UnknownValue { nearest: nearest_in(&values, &path), path, at: *at }
    });
    unknown.collect()
}

/// Returns whether the values of one chart inside of the chart have the path. Where all come together, those that are
/// null are no more.
fn is_in_file(files: &[ArchiveFile], folder: &str, path: &str) -> bool {
    let own = files.iter().find(|file| file.path == format!("{folder}values.yaml"));
    let values = own.and_then(|file| parse_values(&file.bytes, &Budget::for_values()).ok());
    values.zip(path.parse().ok()).is_some_and(|(values, path)| is_in(&values, &path))
}

/// Returns whether the values have the path, or stop on the way at something that anything may be put into.
fn is_in(values: &Map<String, Value>, path: &ValuePath) -> bool {
    let mut at: Option<&Value> = None;
    for segment in path.segments() {
        let next = match (segment, at) {
            (Segment::Key(key), None) => values.get(key),
            (Segment::Key(key), Some(at)) => at.get(key),
            (Segment::Index(index), at) => at.and_then(|at| at.get(*index)),
        };
        match next {
            Some(Value::Null) => return true,
            Some(Value::Object(entries)) if entries.is_empty() => return true,
            Some(next) => at = Some(next),
            None => return false,
        }
    }
    true
}

fn is_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

fn nearest_in(values: &Map<String, Value>, path: &str) -> Option<String> {
    fn collect(values: &Map<String, Value>, above: &str, paths: &mut Vec<String>) {
        for (key, value) in values {
            let path = if above.is_empty() { key.clone() } else { format!("{above}.{key}") };
            if let Value::Object(below) = value {
                collect(below, &path, paths);
            }
            paths.push(path);
        }
    }
    let mut paths = Vec::new();
    collect(values, "", &mut paths);
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    nearest(path, &paths).map(str::to_owned)
}

/// What the files of a chart read of values. Named templates are run on the values of whoever includes them, so it does
/// not matter which chart's they are.
struct ReadPaths {
    /// Paths as they are written behind `.Values.`.
    paths: Vec<String>,
    /// Whether values are passed on as a whole, as in `index .Values "a"`.
    whole: bool,
}

impl ReadPaths {
    fn of(files: &[ArchiveFile]) -> Self {
        let mut read = Self { paths: Vec::new(), whole: false };
        // A README tells people of values in words.
        let texts = files.iter().filter(|file| !file.path.ends_with(".md"));
        for text in texts.filter_map(|file| str::from_utf8(&file.bytes).ok()) {
            for rest in text.split(".Values").skip(1) {
                match rest.strip_prefix('.') {
                    Some(rest) => {
                        let is_part = |letter: char| letter.is_alphanumeric() || matches!(letter, '.' | '_');
                        let path = rest.split(|letter| !is_part(letter)).next().unwrap_or_default();
                        read.paths.push(path.trim_end_matches('.').to_owned());
                    }
                    None => read.whole |= !rest.starts_with(|letter: char| letter.is_alphanumeric()),
                }
            }
        }
        read.paths.sort();
        read.paths.dedup();
        read
    }

    fn has(&self, path: &str) -> bool {
        // What is read of a part reads it; what reads the part above as a whole may.
        self.whole || self.paths.iter().any(|read| is_below(read, path) || is_below(path, read))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const METADATA: &str = "apiVersion: v2\nname: a\nversion: 1.0.0\ndependencies:\n\
                            - {name: b, version: 1.0.0, alias: part, condition: extra.enabled}\n";
    const VALUES: &str = "image: {tag: '1', repository: x}\nannotations: {}\nnothing: ~\nlist: [{a: 1}]\n";
    const TEMPLATE: &str =
        "{{ .Values.image.tag }}{{ with .Values.resources }}{{ . }}{{ end }}{{ .Values.unlisted.deep }}";

    fn unknown(template: &str, path: &str) -> Vec<String> {
        let file =
            |path: &str, text: &str| ArchiveFile { path: path.to_owned(), bytes: text.as_bytes().to_vec() };
        let files = [
            file("Chart.yaml", METADATA),
            file("values.yaml", &format!("{VALUES}set: by the edit itself\n")),
            file("templates/a.yaml", template),
            file("charts/b/Chart.yaml", "apiVersion: v2\nname: b\nversion: 1.0.0\n"),
            file("charts/b/values.yaml", "own: {size: 1}\n"),
            file("charts/b/templates/b.yaml", "{{ .Values.read }}"),
        ];
        let at = Some(Position { line: 3, column: 5 });
        let edit = ValueEdit { path: path.parse().unwrap(), value: Value::Null, at };
        let unknown = unknown_values(&files, Some(VALUES), &[edit]);
        unknown.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_values_or_templates_have_is_known() {
        for path in [
            "image.tag",
            "annotations.mine",
            "nothing.below.it",
            "list[0].a",
            "resources.limits.cpu",
            "unlisted",
            "unlisted.deep",
            "extra.enabled",
            "part.own.size",
            "part.read.deep",
            "tags.all",
        ] {
            assert!(unknown(TEMPLATE, path).is_empty(), "{path}: {:?}", unknown(TEMPLATE, path));
        }
    }

    #[test]
    fn what_nothing_has_is_named_with_what_was_meant() {
        for (path, meant) in [
            ("image.tga", Some("image.tag")),
            ("unlisted.deeper", None),
            ("part.own.sise", Some("part.own.size")),
            ("set", None),
            ("b.own.size", None),
        ] {
            let found = unknown(TEMPLATE, path);
            let mut expected =
                format!("line 3 column 5: `{path}` is no value of the chart, and no template reads it");
            if let Some(meant) = meant {
                expected.push_str(&format!("; did you mean `{meant}`?"));
            }
            assert_eq!(found.len(), 1, "{path}");
            assert!(found[0].starts_with(&expected), "{found:?}");
        }
    }

    #[test]
    fn a_template_that_takes_all_values_may_read_any() {
        assert!(unknown("{{ index .Values \"image-of-old\" \"tag\" }}", "image.tga").is_empty());
        assert_eq!(unknown("{{ .ValuesOfOthers }}", "image.tga").len(), 1);
    }
}
