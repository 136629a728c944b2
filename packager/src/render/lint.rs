//! What `helm lint --strict` says about a chart, taken apart: severity, place and message.

/// One thing that helm's linter remarks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LintRemark {
    /// Whether helm would refuse it without `--strict` too.
    pub(crate) is_error: bool,
    /// The file or folder below the chart; empty for the chart as a whole.
    pub(crate) place: String,
    /// What is wrong, in helm's words.
    pub(crate) message: String,
}

/// Takes apart what `helm lint` printed, the chart's own folder left out of it. Remarks of the severity INFO do not count.
pub(super) fn remarks_of(text: &str) -> Vec<LintRemark> {
    let mut remarks: Vec<LintRemark> = Vec::new();
    for line in text.lines() {
        let severity = [("[ERROR] ", true), ("[WARNING] ", false)]
            .into_iter()
            .find_map(|(mark, is_error)| Some((line.strip_prefix(mark)?, is_error)));
        if let Some((remark, is_error)) = severity {
            let (place, message) = remark.split_once(": ").unwrap_or(("", remark));
            let place = place.trim_matches('/').to_owned();
            remarks.push(LintRemark { is_error, place, message: message.to_owned() });
        } else if line.starts_with(['[', '=']) || line.trim().is_empty() || line.starts_with("Error: ") {
            // The head of a chart, a remark that is none, or the summary.
        } else if let Some(last) = remarks.last_mut() {
            last.message.push(' ');
            last.message.push_str(line.trim());
        }
    }
    remarks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remarks_keep_severity_place_and_all_lines() {
        let text = "==> Linting \n[INFO] Chart.yaml: icon is recommended\n\
                    [WARNING] templates/a.yaml: batch/v1beta1 CronJob is deprecated\n\
                    [ERROR] : chart metadata is missing these dependencies: b\n\
                    [ERROR] templates/: parse error at (c/templates/b.yaml:1):\n  unexpected\n\n\
                    Error: 1 chart(s) linted, 1 chart(s) failed\n";
        let remark = |is_error, place: &str, message: &str| LintRemark {
            is_error,
            place: place.to_owned(),
            message: message.to_owned(),
        };
        let expected = [
            remark(false, "templates/a.yaml", "batch/v1beta1 CronJob is deprecated"),
            remark(true, "", "chart metadata is missing these dependencies: b"),
            remark(true, "templates", "parse error at (c/templates/b.yaml:1): unexpected"),
        ];
        assert_eq!(remarks_of(text), expected);
    }
}
