//! `chartpack new`.

use crate::support::{Workplace, text_of, values_of};

#[test]
fn a_new_chart_packs_as_it_is() {
    let place = Workplace::new();
    for (name, kind, file) in [
        ("web", "deployment", "templates/deployment.yaml"),
        ("agent", "daemonset", "templates/daemonset.yaml"),
    ] {
        let said = place.succeed(&["new", name, "--kind", kind, "--version", "1.2.3"]);
        assert!(said.contains(&format!("chartpack pack {name} --dry-run")), "{said}");
        place.succeed(&["pack", name]);
        let archive = place.archive(&format!("{name}-1.2.3.tgz"));
        assert!(text_of(&archive, file).contains(&format!("include \"{name}.image\"")));
        assert!(archive.file("recipe.yaml").is_none(), "the recipe is no part of the chart");
        assert_eq!(archive.file("templates/service.yaml").is_some(), kind == "deployment");
        let schema: serde_json::Value =
            serde_json::from_str(text_of(&archive, "values.schema.json")).unwrap();
        for key in values_of(&archive).as_object().unwrap().keys() {
            assert!(schema["properties"].get(key).is_some(), "{name}: `{key}` is in no schema");
        }
    }
}

#[test]
fn image_and_versions_reach_the_values() {
    let place = Workplace::new();
    place.succeed(&["new", "a", "--image", "registry.local.cloud:5000/x/y:v3.1", "--dir", "charts"]);
    place.succeed(&["pack", "charts/a"]);
    let archive = place.archive("a-0.1.0.tgz");
    assert_eq!(archive.metadata().app_version, "3.1");
    let image = &values_of(&archive)["image"];
    assert_eq!(
        (image["repository"].as_str(), image["tag"].as_str()),
        (Some("registry.local.cloud:5000/x/y"), Some("v3.1"))
    );
}

#[test]
fn nothing_is_overwritten() {
    let place = Workplace::new();
    place.write("a/notes.txt", "mine");
    let answer = place.run(&["new", "a"]);
    assert_eq!(answer.code, 1);
    assert!(answer.err.contains("`a` exists and is not overwritten"), "{}", answer.err);
    assert!(!place.exists("a/Chart.yaml"));
    assert_eq!(place.read("a/notes.txt"), b"mine");
}

#[test]
fn names_that_kubernetes_refuses_are_refused() {
    let answer = Workplace::new().run(&["new", "My.Chart"]);
    assert_eq!(answer.code, 1);
    assert!(answer.err.contains("`My.Chart` cannot name Kubernetes objects"), "{}", answer.err);
}
