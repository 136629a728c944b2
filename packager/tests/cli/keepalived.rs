//! The site's own first story: keepalived as a DaemonSet, edited by a recipe, packed.

use serde_json::json;

use crate::support::{Workplace, text_of, values_of};

const RECIPE: &str = "\
chart: .
metadata:
  description: Keepalived for the cluster's virtual IP address
  appVersion: 2.2.4
  annotations:
    catalog.cattle.io/certified: playcekube
  keywordsFirst: [infrastructure]
values:
  image.repository: registry.local.cloud:5000/ubuntu/keepalived
  image.tag: v2.2.4
  keepalived.vrouter_id: \"150\"
  keepalived.interface: eth0
  keepalived.vip: 192.168.0.250
  hostNetwork: true
";

#[test]
fn keepalived_is_scaffolded_edited_and_packed() {
    let place = Workplace::new();
    place.succeed(&["new", "keepalived", "--kind", "daemonset", "--image", "ubuntu/keepalived:latest"]);
    let comments = String::from_utf8(place.read("keepalived/values.yaml")).unwrap().matches('#').count();
    place.write("keepalived/recipe.yaml", RECIPE);
    place.succeed(&["pack", "keepalived", "-o", "dist"]);

    let archive = place.archive("dist/keepalived-0.1.0.tgz");
    let metadata = archive.metadata();
    assert_eq!((metadata.version.as_str(), metadata.app_version.as_str()), ("0.1.0", "2.2.4"));
    assert_eq!(metadata.annotations["catalog.cattle.io/certified"], "playcekube");
    assert_eq!(metadata.keywords.first().unwrap(), "infrastructure");
    assert!(text_of(&archive, "templates/daemonset.yaml").contains("kind: DaemonSet"));
    let values = values_of(&archive);
    assert_eq!(values["image"]["repository"], "registry.local.cloud:5000/ubuntu/keepalived");
    assert_eq!(values["image"]["tag"], "v2.2.4");
    assert_eq!(values["hostNetwork"], true);
    let expected = json!({"vrouter_id": "150", "interface": "eth0", "vip": "192.168.0.250"});
    assert_eq!(values["keepalived"], expected);
    assert_eq!(text_of(&archive, "values.yaml").matches('#').count(), comments, "no comment is lost");
}

#[test]
fn packing_what_was_packed_by_the_recipe_changes_nothing() {
    let place = Workplace::new();
    place.succeed(&["new", "keepalived", "--kind", "daemonset"]);
    place.write("keepalived/recipe.yaml", RECIPE);
    place.succeed(&["pack", "keepalived", "-o", "once"]);
    place.write("again/recipe.yaml", RECIPE.replace("chart: .", "chart: ../once/keepalived-0.1.0.tgz"));
    place.succeed(&["pack", "again", "-o", "twice"]);
    assert_eq!(place.read("once/keepalived-0.1.0.tgz"), place.read("twice/keepalived-0.1.0.tgz"));
    assert_eq!(
        place.succeed(&["pack", "again", "--dry-run"]).lines().count(),
        1,
        "there is no edit left to show"
    );
}
