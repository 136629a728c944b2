//! What the packager knows of Kubernetes' API versions, beside what a real API server serves.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, ensure};
use chart::ChartVersion;
use chart::yaml::{self, Budget};
use serde_json::Value;
use stories::cluster::Cluster;
use stories::environment;
use stories::skip::skip;

/// Returns a table of the packager's knowledge.
fn table(name: &str) -> Result<Vec<Value>> {
    let path = environment::repository_root().join("packager/knowledge").join(name);
    let value = yaml::parse(&fs::read(path)?, &Budget::for_values())?.to_json();
    Ok(value.as_array().context("no list")?.clone())
}

fn text<'entry>(entry: &'entry Value, key: &str) -> &'entry str {
    entry[key].as_str().unwrap_or_default()
}

fn is_from(version: &str, minor: u64) -> Result<bool> {
    Ok(version.parse::<ChartVersion>()?.minor() <= minor)
}

/// Returns what the server serves: group, version and kind.
fn served(cluster: &Cluster) -> Result<BTreeSet<String>> {
    let mut served = BTreeSet::new();
    let groups = cluster.object("/apis")?;
    for group in groups["groups"].as_array().context("no groups")? {
        for version in group["versions"].as_array().context("no versions")? {
            let api = text(version, "groupVersion");
            let resources = cluster.object(&format!("/apis/{api}"))?;
            for resource in resources["resources"].as_array().context("no resources")? {
                served.insert(format!("{api}/{}", text(resource, "kind")));
            }
        }
    }
    Ok(served)
}

#[test]
fn what_is_known_of_api_versions_is_what_a_real_server_serves() -> Result<()> {
    if !environment::wants_cluster_story() {
        skip("needs a Kubernetes API server: run `make test-cluster`");
        return Ok(());
    }
    let Some(cluster) = Cluster::start()? else { return Ok(()) };
    let minor: u64 = text(&cluster.object("/version")?, "minor").trim_end_matches('+').parse()?;
    let served = served(&cluster)?;
    for entry in table("served-kinds.yaml")? {
        let kind = text(&entry, "kind");
        let is_over = entry["until"].as_str().map_or(Ok(false), |until| is_from(until, minor))?;
        let expected = is_from(text(&entry, "since"), minor)? && !is_over;
        ensure!(served.contains(kind) == expected, "{kind} on Kubernetes 1.{minor}: known as {expected}");
    }
    let removed = table("removed-apis.yaml")?;
    let is_gone = |api: &str| removed.iter().any(|entry| text(entry, "api") == api);
    for entry in &removed {
        let (api, is_over) = (text(entry, "api"), is_from(text(entry, "removed"), minor)?);
        let kinds = entry["kinds"].as_array().context("no kinds")?;
        let is_left = kinds.is_empty() && served.iter().any(|kind| kind.starts_with(&format!("{api}/")));
        ensure!(!(is_over && is_left), "{api} is served by 1.{minor}");
        for kind in kinds.iter().filter_map(Value::as_str) {
            let replacement = text(entry, "use");
            // What came in the place of one may be gone by now itself.
            let is_replaced = !replacement.is_empty() && !is_gone(replacement);
            if is_over {
                ensure!(!served.contains(&format!("{api}/{kind}")), "{api}/{kind} is served by 1.{minor}");
                let replaced = format!("{replacement}/{kind}");
                ensure!(!is_replaced || served.contains(&replaced), "{replaced} is not served by 1.{minor}");
            }
        }
    }
    Ok(())
}
