//! A folder of ChartMuseum's that others write to, too: what lies there is what is served, whoever put it there.

use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use oci::Digest;
use serde_json::Value;
use stories::client::Client;
use stories::server::Server;
use stories::site::Site;
use stories::synthetic::marked_chart;
use stories::wait::wait_for;

/// Longer than a few scans of the folder.
const NOTICED: Duration = Duration::from_secs(30);

fn start(site: &Site, folder: &Path) -> Result<Server> {
    fs::create_dir_all(folder)?;
    site.launch().in_place_of_chartmuseum(folder, 0).variable("CACHE_INTERVAL", "1s").start()
}

/// Returns the index entries of `web` by version, from ChartMuseum's YAML index read as JSON.
fn entry(client: &Client, version: &str) -> Result<Option<Value>> {
    let index = client.get("/index.yaml?format=json")?.expect_status(200)?.json()?;
    let entries = index["entries"]["web"].as_array().cloned().unwrap_or_default();
    Ok(entries.into_iter().find(|entry| entry["version"] == version))
}

/// Checks that index, download and file agree on these bytes.
fn expect_everywhere(client: &Client, folder: &Path, version: &str, archive: &[u8]) -> Result<()> {
    let entry = entry(client, version)?.context("not in the index")?;
    assert_eq!(entry["digest"], Digest::sha256(archive).hex(), "{version} in the index");
    let served = client.get(&format!("/charts/web-{version}.tgz"))?.expect_status(200)?;
    ensure!(served.body == archive, "other bytes of {version} are served");
    ensure!(
        fs::read(folder.join(format!("web-{version}.tgz")))? == archive,
        "other bytes of {version} lie there"
    );
    Ok(())
}

#[test]
fn forced_bytes_take_the_place_of_the_file_and_of_the_entry() -> Result<()> {
    let site = Site::new()?;
    let folder = site.folder().join("charts");
    let server = start(&site, &folder)?;
    let client = server.anonymous()?;
    let [first, second] = ["first", "second"].map(|mark| marked_chart("web", "1.0.0", mark));
    client.post("/api/charts", first.clone())?.expect_status(201)?;
    expect_everywhere(&client, &folder, "1.0.0", &first)?;
    client.post("/api/charts", second.clone())?.expect_status(409)?;
    expect_everywhere(&client, &folder, "1.0.0", &first)?;
    client.post("/api/charts?force", second.clone())?.expect_status(201)?;
    expect_everywhere(&client, &folder, "1.0.0", &second)?;
    server.stop()?;
    expect_everywhere(&start(&site, &folder)?.anonymous()?, &folder, "1.0.0", &second)
}

#[test]
fn files_that_come_change_and_go_by_hand_are_followed() -> Result<()> {
    let site = Site::new()?;
    let folder = site.folder().join("charts");
    let server = start(&site, &folder)?;
    let client = server.anonymous()?;
    client.post("/api/charts", marked_chart("web", "1.0.0", "pushed"))?.expect_status(201)?;

    let copied = marked_chart("web", "2.0.0", "copied");
    let path = folder.join("web-2.0.0.tgz");
    fs::write(&path, &copied)?;
    let earlier = fs::metadata(&path)?.modified()? - Duration::from_secs(3_600);
    File::options().write(true).open(&path)?.set_modified(earlier)?;
    wait_for("a copied file to be listed", NOTICED, || entry(&client, "2.0.0"))?;
    expect_everywhere(&client, &folder, "2.0.0", &copied)?;

    let changed = marked_chart("web", "2.0.0", "changed by hand");
    fs::write(&path, &changed)?;
    wait_for("a changed file to be listed anew", NOTICED, || {
        let digest = entry(&client, "2.0.0")?.map(|entry| entry["digest"].clone());
        Ok((digest == Some(Digest::sha256(&changed).hex().into())).then_some(()))
    })?;
    expect_everywhere(&client, &folder, "2.0.0", &changed)?;

    fs::remove_file(folder.join("web-1.0.0.tgz"))?;
    wait_for("a removed file to be gone", NOTICED, || Ok(entry(&client, "1.0.0")?.is_none().then_some(())))?;
    client.get("/charts/web-1.0.0.tgz")?.expect_status(404)?;
    Ok(())
}
