//! `chartpack diff`.

use chart::testing::ChartBuilder;
use serde_json::{Value, json};

use crate::helm::helm;
use crate::support::{Answer, Workplace, delivery};

fn two_charts() -> Workplace {
    let place = Workplace::new();
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: 'quay.io/a/web:{{ .Values.web.tag }}'}]}\n";
    let old = ChartBuilder::new("web", "1.0.0")
        .file("values.yaml", "web: {tag: '1'}\nold: {limits: {cpu: 100m}}\ngone: 1\n")
        .file("templates/pod.yaml", pod)
        .file("templates/old.yaml", "");
    let new = ChartBuilder::new("web", "1.1.0")
        .file("values.yaml", "web: {tag: '2'}\nnew: {limits: {cpu: 100m}}\n")
        .file("templates/pod.yaml", format!("{pod}# more\n"))
        .file("templates/map.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\n");
    place.write("old.tgz", old.build());
    place.write("new.tgz", new.build());
    place
}

fn diff(place: &Workplace, arguments: &[&str]) -> Answer {
    place.run(&[&["diff", "--vault", "vault", "--without-helm"], arguments].concat())
}

#[test]
fn each_kind_of_difference_is_told() {
    let place = two_charts();
    let answer = diff(&place, &["old.tgz", "new.tgz"]);
    assert_eq!(answer.code, 0, "a difference is an answer: {}", answer.err);
    let expected = "metadata: 1 changed\n  ~ version: \"1.0.0\" -> \"1.1.0\"\n\
                    values: 1 removed, 1 moved, 1 changed\n  - gone: 1\n  > old -> new\n  ~ web.tag: \"1\" -> \"2\"\n\
                    files: 1 added, 1 removed, 1 changed\n  + templates/map.yaml\n  - templates/old.yaml\n  ~ templates/pod.yaml +1 -0\n";
    assert_eq!(answer.out, expected);
    let full = diff(&place, &["old.tgz", "new.tgz", "--full", "--exit-code"]);
    assert_eq!(full.code, 1);
    assert!(
        full.out.contains("+++ b/templates/pod.yaml\n") && full.out.contains("+# more\n"),
        "{}",
        full.out
    );
    let same = diff(&place, &["old.tgz", "old.tgz", "--exit-code"]);
    assert_eq!((same.code, same.out.as_str()), (0, "nothing differs\n"));
    let commented = ChartBuilder::new("a", "1.0.0").file("values.yaml", "# why\na: 1\n").build();
    place.write("plain.tgz", ChartBuilder::new("a", "1.0.0").file("values.yaml", "a: 1\n").build());
    place.write("commented.tgz", commented);
    let comment = diff(&place, &["plain.tgz", "commented.tgz", "--exit-code"]);
    assert_eq!((comment.code, comment.out.as_str()), (1, "files: 1 changed\n  ~ values.yaml +1 -0\n"));
    let json = diff(&place, &["old.tgz", "new.tgz", "--output", "json"]);
    let report: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(report["values"]["moved"], json!([{"from": "old", "to": "new"}]));
    assert!(report.get("rendered").is_none());
}

#[test]
fn renderings_are_compared_resource_by_resource() {
    let Some(helm) = helm() else { return };
    let place = two_charts();
    let arguments = ["diff", "--vault", "vault", "--no-cache", "old.tgz", "new.tgz", "--rendered", "--full"];
    let answer = place.run_with(&arguments, &[("CHARTPACK_HELM", helm.to_str().unwrap())]);
    assert_eq!(answer.code, 0, "{}", answer.err);
    assert!(
        answer.out.contains("images: 1 changed\n  ~ quay.io/a/web:1 -> quay.io/a/web:2\n"),
        "{}",
        answer.out
    );
    assert!(
        answer.out.contains("rendered: 1 added, 1 changed\n  + ConfigMap/m\n  ~ Pod/p +"),
        "{}",
        answer.out
    );
}

#[test]
fn a_chart_that_does_not_render_is_an_answer() {
    let Some(helm) = helm() else { return };
    let place = two_charts();
    let demands = ChartBuilder::new("web", "1.0.0")
        .file("templates/x.yaml", "{{ required \"say who\" .Values.who }}\n");
    place.write("demands.tgz", demands.build());
    let run = |after: &str| {
        let arguments =
            ["diff", "--vault", "vault", "--no-cache", "demands.tgz", after, "--rendered", "--exit-code"];
        place.run_with(&arguments, &[("CHARTPACK_HELM", helm.to_str().unwrap())])
    };
    let answer = run("new.tgz");
    assert_eq!(answer.code, 1, "{}", answer.err);
    assert!(
        answer.out.contains("not rendered: before: `templates/x.yaml` line 1: say who"),
        "{}",
        answer.out
    );
    let same = run("demands.tgz");
    assert_eq!((same.code, same.out.as_str()), (0, "nothing differs\n"), "{}", same.err);
}

#[test]
fn locks_are_compared_chart_by_chart_from_the_vault() {
    let place = delivery();
    place.lock();
    place.write("before.lock", place.read("playcekube.lock"));
    let same = diff(&place, &["before.lock", "playcekube.lock", "--exit-code"]);
    assert_eq!((same.code, same.out.as_str()), (0, "nothing differs\n"));
    place.write("recipes/web/overlay/templates/extra.yaml", "extra: 2\n");
    let catalogue = String::from_utf8(place.read("playcekube.yaml")).unwrap();
    place.write(
        "playcekube.yaml",
        catalogue.replace("recipes/own]", "recipes/more]").replace("[own]", "[more]"),
    );
    place.write("recipes/more/Chart.yaml", "apiVersion: v2\nname: more\nversion: 0.1.0\n");
    place.write("recipes/more/recipe.yaml", "chart: .\n");
    place.lock();
    let answer = diff(&place, &["before.lock", "playcekube.lock", "--exit-code"]);
    assert_eq!(answer.code, 1, "{}", answer.err);
    let expected = "+ more: more 0.1.0\n- own: own 0.1.0\n~ web: 1.2.301 -> 1.2.301\n  files: 1 changed\n    ~ templates/extra.yaml +1 -1\n";
    assert_eq!(answer.out, expected);
    // Images that are in the locks are compared as they were locked.
    let lock = String::from_utf8(place.read("playcekube.lock")).unwrap();
    let image = |name: &str| {
        let digest = "0".repeat(64);
        format!(
            "    images:\n    - name: {name}\n      siteName: r.test/{name}\n      digest: \"sha256:{digest}\"\n"
        )
    };
    place.write("old.lock", lock.trim_end().to_owned() + "\n" + &image("quay.io/a/b:1"));
    place.write("new.lock", lock.trim_end().to_owned() + "\n" + &image("quay.io/a/b:2"));
    let images = diff(&place, &["old.lock", "new.lock"]);
    assert!(
        images.out.contains("  images: 1 changed\n    ~ quay.io/a/b:1@sha256:0"),
        "{}{}",
        images.out,
        images.err
    );
    let mixed = diff(&place, &["before.lock", "recipes/more"]);
    assert!(
        mixed.code == 1 && mixed.err.contains("`before.lock` is a lock and `recipes/more` is one chart"),
        "{}",
        mixed.err
    );
}

#[test]
fn a_recipe_is_compared_with_its_upstream() {
    let place = delivery();
    let answer = diff(&place, &["recipes/web/web-1.2.3.tgz", "recipes/web", "--output", "json"]);
    assert_eq!(answer.code, 0, "{}", answer.err);
    let report: Value = serde_json::from_str(&answer.out).unwrap();
    assert_eq!(report["values"]["changed"], json!([{"path": "image.tag", "before": "1", "after": "2"}]));
    assert_eq!(report["files"]["added"], json!(["templates/extra.yaml", "icon.svg"]));
    assert_eq!(report["files"]["removed"], json!(["ci/test-values.yaml"]));
    place.write(
        "recipes/far/recipe.yaml",
        "upstream: {repository: 'http://127.0.0.1:9', chart: a, version: 1.0.0}\n",
    );
    let far = diff(&place, &["recipes/web", "recipes/far"]);
    assert!(
        far.err.contains("`recipes/far/recipe.yaml` is not in `playcekube.lock` as it is now"),
        "{}",
        far.err
    );
}
