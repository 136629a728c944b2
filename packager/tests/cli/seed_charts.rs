//! The seed charts: what a site gets when it packs them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::helm::helm;
use crate::support::{Workplace, seed_charts, text_of, values_of};

/// The Kubernetes versions of the catalogue file, as helm takes them.
const KUBERNETES: [&str; 2] = ["1.24.0", "1.31.0"];

/// Returns the folders of the charts that are our own; the others are fetched.
fn own_charts() -> Vec<PathBuf> {
    let folders = fs::read_dir(seed_charts()).unwrap().map(|entry| entry.unwrap().path());
    let mut own: Vec<PathBuf> = folders.filter(|folder| folder.join("Chart.yaml").is_file()).collect();
    own.sort();
    own
}

#[test]
fn every_seed_chart_of_ours_packs_and_is_marked_as_ours() {
    let place = Workplace::new();
    let mut packed = Vec::new();
    for folder in own_charts() {
        let said = place.succeed(&["pack", folder.to_str().unwrap()]);
        let archive = place.archive(said.split(' ').next().unwrap());
        let metadata = archive.metadata();
        assert_eq!(metadata.annotations["catalog.cattle.io/certified"], "playcekube", "{}", folder.display());
        assert!(metadata.annotations.contains_key("catalog.cattle.io/namespace"), "{}", folder.display());
        assert!(
            !metadata.icon.starts_with("http"),
            "{}: icons must not come from the internet",
            folder.display()
        );
        assert!(archive.file("recipe.yaml").is_none());
        packed.push(format!("{} {}", metadata.name, metadata.version));
    }
    assert_eq!(packed, ["curl 0.1.0", "keepalived 0.1.0", "knative v1.6.0", "tekton-pipeline v0.32.1"]);
}

#[test]
fn seed_charts_of_ours_lint_and_render_on_every_kubernetes_of_the_catalogue() {
    let Some(helm) = helm() else { return };
    for folder in own_charts() {
        let run = |arguments: &[&str]| {
            let answer = Command::new(&helm).args(arguments).arg(&folder).output().unwrap();
            let said = String::from_utf8_lossy(&answer.stderr).into_owned();
            assert!(answer.status.success(), "{} {arguments:?}: {said}", folder.display());
            String::from_utf8(answer.stdout).unwrap()
        };
        // The catalogue lists versions as their projects write them, some with a `v`, of which Helm 4 warns.
        let complaints: Vec<_> = run(&["lint"])
            .lines()
            .filter(|line| line.starts_with('[') && !line.ends_with("is not a valid SemVerV2"))
            .map(str::to_owned)
            .collect();
        assert_eq!(complaints, Vec::<String>::new(), "{}", folder.display());
        for version in KUBERNETES {
            let rendered =
                run(&["template", "--include-crds", "--namespace", "site", "--kube-version", version]);
            assert!(rendered.contains("kind: "), "{} on {version}", folder.display());
        }
    }
}

/// Returns the images of a checked-in list.
fn listed_images(chart: &str) -> BTreeSet<String> {
    let lists = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/expected-images/own");
    let text = fs::read_to_string(lists.join(format!("{chart}.txt"))).unwrap();
    assert!(text.starts_with("# "), "{chart}: the list names no source");
    text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

#[test]
fn knative_and_tekton_have_the_images_of_their_upstreams_manifests() {
    let Some(helm) = helm() else { return };
    let place = Workplace::new();
    for (name, list) in [("knative", "knative-v1.6.0"), ("tekton-pipeline", "tekton-pipeline-v0.32.1")] {
        let chart = seed_charts().join(name);
        let line = ["images", chart.to_str().unwrap(), "--profile", "all", "--no-cache", "--output", "json"];
        let answer = place.run_with(&line, &[("CHARTPACK_HELM", helm.to_str().unwrap())]);
        assert_eq!(answer.code, 0, "{name}: {}", answer.err);
        let lists: Value = serde_json::from_str(&answer.out).unwrap();
        let found = lists[0]["images"].as_array().unwrap().iter();
        let found: BTreeSet<String> =
            found.map(|image| image["image"].as_str().unwrap().to_owned()).collect();
        assert_eq!(found, listed_images(list), "{name}");
    }
}

#[test]
fn an_image_without_tag_and_digest_is_refused_by_name() {
    let Some(helm) = helm() else { return };
    for (name, image) in [("knative", "activator.image"), ("tekton-pipeline", "pipelines.controller.image")] {
        let blank = format!("{image}.tag=,{image}.digest=");
        let chart = seed_charts().join(name);
        let answer = Command::new(&helm).args(["template", "--set", &blank]).arg(chart).output().unwrap();
        let said = String::from_utf8_lossy(&answer.stderr).into_owned();
        assert!(!answer.status.success() && said.contains("needs a `tag` or a `digest`"), "{name}: {said}");
    }
}

#[test]
fn keepalived_is_what_the_site_asked_for() {
    let place = Workplace::new();
    place.succeed(&["pack", seed_charts().join("keepalived").to_str().unwrap()]);
    let archive = place.archive("keepalived-0.1.0.tgz");
    assert_eq!(archive.metadata().app_version, "2.2.4");
    assert_eq!(archive.metadata().keywords.first().unwrap(), "infrastructure");
    let values = values_of(&archive);
    let image = json!({
        "repository": "registry.local.cloud:5000/ubuntu/keepalived",
        "tag": "v2.2.4", "digest": "", "pullPolicy": "IfNotPresent",
    });
    assert_eq!(values["image"], image);
    assert_eq!(values["keepalived"]["vrouter_id"], "150");
    assert_eq!(values["keepalived"]["interface"], "eth0");
    assert_eq!(values["keepalived"]["vip"], "192.168.0.250");
    assert!(text_of(&archive, "templates/daemonset.yaml").contains("hostNetwork: true"));
    let added = json!(["NET_ADMIN", "NET_BROADCAST", "NET_RAW"]);
    assert_eq!(values["securityContext"]["capabilities"]["add"], added);
}

#[test]
fn curl_is_what_the_site_asked_for() {
    let place = Workplace::new();
    place.succeed(&["pack", seed_charts().join("curl").to_str().unwrap()]);
    let archive = place.archive("curl-0.1.0.tgz");
    assert_eq!(archive.metadata().app_version, "7.80.0");
    let image = &values_of(&archive)["image"];
    assert_eq!(
        (image["repository"].as_str(), image["tag"].as_str()),
        (Some("curlimages/curl"), Some("7.80.0"))
    );
}
