//! A rendering that failed, as findings: the template, the line, the cause, and what to do about it.

use serde_json::{Map, Value};

use super::{Check, Finding, schema};
use crate::render::{FailureKind, StagedChart, TemplateFailure};

/// Returns the findings of a failed rendering; `check` is what it is a matter of when the values are not at fault.
pub(super) fn findings(chart: &StagedChart, check: Check, failure: &TemplateFailure) -> Vec<Finding> {
    match failure.kind {
        FailureKind::Schema => schema::findings(chart, failure),
        FailureKind::AskedFor | FailureKind::Kubernetes | FailureKind::NotYaml | FailureKind::Broken => {
            vec![finding(chart, check, failure)]
        }
    }
}

/// Returns one finding of a failed rendering.
pub(super) fn finding(chart: &StagedChart, check: Check, failure: &TemplateFailure) -> Finding {
    let missing = missing_value(chart, failure);
    let (check, remedy) = match failure.kind {
        FailureKind::AskedFor => (check, "give the value: under `images.probeValues` to look only, under `values` to deliver it".to_owned()),
        FailureKind::Schema => (Check::Schema, "correct the value in `values`, or the schema with a patch".to_owned()),
        FailureKind::Kubernetes => (
            check,
            "take this version out of `kubernetes` in the catalogue file, or take another version of the chart".to_owned(),
        ),
        FailureKind::NotYaml => (Check::InvalidYaml, "correct the template with a patch".to_owned()),
        FailureKind::Broken => (check, remedy_of_broken(failure, missing.as_deref())),
    };
    let place = failure.place();
    let template = place.map(|place| place.template.clone()).unwrap_or_default();
    let expression = place.and_then(|place| place.expression.as_deref());
    let mut cause = expression
        .map_or_else(|| failure.cause.clone(), |expression| format!("{} at `{expression}`", failure.cause));
    if let Some(missing) = &missing {
        cause = format!(
            "{cause}: values.yaml has no `{missing}`, so this template is of another version of the chart"
        );
    }
    let subject = if template.is_empty() { chart.metadata().name.to_string() } else { template.clone() };
    let finding = Finding::new(check, subject, cause).remedy(remedy);
    finding.at(template, place.and_then(|place| place.line))
}

fn remedy_of_broken(failure: &TemplateFailure, missing: Option<&str>) -> String {
    match (failure.outermost_template(), missing) {
        (Some(template), Some(missing)) => {
            format!("leave it out with `exclude: [\"{template}\"]`, or give `{missing}` under `values`")
        }
        (Some(template), None) => {
            format!("correct it with a patch, or leave it out with `exclude: [\"{template}\"]`")
        }
        (None, _) => "correct the chart with a patch".to_owned(),
    }
}

/// Returns the value that a nil pointer was looked for in: the shortest part of the path that the values lack.
fn missing_value(chart: &StagedChart, failure: &TemplateFailure) -> Option<String> {
    let place = failure.place().filter(|_| failure.cause.contains("nil pointer"))?;
    let path = place.expression.as_ref()?.strip_prefix(".Values.")?;
    let mut values = values_of(chart, &place.template)?;
    let mut walked: Vec<&str> = Vec::new();
    for key in path.split('.') {
        walked.push(key);
        match values.get(key) {
            None | Some(Value::Null) => return Some(walked.join(".")),
            Some(below) => values = below.as_object()?,
        }
    }
    None
}

/// Returns the values that a template sees: those of its own chart.
fn values_of<'chart>(chart: &'chart StagedChart, template: &str) -> Option<&'chart Map<String, Value>> {
    let (folders, _) = template.split_once("templates/")?;
    let mut folders = folders.split('/').filter(|part| !part.is_empty() && *part != "charts");
    folders.try_fold(chart.values(), |values, folder| values.get(folder)?.as_object())
}

#[cfg(test)]
mod tests {
    use chart::archive::ArchiveFile;

    use super::*;

    fn chart() -> StagedChart {
        let file =
            |path: &str, text: &str| ArchiveFile { path: path.to_owned(), bytes: text.as_bytes().to_vec() };
        StagedChart::new(vec![
            file("Chart.yaml", "apiVersion: v2\nname: x\nversion: 1.0.0\n"),
            file("values.yaml", "a: {b: {}}\n"),
            file("charts/sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 1.0.0\n"),
            file("charts/sub/values.yaml", "c: 1\n"),
        ])
        .unwrap()
    }

    #[test]
    fn a_refusal_names_template_line_cause_and_remedy() {
        let nil = |template: &str, path: &str| {
            format!(
                "Error: template: x/{template}:2:14: executing \"x/{template}\" at <.Values.{path}>: nil pointer evaluating interface {{}}.z"
            )
        };
        let table = [
            (
                nil("templates/a.yaml", "n.enabled"),
                (Check::Render, "templates/a.yaml", Some(2), "values.yaml has no `n`,", "exclude: [\"templates/a.yaml\"]"),
            ),
            (
                nil("templates/a.yaml", "a.b.c.d"),
                (Check::Render, "templates/a.yaml", Some(2), "values.yaml has no `a.b.c`,", "exclude"),
            ),
            (
                nil("charts/sub/templates/a.yaml", "d.e"),
                (Check::Render, "charts/sub/templates/a.yaml", Some(2), "values.yaml has no `d`,", "exclude"),
            ),
            (
                "Error: execution error at (x/templates/a.yaml:3:4): give me z".to_owned(),
                (Check::Render, "templates/a.yaml", Some(3), "give me z", "images.probeValues"),
            ),
            (
                "Error: values don't meet the specifications of the schema(s) in the following chart(s):\nx:\n- a: wrong\n".to_owned(),
                (Check::Schema, "", None, "a: wrong", "correct the value"),
            ),
            (
                "Error: YAML parse error on x/templates/a.yaml: yaml: line 1: did not find".to_owned(),
                (Check::InvalidYaml, "templates/a.yaml", None, "yaml: line 1", "patch"),
            ),
            (
                "Error: chart requires kubeVersion: >= 1.25.0-0 which is incompatible with Kubernetes v1.24.0".to_owned(),
                (Check::Render, "", None, "requires kubeVersion", "`kubernetes`"),
            ),
        ];
        for (text, (check, file, line, cause, remedy)) in table {
            let found = finding(&chart(), Check::Render, &TemplateFailure::parse(&text));
            assert_eq!((found.check, found.file.as_str(), found.line), (check, file, line), "{text}");
            assert!(found.cause.contains(cause) && found.remedy.contains(remedy), "{found:?}");
        }
    }
}
