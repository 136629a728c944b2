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
    if is_api || is_known.iter().any(|known| message.contains(known)) {
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
    let first = names.split(',').next().unwrap_or(names).trim();
    let cause = format!(
        "`charts/` has subcharts that `Chart.yaml` does not depend on: {names}; they install, and nobody looks after their versions"
    );
    Finding::new(Check::Lint, "Chart.yaml", cause).at("Chart.yaml", None).remedy(format!(
        "add them to `dependencies` with a patch, or leave them out with `exclude: [\"charts/{first}/\"]`"
    ))
}
