//! The seed charts: what a site gets when it packs them.

use std::fs;

use serde_json::json;

use crate::support::{Workplace, seed_charts, text_of, values_of};

#[test]
fn every_seed_chart_packs_and_is_marked_as_ours() {
    let place = Workplace::new();
    let mut count = 0;
    for folder in
        fs::read_dir(seed_charts()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir())
    {
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
        count += 1;
    }
    assert!(count >= 2);
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
