//! API versions that a cluster serves no longer. The table is data, `packager/knowledge/removed-apis.yaml`.

use chart::ChartVersion;
use chart::yaml::{self, Budget};
use serde::Deserialize;

use super::GateError;

const TEXT: &str = include_str!("../../knowledge/removed-apis.yaml");

/// An API version and the Kubernetes version without it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RemovedApi {
    api: String,
    kinds: Vec<String>,
    /// The first Kubernetes version that serves it no longer.
    pub(super) removed: String,
    /// What serves the kind then.
    #[serde(rename = "use")]
    pub(super) replacement: Option<String>,
}

/// Reads the table.
///
/// # Errors
/// [`GateError::Knowledge`] when the compiled table is malformed.
pub(super) fn table() -> Result<Vec<RemovedApi>, GateError> {
    let malformed = |problem: &dyn std::fmt::Display| GateError::Knowledge(problem.to_string());
    let value = yaml::parse(TEXT.as_bytes(), &Budget::for_values()).map_err(|problem| malformed(&problem))?;
    Vec::deserialize(&value).map_err(|problem| malformed(&problem))
}

/// Returns the entry by which a resource is not served by a Kubernetes version; none when the version is no number.
pub(super) fn removed<'table>(
    table: &'table [RemovedApi],
    api: &str,
    kind: &str,
    kubernetes: &str,
) -> Option<&'table RemovedApi> {
    let kubernetes = minor_of(kubernetes)?;
    let is_about = |entry: &&RemovedApi| {
        let has_kind = entry.kinds.is_empty() || entry.kinds.iter().any(|one| one == kind);
        entry.api == api && has_kind && minor_of(&entry.removed).is_some_and(|removed| removed <= kubernetes)
    };
    table.iter().find(is_about)
}

fn minor_of(version: &str) -> Option<(u64, u64)> {
    let version: ChartVersion = version.parse().ok()?;
    Some((version.major(), version.minor()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_decide_and_kinds_are_told_apart() {
        let table = table().unwrap();
        let rows = [
            ("policy/v1beta1", "PodSecurityPolicy", "1.24", None),
            ("policy/v1beta1", "PodSecurityPolicy", "1.25.3", Some(None)),
            ("policy/v1beta1", "PodDisruptionBudget", "v1.31.0", Some(Some("policy/v1"))),
            ("batch/v1beta1", "CronJob", "1.25", Some(Some("batch/v1"))),
            ("apps/v1beta1", "Deployment", "1.16", Some(Some("apps/v1"))),
            ("apps/v1", "Deployment", "1.40", None),
        ];
        for (api, kind, version, expected) in rows {
            let found = removed(&table, api, kind, version).map(|entry| entry.replacement.as_deref());
            assert_eq!(found, expected, "{api} {kind} {version}");
        }
    }
}
