//! Values that are not what the values schema says: one finding for each, by the value's path and line.

use super::{Check, Finding};
use crate::edit::{Kind, Node, compose};
use crate::render::{StagedChart, TemplateFailure};

/// Returns a finding for each value that helm says breaks the schema of the chart or of a subchart.
pub(super) fn findings(chart: &StagedChart, failure: &TemplateFailure) -> Vec<Finding> {
    let name = chart.metadata().name.as_str();
    let mut prefix: Vec<String> = Vec::new();
    let mut found = Vec::new();
    for line in failure.text().lines().skip(1).map(str::trim) {
        if let Some(violation) = line.strip_prefix("- ") {
            let (path, what) = violation_of(violation);
            let path: Vec<String> = prefix.iter().cloned().chain(path).collect();
            found.push(finding(chart, &path, &what));
        } else if let Some(subchart) = line.strip_suffix(':') {
            prefix = if subchart == name { Vec::new() } else { vec![subchart.to_owned()] };
        }
    }
    if found.is_empty() {
        found.push(finding(chart, &[], &failure.cause));
    }
    found
}

fn finding(chart: &StagedChart, path: &[String], what: &str) -> Finding {
    let subject = if path.is_empty() { "values".to_owned() } else { path.join(".") };
    let (file, line) = value_line(chart, path);
    Finding::new(Check::Schema, subject, format!("the values schema refuses it: {what}"))
        .at(file, line)
        .remedy("correct the value in `values`, or the schema with a patch")
}

/// Takes apart `at '/a/b': got string, want integer` (Helm from 3.18 on) or `a.b: Invalid type. …` (before).
fn violation_of(text: &str) -> (Vec<String>, String) {
    let parts = |path: &str, separator| -> Vec<String> {
        path.split(separator).filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    if let Some((path, what)) = text.strip_prefix("at '").and_then(|rest| rest.split_once("': ")) {
        return (parts(path, '/'), what.to_owned());
    }
    match text.split_once(": ") {
        Some(("(root)", what)) => (Vec::new(), what.to_owned()),
        Some((path, what)) => (parts(path, '.'), what.to_owned()),
        None => (Vec::new(), text.to_owned()),
    }
}

/// Returns where a value stands: as deep as the chart's values have its path, else in those of its subchart.
fn value_line(chart: &StagedChart, path: &[String]) -> (String, Option<usize>) {
    let own = ("values.yaml".to_owned(), path);
    let of_subchart = path.split_first().map(|(first, rest)| (format!("charts/{first}/values.yaml"), rest));
    for (file, path) in [Some(own), of_subchart].into_iter().flatten() {
        let found = chart.files().iter().find(|one| one.path == file);
        let text = found.and_then(|found| str::from_utf8(&found.bytes).ok()).unwrap_or_default();
        if let Some(line) = compose(text).ok().as_ref().and_then(|tree| line_of(tree, path)) {
            return (file, Some(line));
        }
    }
    ("values.yaml".to_owned(), None)
}

fn line_of(node: &Node, path: &[String]) -> Option<usize> {
    let Some((first, rest)) = path.split_first() else { return Some(node.position.line) };
    match &node.kind {
        Kind::Mapping { entries, .. } => {
            let entry = entries.iter().find(|entry| entry.key.scalar_text() == Some(first))?;
            if rest.is_empty() { Some(entry.key.position.line) } else { line_of(&entry.value, rest) }
        }
        Kind::Sequence { items, .. } => line_of(&items.get(first.parse::<usize>().ok()?)?.node, rest),
        Kind::Absent | Kind::Alias(_) | Kind::Scalar { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use chart::archive::ArchiveFile;

    use super::*;

    #[test]
    fn both_forms_of_helm_name_path_and_line() {
        let file =
            |path: &str, text: &str| ArchiveFile { path: path.to_owned(), bytes: text.as_bytes().to_vec() };
        let chart = StagedChart::new(vec![
            file("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n"),
            file("values.yaml", "a:\n  b:\n  - c: x\n"),
            file("charts/sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 1.0.0\n"),
            file("charts/sub/values.yaml", "\nd: 1\n"),
        ])
        .unwrap();
        let head =
            "Error: values don't meet the specifications of the schema(s) in the following chart(s):\n";
        let table = [
            ("web:\n- at '/a/b/0/c': got string, want integer\n", "a.b.0.c", "values.yaml", Some(3)),
            (
                "web:\n- a.b.0.c: Invalid type. Expected: integer, given: string\n",
                "a.b.0.c",
                "values.yaml",
                Some(3),
            ),
            ("sub:\n- at '/d': got number, want string\n", "sub.d", "charts/sub/values.yaml", Some(2)),
            ("web:\n- (root): z is required\n", "values", "values.yaml", Some(1)),
        ];
        for (text, subject, file, line) in table {
            let found = findings(&chart, &TemplateFailure::parse(&format!("{head}{text}")));
            let places: Vec<_> =
                found.iter().map(|one| (one.subject.as_str(), one.file.as_str(), one.line)).collect();
            assert_eq!(places, [(subject, file, line)], "{text}");
        }
    }
}
