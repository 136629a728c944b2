//! What was published is installed for real: helm, our server and a Kubernetes API server.

use std::fs;

use anyhow::{Context, Result, ensure};
use chart::testing::ChartBuilder;
use serde_json::Value;
use stories::cluster::Cluster;
use stories::helm::{Helm, with_each_helm};
use stories::packager::{self, run_packager};
use stories::server::Server;
use stories::site::Site;
use stories::skip::skip;
use stories::{command_line, environment};

const CONFIG_MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Chart.Name }}\ndata:\n  of: {{ .Release.Name }}\n";

/// Packs a chart of our own by its recipe and publishes it.
fn deliver(site: &Site, server: &Server, name: &str, version: &str) -> Result<()> {
    let chart = environment::repository_root().join("seed-charts").join(name);
    run_packager(site.folder(), &command_line::pack(&chart, site.folder()))?.success()?;
    let archive = site.folder().join(format!("{name}-{version}.tgz"));
    packager::push(&[&archive], &format!("{}/playcekube", server.url()), &server.admin_token()?)?
        .success()?;
    Ok(())
}

/// Builds a chart on one from the server with helm itself, and publishes it beside it.
fn deliver_umbrella(helm: &Helm, server: &Server) -> Result<()> {
    let url = format!("{}/playcekube", server.url());
    let part = ChartBuilder::new("part", "1.2.3").file("templates/part.yaml", CONFIG_MAP).build();
    server.admin()?.publish("playcekube", &part)?.expect_status(201)?;
    helm.add_repository("playcekube", &url)?;
    let folder = helm.home().join("umbrella");
    fs::create_dir_all(folder.join("templates"))?;
    fs::write(folder.join("templates/umbrella.yaml"), CONFIG_MAP)?;
    let dependency = format!("dependencies:\n- {{name: part, version: ^1.2.0, repository: '{url}'}}\n");
    fs::write(
        folder.join("Chart.yaml"),
        format!("apiVersion: v2\nname: umbrella\nversion: 0.1.0\n{dependency}"),
    )?;
    helm.ok(&["package", "umbrella", "--dependency-update"])?;
    let archive = fs::read(helm.home().join("umbrella-0.1.0.tgz"))?;
    server.admin()?.publish("playcekube", &archive)?.expect_status(201)?;
    Ok(())
}

/// Helm on the cluster, in a namespace of the story's own.
struct Console<'a> {
    helm: &'a Helm,
    kubeconfig: String,
    namespace: String,
}

impl Console<'_> {
    fn ok(&self, arguments: &[&str]) -> Result<String> {
        let target = ["--kubeconfig", &self.kubeconfig, "--namespace", &self.namespace];
        self.helm.ok(&[arguments, &target].concat())
    }

    fn releases(&self) -> Result<Vec<(String, String, String)>> {
        let listed: Vec<Value> = serde_json::from_str(&self.ok(&["list", "--output", "json"])?)?;
        let cell = |release: &Value, name: &str| release[name].as_str().unwrap_or_default().to_owned();
        let row = |release: &Value| (cell(release, "name"), cell(release, "chart"), cell(release, "status"));
        Ok(listed.iter().map(row).collect())
    }
}

fn release(name: &str, chart: &str) -> (String, String, String) {
    (name.to_owned(), chart.to_owned(), "deployed".to_owned())
}

fn install_and_uninstall(cluster: &Cluster, console: &Console) -> Result<()> {
    let daemon_sets =
        || cluster.object(&format!("/apis/apps/v1/namespaces/{}/daemonsets", console.namespace));
    console.ok(&["install", "vip", "playcekube/keepalived", "--create-namespace"])?;
    console.ok(&["install", "whole", "playcekube/umbrella"])?;
    let expected = [release("vip", "keepalived-0.1.0"), release("whole", "umbrella-0.1.0")];
    assert_eq!(console.releases()?, expected);
    let sets = daemon_sets()?;
    let image = &sets["items"][0]["spec"]["template"]["spec"]["containers"][0]["image"];
    assert_eq!(image, "registry.local.cloud:5000/ubuntu/keepalived:v2.2.4");
    for name in ["part", "umbrella"] {
        let map = cluster.object(&format!("/api/v1/namespaces/{}/configmaps/{name}", console.namespace))?;
        assert_eq!(map["data"]["of"], "whole", "{name}");
    }
    console.ok(&["upgrade", "vip", "playcekube/keepalived", "--set", "keepalived.vip=10.0.0.9"])?;
    console.ok(&["rollback", "vip", "1"])?;
    console.ok(&["uninstall", "vip"])?;
    console.ok(&["uninstall", "whole"])?;
    assert_eq!(console.releases()?, []);
    let sets = daemon_sets()?;
    // Without controllers a deletion that waits for pods is begun and never finished.
    let mut left = sets["items"].as_array().context("no list")?.iter();
    ensure!(left.all(|set| !set["metadata"]["deletionTimestamp"].is_null()), "left behind: {sets}");
    Ok(())
}

#[test]
fn every_helm_installs_and_uninstalls_on_a_real_api_server() -> Result<()> {
    if !environment::wants_cluster_story() {
        skip("needs a Kubernetes API server: run `make test-cluster`");
        return Ok(());
    }
    let Some(cluster) = Cluster::start()? else { return Ok(()) };
    let site = Site::new()?;
    let server = site.start()?;
    deliver(&site, &server, "keepalived", "0.1.0")?;
    let Some(packing_helm) = Helm::find("helm3")? else { return Ok(()) };
    deliver_umbrella(&packing_helm, &server)?;
    with_each_helm(|helm| {
        helm.add_repository("playcekube", &format!("{}/playcekube", server.url()))?;
        let namespace =
            helm.home().file_name().and_then(|name| name.to_str()).context("no name")?.to_lowercase();
        let kubeconfig = cluster.kubeconfig().display().to_string();
        install_and_uninstall(&cluster, &Console { helm, kubeconfig, namespace })
    })
}

/// What an API server has after an install: a path of its API, and how many of those must be there.
type Inventory = [(&'static str, usize)];

/// A chart that brings its own resources, and what a cluster has of it.
struct Platform {
    chart: &'static str,
    version: &'static str,
    namespace: &'static str,
    objects: &'static Inventory,
    /// The image of one of its deployments.
    image: (&'static str, &'static str),
}

const PLATFORMS: [Platform; 2] = [
    Platform {
        chart: "knative",
        version: "v1.6.0",
        namespace: "knative-serving",
        objects: &[
            ("/apis/apps/v1/namespaces/knative-serving/deployments", 8),
            ("/apis/caching.internal.knative.dev/v1alpha1/namespaces/knative-serving/images", 1),
            ("/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations", 2),
            ("/apis/serving.knative.dev/v1/namespaces/knative-serving/services", 0),
        ],
        image: (
            "activator",
            "gcr.io/knative-releases/knative.dev/serving/cmd/activator@sha256:08315309da4b219ec74bb2017f569a98a7cfecee5e1285b03dfddc2410feb7d7",
        ),
    },
    Platform {
        chart: "tekton-pipeline",
        version: "v0.32.1",
        namespace: "playcekube-dev",
        objects: &[
            ("/apis/apps/v1/namespaces/playcekube-dev/deployments", 6),
            ("/apis/triggers.tekton.dev/v1alpha1/clusterinterceptors", 4),
            ("/apis/tekton.dev/v1beta1/namespaces/playcekube-dev/tasks", 0),
            ("/apis/dashboard.tekton.dev/v1alpha1/namespaces/playcekube-dev/extensions", 0),
        ],
        image: (
            "tekton-pipelines-controller",
            "gcr.io/tekton-releases/github.com/tektoncd/pipeline/cmd/controller:v0.32.1",
        ),
    },
];

fn install_platform(cluster: &Cluster, helm: &Helm, platform: &Platform) -> Result<()> {
    let Platform { chart, namespace, .. } = *platform;
    let kubeconfig = cluster.kubeconfig().display().to_string();
    let console = Console { helm, kubeconfig, namespace: namespace.to_owned() };
    let published = format!("playcekube/{chart}");
    console.ok(&["install", chart, &published, "--create-namespace"])?;
    assert_eq!(console.releases()?, [release(chart, &format!("{chart}-{}", platform.version))]);
    for (path, count) in platform.objects {
        let list = cluster.object(path)?;
        assert_eq!(list["items"].as_array().map(Vec::len), Some(*count), "{path}");
    }
    let (deployment, image) = platform.image;
    let object = cluster.object(&format!("/apis/apps/v1/namespaces/{namespace}/deployments/{deployment}"))?;
    assert_eq!(object["spec"]["template"]["spec"]["containers"][0]["image"], image);
    // A job that runs after an upgrade never ends without nodes.
    console.ok(&["upgrade", chart, &published, "--no-hooks", "--set", "podLabels.tier=platform"])?;
    console.ok(&["uninstall", chart])?;
    assert_eq!(console.releases()?, []);
    Ok(())
}

#[test]
fn knative_and_tekton_bring_their_resources_to_a_real_api_server() -> Result<()> {
    if !environment::wants_cluster_story() {
        skip("needs a Kubernetes API server: run `make test-cluster`");
        return Ok(());
    }
    let site = Site::new()?;
    let server = site.start()?;
    for Platform { chart, version, .. } in PLATFORMS {
        deliver(&site, &server, chart, version)?;
    }
    with_each_helm(|helm| {
        helm.add_repository("playcekube", &format!("{}/playcekube", server.url()))?;
        // Each helm has a cluster of its own: resources of the whole cluster outlive an uninstall.
        let Some(cluster) = Cluster::start()? else { return Ok(()) };
        PLATFORMS
            .iter()
            .try_for_each(|platform| install_platform(&cluster, helm, platform).context(platform.chart))
    })
}
