//! `chartpack gate`, and the gate within `build`, on charts with one fault each and on real ones.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::helm::{helm, variable};
use crate::support::{Answer, Workplace};

const CHART: &str = "apiVersion: v2\nname: web\nversion: 1.2.3\nappVersion: \"4.5\"\nicon: file://icon.svg\n";
const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n  - name: web\n    image: registry.local.cloud:5000/web:1\n";

/// A place to work in, and the helm that renders there.
struct Site {
    place: Workplace,
    helm: PathBuf,
}

impl Site {
    /// Nothing when there is no helm.
    fn new() -> Option<Self> {
        Some(Self { place: Workplace::new(), helm: helm()? })
    }

    /// Writes the chart `web` with one template besides a sound pod.
    fn chart(&self, values: &str, template: &str) {
        self.place.write("web/Chart.yaml", CHART);
        self.place.write("web/icon.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>\n");
        self.place.write("web/values.yaml", values);
        self.place.write("web/templates/pod.yaml", POD);
        self.place.write("web/templates/it.yaml", template);
    }

    fn run(&self, arguments: &[&str]) -> Answer {
        let cache = self.place.path("cache");
        let variables =
            [("CHARTPACK_HELM", self.helm.to_str().unwrap()), ("CHARTPACK_CACHE", cache.to_str().unwrap())];
        self.place.run_with(arguments, &variables)
    }

    /// Returns the verdict on one chart as JSON, and the exit code.
    fn judge(&self, arguments: &[&str]) -> (Value, i32) {
        let answer = self.run(&[&["gate", "--output", "json"], arguments].concat());
        assert!(answer.out.starts_with('['), "{}", answer.err);
        let verdicts: Value = serde_json::from_str(&answer.out).unwrap();
        (verdicts[0].clone(), answer.code)
    }

    /// Returns check, subject and place of everything that refuses the chart.
    fn refused(&self, arguments: &[&str]) -> Vec<String> {
        let (verdict, code) = self.judge(arguments);
        let refused: Vec<_> = verdict["refused"].as_array().unwrap().iter().map(shown).collect();
        assert_eq!(code, i32::from(!refused.is_empty()));
        refused
    }
}

#[test]
fn toggles_that_nobody_tried_together_are_named() {
    let Some(site) = Site::new() else { return };
    // Any two of these exclude each other: after 64 renderings some are left.
    let values: String = (10..50).map(|number| format!("part{number}: {{enabled: false}}\n")).collect();
    site.chart(
        &values,
        "{{- $on := list }}\n{{- range $name, $part := .Values }}{{ if kindIs \"map\" $part }}{{ if $part.enabled }}\
         {{ $on = append $on $name }}{{ end }}{{ end }}{{ end }}\n\
         {{- if gt (len $on) 1 }}{{ fail (printf \"choose one of %s\" (join \",\" $on)) }}{{ end }}\n",
    );
    let (verdict, code) = site.judge(&["web"]);
    assert_eq!(code, 0, "{verdict}");
    let left = verdict["notTriedTogether"].as_array().unwrap();
    let contradictions = verdict["listed"].as_array().unwrap().iter().map(shown);
    let contradictions = contradictions.filter(|one| one.starts_with("toggle part")).count();
    assert!(!left.is_empty(), "{verdict}");
    // One goes alone; of every other one it is known, or said that it is not.
    assert_eq!(1 + contradictions + left.len(), 40, "{verdict}");
    assert_eq!(left.last().unwrap(), "part49.enabled");
    let said = site.run(&["gate", "web"]).out;
    assert!(said.contains("  not tried together with the other toggles, only alone ("), "{said}");
    assert!(said.contains(", part49.enabled\n"), "{said}");
}

fn shown(finding: &Value) -> String {
    let text = |key: &str| finding[key].as_str().unwrap_or_default();
    format!("{} {} {}:{}", text("check"), text("subject"), text("file"), finding["line"])
}

#[test]
fn a_sound_chart_passes_and_renders_once_for_each_version_and_toggle() {
    let Some(site) = Site::new() else { return };
    site.chart("extra: {enabled: false}\nother: {enabled: false}\n", "");
    let (verdict, code) =
        site.judge(&["web", "--kube-version", "1.24", "--kube-version", "1.31", "--toggle", "extra.enabled"]);
    assert_eq!((code, &verdict["refused"]), (0, &serde_json::json!([])), "{verdict}");
    // Values, declared and all toggles at two versions, each of two toggles at the newest.
    assert_eq!((verdict["renderings"].as_u64(), verdict["toggles"].as_u64()), (Some(8), Some(2)));
}

#[test]
fn every_check_names_its_subject_and_place() {
    let Some(site) = Site::new() else { return };
    let pod = |rest: &str| POD.replace("name: web\nspec", "name: other\nspec") + rest;
    let map = |data: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: map}}\ndata:\n{data}");
    let table: Vec<(&str, String, &str)> = vec![
        ("", "a: {{ .Values.old.enabled }}\n".into(), "render templates/it.yaml templates/it.yaml:1"),
        (
            "",
            "\n{{ required \"give me b\" .Values.b }}\n".into(),
            "render templates/it.yaml templates/it.yaml:2",
        ),
        ("", "a: [\n".into(), "invalid-yaml templates/it.yaml templates/it.yaml:null"),
        ("", "a: 1\n".into(), "incomplete-resource templates/it.yaml templates/it.yaml:null"),
        ("", POD.into(), "duplicate-resource Pod/web templates/pod.yaml:2"),
        (
            "",
            "apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: c}\n".into(),
            "removed-api batch/v1beta1/CronJob/c templates/it.yaml:1",
        ),
        (
            "",
            pod("    image: docker.io/other:1\n"),
            "foreign-image docker.io/library/other:1 templates/it.yaml:null",
        ),
        (
            "mirror: https://get.helm.sh\n",
            pod("    env: [{name: MIRROR, value: {{ .Values.mirror }}}]\n"),
            "public-url https://get.helm.sh values.yaml:1",
        ),
        (
            "",
            pod("    command: [sh, -c, 'curl -O https://get.helm.sh/helm.tgz']\n"),
            "download https://get.helm.sh/helm.tgz templates/it.yaml:9",
        ),
        ("", map("  plugins.txt: |\n    git:4\n"), "plugin-list plugins.txt templates/it.yaml:6"),
        ("a:\n  password: kq3!xyzw\n", String::new(), "secret a.password values.yaml:2"),
    ];
    for (values, template, expected) in table {
        site.chart(values, &template);
        let refused = site.refused(&["web", "--registry", "registry.local.cloud:5000"]);
        assert!(refused.contains(&expected.to_owned()), "{template}{refused:?}");
        assert_eq!(refused.len(), 1, "{template}{refused:?}");
    }
}

#[test]
fn values_that_break_the_schema_are_refused_with_their_path() {
    let Some(site) = Site::new() else { return };
    site.chart("replicas: many\n", "");
    site.place.write(
        "web/values.schema.json",
        "{\"properties\": {\"replicas\": {\"type\": \"integer\"}}, \"type\": \"object\"}",
    );
    let (verdict, code) = site.judge(&["web"]);
    let finding = &verdict["refused"][0];
    assert_eq!((code, shown(finding).as_str()), (1, "schema replicas values.yaml:1"), "{verdict}");
    assert!(finding["cause"].as_str().unwrap().contains("integer"), "{finding}");
}

#[test]
fn files_that_nobody_added_are_found_and_those_of_the_recipe_are_not() {
    let Some(site) = Site::new() else { return };
    site.chart("", "");
    site.place.succeed(&["pack", "web"]);
    site.place.write("web/templates/newer.yaml", "");
    site.place.write("web/templates/pod.yaml.orig", "");
    let refused = site.refused(&["web", "--upstream", "web-1.2.3.tgz"]);
    let expected = [
        "stale-file templates/newer.yaml templates/newer.yaml:null",
        "stale-file templates/pod.yaml.orig templates/pod.yaml.orig:null",
    ];
    assert_eq!(refused, expected);
    site.place.write("ours/recipe.yaml", "chart: ../web-1.2.3.tgz\noverlay: over\npatches: [new.patch]\n");
    site.place.write("ours/over/templates/more.yaml", "");
    site.place.write("ours/new.patch", "--- /dev/null\n+++ b/templates/made.yaml\n@@ -0,0 +1 @@\n+# made\n");
    assert_eq!(site.refused(&["ours"]), [""; 0]);
}

#[test]
fn toggles_refuse_only_where_they_are_declared_or_upstream_does_better() {
    let Some(site) = Site::new() else { return };
    let template = "{{ if .Values.a.enabled }}{{ fail \"no\" }}{{ end }}\n{{ if .Values.b.enabled }}{{ .Values.gone.x }}{{ end }}\n";
    site.chart("a: {enabled: false}\nb: {enabled: false}\ngone: {x: ''}\n", template);
    site.place.succeed(&["pack", "web"]);
    site.place.write("ours/recipe.yaml", "chart: ../web-1.2.3.tgz\n");
    let (verdict, _) = site.judge(&["ours"]);
    assert_eq!(verdict["refused"], serde_json::json!([]));
    let listed = &verdict["listed"][0];
    assert_eq!(listed["subject"], "a.enabled");
    assert!(listed["cause"].as_str().unwrap().starts_with("asks for more values: "), "{listed}");
    site.place.write("ours/recipe.yaml", "chart: ../web-1.2.3.tgz\nimages: {toggles: [a.enabled]}\n");
    let refused = site.refused(&["ours"]);
    assert_eq!(
        refused,
        ["render templates/it.yaml templates/it.yaml:1", "toggle a.enabled templates/it.yaml:1"]
    );
    // Our own edit breaks what upstream renders.
    site.place.write("ours/recipe.yaml", "chart: ../web-1.2.3.tgz\nvalues: {gone: null}\n");
    assert_eq!(site.refused(&["ours"]), ["toggle b.enabled templates/it.yaml:2"]);
}

#[test]
fn a_waiver_silences_what_it_names_and_an_unused_one_is_refused() {
    let Some(site) = Site::new() else { return };
    site.chart("a:\n  password: kq3!xyzw\n", "");
    let recipe = |subject: &str| {
        format!("chart: .\nwaivers:\n- check: secret\n  subject: {subject}\n  reason: published default\n")
    };
    site.place.write("web/recipe.yaml", recipe("a.password"));
    let (verdict, code) = site.judge(&["web"]);
    assert_eq!((code, &verdict["waived"][0]["reason"]), (0, &"published default".into()), "{verdict}");
    site.place.write("web/recipe.yaml", recipe("b.password"));
    let expected = ["secret a.password values.yaml:2", "unused-waiver b.password recipe.yaml:3"];
    assert_eq!(site.refused(&["web"]), expected);
    site.place.write("web/recipe.yaml", "chart: .\nwaivers:\n- {check: secrets, reason: x}\n");
    let answer = site.run(&["gate", "web"]);
    assert_eq!(answer.code, 1);
    assert!(
        answer.err.contains("line 3 column 11: `check` is `secrets`; it must be one of"),
        "{}",
        answer.err
    );
}

#[test]
fn a_build_is_refused_by_the_gate_and_writes_nothing() {
    let Some(site) = Site::new() else { return };
    site.chart("", "a: {{ .Values.old.enabled }}\n");
    site.place.write("web/recipe.yaml", "chart: .\n");
    let catalogue = "target: {registry: 'registry.local.cloud:5000', repository: playcekube}\nkubernetes: ['1.24', '1.31']\nrecipes: [web]\n";
    site.place.write("playcekube.yaml", catalogue);
    let build = ["build", "--vault", "vault", "-o", "dist"];
    site.place.lock();
    let answer = site.run(&build);
    assert_eq!(answer.code, 1);
    assert!(answer.out.contains("templates/it.yaml line 1: nil pointer"), "{}", answer.out);
    assert!(answer.err.contains("the gate refuses 1 of 1 charts, and nothing was written"), "{}", answer.err);
    assert!(!site.place.exists("dist"));
    let answer = site.run(&[&build[..], &["--no-gate"]].concat());
    assert_eq!(answer.code, 0);
    assert!(answer.err.contains("warning: --no-gate: no chart was rendered"), "{}", answer.err);
    site.place.write("web/templates/it.yaml", "");
    site.place.lock();
    let answer = site.run(&build);
    assert_eq!(answer.code, 0, "{}{}", answer.out, answer.err);
    assert!(
        answer.out.starts_with("gate: 1 charts passed, 2 renderings, 0 findings waived\n"),
        "{}",
        answer.out
    );
    let (verdict, code) = site.judge(&["playcekube.yaml", "--vault", "vault"]);
    assert_eq!(
        (code, &verdict["name"], &verdict["kubernetesVersions"][0]),
        (0, &"web".into(), &"1.24".into())
    );
}

#[test]
fn without_helm_a_build_says_what_to_do() {
    let place = Workplace::new();
    place.write("web/Chart.yaml", CHART);
    place.write("web/recipe.yaml", "chart: .\n");
    place.write("playcekube.yaml", "target: {registry: r, repository: p}\nrecipes: [web]\n");
    place.lock();
    let answer = place.run(&["build", "--vault", "vault", "-o", "dist", "--helm", "no-such-helm"]);
    assert_eq!(answer.code, 1);
    assert!(answer.err.contains("cannot run `no-such-helm`"), "{}", answer.err);
    assert!(!place.exists("dist"));
}

/// The folder of real charts; nothing where it is not.
fn real_charts(kind: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/upstream").join(kind);
    folder.is_dir().then_some(folder)
}

#[test]
fn broken_charts_are_refused_with_their_true_cause() {
    let (Some(site), Some(folder)) = (Site::new(), real_charts("broken")) else { return };
    let table = [
        ("harbor-19.3.0", "templates/notary/notary-svc.yaml", 1, "notary"),
        ("jenkins-4.1.12", "templates/jenkins-controller-podmonitor.yaml", 1, "controller.googlePodMonitor"),
        ("metrics-server-3.8.2", "templates/rolebinding-nanny.yaml", 2, "addonResizer"),
    ];
    for (name, template, line, missing) in table {
        let chart = folder.join(format!("{name}.tgz"));
        let (verdict, code) = site.judge(&[chart.to_str().unwrap()]);
        let refused = verdict["refused"].as_array().unwrap();
        let place = format!("render {template} {template}:{line}");
        let finding = refused.iter().find(|finding| shown(finding) == place);
        assert!(finding.is_some(), "{verdict}");
        let cause = finding.unwrap()["cause"].as_str().unwrap();
        let expected = format!("values.yaml has no `{missing}`, so this template is of another version");
        assert!(code == 1 && cause.contains(&expected), "{cause}");
    }
}

/// Charts whose sweep of toggles takes long: judged only with `CHARTROOM_TEST_ALL=1`.
const SLOW: [&str; 9] = [
    "argo-cd-4.9.11",
    "argo-rollouts-2.18.0",
    "gitlab-6.1.1",
    "harbor-14.0.3",
    "ingress-nginx-4.9.0",
    "keycloak-9.2.2",
    "kube-prometheus-stack-35.3.1",
    "oauth2-proxy-6.2.0",
    "sonarqube-10.4.0+2288",
];

#[test]
fn good_charts_pass_with_the_waivers_that_are_written_down() {
    let (Some(site), Some(folder)) = (Site::new(), real_charts("charts")) else { return };
    let waivers = include_bytes!("../real-charts.yaml");
    let waivers = chart::yaml::parse(waivers, &chart::yaml::Budget::default()).unwrap().to_json();
    let is_slow = |name: &str| SLOW.contains(&name) && variable("CHARTROOM_TEST_ALL").is_none();
    let (mut judged, mut count) = (Vec::new(), 0);
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        if is_slow(name) {
            continue;
        }
        let mut recipe = waivers.get(name).cloned().unwrap_or_else(|| serde_json::json!({}));
        recipe["upstream"] = serde_json::json!({"path": "chart.tgz"});
        recipe["icon"] = serde_json::json!({"path": "icon.svg"});
        site.place.write(&format!("{name}/recipe.yaml"), recipe.to_string());
        site.place.write(&format!("{name}/icon.svg"), "<svg xmlns='http://www.w3.org/2000/svg'/>\n");
        site.place.write(&format!("{name}/chart.tgz"), fs::read(&path).unwrap());
        // Images are the business of relocation.
        let refused = site.refused(&[
            name,
            "--registry",
            "registry.local.cloud:5000",
            "--skip",
            "foreign-image",
            "--kube-version",
            "1.24",
            "--kube-version",
            "1.31",
        ]);
        judged.extend(refused.into_iter().map(|finding| format!("{name}: {finding}")));
        count += 1;
    }
    assert_eq!(judged, [""; 0]);
    assert!(count >= 10, "{count}");
}
