//! The playcekube catalogue from its recipes to `helm search repo`, inside a network that has nothing but a mirror.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use chart::archive::{ChartArchive, Limits};
use chart::testing::ChartBuilder;
use chart::yaml::{self, Budget};
use serde_json::Value;
use stories::closed_network::ClosedNetwork;
use stories::command_line::{MIRROR, MIRRORS};
use stories::delivery::Delivery;
use stories::helm::Helm;
use stories::packager;
use stories::site::Site;
use stories::upstream;

/// Name, version, application version and description, as `helm search repo playcekube` lists them. The archives of keycloak,
/// kubeapps and kubernetes-dashboard are nowhere at hand: their descriptions are those of neighbouring versions.
const ROWS: [[&str; 4]; 26] = [
    [
        "argo-cd",
        "4.9.11",
        "v2.4.3",
        "A Helm chart for Argo CD, a declarative, GitOps continuous delivery tool for Kubernetes.",
    ],
    [
        "argo-events",
        "2.0.3",
        "v1.7.1",
        "A Helm chart for Argo Events, the event-driven workflow automation framework",
    ],
    ["argo-rollouts", "2.18.0", "v1.2.0", "A Helm chart for Argo Rollouts"],
    ["csi-driver-nfs", "v4.0.0", "v4.0.0", "CSI NFS Driver for Kubernetes"],
    ["curl", "0.1.0", "7.80.0", "A pod with curl, to look at services from inside the cluster"],
    ["gitea", "5.0.9", "1.16.8", "Gitea Helm chart for Kubernetes"],
    ["gitlab", "6.1.1", "15.1.1", "The One DevOps Platform"],
    [
        "harbor",
        "14.0.3",
        "2.5.2",
        "Harbor is an open source trusted cloud-native registry to store, sign, and scan content. It adds functionalities like security, identity, and management to the open source Docker distribution.",
    ],
    [
        "ingress-nginx",
        "4.1.4",
        "1.2.1",
        "Ingress controller for Kubernetes using NGINX as a reverse proxy and load balancer",
    ],
    [
        "jenkins",
        "4.1.12",
        "2.346.1",
        "Jenkins - Build great things at any scale! The leading open source automation server, Jenkins provides hundreds of plugins to support building, deploying and automating any project.",
    ],
    ["keepalived", "0.1.0", "2.2.4", "Keepalived for the cluster's virtual IP address"],
    [
        "keycloak",
        "7.1.17",
        "16.1.1",
        "Keycloak is a high performance Java-based identity and access management solution. It lets developers add an authentication layer to their applications with minimum effort.",
    ],
    [
        "knative",
        "v1.6.0",
        "v1.6.0",
        "Knative Serving with its Kourier gateway, for services that scale with their requests",
    ],
    [
        "kube-prometheus-stack",
        "35.3.1",
        "0.56.2",
        "kube-prometheus-stack collects Kubernetes manifests, Grafana dashboards, and Prometheus rules combined with documentation and scripts to provide easy to operate end-to-end Kubernetes cluster monitoring with Prometheus using the Prometheus Operator.",
    ],
    [
        "kubeapps",
        "9.0.3",
        "2.4.6",
        "Kubeapps is a dashboard for your Kubernetes cluster that makes it easy to deploy and manage applications in your cluster using Helm",
    ],
    ["kubernetes-dashboard", "5.4.1", "2.5.1", "General-purpose web UI for Kubernetes clusters"],
    [
        "linkerd-jaeger",
        "2.11.1",
        "stable-2.11.1",
        "The Linkerd-Jaeger extension adds distributed tracing to Linkerd using OpenCensus and Jaeger. ",
    ],
    [
        "linkerd-multicluster",
        "2.11.1",
        "stable-2.11.1",
        "The Linkerd-Multicluster extension contains resources to support multicluster linking to remote clusters ",
    ],
    [
        "linkerd-viz",
        "2.11.1",
        "stable-2.11.1",
        "The Linkerd-Viz extension contains observability and visualization components for Linkerd. ",
    ],
    [
        "linkerd2",
        "2.11.1",
        "stable-2.11.1",
        "Linkerd gives you observability, reliability, and security for your microservices — with no code change required. ",
    ],
    [
        "metrics-server",
        "3.8.2",
        "0.6.1",
        "Metrics Server is a scalable, efficient source of container resource metrics for Kubernetes built-in autoscaling pipelines.",
    ],
    ["minio", "4.0.2", "RELEASE.2022-05-08T23-50-31Z", "Multi-Cloud Object Storage"],
    [
        "oauth2-proxy",
        "6.2.0",
        "7.2.0",
        "A reverse proxy that provides authentication with Google, Github or other providers",
    ],
    ["opendistro-es", "1.13.3", "1.13.3", "Open Distro for Elasticsearch"],
    [
        "tekton-pipeline",
        "v0.32.1",
        "v0.32.1",
        "Tekton Pipelines with Triggers and Dashboard, for builds that are Kubernetes resources",
    ],
    ["velero", "2.30.1", "1.9.0", "A Helm chart for velero"],
];

/// Returns the repository that a recipe of the catalogue names; nothing for a chart of our own.
fn repository_of(delivery: &Delivery, name: &str) -> Result<Option<String>> {
    let text = fs::read(delivery.path(&format!("seed-charts/{name}/recipe.yaml")))?;
    let recipe = yaml::parse(&text, &Budget::for_values())?.to_json();
    let upstream = &recipe["upstream"];
    ensure!(upstream.is_null() || upstream["chart"] == name, "{name} takes another chart: {upstream}");
    Ok(upstream["repository"].as_str().map(str::to_owned))
}

/// Returns the chart of a row: the project's own where it is at hand, else one that says the same of itself.
fn archive_of(row: &[&str; 4], at_hand: &Path) -> Result<Vec<u8>> {
    let [name, version, app_version, description] = *row;
    let file = at_hand.join(format!("{name}-{version}.tgz"));
    if file.is_file() {
        return Ok(fs::read(file)?);
    }
    let chart = ChartBuilder::new(name, version)
        .app_version(app_version)
        .description(description)
        .field("icon", format!("https://icons.example.org/{name}.svg"))
        .file("values.yaml", "replicaCount: 1\n")
        .file("templates/map.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: stand-in\n");
    Ok(chart.build())
}

/// Puts every upstream of the catalogue on a mirror.
fn mirror_of(delivery: &Delivery) -> Result<ClosedNetwork> {
    // Without the folder every upstream is a stand-in; that is said, and the story goes on.
    let archives = upstream::charts()?.unwrap_or_default();
    let at_hand = archives.first().and_then(|path| path.parent()).unwrap_or(Path::new("/nowhere"));
    let mut network = ClosedNetwork::start()?;
    for row in &ROWS {
        let [name, ..] = *row;
        if let Some(repository) = repository_of(delivery, name)? {
            network.publish(&repository, &archive_of(row, at_hand)?).context(name)?;
        }
    }
    Ok(network)
}

/// Locks the catalogue through its mirrors, half of them by flag and half by variable.
fn lock(delivery: &mut Delivery, network: &ClosedNetwork) -> Result<()> {
    let mirrors = network.mirrors();
    let (by_flag, by_variable) = mirrors.split_at(mirrors.len() / 2);
    delivery.set(MIRRORS, &by_variable.join(" "));
    let flags: Vec<&str> = by_flag.iter().flat_map(|mirror| [MIRROR, mirror.as_str()]).collect();
    delivery.lock(&flags)?.success()?;
    Ok(())
}

#[test]
fn the_catalogue_is_locked_through_mirrors_and_listed_by_helm_as_the_site_lists_it() -> Result<()> {
    let mut delivery = Delivery::of_the_repository()?;
    let network = mirror_of(&delivery)?;
    lock(&mut delivery, &network)?;
    let locked = delivery.lock_text();
    ensure!(!locked.contains("127.0.0.1"), "the lock names a mirror:\n{locked}");
    for row in &ROWS {
        if let Some(repository) = repository_of(&delivery, row[0])? {
            ensure!(locked.contains(&repository), "the lock does not name `{repository}`");
        }
    }
    let archives = delivery.build("dist")?;
    for (file, archive) in &archives {
        assert_is_ready_for_the_site(archive).with_context(|| file.clone())?;
    }
    let site = Site::new()?;
    let server = site.start()?;
    let url = format!("{}/playcekube", server.url());
    let paths: Vec<_> = archives.keys().map(|file| delivery.path("dist").join(file)).collect();
    let paths: Vec<&Path> = paths.iter().map(AsRef::as_ref).collect();
    packager::push(&paths, &url, &server.admin_token()?)?.success()?;
    let Some(helm) = Helm::find("helm3")? else { return Ok(()) };
    helm.add_repository("playcekube", &url)?;
    let listed = helm.search(&["playcekube"])?;
    let expected = ROWS.map(|[name, rest @ ..]| {
        let [version, app_version, description] = rest.map(str::to_owned);
        [format!("playcekube/{name}"), version, app_version, description]
    });
    assert_eq!(listed, expected);
    Ok(())
}

/// What Rancher shows is there, and nothing that a browser would fetch from the internet.
fn assert_is_ready_for_the_site(archive: &[u8]) -> Result<()> {
    let archive = ChartArchive::read(archive, &Limits::default())?;
    let metadata = archive.metadata();
    let annotation = |name: &str| metadata.annotations.get(&format!("catalog.cattle.io/{name}"));
    ensure!(annotation("certified").is_some_and(|value| value == "playcekube"), "not certified");
    ensure!(annotation("namespace").is_some_and(|value| !value.is_empty()), "no namespace");
    ensure!(annotation("release-name") == Some(&metadata.name.to_string()), "no release name");
    let categories =
        ["develops", "infrastructure", "logging", "monitoring", "networking", "security", "storage"];
    let first = metadata.keywords.first().context("no keywords")?;
    ensure!(categories.contains(&first.as_str()), "the first keyword `{first}` is no category");
    let icon = metadata.icon.strip_prefix("file://").context("the icon is elsewhere")?;
    ensure!(archive.file(icon).is_some(), "the icon `{icon}` is not carried");
    Ok(())
}

#[test]
fn the_catalogue_is_the_rows_in_order_and_its_groups_hold_them_all() -> Result<()> {
    let delivery = Delivery::of_the_repository()?;
    let text = fs::read(delivery.path("playcekube.yaml"))?;
    let catalogue = yaml::parse(&text, &Budget::for_values())?.to_json();
    let recipes: Vec<&str> = texts(&catalogue["recipes"]);
    let expected: Vec<String> = ROWS.iter().map(|row| format!("seed-charts/{}", row[0])).collect();
    assert_eq!(recipes, expected);
    let groups = catalogue["groups"].as_object().context("no groups")?;
    let mut members: Vec<&str> = groups.values().flat_map(texts).collect();
    members.sort_unstable();
    assert_eq!(members, ROWS.map(|row| row[0]));
    Ok(())
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}
