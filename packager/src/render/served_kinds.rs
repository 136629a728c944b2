//! The kinds that a cluster of a Kubernetes version serves, for templates that ask by `.Capabilities.APIVersions.Has`.
//!
//! `helm template` knows groups and versions alone, and all that ever were: without this a chart that asks for
//! `networking.k8s.io/v1/Ingress` falls back to what no cluster serves any more.

use chart::ChartVersion;

/// A kind with the first minor version of Kubernetes 1 that serves it, and the first that does so no longer.
/// Source: kubernetes.io/docs/reference/using-api/deprecation-guide, and the API reference of each version.
const KINDS: [(&str, u64, u64); 26] = [
    ("apps/v1/DaemonSet", 9, u64::MAX),
    ("apps/v1/Deployment", 9, u64::MAX),
    ("apps/v1/StatefulSet", 9, u64::MAX),
    ("autoscaling/v1/HorizontalPodAutoscaler", 2, u64::MAX),
    ("autoscaling/v2/HorizontalPodAutoscaler", 23, u64::MAX),
    ("autoscaling/v2beta1/HorizontalPodAutoscaler", 8, 25),
    ("autoscaling/v2beta2/HorizontalPodAutoscaler", 12, 26),
    ("batch/v1/CronJob", 21, u64::MAX),
    ("batch/v1/Job", 2, u64::MAX),
    ("batch/v1beta1/CronJob", 8, 25),
    ("extensions/v1beta1/Ingress", 1, 22),
    ("networking.k8s.io/v1/Ingress", 19, u64::MAX),
    ("networking.k8s.io/v1/IngressClass", 19, u64::MAX),
    ("networking.k8s.io/v1/NetworkPolicy", 7, u64::MAX),
    ("networking.k8s.io/v1beta1/Ingress", 14, 22),
    ("networking.k8s.io/v1beta1/IngressClass", 18, 22),
    ("policy/v1/PodDisruptionBudget", 21, u64::MAX),
    ("policy/v1beta1/PodDisruptionBudget", 5, 25),
    ("policy/v1beta1/PodSecurityPolicy", 10, 25),
    ("rbac.authorization.k8s.io/v1/ClusterRole", 8, u64::MAX),
    ("rbac.authorization.k8s.io/v1/Role", 8, u64::MAX),
    ("scheduling.k8s.io/v1/PriorityClass", 14, u64::MAX),
    ("storage.k8s.io/v1/CSIDriver", 18, u64::MAX),
    ("admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration", 16, u64::MAX),
    ("apiextensions.k8s.io/v1/CustomResourceDefinition", 16, u64::MAX),
    ("coordination.k8s.io/v1/Lease", 14, u64::MAX),
];

/// Returns the kinds, separated by commas, that Kubernetes `version` serves; none for what is no version.
pub(super) fn served_kinds(version: &str) -> String {
    let minor = version.parse().map_or(0, |version: ChartVersion| version.minor());
    let served = KINDS.iter().filter(|(_, from, until)| (*from..*until).contains(&minor));
    served.map(|(kind, ..)| *kind).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

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
