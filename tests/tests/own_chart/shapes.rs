//! The ways to install the server's own chart that are tested: one row each, with what must come out.

use anyhow::{Context, Result, ensure};
use stories::helm::Helm;
use stories::own_chart::{self, Objects};

/// One way to install the chart, and the kinds of objects that make it up.
pub(super) struct Shape {
    pub(super) name: &'static str,
    production: bool,
    arguments: &'static [&'static str],
    pub(super) kinds: &'static [&'static str],
}

/// The ways that are tested.
pub(super) const SHAPES: [Shape; 9] = [
    Shape {
        name: "embedded as it is",
        production: false,
        arguments: &[],
        kinds: &[
            "ConfigMap",
            "NetworkPolicy",
            "PersistentVolumeClaim",
            "Secret",
            "Service",
            "ServiceAccount",
            "StatefulSet",
        ],
    },
    Shape {
        name: "embedded on what is there",
        production: false,
        arguments: &["--set", "persistence.existingClaim=old,adminToken.existingSecret=mine"],
        kinds: &["ConfigMap", "NetworkPolicy", "Service", "ServiceAccount", "StatefulSet"],
    },
    Shape {
        name: "embedded with everything off",
        production: false,
        arguments: &[
            "--set",
            "replicaCount=0,networkPolicy.enabled=false,serviceAccount.create=false,serviceMonitor.create=never",
            "--set",
            "persistence.existingClaim=old,adminToken.existingSecret=mine,config=",
        ],
        kinds: &["ConfigMap", "Service", "StatefulSet"],
    },
    Shape {
        name: "embedded with everything on",
        production: false,
        arguments: &[
            "--set",
            "ingress.enabled=true,ingress.className=nginx,ingress.tls[0].secretName=t,tls.secretName=own",
            "--set",
            "contextPath=/charts,serviceMonitor.create=always,serviceMonitor.labels.release=prometheus",
            "--set",
            "service.type=NodePort,service.nodePort=30080,persistence.storageClass=fast,priorityClassName=high",
            "--set",
            "extraEnv[0].name=CHARTROOM_LOG_LEVEL,extraEnv[0].value=debug,podLabels.a=b,podAnnotations.c=d",
            "--set",
            "extraVolumes[0].name=ca,extraVolumes[0].configMap.name=ca,nodeSelector.disk=ssd",
            "--set",
            "extraVolumeMounts[0].name=ca,extraVolumeMounts[0].mountPath=/etc/ca,tolerations[0].operator=Exists",
        ],
        kinds: &[
            "ConfigMap",
            "Ingress",
            "NetworkPolicy",
            "PersistentVolumeClaim",
            "Secret",
            "Service",
            "ServiceAccount",
            "ServiceMonitor",
            "StatefulSet",
        ],
    },
    Shape {
        name: "production as the example has it",
        production: true,
        arguments: &[],
        kinds: &[
            "ConfigMap",
            "Deployment",
            "NetworkPolicy",
            "PodDisruptionBudget",
            "Service",
            "ServiceAccount",
        ],
    },
    Shape {
        name: "production with a generated token and Prometheus",
        production: true,
        arguments: &["--set", "adminToken.existingSecret=", "--api-versions", "monitoring.coreos.com/v1"],
        kinds: &[
            "ConfigMap",
            "Deployment",
            "NetworkPolicy",
            "PodDisruptionBudget",
            "Secret",
            "Service",
            "ServiceAccount",
            "ServiceMonitor",
        ],
    },
    Shape {
        name: "production on AWS with web identity",
        production: true,
        arguments: &[
            "--set",
            "s3.endpoint=,s3.credentials=ambient,s3.existingSecret=,s3.prefix=team/a",
            "--set",
            "serviceAccount.annotations.eks\\.amazonaws\\.com/role-arn=arn:aws:iam::1:role/charts",
        ],
        kinds: &[
            "ConfigMap",
            "Deployment",
            "NetworkPolicy",
            "PodDisruptionBudget",
            "Service",
            "ServiceAccount",
        ],
    },
    Shape {
        name: "production migrated by somebody else",
        production: true,
        arguments: &["--set", "migrate.enabled=false,podDisruptionBudget.maxUnavailable=50%"],
        kinds: &[
            "ConfigMap",
            "Deployment",
            "NetworkPolicy",
            "PodDisruptionBudget",
            "Service",
            "ServiceAccount",
        ],
    },
    Shape {
        name: "production with TLS, an ingress and no policy",
        production: true,
        arguments: &[
            "--set",
            "tls.secretName=own,ingress.enabled=true,networkPolicy.enabled=false,probes.readiness=live",
        ],
        kinds: &["ConfigMap", "Deployment", "Ingress", "PodDisruptionBudget", "Service", "ServiceAccount"],
    },
];

/// Returns the shape of a name.
pub(super) fn shape(name: &str) -> Result<&'static Shape> {
    SHAPES.iter().find(|shape| shape.name == name).with_context(|| format!("no shape `{name}`"))
}

fn with_values(production: bool, arguments: &[&str]) -> Vec<String> {
    let file = production.then(|| ["--values".to_owned(), own_chart::production_values()]);
    file.into_iter().flatten().chain(arguments.iter().map(|&word| word.to_owned())).collect()
}

impl Shape {
    /// Renders it for a version of Kubernetes.
    pub(super) fn render(&self, helm: &Helm, kubernetes: &str) -> Result<Objects> {
        let arguments = with_values(self.production, self.arguments);
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        Objects::read(&own_chart::template(helm, kubernetes, &words)?.success()?)
    }

    /// Lints it; the one argument that `lint` of older helms does not know says nothing about values.
    pub(super) fn lint(&self, helm: &Helm) -> Result<()> {
        let values: Vec<&str> =
            self.arguments.iter().copied().take_while(|&word| word != "--api-versions").collect();
        let arguments = with_values(self.production, &values);
        let folder = own_chart::folder().display().to_string();
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let said = helm.ok(&[&["lint", "--strict", folder.as_str()], &words[..]].concat())?;
        ensure!(!said.contains("[WARNING]") && !said.contains("[ERROR]"), "{said}");
        Ok(())
    }
}
