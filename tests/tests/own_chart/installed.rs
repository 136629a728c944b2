//! The server's own chart as releases on a real API server, which stores and validates and runs nothing.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use stories::cluster::Cluster;
use stories::environment;
use stories::helm::{Helm, with_each_helm};
use stories::own_chart;
use stories::skip::skip;

/// The chart as a release in a namespace of its own.
struct Release<'a> {
    helm: &'a Helm,
    cluster: &'a Cluster,
    namespace: String,
}

impl Release<'_> {
    fn ok(&self, words: &[&str], arguments: &[&str]) -> Result<String> {
        let kubeconfig = self.cluster.kubeconfig().display().to_string();
        let target = ["--kubeconfig", kubeconfig.as_str(), "--namespace", &self.namespace];
        self.helm.ok(&[words, &target, arguments].concat())
    }

    fn put(&self, verb: &str, arguments: &[&str]) -> Result<String> {
        let folder = own_chart::folder().display().to_string();
        let create: &[&str] = if verb == "install" { &["--create-namespace"] } else { &[] };
        self.ok(&[verb, "room", &folder], &[create, arguments].concat())
    }

    fn object(&self, group: &str, path: &str) -> Result<Value> {
        self.cluster.object(&format!("/{group}/namespaces/{}/{path}", self.namespace))
    }

    fn admin_token(&self) -> Result<String> {
        let secret = self.object("api/v1", "secrets/room-chartroom-admin")?;
        Ok(secret["data"]["token"].as_str().context("no token")?.to_owned())
    }
}

fn live_embedded(release: &Release) -> Result<()> {
    let said = release.put("install", &[])?;
    ensure!(said.contains("helm repo add room http://127.0.0.1:8080"), "{said}");
    let token = release.admin_token()?;
    ensure!(token.len() > 40, "a short token: {token}");
    release.put("upgrade", &["--set", "config=open = true,shutdownGraceSeconds=60"])?;
    assert_eq!(release.admin_token()?, token, "an upgrade made another token");
    let claim = || release.object("api/v1", "persistentvolumeclaims/room-chartroom-data");
    release.ok(&["uninstall", "room"], &[])?;
    ensure!(claim()?["metadata"]["deletionTimestamp"].is_null(), "the claim goes");
    ensure!(release.object("api/v1", "configmaps/room-chartroom").is_err(), "the configuration stayed");
    release.put("install", &[])?;
    assert_eq!(release.admin_token()?, token, "the next release made another token");
    release.ok(&["uninstall", "room"], &[])?;
    Ok(())
}

fn live_production(release: &Release) -> Result<()> {
    let values = own_chart::production_values();
    release.put("install", &["--values", &values])?;
    let deployment = || release.object("apis/apps/v1", "deployments/room-chartroom");
    assert_eq!(deployment()?["spec"]["replicas"], 3);
    for (group, path) in [
        ("apis/policy/v1", "poddisruptionbudgets/room-chartroom"),
        ("apis/networking.k8s.io/v1", "networkpolicies/room-chartroom"),
        ("api/v1", "services/room-chartroom"),
    ] {
        release.object(group, path).with_context(|| path.to_owned())?;
    }
    release.put("upgrade", &["--values", &values, "--set", "replicaCount=4,ingress.enabled=true"])?;
    assert_eq!(deployment()?["spec"]["replicas"], 4);
    release.object("apis/networking.k8s.io/v1", "ingresses/room-chartroom")?;
    release.ok(&["rollback", "room", "1"], &[])?;
    assert_eq!(deployment()?["spec"]["replicas"], 3);
    release.ok(&["uninstall", "room"], &[])?;
    Ok(())
}

#[test]
fn cluster_takes_both_modes_from_every_helm() -> Result<()> {
    if !environment::wants_cluster_story() {
        skip("needs a Kubernetes API server: run `make test-cluster`");
        return Ok(());
    }
    let Some(cluster) = Cluster::start()? else { return Ok(()) };
    with_each_helm(|helm| {
        let home = helm.home().file_name().and_then(|name| name.to_str()).context("no name")?.to_lowercase();
        let release = |mode: &str| Release { helm, cluster: &cluster, namespace: format!("{home}-{mode}") };
        live_embedded(&release("embedded")).context("embedded")?;
        live_production(&release("production")).context("production")
    })
}
