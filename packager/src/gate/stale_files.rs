//! Files that do not belong into a chart: neither upstream's nor the recipe's, and what editors and patch programs leave.

use super::{Candidate, Check, Finding};

/// Ends of names by which editors, merges and patch programs leave copies.
const LEFTOVERS: [&str; 9] = [".orig", ".rej", "~", ".bak", ".swp", ".swo", ".old", ".tmp", ".save"];

/// Returns every file that does not belong into the chart.
pub(super) fn check(candidate: &Candidate) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in candidate.chart.files() {
        let path = file.path.as_str();
        if is_leftover(path) {
            let cause = "what an editor or a patch program leaves behind";
            found.push(finding(path, cause));
        } else if let Some(original) = &candidate.original
            && !original.added.contains(path)
            && !original.chart.files().iter().any(|other| other.path == path)
        {
            let version = &original.chart.metadata().version;
            let cause = format!(
                "upstream {version} has no such file, and no recipe adds it: a file of another version?"
            );
            found.push(finding(path, cause));
        }
    }
    found
}

fn finding(path: &str, cause: impl Into<String>) -> Finding {
    Finding::new(Check::StaleFile, path, cause)
        .at(path, None)
        .remedy(format!("take it away, as with `exclude: [\"{path}\"]`, or add it by `overlay`"))
}

fn is_leftover(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    LEFTOVERS.iter().any(|end| name.len() > end.len() && name.ends_with(end))
        || matches!(name, ".DS_Store" | "Thumbs.db")
        || name.starts_with(".#")
        || (name.starts_with('#') && name.ends_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leftovers_are_known_by_their_names() {
        for path in ["templates/a.yaml.orig", "values.yaml~", "charts/b/templates/.a.yaml.swp", ".DS_Store"] {
            assert!(is_leftover(path), "{path}");
        }
        for path in ["templates/original.yaml", "templates/_helpers.tpl", ".helmignore", "ci/old-values.yaml"]
        {
            assert!(!is_leftover(path), "{path}");
        }
    }
}
