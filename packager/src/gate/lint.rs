//! What helm's linter remarks, as findings. What another check says better is left to it.

use super::{Check, Finding};
use crate::render::{LintRemark, StagedChart};

/// Returns the finding of a remark; none when another check is about it.
pub(super) fn finding(chart: &StagedChart, remark: &LintRemark) -> Option<Finding> {
    let LintRemark { is_error, place, message } = remark;
    // What does not render, or does not fit the schema, is known already; so are API versions, by the table.
    let is_known = [
        "executing \"",
        "parse error at",
        "execution error at",
        "don't meet the specifications of the schema",
        "chart requires kubeVersion",
    ];
    let is_api = message.contains(" is deprecated in v") || message.contains(", unavailable in v");
    // Helm 4 lints `v4.0.0` and installs it; Helm 3 does not even lint it.
    let is_version = message.contains("is not a valid SemVer");
    if is_api || is_version || is_known.iter().any(|known| message.contains(known)) {
        return None;
    }
    if let Some(names) = message.strip_prefix("chart metadata is missing these dependencies: ") {
        return Some(undeclared(names));
    }
    let name = chart.metadata().name.as_str();
    let subject = if place.is_empty() { name } else { place.as_str() };
    let severity = if *is_error { "helm lint" } else { "helm lint --strict" };
    Some(
        Finding::new(Check::Lint, subject, format!("{severity}: {message}"))
            .at(place, None)
            .remedy("correct the file with a patch or the recipe's edits, or waive it"),
    )
}

fn undeclared(names: &str) -> Finding {
    // Helm names them in another order each time.
    let mut names: Vec<&str> = names.split(',').map(str::trim).collect();
    names.sort_unstable();
    let (first, names) = (names.first().copied().unwrap_or_default(), names.join(", "));
    let cause = format!(
        "`charts/` has subcharts that `Chart.yaml` does not depend on: {names}; they install, and nobody looks after their versions"
    );
    Finding::new(Check::Lint, "Chart.yaml", cause).at("Chart.yaml", None).remedy(format!(
        "add them to `dependencies` with a patch, or leave them out with `exclude: [\"charts/{first}/\"]`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_other_checks_say_better_is_left_to_them() {
        let chart = StagedChart::new(vec![chart::archive::ArchiveFile {
            path: "Chart.yaml".to_owned(),
            bytes: b"apiVersion: v2\nname: a\nversion: 1.0.0\n".to_vec(),
        }])
        .unwrap();
        let table = [
            (
                "templates/a.yaml",
                "batch/v1beta1 CronJob is deprecated in v1.21+, unavailable in v1.25+",
                None,
            ),
            ("Chart.yaml", "version 'v4.0.0' is not a valid SemVerV2", None),
            ("templates", "parse error at (a/templates/a.yaml:1): bad", None),
            ("", "chart metadata is missing these dependencies: b,c", Some("Chart.yaml")),
            ("templates/a.yaml", "object name does not conform", Some("templates/a.yaml")),
            ("", "chart directory is missing values.yaml", Some("a")),
        ];
        for (place, message, expected) in table {
            let remark = LintRemark { is_error: true, place: place.to_owned(), message: message.to_owned() };
            let found = finding(&chart, &remark);
            assert_eq!(found.as_ref().map(|one| one.subject.as_str()), expected, "{message}");
        }
    }
}
