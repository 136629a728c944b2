//! Deliveries locked inside a closed network: from mirrors, under the upstreams' own addresses.

use anyhow::{Result, ensure};
use chart::testing::ChartBuilder;
use oci::Digest;
use serde_json::json;
use stories::closed_network::ClosedNetwork;
use stories::command_line::{self, MIRROR};
use stories::delivery::Delivery;
use stories::web_server::{Prepared, WebServer};

const RECIPE: &str = "upstream: {repository: 'https://charts.test/stable', chart: a, version: 1.0.0}\n";

#[test]
fn a_lock_made_through_any_mirror_is_the_same() -> Result<()> {
    let archive = ChartBuilder::new("a", "1.0.0").build();
    let mut locks = Vec::new();
    for _ in 0..2 {
        let mut network = ClosedNetwork::start()?;
        network.publish("https://charts.test/stable", &archive)?;
        let delivery = Delivery::new(&[("a", RECIPE)])?;
        let mirrors = network.mirrors();
        let flags: Vec<&str> = mirrors.iter().flat_map(|mirror| [MIRROR, mirror.as_str()]).collect();
        delivery.lock(&flags)?.success()?;
        locks.push(delivery.lock_text());
    }
    ensure!(locks[0] == locks[1], "{}", locks.join("\ninstead of\n"));
    ensure!(locks[0].contains("https://charts.test/stable/files/a-1.0.0.tgz"), "{}", locks[0]);
    Ok(())
}

#[test]
fn a_bump_asks_the_mirrors_of_the_command_line_for_the_newer_charts_dependencies_too() -> Result<()> {
    let mut network = ClosedNetwork::start()?;
    network.publish("https://charts.test/stable", &ChartBuilder::new("a", "1.0.0").build())?;
    let delivery = Delivery::new(&[("a", RECIPE)])?;
    let mirrors = network.mirrors();
    let flags: Vec<&str> = mirrors.iter().flat_map(|mirror| [MIRROR, mirror.as_str()]).collect();
    delivery.packager(&command_line::bump(&flags))?.success()?;
    // The server lists one version of a chart: the older one is in the vault.
    delivery.lock(&flags)?.success()?;
    let newer = ChartBuilder::new("a", "1.1.0").dependency("part", "1.x", "https://charts.test/parts");
    network.publish("https://charts.test/stable", &newer.build())?;
    let without = delivery.packager(&command_line::bump(&flags))?.failure()?;
    ensure!(without.contains("part"), "{without}");
    let part = ChartBuilder::new("part", "1.5.0").file("values.yaml", "image: quay.io/a/part:5\n");
    network.publish("https://charts.test/parts", &part.build())?;
    let report = delivery.packager(&command_line::bump(&flags))?.success()?;
    ensure!(report.contains("quay.io/a/part:5"), "the image of the dependency is not told: {report}");
    Ok(())
}

#[test]
fn a_mirror_that_rewrites_its_index_leaves_no_trace_in_the_lock() -> Result<()> {
    let server = WebServer::start()?;
    let archive = ChartBuilder::new("a", "1.0.0").build();
    let entry = json!({
        "apiVersion": "v2", "name": "a", "version": "1.0.0", "digest": Digest::sha256(&archive).hex(),
        "urls": [server.url("/proxy/a-1.0.0.tgz")],
    });
    let index = json!({"apiVersion": "v1", "entries": {"a": [entry]}}).to_string();
    server.put("/proxy/index.yaml", [Prepared::File(index.into_bytes())]);
    server.put("/proxy/a-1.0.0.tgz", [Prepared::File(archive)]);
    let delivery = Delivery::new(&[("a", RECIPE)])?;
    let mirror = format!("https://charts.test/stable={}", server.url("/proxy"));
    delivery.lock(&[MIRROR, &mirror])?.success()?;
    let lock = delivery.lock_text();
    ensure!(lock.contains("https://charts.test/stable/a-1.0.0.tgz") && !lock.contains("127.0.0.1"), "{lock}");
    Ok(())
}

#[test]
fn what_a_mirror_lacks_is_missed_at_the_mirror() -> Result<()> {
    let server = WebServer::start()?;
    let delivery = Delivery::new(&[("a", RECIPE)])?;
    let mirror = format!("https://charts.test={}", server.url("/charts.test"));
    let refusal = delivery.lock(&[MIRROR, &mirror])?.failure()?;
    ensure!(refusal.contains(&server.url("/charts.test/stable/index.yaml")), "{refusal}");
    ensure!(delivery.lock_text().is_empty(), "a lock was written");
    Ok(())
}

#[test]
fn what_is_no_mirror_is_a_wrong_command_line() -> Result<()> {
    let delivery = Delivery::new(&[("a", RECIPE)])?;
    let refused = delivery.lock(&[MIRROR, "https://charts.test"])?;
    ensure!(refused.status.code() == Some(2), "{refused:?}");
    ensure!(refused.complaint().contains("write `FROM=TO`"), "{refused:?}");
    Ok(())
}
