//! `render` and `images`, on charts that hide their images in the ways that real charts do.

use serde_json::{Value, json};

use crate::charts::{Charts, pod};

#[test]
fn split_keys_and_tags_of_the_application_or_the_cluster_are_put_together() {
    let values = "image: {registry: quay.io, repository: a/split, tag: \"\"}\n";
    let split = pod(
        "split",
        "image: {{ .Values.image.registry }}/{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}",
    );
    let cluster = pod(
        "cluster",
        "image: a/kubectl:{{ .Capabilities.KubeVersion.Major }}.{{ .Capabilities.KubeVersion.Minor }}",
    );
    let Some(charts) = Charts::new("a", values, &[("split.yaml", &split), ("cluster.yaml", &cluster)]) else {
        return;
    };
    let expected = ["docker.io/a/kubectl:1.31", "quay.io/a/split:4.5"];
    assert_eq!(charts.images(&["a"]), expected);
    let both = ["docker.io/a/kubectl:1.22", "docker.io/a/kubectl:1.31", "quay.io/a/split:4.5"];
    assert_eq!(charts.images(&["a", "--kube-version", "1.22.5", "--kube-version", "1.31.0"]), both);
}

#[test]
fn arguments_environment_configuration_and_custom_resources_are_read() {
    let digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let arguments = pod(
        "arguments",
        &format!(
            "image: a/main:1@{digest}\nargs: [--sidecar-image=a/flag:1, -shell-image, gcr.io/a/tagless]"
        ),
    );
    let environment =
        pod("environment", "image: a/main:1\nenv: [{name: RELATED_IMAGE_B, value: 'a/environment:1'}]");
    let configuration = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  a.yaml: |\n    agent:\n      image: a/in-yaml:1\n  \
                         b.toml: |\n    [[runners]]\n      [runners.kubernetes]\n        image = \"ubuntu:16.04\"\n  \
                         c.json: '{\"natsImage\": \"a/in-json:1\"}'\n";
    let resource = "apiVersion: monitoring.coreos.com/v1\nkind: Prometheus\nmetadata: {name: p}\nspec: {image: 'quay.io/a/resource:1'}\n";
    let templates = [
        ("arguments.yaml", arguments.as_str()),
        ("environment.yaml", &environment),
        ("configuration.yaml", configuration),
        ("resource.yaml", resource),
    ];
    let Some(charts) = Charts::new("a", "", &templates) else { return };
    let pinned = format!("docker.io/a/main:1@{digest}");
    let expected = [
        "docker.io/a/environment:1",
        "docker.io/a/flag:1",
        "docker.io/a/in-json:1",
        "docker.io/a/in-yaml:1",
        "docker.io/a/main:1",
        &pinned,
        "docker.io/library/ubuntu:16.04",
        "gcr.io/a/tagless",
        "quay.io/a/resource:1",
    ];
    assert_eq!(charts.images(&["a"]), expected);
    let list = charts.discover(&["a"]);
    let is_pinned = |name: &str| {
        list["images"].as_array().unwrap().iter().any(|one| one["image"] == name && one["pinned"] == true)
    };
    assert!(is_pinned(&pinned) && !is_pinned("docker.io/a/main:1"));
}

#[test]
fn what_only_looks_like_an_image_is_not_listed() {
    let lines = "image: a/main:1\nargs: ['--listen=0.0.0.0:8080', 'ns/name:22', 'https://quay.io/a/b:1', 'git@github.com:a/b.git']\n\
                 env: [{name: IMAGE_PULL_POLICY, value: Always}, {name: REPOSITORY, value: graph/db}]";
    let Some(charts) = Charts::new("a", "", &[("pod.yaml", &pod("p", lines))]) else { return };
    assert_eq!(charts.images(&["a"]), ["docker.io/a/main:1"]);
}

#[test]
fn toggles_show_what_is_off_and_the_profile_says_which() {
    let values = "metrics: {enabled: false}\nbackup: {enabled: false}\nproxy: {enabled: false}\n";
    let inner =
        "{{ if .Values.metrics.enabled }}\nimage: a/exporter:1\n{{ else }}\nimage: a/main:1\n{{ end }}";
    let guarded = |condition: &str, name: &str| {
        format!("{{{{ if {condition} }}}}\n{}{{{{ end }}}}\n", pod(name, &format!("image: a/{name}:1")))
    };
    let backup = guarded(".Values.backup.enabled", "backup");
    let both = guarded("and .Values.backup.enabled .Values.proxy.enabled", "both");
    let templates = [("pod.yaml", pod("p", inner)), ("backup.yaml", backup), ("both.yaml", both)];
    let templates = templates.each_ref().map(|(name, text)| (*name, text.as_str()));
    let Some(charts) = Charts::new("a", values, &templates) else { return };
    let all = ["docker.io/a/backup:1", "docker.io/a/both:1", "docker.io/a/exporter:1", "docker.io/a/main:1"];
    assert_eq!(charts.images(&["a"]), all);
    assert_eq!(charts.images(&["a", "--profile", "exact"]), ["docker.io/a/main:1"]);
    let declared = charts.images(&["a", "--profile", "declared", "--toggle", "backup.enabled"]);
    assert_eq!(declared, ["docker.io/a/backup:1", "docker.io/a/main:1"]);
    let list = charts.discover(&["a"]);
    assert_eq!(list["images"][2]["trails"][0]["toggles"], json!(["metrics.enabled"]));
    let answer = charts.run(&["images", "a", "--why", "a/backup"]);
    assert_eq!(answer.code, 0);
    assert!(
        answer
            .out
            .contains("templates/backup.yaml: Pod/backup spec.containers[0].image, with backup.enabled"),
        "{}",
        answer.out
    );
    assert_eq!(charts.run(&["images", "a", "--why", "a/other"]).code, 1);
}

#[test]
fn hooks_count_and_tests_only_when_asked_for() {
    let hook = |name: &str, hook: &str| {
        pod(name, &format!("image: a/{name}:1"))
            .replace("}\nspec", &format!(", annotations: {{helm.sh/hook: {hook}}}}}\nspec"))
    };
    let (job, test) = (hook("job", "post-install"), hook("check", "test"));
    let initial = pod("main", "image: a/main:1") + "  initContainers: [{name: i, image: busybox}]\n";
    let templates = [("job.yaml", job.as_str()), ("tests/check.yaml", &test), ("main.yaml", &initial)];
    let Some(charts) = Charts::new("a", "", &templates) else { return };
    let expected = ["docker.io/a/job:1", "docker.io/a/main:1", "docker.io/library/busybox"];
    assert_eq!(charts.images(&["a"]), expected);
    let with_tests = charts.images(&["a", "--tests"]);
    assert_eq!(with_tests.len(), 4);
    assert!(with_tests.contains(&"docker.io/a/check:1".to_owned()));
}

#[test]
fn subcharts_are_found_below_their_alias_and_behind_their_condition() {
    let main = pod("main", "image: a/main:1");
    let Some(charts) = Charts::new("a", "cache: {enabled: false}\n", &[("main.yaml", &main)]) else { return };
    let metadata = "apiVersion: v2\nname: a\nversion: 1.2.3\ndependencies:\n\
                    - {name: b, version: 1.0.0, alias: cache, condition: cache.enabled}\n";
    charts.place.write("a/Chart.yaml", metadata);
    charts.place.write("a/charts/b/Chart.yaml", "apiVersion: v2\nname: b\nversion: 1.0.0\n");
    charts.place.write("a/charts/b/values.yaml", "tag: 7\nproxy: false\n");
    charts.place.write("a/charts/b/templates/b.yaml", pod("b", "image: a/b:{{ .Values.tag }}"));
    let proxy = format!("{{{{ if .Values.proxy }}}}\n{}{{{{ end }}}}\n", pod("proxy", "image: a/proxy:1"));
    charts.place.write("a/charts/b/templates/proxy.yaml", proxy);
    assert_eq!(charts.images(&["a"]), ["docker.io/a/b:7", "docker.io/a/main:1", "docker.io/a/proxy:1"]);
}

#[test]
fn values_that_a_chart_imports_from_its_subchart_count() {
    let main = pod("main", "image: a/main:{{ .Values.tag }}-{{ .Values.taken.size }}");
    let Some(charts) = Charts::new("a", "tag: own\n", &[("main.yaml", &main)]) else { return };
    let metadata = "apiVersion: v2\nname: a\nversion: 1.2.3\ndependencies:\n\
                    - {name: b, version: 1.0.0, import-values: [shared, {child: inner, parent: taken}]}\n";
    charts.place.write("a/Chart.yaml", metadata);
    charts.place.write("a/values.yaml", "");
    charts.place.write("a/charts/b/Chart.yaml", "apiVersion: v2\nname: b\nversion: 1.0.0\n");
    charts.place.write("a/charts/b/values.yaml", "exports: {shared: {tag: 9}}\ninner: {size: small}\n");
    assert_eq!(charts.images(&["a"]), ["docker.io/a/main:9-small"]);
}

#[test]
fn a_template_that_demands_a_value_is_left_out_and_named_until_the_value_is_given() {
    let demanding =
        pod("demanding", "image: a/demanding:1\nargs: [{{ required \"give me email\" .Values.email }}]");
    let main = pod("main", "image: a/main:1");
    let Some(charts) = Charts::new("a", "", &[("demanding.yaml", &demanding), ("main.yaml", &main)]) else {
        return;
    };
    let list = charts.discover(&["a"]);
    assert_eq!(list["leftOutTemplates"], json!(["`templates/demanding.yaml` line 8: give me email"]));
    assert_eq!(charts.images(&["a"]), ["docker.io/a/main:1"]);
    let probed = charts.images(&["a", "--probe", "email=x"]);
    assert_eq!(probed, ["docker.io/a/demanding:1", "docker.io/a/main:1"]);
    let answer = charts.run(&["render", "a"]);
    assert_eq!(answer.code, 1);
    assert!(answer.err.contains("give me email"), "{}", answer.err);
}

#[test]
fn a_toggle_that_is_refused_is_named_and_what_it_shows_besides_is_listed() {
    let values = "sentinel: {enabled: false}\n";
    let main = "image: a/{{ if .Values.sentinel.enabled }}sentinel{{ else }}main{{ end }}:1";
    let demand = "{{ if .Values.sentinel.enabled }}{{ fail \"sentinel needs replication\" }}{{ end }}";
    let templates = [("main.yaml", pod("main", main)), ("demand.yaml", demand.to_owned())];
    let templates = templates.each_ref().map(|(name, text)| (*name, text.as_str()));
    let Some(charts) = Charts::new("a", values, &templates) else { return };
    assert_eq!(charts.images(&["a"]), ["docker.io/a/main:1", "docker.io/a/sentinel:1"]);
    let said = charts.run(&["images", "a"]).out;
    let expected =
        "not turned on whole: sentinel.enabled: `templates/demand.yaml` line 1: sentinel needs replication";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn equal_paths_on_two_hosts_stay_two_images_and_a_substitution_is_shown_beside_the_name() {
    let (hub, quay) = (pod("hub", "image: a/b:1"), pod("quay", "image: quay.io/a/b:1"));
    let Some(charts) = Charts::new("a", "", &[("hub.yaml", &hub), ("quay.yaml", &quay)]) else { return };
    let list = charts.discover(&["a", "--substitute", "docker.io/a=docker.io/legacy"]);
    let images = list["images"].as_array().unwrap();
    let names: Vec<_> = images.iter().map(|one| (one["image"].clone(), one["fetchedAs"].clone())).collect();
    let expected =
        [(json!("docker.io/a/b:1"), json!("docker.io/legacy/b:1")), (json!("quay.io/a/b:1"), Value::Null)];
    assert_eq!(names, expected);
}

#[test]
fn what_a_known_chart_fetches_when_it_runs_is_listed_with_the_reason() {
    let main = pod("main", "image: a/main:1");
    let Some(charts) = Charts::new("velero", "", &[("main.yaml", &main)]) else { return };
    let list = charts.discover(&["velero"]);
    let extra = &list["images"][1];
    assert_eq!(extra["image"], "docker.io/velero/velero-restic-restore-helper:v4.5");
    assert_eq!(extra["trails"][0]["seenIn"], "statement");
}

#[test]
fn plugins_and_downloads_at_run_time_are_named() {
    let job = pod("job", "image: a/main:1\nargs: [-c, 'curl -fsSL https://example.org/tool.tgz | tar xz']");
    let Some(charts) = Charts::new("jenkins", "", &[("job.yaml", &job)]) else { return };
    let said = charts.run(&["images", "jenkins"]).out;
    for expected in [
        "needs the network: https://example.org/tool.tgz, by curl in templates/job.yaml: Pod/job; carry the file",
        "needs the network: the plugins in controller.installPlugins, from updates.jenkins.io; set",
    ] {
        assert!(said.contains(expected), "{expected}{said}");
    }
}

#[test]
fn a_choice_among_texts_is_tried_and_unlocks_what_asks_for_it() {
    let main = "image: a/{{ if eq .Values.mode \"cluster\" }}cluster{{ else }}single{{ end }}:1";
    let sentinel = "{{ if .Values.sentinel.enabled }}{{ if ne .Values.mode \"cluster\" }}{{ fail \"sentinel needs the mode cluster\" }}{{ end }}\n"
        .to_owned()
        + &pod("sentinel", "image: a/sentinel:1")
        + "{{ end }}\n";
    let templates = [("main.yaml", pod("main", main)), ("sentinel.yaml", sentinel)];
    let templates = templates.each_ref().map(|(name, text)| (*name, text.as_str()));
    let Some(charts) = Charts::new("a", "mode: single\nsentinel: {enabled: false}\n", &templates) else {
        return;
    };
    let all = ["docker.io/a/cluster:1", "docker.io/a/sentinel:1", "docker.io/a/single:1"];
    assert_eq!(charts.images(&["a"]), all);
    let said = charts.run(&["images", "a", "--why", "a/cluster"]).out;
    assert!(said.contains("spec.containers[0].image, with mode=cluster"), "{said}");
    assert!(!charts.run(&["images", "a"]).out.contains("not turned on whole"));
    let declared = charts.images(&["a", "--profile", "declared", "--toggle", "mode=cluster"]);
    assert_eq!(declared, ["docker.io/a/cluster:1", "docker.io/a/single:1"]);
}

#[test]
fn render_prints_documents_with_their_templates_and_a_helm_that_is_missing_is_named() {
    let main = pod("main", "image: a/main:{{ .Values.tag }}");
    let Some(charts) = Charts::new("a", "tag: one\n", &[("main.yaml", &main)]) else { return };
    let answer = charts.run(&["render", "a", "--set", "tag=two"]);
    assert_eq!(answer.code, 0, "{}", answer.err);
    assert!(answer.out.starts_with("---\n# Source: templates/main.yaml\n"), "{}", answer.out);
    assert!(answer.out.contains("image: a/main:two"));
    let missing = charts.run(&["render", "a", "--helm", "./no-such-helm"]);
    assert_eq!(missing.code, 1);
    assert!(
        missing.err.contains("`./no-such-helm`") && missing.err.contains("CHARTPACK_HELM"),
        "{}",
        missing.err
    );
}

#[test]
fn values_of_two_gigabytes_are_refused_before_they_are_read() {
    let Some(charts) = Charts::new("a", "", &[]) else { return };
    std::fs::File::create(charts.place.path("large.yaml")).unwrap().set_len(2 << 30).unwrap();
    for command in ["render", "images"] {
        let answer = charts.run(&[command, "a", "--values", "large.yaml"]);
        assert_eq!((answer.code, answer.out.as_str()), (1, ""), "{command}");
        assert!(answer.err.contains("`large.yaml` has more than "), "{command}: {}", answer.err);
    }
}
