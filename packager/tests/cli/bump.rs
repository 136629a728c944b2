//! `chartpack bump` on what the vault holds; the stories ask real servers.

use chart::testing::ChartBuilder;
use serde_json::{Value, json};

use crate::support::Workplace;

const OLD_VALUES: &str = "replicas: 1\nkind: Deployment\nimage: {repository: quay.io/a/web, tag: '1'}\n\
                          patch: {user: 2000, group: 2000}\nlegacy: {resources: {limits: {cpu: 100m}}}\n";
const NEW_VALUES: &str = "replicas: 1\nkind: Deployment\nimage: {repository: quay.io/a/web, tag: '2'}\n\
                          job: {user: 65532}\nmodern: {resources: {limits: {cpu: 100m}}}\nextraImage: quay.io/a/job:1\n";
const TEMPLATE: &str = "a: 1\nb: 2\nc: 3\nimage: upstream\nd: 4\ne: 5\nf: 6\n";

const RECIPE: &str = "\
# Why this chart.
upstream:
  repository: http://127.0.0.1:9/never-asked
  chart: web
  version: 1.2.3   # what the site runs
  digest: \"DIGEST\"
revision: 7
values:
  replicas: 2   # two of them
  kind: DaemonSet
  image.tag: \"1-site\"
  patch.user: 3000
  legacy.resources.limits.cpu: 200m
patches: [drifts.patch, dead.patch]
";

/// A vault with two versions of one chart, taken there by recipes of archives, and a recipe of the older one.
struct Shelf {
    place: Workplace,
    new_digest: String,
}

impl Shelf {
    fn new() -> Self {
        let place = Workplace::new();
        let chart = |version: &str, values: &str, template: &str, kubernetes: &str| {
            ChartBuilder::new("web", version)
                .kube_version(kubernetes)
                .file("values.yaml", values)
                .file("templates/pod.yaml", template)
                .build()
        };
        let old = chart("1.2.3", OLD_VALUES, TEMPLATE, ">=1.19.0-0");
        let moved = format!("# a\n# b\n{}", TEMPLATE.replace("f: 6", "f: six"));
        let new = chart("1.3.0", NEW_VALUES, &moved, ">=1.25.0-0");
        let digest = |bytes: &[u8]| oci_digest(bytes);
        let recipe = RECIPE.replace("DIGEST", &digest(&old));
        place.write("shelf/old/web.tgz", &old);
        place.write("shelf/new/web.tgz", &new);
        place.write("shelf/old/recipe.yaml", "upstream: {path: web.tgz}\n");
        place.write("shelf/new/recipe.yaml", "upstream: {path: web.tgz}\n");
        let target = "target: {registry: 'registry.local.cloud:5000', repository: playcekube}\n";
        place.write("shelf.yaml", format!("{target}recipes: [shelf/old, shelf/new]\n"));
        place.write(
            "playcekube.yaml",
            format!("{target}kubernetes: ['1.24', '1.31']\nrecipes: [recipes/web]\n"),
        );
        place.write("recipes/web/recipe.yaml", &recipe);
        place.write(
            "recipes/web/drifts.patch",
            "--- a/templates/pod.yaml\n+++ b/templates/pod.yaml\n@@ -3,3 +3,3 @@\n c: 3\n-image: upstream\n+image: ours\n d: 4\n",
        );
        place.write(
            "recipes/web/dead.patch",
            "--- a/templates/pod.yaml\n+++ b/templates/pod.yaml\n@@ -6,2 +6,2 @@\n e: 5\n-f: 6\n+f: ours\n",
        );
        place.succeed_quietly(&["lock", "shelf.yaml", "--vault", "vault", "--images", "none"]);
        Self { place, new_digest: digest(&new) }
    }

    fn bump(&self, arguments: &[&str]) -> crate::support::Answer {
        let always = ["bump", "--offline", "--without-helm", "--vault", "vault"];
        self.place.run(&[&always, arguments].concat())
    }

    fn recipe(&self) -> String {
        String::from_utf8(self.place.read("recipes/web/recipe.yaml")).unwrap()
    }
}

fn oci_digest(bytes: &[u8]) -> String {
    oci::Digest::sha256(bytes).to_string()
}

#[test]
fn everything_that_does_not_hold_is_named_and_nothing_else() {
    let shelf = Shelf::new();
    let before = shelf.recipe();
    let answer = shelf.bump(&["--output", "json"]);
    assert_eq!(answer.code, 1, "{}", answer.err);
    let report: Value = serde_json::from_str(&answer.out).unwrap();
    let web = &report[0];
    assert_eq!(
        (&web["before"], &web["after"], &web["status"]),
        (&json!("1.2.3"), &json!("1.3.0"), &json!("needsAHand"))
    );
    let findings = web["findings"].as_array().unwrap();
    let told: Vec<Vec<&Value>> = findings
        .iter()
        .map(|one| {
            ["finding", "path", "patch", "version", "probable"]
                .iter()
                .filter_map(|key| one.get(key))
                .collect()
        })
        .collect();
    let told = serde_json::to_value(told).unwrap();
    let expected = json!([
        ["kubernetesConstraint"],
        ["kubernetes", "1.24"],
        ["otherDefault", "image.tag"],
        ["gonePath", "patch.user", []],
        ["gonePath", "legacy.resources.limits.cpu", ["modern.resources.limits.cpu"]],
        ["drifted", "drifts.patch"],
        ["deadHunk", "dead.patch"],
    ]);
    assert_eq!(told, expected, "{}", answer.out);
    assert_eq!(findings[5]["drift"], "2 lines further down");
    assert_eq!(findings[6]["hunk"], "@@ -6,2 +6,2 @@\n e: 5\n-f: 6\n+f: ours\n");
    assert_eq!(web["images"]["added"], json!(["quay.io/a/job:1"]));
    assert_eq!(shelf.recipe(), before, "nothing is written without --write");
    let text = shelf.bump(&[]);
    assert!(text.out.starts_with("web: 1.2.3 -> 1.3.0, needs a hand\n"), "{}", text.out);
    assert!(text.out.contains("  ! gone: `legacy.resources.limits.cpu` of `values`, probably `modern.resources.limits.cpu` now\n"), "{}", text.out);
    assert!(
        text.out.contains("  ! dead: dead.patch: hunk 1 (line 6) does not fit `templates/pod.yaml`"),
        "{}",
        text.out
    );
    assert!(text.out.contains("      -f: 6\n      +f: ours\n"), "{}", text.out);
}

#[test]
fn images_are_those_that_both_charts_show_with_the_edits_made() {
    let Some(helm) = crate::helm::helm() else { return };
    let shelf = Shelf::new();
    let head = RECIPE.split("revision").next().unwrap().replace("  digest: \"DIGEST\"\n", "");
    let pod = "kind: Pod\nmetadata: {name: p}\nspec: {containers: [{image: '{{ .Values.image.repository }}:{{ .Values.image.tag }}'}]}\n";
    shelf.place.write("recipes/web/over/templates/real.yaml", pod);
    let images_with = |values: &str| {
        shelf.place.write("recipes/web/recipe.yaml", format!("{head}values: {{{values}}}\noverlay: over\n"));
        let arguments = ["bump", "--offline", "--vault", "vault", "--no-cache", "--output", "json"];
        let answer = shelf.place.run_with(&arguments, &[("CHARTPACK_HELM", helm.to_str().unwrap())]);
        let report: Value = serde_json::from_str(&answer.out).unwrap();
        report[0]["images"].clone()
    };
    let newer = json!([{"before": "quay.io/a/web:1", "after": "quay.io/a/web:2"}]);
    let expected = json!({"added": [], "removed": [], "newTags": newer, "fromValuesAlone": false});
    assert_eq!(images_with("replicas: 2"), expected, "what only values name is not shown");
    assert_eq!(images_with("image.tag: '1-site'")["newTags"], json!([]), "the recipe says which one");
}

#[test]
fn dependencies_that_the_newer_chart_does_not_carry_come_from_the_vault_or_are_named() {
    let shelf = Shelf::new();
    let chart = |version: &str| {
        let chart = ChartBuilder::new("web", version).file("values.yaml", "part: {size: 1}\n");
        match version {
            "1.4.0" => chart.dependency("part", "~2.0", "https://charts.test/stable"),
            _ => chart,
        }
    };
    shelf.place.write("shelf/new/web.tgz", chart("1.4.0").build());
    shelf
        .place
        .write("shelf/new/recipe.yaml", "upstream: {path: web.tgz}\ndependencies: {part: {path: part}}\n");
    let part = |version: &str| {
        let image = format!("size: 2\nimage: {{repository: quay.io/a/part, tag: '{version}'}}\n");
        ChartBuilder::new("part", version).file("values.yaml", image).build()
    };
    shelf.place.write("shelf/new/part/Chart.yaml", "apiVersion: v2\nname: part\nversion: 2.0.0\n");
    shelf.place.succeed_quietly(&["lock", "shelf.yaml", "--vault", "vault", "--images", "none"]);
    shelf.place.write(
        "recipes/web/recipe.yaml",
        RECIPE.split("  digest").next().unwrap().to_owned() + "values: {part.size: 3}\n",
    );
    let lacks = shelf.bump(&[]);
    let expected = "  · dependency: the vault lacks part ~2.0 of https://charts.test/stable, for which the newer chart asks: leave --offline out\n";
    assert!(lacks.out.contains(expected), "{}", lacks.out);
    for version in ["2.0.3", "2.1.0"] {
        shelf.place.write(&format!("shelf/{version}/part.tgz"), part(version));
        shelf.place.write(&format!("shelf/{version}/recipe.yaml"), "upstream: {path: part.tgz}\n");
    }
    let target = "target: {registry: 'registry.local.cloud:5000', repository: playcekube}\n";
    shelf.place.write("parts.yaml", format!("{target}recipes: [shelf/2.0.3, shelf/2.1.0]\n"));
    shelf.place.succeed_quietly(&["lock", "parts.yaml", "--vault", "vault", "--images", "none"]);
    let found = shelf.bump(&["--output", "json"]);
    let report: Value = serde_json::from_str(&found.out).unwrap();
    assert_eq!(report[0]["images"]["added"], json!(["quay.io/a/part:2.0.3"]), "{}", found.out);
    assert!(!found.out.contains("missingDependency"), "{}", found.out);
}

#[test]
fn writing_changes_version_digest_and_revision_and_no_other_byte() {
    let shelf = Shelf::new();
    let before = shelf.recipe();
    assert_eq!(shelf.bump(&["--write"]).code, 1);
    let old_digest = before.split('"').nth(1).unwrap();
    let expected = before
        .replace("version: 1.2.3 ", "version: 1.3.0 ")
        .replace(old_digest, &shelf.new_digest)
        .replace("revision: 7", "revision: 0");
    assert_eq!(shelf.recipe(), expected);
    let again = shelf.bump(&["--write"]);
    assert_eq!((again.code, again.out.as_str()), (0, "web: 1.3.0 is current\n"));
    assert_eq!(shelf.recipe(), expected);
}

#[test]
fn edits_that_hold_end_with_0_and_one_recipe_may_name_its_version() {
    let shelf = Shelf::new();
    let head = RECIPE.split("revision").next().unwrap().replace("  digest: \"DIGEST\"\n", "");
    shelf.place.write("recipes/web/recipe.yaml", format!("{head}values: {{replicas: 2}}\n"));
    let answer = shelf.bump(&["recipes/web", "--to", "1.3.0"]);
    assert_eq!(answer.code, 0, "{}", answer.err);
    assert!(answer.out.starts_with("web: 1.2.3 -> 1.3.0, the edits hold\n"), "{}", answer.out);
    let absent = shelf.bump(&["recipes/web/recipe.yaml", "--to", "9.9.9"]);
    assert_eq!(absent.code, 1);
    assert!(absent.out.contains("web: refused: the vault does not hold web 9.9.9"), "{}", absent.out);
    let two = shelf.bump(&["shelf.yaml", "--to", "1.3.0"]);
    assert!(two.err.contains("--to is for one recipe, and 2 are named"), "{}", two.err);
}

#[test]
fn what_lies_on_this_machine_is_compared_with_what_was_locked() {
    let shelf = Shelf::new();
    let current = shelf.bump(&["shelf.yaml", "--only", "old"]);
    assert_eq!((current.code, current.out.as_str()), (0, "old: 1.2.3 is current\n"));
    let new = shelf.place.read("shelf/new/web.tgz");
    shelf.place.write("shelf/old/web.tgz", new);
    let changed = shelf.bump(&["shelf.yaml", "--only", "old"]);
    assert!(changed.out.starts_with("old: 1.2.3 -> 1.3.0, the edits hold\n"), "{}", changed.out);
    let commit = "0123456789abcdef0123456789abcdef01234567";
    shelf.place.write(
        "recipes/web/recipe.yaml",
        format!("upstream: {{git: 'https://git.test/x', commit: '{commit}'}}\n"),
    );
    let git = shelf.bump(&[]);
    assert_eq!(git.code, 0);
    assert!(git.out.contains("web: name the commit to go to with --to"), "{}", git.out);
    let unknown = shelf.bump(&["--only", "wbe"]);
    assert!(unknown.err.contains("`wbe` is no recipe of the catalogue file"), "{}", unknown.err);
}

#[test]
fn stale_settings_are_found_all_at_once() {
    let shelf = Shelf::new();
    let head = RECIPE.split("revision").next().unwrap().replace("  digest: \"DIGEST\"\n", "");
    shelf.place.write(
        "recipes/web/recipe.yaml",
        format!("{head}version: 5.0.0\nmetadata: {{appVersion: '9'}}\nexclude: [ci/]\noverlay: over\nimages: {{toggles: [patch.group]}}\ndependencies: {{redis: {{path: x}}}}\n"),
    );
    shelf.place.write("recipes/web/over/templates/pod.yaml", "ours: 1\n");
    let answer = shelf.bump(&[]);
    assert_eq!(answer.code, 1);
    for expected in [
        "! choose the next `version`: it is 5.0.0",
        "! gone: `patch.group` of `images.toggles`",
        "! dead: `exclude` names `ci/`, which is no file",
        "! dead: `dependencies` names `redis`",
        "· overlaid: `templates/pod.yaml` changed upstream",
        "! Kubernetes 1.24 of the catalogue is outside `>=1.25.0-0`",
    ] {
        assert!(answer.out.contains(expected), "{expected}: {}", answer.out);
    }
}
