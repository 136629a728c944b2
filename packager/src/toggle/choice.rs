//! Choices among texts, such as `mode: distributed`: what templates compare a value with is what it may be.

use std::collections::BTreeSet;

use chart::archive::ArchiveFile;
use serde_json::{Map, Value};

use super::Toggle;
use crate::edit::{Segment, ValuePath};
use crate::render::Scopes;

/// Keys that say how something runs, not what runs: none of their texts brings an image.
const OF_NO_USE: [&str; 8] = [
    "storageClass",
    "type",
    "sessionAffinity",
    "updateStrategy",
    "logLevel",
    "scheme",
    "synchronousCommit",
    "podAntiAffinity",
];

/// Returns every text that a template compares a value of the chart with and that the value is not, in order.
pub(crate) fn choices_of(values: &Map<String, Value>, files: &[ArchiveFile], scopes: &Scopes) -> Vec<Toggle> {
    let mut found: BTreeSet<(String, String)> = BTreeSet::new();
    for file in files {
        let Ok(text) = str::from_utf8(&file.bytes) else { continue };
        for above in scopes.of(&file.path) {
            for (path, choice) in comparisons(text) {
                let is_word = choice.starts_with(|first: char| first.is_ascii_alphabetic())
                    && choice
                        .chars()
                        .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'));
                if is_word && !path.rsplit('.').next().is_some_and(|key| OF_NO_USE.contains(&key)) {
                    found.insert((above.join(path), choice.to_owned()));
                }
            }
        }
    }
    let toggles = found.into_iter().filter_map(|(path, choice)| {
        let path: ValuePath = path.parse().ok()?;
        // A value that is not there has a default in the template, which may be this text or another.
        let is_other = match lookup(values, &path) {
            Some(Value::String(text)) => *text != choice,
            Some(Value::Null) | None => true,
            Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => false,
        };
        is_other.then_some(Toggle { path, value: Value::String(choice) })
    });
    toggles.collect()
}

/// Finds `eq .Values.a.b "text"` and `eq "text" .Values.a.b`, `ne` likewise.
fn comparisons(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let starts = text.match_indices("eq ").chain(text.match_indices("ne "));
    starts.filter_map(|(at, word)| {
        let before = text.get(..at)?.chars().next_back();
        if before.is_some_and(|letter| letter.is_alphanumeric() || letter == '.' || letter == '_') {
            return None;
        }
        let rest = text.get(at + word.len()..)?.trim_start();
        let path_of = |rest: &'_ str| -> Option<usize> {
            let path = rest.strip_prefix('$').unwrap_or(rest).strip_prefix(".Values.")?;
            let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_');
            let length = path.find(|letter| !is_part(letter)).unwrap_or(path.len());
            Some(rest.len() - path.len() + length)
        };
        let key_of = |written: &'_ str| written.find(".Values.").map(|at| at + ".Values.".len());
        if let Some(quoted) = rest.strip_prefix('"') {
            let (choice, after) = quoted.split_once('"')?;
            let after = after.trim_start();
            let written = after.get(..path_of(after)?)?;
            Some((written.get(key_of(written)?..)?, choice))
        } else {
            let (written, after) = rest.split_at_checked(path_of(rest)?)?;
            let (choice, _) = after.trim_start().strip_prefix('"')?.split_once('"')?;
            Some((written.get(key_of(written)?..)?, choice))
        }
    })
}

fn lookup<'values>(values: &'values Map<String, Value>, path: &ValuePath) -> Option<&'values Value> {
    let mut segments = path.segments().iter();
    let Segment::Key(first) = segments.next()? else { return None };
    segments.try_fold(values.get(first)?, |value, segment| match segment {
        Segment::Key(key) => value.get(key),
        Segment::Index(index) => value.get(index),
    })
}

#[cfg(test)]
mod tests {
    use chart::ChartMetadata;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_templates_compare_with_are_the_choices() {
        let file =
            |path: &str, text: &str| ArchiveFile { path: path.to_owned(), bytes: text.as_bytes().to_vec() };
        let metadata = "apiVersion: v2\nname: a\nversion: 1.0.0\n";
        let files = [
            file("Chart.yaml", metadata),
            file(
                "templates/a.yaml",
                "{{ if eq .Values.mode \"distributed\" }}{{ else if eq \"gateway\" $.Values.mode }}{{ end }}\
                 {{ if ne .Values.mode \"standalone\" }}{{ if eq .Values.service.type \"NodePort\" }}\
                 {{ if eq .Values.class \"-\" }}{{ if eq .Values.count \"three\" }}{{ if freq .Values.no \"x\" }}",
            ),
            file("charts/b/Chart.yaml", "apiVersion: v2\nname: b\nversion: 1.0.0\n"),
            file(
                "charts/b/templates/_b.tpl",
                "{{ if (eq .Values.architecture \"replication\") }}\
                 {{ if eq .Values.global.edition \"ce\" }}",
            ),
        ];
        let values = json!({"mode": "standalone", "count": 3, "b": {"architecture": "standalone"}});
        let scopes = Scopes::of_chart(&files, &ChartMetadata::parse(metadata.as_bytes(), None).unwrap());
        let found = choices_of(values.as_object().unwrap(), &files, &scopes);
        let texts: Vec<_> = found.iter().map(ToString::to_string).collect();
        let expected =
            ["b.architecture=replication", "global.edition=ce", "mode=distributed", "mode=gateway"];
        assert_eq!(texts, expected);
    }
}
