//! `relocate`, on charts that name their images in the ways that real charts do, and `lock` with images.

use serde_json::{Value, json};

use crate::charts::{Charts, pod};
use crate::support::{Answer, values_of};

const SITE: &str = "registry.local.cloud:5000";
const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Relocates the chart `a` and returns the answer with the proof.
fn relocate(charts: &Charts, arguments: &[&str]) -> (Answer, Value) {
    let answer =
        charts.run(&[&["relocate", "a", "--to", SITE, "--output", "json", "-o", "dist"], arguments].concat());
    let proofs: Value = serde_json::from_str(&answer.out).unwrap_or_default();
    (answer, proofs[0].clone())
}

/// Returns the names of the images of the relocated archive.
fn images(charts: &Charts) -> Vec<String> {
    charts.images(&["dist/a-1.2.3.tgz"])
}

/// One way to name an image: values, the lines of a container, the values and the image as they become.
struct Shape {
    values: String,
    container: &'static str,
    edits: &'static [(&'static str, &'static str)],
    image: String,
}

fn shape(
    values: &str,
    container: &'static str,
    edits: &'static [(&'static str, &'static str)],
    image: &str,
) -> Shape {
    Shape {
        values: values.replace("DIGEST", DIGEST),
        container,
        edits,
        image: image.replace("DIGEST", DIGEST),
    }
}

fn shapes() -> Vec<Shape> {
    vec![
        shape(
            "image: {registry: quay.io, repository: x/y, tag: '1'} # as upstream has it\n",
            "image: {{ .Values.image.registry }}/{{ .Values.image.repository }}:{{ .Values.image.tag }}",
            &[("image.registry", "registry.local.cloud:5000/quay.io")],
            "quay.io/x/y:1",
        ),
        shape(
            "image: {registry: docker.io, repository: redis, tag: '7'}\n",
            "image: {{ .Values.image.registry }}/{{ .Values.image.repository }}:{{ .Values.image.tag }}",
            &[("image.registry", "registry.local.cloud:5000/docker.io/library")],
            "docker.io/library/redis:7",
        ),
        shape(
            "image: {registry: cr.l5d.io/linkerd, name: tap, tag: ''}\n",
            "image: {{ .Values.image.registry }}/{{ .Values.image.name }}:{{ .Values.image.tag | default .Chart.AppVersion }}",
            &[("image.registry", "registry.local.cloud:5000/cr.l5d.io/linkerd")],
            "cr.l5d.io/linkerd/tap:4.5",
        ),
        shape(
            "image: {repository: quay.io/x/y, tag: v1}\n",
            "image: \"{{ .Values.image.repository }}:{{ .Values.image.tag }}\"",
            &[("image.repository", "registry.local.cloud:5000/quay.io/x/y")],
            "quay.io/x/y:v1",
        ),
        shape(
            "image: {registry: k8s.gcr.io, image: x/y, tag: v1, digest: 'DIGEST'}\n",
            "image: {{ .Values.image.registry }}/{{ .Values.image.image }}:{{ .Values.image.tag }}@{{ .Values.image.digest }}",
            &[("image.registry", "registry.local.cloud:5000/k8s.gcr.io")],
            "k8s.gcr.io/x/y:v1@DIGEST",
        ),
        shape(
            "proxy: {name: cr.l5d.io/linkerd/proxy, version: '2'}\n",
            "image: {{ .Values.proxy.name }}:{{ .Values.proxy.version }}",
            &[("proxy.name", "registry.local.cloud:5000/cr.l5d.io/linkerd/proxy")],
            "cr.l5d.io/linkerd/proxy:2",
        ),
        shape(
            "controller: {image: jenkins/jenkins, tag: '2'}\n",
            "image: {{ .Values.controller.image }}:{{ .Values.controller.tag }}",
            &[("controller.image", "registry.local.cloud:5000/docker.io/jenkins/jenkins")],
            "docker.io/jenkins/jenkins:2",
        ),
        shape(
            "es: {image: amazon/es, imageTag: 1.13.3}\nglobal: {imageRegistry: docker.io}\n",
            "image: {{ .Values.global.imageRegistry }}/{{ .Values.es.image }}:{{ .Values.es.imageTag }}",
            &[("global.imageRegistry", "registry.local.cloud:5000/docker.io")],
            "docker.io/amazon/es:1.13.3",
        ),
        shape(
            "sidecar: kiwigrid/k8s-sidecar:1.15.0\n",
            "image: {{ .Values.sidecar }}",
            &[("sidecar", "registry.local.cloud:5000/docker.io/kiwigrid/k8s-sidecar:1.15.0")],
            "docker.io/kiwigrid/k8s-sidecar:1.15.0",
        ),
        shape(
            "sidecarImage: kiwigrid/k8s-sidecar:1.15.0\n",
            "image: {{ .Values.sidecarImage }}",
            &[("sidecarImage", "registry.local.cloud:5000/docker.io/kiwigrid/k8s-sidecar:1.15.0")],
            "docker.io/kiwigrid/k8s-sidecar:1.15.0",
        ),
        shape(
            "kubectl: {repository: quay.io/x/kubectl, tag: '1.18@DIGEST'}\n",
            "image: {{ .Values.kubectl.repository }}:{{ .Values.kubectl.tag }}",
            &[("kubectl.repository", "registry.local.cloud:5000/quay.io/x/kubectl")],
            "quay.io/x/kubectl:1.18@DIGEST",
        ),
        shape(
            "image: {repository: sonarqube, tag: '10-{{ .Values.edition }}'}\nedition: community\n",
            "image: {{ .Values.image.repository }}:{{ tpl .Values.image.tag . }}",
            &[("image.repository", "registry.local.cloud:5000/docker.io/library/sonarqube")],
            "docker.io/library/sonarqube:10-community",
        ),
        shape(
            "initContainers:\n- name: plugin\n  image: velero/plugin:v1 # for the cloud\n",
            "image: {{ (index .Values.initContainers 0).image }}",
            &[("initContainers[0].image", "registry.local.cloud:5000/docker.io/velero/plugin:v1")],
            "docker.io/velero/plugin:v1",
        ),
        shape(
            "runner: {imageTag: v1}\n",
            "image: {{ .Values.runner.imageRegistry | default \"quay.io\" }}/x/runner:{{ .Values.runner.imageTag }}",
            &[("runner.imageRegistry", "registry.local.cloud:5000/quay.io")],
            "quay.io/x/runner:v1",
        ),
        shape(
            "reloader: {repository: quay.io/x/reloader, tag: v1}\n",
            "args: ['--reloader={{ .Values.reloader.repository }}:{{ .Values.reloader.tag }}']",
            &[("reloader.repository", "registry.local.cloud:5000/quay.io/x/reloader")],
            "quay.io/x/reloader:v1",
        ),
        shape(
            "helperImage: quay.io/x/helper:v1\n",
            "env: [{name: HELPER_IMAGE, value: '{{ .Values.helperImage }}'}]",
            &[("helperImage", "registry.local.cloud:5000/quay.io/x/helper:v1")],
            "quay.io/x/helper:v1",
        ),
    ]
}

#[test]
fn every_shape_of_values_is_moved_under_its_hosts_name() {
    for Shape { values, container, edits, image } in shapes() {
        let Some(charts) = Charts::new("a", &values, &[("a.yaml", &pod("a", container))]) else { return };
        let (answer, proof) = relocate(&charts, &[]);
        assert_eq!((answer.code, answer.err.as_str()), (0, ""), "{values}{}", answer.out);
        let made = proof["edits"].as_array().unwrap().iter();
        let made: Vec<_> =
            made.map(|edit| (edit["path"].as_str().unwrap(), edit["value"].as_str().unwrap())).collect();
        assert_eq!(made, edits, "{values}");
        assert_eq!(images(&charts), [format!("{SITE}/{image}")], "{values}");
        let text = charts.place.archive("dist/a-1.2.3.tgz").file("values.yaml").unwrap().to_vec();
        let comments = |text: &str| text.matches(" # ").count();
        assert_eq!(comments(str::from_utf8(&text).unwrap()), comments(&values), "comments stay");
    }
}

#[test]
fn without_hosts_equal_paths_are_refused_unless_their_bytes_are_equal() {
    let two = |digest: &str| {
        [
            ("a.yaml", pod("a", &format!("image: minio/mc:1{digest}"))),
            ("b.yaml", pod("b", &format!("image: '{{{{ .Values.image }}}}:1{digest}'"))),
        ]
    };
    let strip = ["--path-policy", "strip-host"];
    let templates = two("");
    let templates = templates.each_ref().map(|(name, text)| (*name, text.as_str()));
    let Some(charts) = Charts::new("a", "image: quay.io/minio/mc\n", &templates) else { return };
    let (answer, _) = relocate(&charts, &strip);
    assert_eq!(answer.code, 1);
    let expected = "`docker.io/minio/mc:1` and `quay.io/minio/mc:1` would both be `registry.local.cloud:5000/minio/mc:1`: use the path policy keep-host";
    assert!(answer.err.contains(expected), "{}", answer.err);
    let pinned = format!("@{DIGEST}");
    for (name, text) in two(&pinned) {
        charts.place.write(&format!("a/templates/{name}"), text);
    }
    let (answer, proof) = relocate(&charts, &strip);
    assert_eq!(answer.code, 1, "one of them is in the template: {}", answer.err);
    assert_eq!(proof["edits"][0]["value"], format!("{SITE}/minio/mc"));
}

#[test]
fn a_name_in_a_template_is_left_with_a_patch_that_moves_it() {
    let lines = "image: {{ .Values.image }}:1\nargs: [--helper-image=gcr.io/x/helper:2]";
    let Some(charts) = Charts::new("a", "image: quay.io/x/y\n", &[("a.yaml", &pod("a", lines))]) else {
        return;
    };
    let (answer, proof) = relocate(&charts, &["--proof", "proof.txt"]);
    assert_eq!(answer.code, 1);
    let left = &proof["left"][0];
    assert_eq!(
        (left["image"].clone(), left["patch"]["line"].clone()),
        (json!("gcr.io/x/helper:2"), json!(8))
    );
    let text = String::from_utf8(charts.place.read("proof.txt")).unwrap();
    assert!(text.contains("gcr.io/x/helper:2 in templates/a.yaml line 8\n"), "{text}");
    assert!(text.contains("1 views, 2 image references, 1 of them foreign; 1 edits"), "{text}");
    // The patch is one that a recipe takes.
    charts.place.write("a/helper.patch", left["patch"]["diff"].as_str().unwrap());
    charts.place.write("a/recipe.yaml", "chart: .\npatches: [helper.patch]\n");
    let (answer, _) = relocate(&charts, &[]);
    assert_eq!((answer.code, answer.err.as_str()), (0, ""), "{}", answer.out);
    let expected = [format!("{SITE}/gcr.io/x/helper:2"), format!("{SITE}/quay.io/x/y:1")];
    assert_eq!(images(&charts), expected);
}

#[test]
fn what_is_declared_is_left_to_the_mirror_configuration() {
    let fixed = pod("fixed", "image: gcr.io/x/fixed:1");
    let Some(charts) = Charts::new("a", "", &[("a.yaml", &fixed)]) else { return };
    let waiver = "chart: .\nwaivers:\n- {check: foreign-image, subject: gcr.io/x/fixed, reason: the operator names it}\n";
    charts.place.write("a/recipe.yaml", waiver);
    let (answer, proof) = relocate(&charts, &[]);
    assert_eq!(answer.code, 0, "{}", answer.err);
    assert_eq!(proof["left"][0]["declared"], "the operator names it");
    charts.place.write("a/recipe.yaml", waiver.replace("x/fixed,", "x/other,"));
    assert_eq!(relocate(&charts, &[]).0.code, 1);
    assert_eq!(relocate(&charts, &["--leave", "gcr.io/x/fixed"]).0.code, 0);
}

#[test]
fn values_that_are_no_images_are_not_touched_and_what_refuses_an_edit_is_left() {
    let lines = "image: {{ .Values.image }}:1\nenv: [{name: REPOSITORY, value: '{{ .Values.repository }}'}]";
    let guarded = "{{ if ne .Values.guarded \"quay.io/x/guarded\" }}{{ fail \"not this one\" }}{{ end }}\n";
    let guarded = guarded.to_owned() + &pod("guarded", "image: {{ .Values.guarded }}:1");
    let values = "image: quay.io/x/y\nrepository: graph/db\nguarded: quay.io/x/guarded\n";
    let Some(charts) = Charts::new("a", values, &[("a.yaml", &pod("a", lines)), ("b.yaml", &guarded)]) else {
        return;
    };
    let (answer, proof) = relocate(&charts, &[]);
    assert_eq!(answer.code, 1);
    let edits: Vec<_> = proof["edits"].as_array().unwrap().iter().map(|edit| edit["path"].clone()).collect();
    assert_eq!(edits, [json!("image")]);
    assert_eq!(
        (proof["left"][0]["image"].clone(), proof["broken"].clone()),
        (json!("quay.io/x/guarded:1"), json!([]))
    );
    let values = values_of(&charts.place.archive("dist/a-1.2.3.tgz"));
    assert_eq!(
        (values["repository"].clone(), values["guarded"].clone()),
        (json!("graph/db"), json!("quay.io/x/guarded"))
    );
}

#[test]
fn configuration_inside_a_text_is_moved_and_what_is_switched_off_too() {
    let values = "config: |\n  [[runners]]\n    [runners.kubernetes]\n      image = \"ubuntu:16.04\"\nmetrics: {enabled: false}\n";
    let configuration = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  config.toml: |\n{{ .Values.config | indent 4 }}\n";
    let exporter = "{{ if .Values.metrics.enabled }}\n".to_owned()
        + &pod("exporter", "image: {{ .Values.metrics.image | default \"quay.io/x/exporter:1\" }}")
        + "{{ end }}\n";
    let Some(charts) = Charts::new("a", values, &[("c.yaml", configuration), ("e.yaml", &exporter)]) else {
        return;
    };
    let (answer, proof) = relocate(&charts, &[]);
    assert_eq!(answer.code, 1, "the exporter's name is a default of the template: {}", answer.err);
    assert_eq!(proof["edits"][0]["path"], "config");
    assert_eq!(proof["left"][0]["image"], "quay.io/x/exporter:1");
    assert_eq!(images(&charts)[1], format!("{SITE}/docker.io/library/ubuntu:16.04"));
    let views: Vec<_> = proof["views"].as_array().unwrap().iter().map(|view| view["view"].clone()).collect();
    assert!(views.contains(&json!("with metrics.enabled")), "{views:?}");
}

#[test]
fn a_global_registry_that_one_subchart_ignores_moves_the_others_alone() {
    let main = pod("main", "image: {{ .Values.global.imageRegistry }}/x/main:1");
    let values = "global: {imageRegistry: quay.io}\n";
    let Some(charts) = Charts::new("a", values, &[("main.yaml", &main)]) else { return };
    for (name, image) in [
        (
            "follows",
            "{{ .Values.global.imageRegistry | default .Values.image.registry }}/{{ .Values.image.repository }}:2",
        ),
        ("ignores", "{{ .Values.image.registry }}/{{ .Values.image.repository }}:3"),
    ] {
        let file = |path: &str| format!("a/charts/{name}/{path}");
        charts.place.write(&file("Chart.yaml"), format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n"));
        charts
            .place
            .write(&file("values.yaml"), format!("image: {{registry: quay.io, repository: x/{name}}}\n"));
        charts.place.write(&file("templates/pod.yaml"), pod(name, &format!("image: {image}")));
    }
    let (answer, proof) = relocate(&charts, &[]);
    assert_eq!(answer.code, 0, "{}{}", answer.err, answer.out);
    let edits: Vec<_> = proof["edits"].as_array().unwrap().iter().map(|edit| edit["path"].clone()).collect();
    assert_eq!(edits, [json!("global.imageRegistry"), json!("ignores.image.registry")]);
    let moved = ["follows:2", "ignores:3", "main:1"].map(|name| format!("{SITE}/quay.io/x/{name}"));
    assert_eq!(images(&charts), moved);
}

#[test]
fn a_dry_run_shows_the_edits_and_writes_nothing() {
    let Some(charts) = Charts::new(
        "a",
        "image: quay.io/x/y # comment\n",
        &[("a.yaml", &pod("a", "image: {{ .Values.image }}:1"))],
    ) else {
        return;
    };
    let answer = charts.run(&["relocate", "a", "--to", SITE, "--dry-run"]);
    assert_eq!(answer.code, 0, "{}", answer.err);
    let diff = "-image: quay.io/x/y # comment\n+image: registry.local.cloud:5000/quay.io/x/y # comment\n";
    assert!(answer.out.contains(diff), "{}", answer.out);
    assert!(!charts.place.exists("dist"));
    let refused = charts.run(&["relocate", "a", "--to", "https://registry.local.cloud"]);
    assert!(refused.err.contains("is no registry: write a host with its port"), "{}", refused.err);
}

/// A catalogue of the chart `a`, with an own recipe.
fn catalogue(charts: &Charts, recipe: &str) {
    charts.place.write("a/recipe.yaml", recipe);
    let target = format!("target: {{registry: '{SITE}', repository: playcekube}}\nrecipes: [a]\n");
    charts.place.write("playcekube.yaml", target);
}

fn lock(charts: &Charts, arguments: &[&str]) -> Answer {
    charts.run(&[&["lock", "--vault", "vault", "--images", "names"], arguments].concat())
}

#[test]
fn a_lock_counts_the_renderings_of_each_chart_on_a_terminal_alone() {
    let main = pod("main", "image: quay.io/x/y:1");
    let Some(charts) = Charts::new("a", "on: false\n", &[("main.yaml", &main)]) else { return };
    catalogue(&charts, "chart: .\n");
    let line = ["lock", "--vault", "vault", "--images", "names"];
    if let Some(shown) = charts.run_on_a_terminal(&line) {
        assert!(shown.contains(" renderings, ") && shown.contains("0/1"), "{shown}");
    }
    assert_eq!(lock(&charts, &[]).err, "locked a\n");
}

#[test]
fn a_lock_names_the_images_and_builds_the_chart_with_its_references_moved() {
    let values = "image: {repository: quay.io/x/y, tag: '1'}\nextra: {enabled: false, image: x/extra:2}\n";
    let main = pod("main", "image: {{ .Values.image.repository }}:{{ .Values.image.tag }}");
    let extra = "{{ if .Values.extra.enabled }}\n".to_owned()
        + &pod("extra", "image: {{ .Values.extra.image }}")
        + "{{ end }}\n";
    let Some(charts) = Charts::new("a", values, &[("main.yaml", &main), ("extra.yaml", &extra)]) else {
        return;
    };
    catalogue(
        &charts,
        "chart: .\nimages:\n  toggles: [extra.enabled]\n  substitutions: {docker.io/x: ghcr.io/y}\n",
    );
    let answer = lock(&charts, &["--proofs", "proofs"]);
    assert_eq!(answer.code, 0, "{}", answer.err);
    assert!(
        answer.out.contains("unresolved: 2 images have no digest: no registry was asked\n"),
        "{}",
        answer.out
    );
    let text = String::from_utf8(charts.place.read("playcekube.lock")).unwrap();
    for line in [
        "- name: docker.io/x/extra:2\n      siteName: registry.local.cloud:5000/ghcr.io/y/extra:2\n      copiedFrom: ghcr.io/y/extra:2\n",
        "- \"templates/extra.yaml: Pod/extra spec.containers[0].image, with extra.enabled\"\n",
        "- path: image.repository\n      value: registry.local.cloud:5000/quay.io/x/y\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
    let proof = String::from_utf8(charts.place.read("proofs/a.txt")).unwrap();
    assert!(proof.contains("2 views, 3 image references, 0 of them foreign; 2 edits"), "{proof}");
    let built = charts.run(&["build", "--vault", "vault", "-o", "dist"]);
    assert_eq!(built.code, 0, "the gate finds nothing that is left: {}{}", built.out, built.err);
    let built = values_of(&charts.place.archive("dist/a-1.2.3.tgz"));
    assert_eq!(built["extra"]["image"], format!("{SITE}/ghcr.io/y/extra:2"));
    // What was found is proven again, not searched again, and the lock stays the same text.
    lock(&charts, &[]);
    assert_eq!(String::from_utf8(charts.place.read("playcekube.lock")).unwrap(), text);
    let target = String::from_utf8(charts.place.read("playcekube.yaml")).unwrap();
    charts.place.write("playcekube.yaml", target.replace(SITE, "other.local:5000"));
    assert_eq!(lock(&charts, &[]).code, 0);
    let moved = String::from_utf8(charts.place.read("playcekube.lock")).unwrap();
    assert!(moved.contains("value: other.local:5000/quay.io/x/y\n") && !moved.contains(SITE), "{moved}");
}

#[test]
fn a_lock_tells_what_no_value_moves_and_refuses_two_images_of_one_name() {
    let Some(charts) = Charts::new("a", "", &[("a.yaml", &pod("a", "image: gcr.io/x/y:1"))]) else { return };
    catalogue(&charts, "chart: .\n");
    let answer = lock(&charts, &[]);
    let expected = "foreign: a: no value moves gcr.io/x/y:1 of templates/a.yaml line 7: patch it (`--proofs` shows how), or waive the check `foreign-image`\n";
    assert!(answer.code == 0 && answer.out.contains(expected), "{}{}", answer.out, answer.err);
    catalogue(&charts, "chart: .\nwaivers: [{check: foreign-image, reason: the mirror has it}]\n");
    let answer = lock(&charts, &[]);
    assert!(answer.code == 0 && !answer.out.contains("foreign:"), "{}", answer.out);
    let text = String::from_utf8(charts.place.read("playcekube.lock")).unwrap();
    assert!(text.contains("declared: the mirror has it\n"), "{text}");
    charts.place.write("b/Chart.yaml", "apiVersion: v2\nname: b\nversion: 1.0.0\n");
    charts.place.write("b/templates/b.yaml", pod("b", "image: quay.io/x/y:1"));
    charts.place.write("b/recipe.yaml", "chart: .\n");
    let target =
        format!("target: {{registry: '{SITE}', repository: p}}\npathPolicy: strip-host\nrecipes: [a, b]\n");
    charts.place.write("playcekube.yaml", target);
    let refused = lock(&charts, &[]);
    let expected = "`gcr.io/x/y:1` and `quay.io/x/y:1` would both be `registry.local.cloud:5000/x/y:1`";
    assert!(refused.code == 1 && refused.err.contains(expected), "{}", refused.err);
    assert_eq!(String::from_utf8(charts.place.read("playcekube.lock")).unwrap(), text);
}
