//! The kinds that a cluster of a Kubernetes version serves, for templates that ask by `.Capabilities.APIVersions.Has`.
//!
//! `helm template` knows groups and versions alone, and all that ever were: without this a chart that asks for
//! `networking.k8s.io/v1/Ingress` falls back to what no cluster serves any more. The table is data,
//! `packager/knowledge/served-kinds.yaml`.

use std::sync::LazyLock;

use chart::ChartVersion;
use chart::yaml::{self, Budget};
use serde::Deserialize;

const TEXT: &str = include_str!("../../knowledge/served-kinds.yaml");

/// A kind, and the versions of Kubernetes that serve it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Statement {
    /// Group, version and kind.
    kind: String,
    /// The first version that serves it.
    since: String,
    /// The first that does so no longer.
    until: Option<String>,
}

/// A kind, and the minor versions of Kubernetes that serve it.
#[derive(Debug)]
struct ServedKind {
    kind: String,
    since: u64,
    until: Option<u64>,
}

/// The compiled table; a test sees to it that it is well formed.
static KINDS: LazyLock<Vec<ServedKind>> = LazyLock::new(|| read().unwrap_or_default());

fn read() -> Option<Vec<ServedKind>> {
    let value = yaml::parse(TEXT.as_bytes(), &Budget::for_values()).ok()?;
    let statements = Vec::<Statement>::deserialize(&value).ok()?;
    let kinds = statements.into_iter().map(|Statement { kind, since, until }| ServedKind {
        kind,
        since: minor_of(&since),
        until: until.map(|until| minor_of(&until)),
    });
    Some(kinds.collect())
}

/// Returns the kinds, separated by commas, that Kubernetes `version` serves; none for what is no version.
pub(super) fn served_kinds(version: &str) -> String {
    let minor = minor_of(version);
    let is_served = |kind: &&ServedKind| kind.since <= minor && kind.until.is_none_or(|until| minor < until);
    let served = KINDS.iter().filter(is_served).map(|one| one.kind.as_str());
    served.collect::<Vec<_>>().join(",")
}

fn minor_of(version: &str) -> u64 {
    version.parse().map_or(0, |version: ChartVersion| version.minor())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_well_formed() {
        for ServedKind { kind, since, until } in read().unwrap() {
            assert_eq!(kind.split('/').count(), 3, "{kind}");
            assert!((1..until.unwrap_or(u64::MAX)).contains(&since), "{kind}");
        }
    }

    #[test]
    fn kinds_come_and_go_with_versions() {
        let table = [
            ("1.18.0", "networking.k8s.io/v1/Ingress", false),
            ("v1.21.3", "networking.k8s.io/v1/Ingress", true),
            ("1.21", "extensions/v1beta1/Ingress", true),
            ("1.22", "extensions/v1beta1/Ingress", false),
            ("1.24", "policy/v1beta1/PodSecurityPolicy", true),
            ("1.31.0", "policy/v1beta1/PodSecurityPolicy", false),
        ];
        for (version, kind, expected) in table {
            assert_eq!(served_kinds(version).split(',').any(|one| one == kind), expected, "{version} {kind}");
        }
    }
}
