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
struct ServedKind {
    /// Group, version and kind.
    kind: String,
    /// The first version that serves it.
    since: String,
    /// The first that does so no longer.
    until: Option<String>,
}

/// The compiled table; a test sees to it that it is well formed.
static KINDS: LazyLock<Vec<ServedKind>> = LazyLock::new(|| read().unwrap_or_default());

fn read() -> Option<Vec<ServedKind>> {
    let value = yaml::parse(TEXT.as_bytes(), &Budget::for_values()).ok()?;
    Vec::deserialize(&value).ok()
}

/// Returns the kinds, separated by commas, that Kubernetes `version` serves; none for what is no version.
pub(super) fn served_kinds(version: &str) -> String {
    let minor = minor_of(version);
    let is_served = |kind: &&ServedKind| {
        minor_of(&kind.since) <= minor && kind.until.as_deref().is_none_or(|until| minor < minor_of(until))
    };
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
            let last = until.map_or(u64::MAX, |until| minor_of(&until));
            assert!((1..last).contains(&minor_of(&since)), "{kind}");
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
