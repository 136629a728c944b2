//! Deliveries made of chart repositories over HTTP: our own server, and one that has bad days.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use chart::archive::{ChartArchive, Limits};
use chart::testing::ChartBuilder;
use oci::Digest;
use serde_json::{Value, json};
use stories::command_line::{self, AUTHORITIES, CHECK, UPDATE};
use stories::delivery::Delivery;
use stories::process::signal;
use stories::site::Site;
use stories::wait::wait_for;
use stories::web_server::{Prepared, WebServer};

use crate::listeners::{configuration, write_certificate};

const PATIENCE: Duration = Duration::from_secs(60);

/// Puts a repository of archives on a web server: an index with digests, and the archives.
fn publish(server: &WebServer, path: &str, archives: &[(&str, &str, Vec<u8>)]) {
    let mut entries = json!({});
    for (name, version, bytes) in archives {
        let file = format!("{name}-{version}.tgz");
        let entry = json!({
            "apiVersion": "v2", "name": name, "version": version, "urls": [format!("files/{file}")],
            "digest": Digest::sha256(bytes).hex(),
        });
        match entries[*name].as_array_mut() {
            Some(versions) => versions.push(entry),
            None => entries[*name] = json!([entry]),
        }
        server.put(&format!("{path}/files/{file}"), [Prepared::File(bytes.clone())]);
    }
    let index = json!({"apiVersion": "v1", "entries": entries}).to_string();
    server.put(&format!("{path}/index.yaml"), [Prepared::File(index.into_bytes())]);
}

fn recipe(server: &WebServer, path: &str, name: &str, version: &str) -> String {
    let repository = server.url(path);
    format!("upstream: {{repository: '{repository}', chart: {name}, version: {version}}}\n")
}

#[test]
fn a_vanished_upstream_takes_nothing_with_it() -> Result<()> {
    let site = Site::new()?;
    let server = site.launch().open().start()?;
    let client = server.anonymous()?;
    let library =
        ChartBuilder::new("library", "1.5.0").file("templates/_x.tpl", "{{/* library */}}\n").build();
    let app = ChartBuilder::new("app", "2.0.0").dependency(
        "library",
        "^1.2",
        &format!("{}/libraries", server.url()),
    );
    client.publish("libraries", &library)?.expect_status(201)?;
    client.publish("apps", &app.build())?.expect_status(201)?;
    let text = format!(
        "upstream: {{repository: '{}/apps', chart: app, version: 2.0.0}}\nrevision: 1\n",
        server.url()
    );
    let delivery = Delivery::new(&[("app", &text)])?;
    delivery.lock(&[])?.success()?;
    let first = delivery.build("first")?;
    server.stop()?;
    let again = delivery.build("again")?;
    ensure!(first == again, "other bytes after the server was gone");
    let archive = first.get("app-2.0.1.tgz").context("no archive")?;
    let archive = ChartArchive::read(archive.as_slice(), &Limits::default())?;
    ensure!(archive.file("charts/library/templates/_x.tpl").is_some(), "the dependency is missing");
    // A locked catalogue is locked again without its upstreams.
    let lock = delivery.lock_text();
    delivery.lock(&[])?.success()?;
    ensure!(delivery.lock_text() == lock, "another lock");
    let vanished = delivery.lock(&[CHECK])?;
    ensure!(vanished.status.code() == Some(1) && vanished.text().contains("moved: app: "), "{vanished:?}");
    Ok(())
}

#[test]
fn other_bytes_of_a_locked_version_are_found_and_need_a_word() -> Result<()> {
    let server = WebServer::start()?;
    let version = |mark: &str| ChartBuilder::new("a", "1.0.0").file("mark.txt", mark).build();
    publish(&server, "/r", &[("a", "1.0.0", version("one"))]);
    let delivery = Delivery::new(&[("a", &recipe(&server, "/r", "a", "1.0.0"))])?;
    delivery.lock(&[])?.success()?;
    let (lock, built) = (delivery.lock_text(), delivery.build("dist")?);
    publish(&server, "/r", &[("a", "1.0.0", version("two"))]);
    let moved = delivery.lock(&[CHECK])?.failure()?;
    ensure!(moved.contains("moved: a: the chart from a 1.0.0 of http://"), "{moved}");
    // The vault answers for what is locked; without it the changed bytes are refused.
    delivery.lock(&[])?.success()?;
    ensure!(delivery.lock_text() == lock, "the lock followed the change");
    fs::remove_dir_all(delivery.path("vault"))?;
    let refusal = delivery.lock(&[])?.failure()?;
    ensure!(refusal.contains("somebody changed a published version"), "{refusal}");
    ensure!(delivery.lock_text() == lock && delivery.archives("dist")? == built, "something was changed");
    delivery.lock(&[UPDATE, "a"])?.success()?;
    ensure!(delivery.lock_text() != lock, "the update was not locked");
    Ok(())
}

#[test]
fn wrong_digests_and_wrong_charts_are_refused() -> Result<()> {
    let server = WebServer::start()?;
    let archive = ChartBuilder::new("a", "1.0.0").build();
    publish(&server, "/r", &[("a", "1.0.0", archive.clone())]);
    publish(&server, "/liar", &[("a", "1.0.0", archive.clone())]);
    server.put(
        "/liar/files/a-1.0.0.tgz",
        [Prepared::File(ChartBuilder::new("a", "1.0.0").app_version("x").build())],
    );
    publish(&server, "/other", &[("a", "1.0.0", ChartBuilder::new("b", "1.0.0").build())]);
    publish(&server, "/page", &[("a", "1.0.0", b"<html>".to_vec())]);
    server.put("/none/index.yaml", [Prepared::File(b"<html>not found</html>".to_vec())]);
    let other = Digest::sha256(b"other");
    let table = [
        (
            recipe(&server, "/r", "a", "1.0.0").replace("1.0.0}", &format!("1.0.0, digest: '{other}'}}")),
            "but the recipe says",
        ),
        (recipe(&server, "/r", "a", "1.0.1"), "no version 1.0.1; the newest there are 1.0.0"),
        (recipe(&server, "/r", "c", "1.0.0"), "has no chart `c`"),
        (recipe(&server, "/liar", "a", "1.0.0"), "but the index of its repository says"),
        (recipe(&server, "/other", "a", "1.0.0"), "gives the chart b 1.0.0, which is another one"),
        (recipe(&server, "/page", "a", "1.0.0"), "is not a chart archive that Helm would load"),
        (recipe(&server, "/none", "a", "1.0.0"), "is no index"),
        (recipe(&server, "/absent", "a", "1.0.0"), "is not there (status 404)"),
    ];
    for (text, expected) in table {
        let delivery = Delivery::new(&[("a", &text)])?;
        let refusal = delivery.lock(&[])?.failure()?;
        ensure!(refusal.contains(expected), "{text}: {refusal}");
        ensure!(delivery.lock_text().is_empty(), "a lock was written");
    }
    Ok(())
}

#[test]
fn a_busy_server_is_asked_again_and_an_absent_one_is_exit_code_three() -> Result<()> {
    let server = WebServer::start()?;
    let archive = ChartBuilder::new("a", "1.0.0").build();
    publish(&server, "/r", &[("a", "1.0.0", archive.clone())]);
    server.put("/r/files/a-1.0.0.tgz", [Prepared::Status(429), Prepared::File(archive)]);
    let delivery = Delivery::new(&[("a", &recipe(&server, "/r", "a", "1.0.0"))])?;
    delivery.lock(&[])?.success()?;
    server.put("/busy/index.yaml", [Prepared::Status(503)]);
    let busy = Delivery::new(&[("a", &recipe(&server, "/busy", "a", "1.0.0"))])?.lock(&[])?;
    ensure!(busy.status.code() == Some(3), "{busy:?}");
    ensure!(busy.complaint().contains("the server is not ready"), "{busy:?}");
    Ok(())
}

#[test]
fn a_private_authority_is_trusted_when_it_is_named() -> Result<()> {
    let site = Site::new()?;
    write_certificate(site.folder())?;
    let config = configuration(site.folder(), &["http://127.0.0.1:0", "https://127.0.0.1:0"])?;
    let server = site.launch().configured(&config, 2).start()?;
    let publisher = server.client(&server.admin_token()?)?;
    publisher.publish("r", &ChartBuilder::new("a", "1.0.0").build())?.expect_status(201)?;
    let https = server.urls().iter().find(|url| url.starts_with("https://")).context("no https")?;
    let text = format!("upstream: {{repository: '{https}/r', chart: a, version: 1.0.0}}\n");
    let mut delivery = Delivery::new(&[("a", &text)])?;
    ensure!(delivery.lock(&[])?.status.code() == Some(3), "an unknown authority was trusted");
    let authority = site.folder().join("certificate.pem").display().to_string();
    delivery.lock(&[AUTHORITIES, &authority])?.success()?;
    fs::remove_dir_all(delivery.path("vault"))?;
    let repositories = format!("repositories:\n- {{name: r, url: '{https}/r', caFile: '{authority}'}}\n");
    delivery.write("helm/repositories.yaml", repositories)?;
    delivery.set("HELM_CONFIG_HOME", &delivery.path("helm").display().to_string());
    delivery.lock(&[])?.success()?;
    Ok(())
}

#[test]
fn an_interrupted_lock_leaves_the_old_one_and_nothing_else() -> Result<()> {
    let server = WebServer::start()?;
    publish(&server, "/r", &[("a", "1.0.0", ChartBuilder::new("a", "1.0.0").build())]);
    let delivery = Delivery::new(&[("a", &recipe(&server, "/r", "a", "1.0.0"))])?;
    delivery.lock(&[])?.success()?;
    let (lock, files) = (delivery.lock_text(), fs::read_dir(delivery.path("."))?.count());
    server.put("/r/index.yaml", [Prepared::Silence]);
    server.take_received();
    let mut child = delivery.command(&command_line::lock(&[UPDATE, "a"]))?.stderr(Stdio::null()).spawn()?;
    let is_waiting = || Ok(server.was_asked_for("/r/index.yaml").then_some(()));
    wait_for("the request for the index", PATIENCE, is_waiting)?;
    signal(child.id(), "INT")?;
    wait_for("the end of the packager", PATIENCE, || Ok(child.try_wait()?))?;
    ensure!(delivery.lock_text() == lock, "the lock was changed");
    ensure!(fs::read_dir(delivery.path("."))?.count() == files, "something was left behind");
    delivery.build("dist")?;
    Ok(())
}

#[test]
fn credentials_go_to_their_own_server_only() -> Result<()> {
    let (kept, foreign) = (WebServer::start()?, WebServer::start()?);
    let archive = ChartBuilder::new("a", "1.0.0").build();
    publish(&kept, "/r", &[("a", "1.0.0", archive.clone())]);
    kept.put("/r/files/a-1.0.0.tgz", [Prepared::Redirect(foreign.url("/elsewhere.tgz"))]);
    foreign.put("/elsewhere.tgz", [Prepared::File(archive)]);
    let mut delivery = Delivery::new(&[("a", &recipe(&kept, "/r", "a", "1.0.0"))])?;
    let repositories = format!(
        "repositories:\n- {{name: kept, url: '{}', username: user, password: secret}}\n",
        kept.url("/r")
    );
    delivery.write("helm/repositories.yaml", repositories)?;
    delivery.set("HELM_CONFIG_HOME", &delivery.path("helm").display().to_string());
    delivery.lock(&[])?.success()?;
    let sent = kept.take_received();
    ensure!(sent.iter().all(|request| request.authorization == "Basic dXNlcjpzZWNyZXQ="), "{sent:?}");
    let sent = foreign.take_received();
    ensure!(sent.len() == 1 && sent.iter().all(|request| request.authorization.is_empty()), "{sent:?}");
    ensure!(!delivery.lock_text().contains("secret"), "a password in the lock");
    Ok(())
}

#[test]
fn the_charts_own_lock_and_replaced_dependencies_are_honoured() -> Result<()> {
    let server = WebServer::start()?;
    let versions = ["1.2.0", "1.9.0", "2.0.0"]
        .map(|version| ("dep", version, ChartBuilder::new("dep", version).build()));
    publish(&server, "/r", &versions);
    let repository = server.url("/r");
    let chart = ChartBuilder::new("a", "1.0.0").dependency("dep", "1.x", &repository);
    let chosen = chart.clone().file(
        "Chart.lock",
        format!("dependencies:\n- {{name: dep, version: 1.2.0, repository: '{repository}'}}\n"),
    );
    let replaced = format!(
        "chart: a.tgz\ndependencies: {{dep: {{repository: '{repository}', chart: dep, version: 2.0.0}}}}\n"
    );
    let delivery = Delivery::new(&[
        ("newest", "chart: a.tgz\n"),
        ("locked", "chart: a.tgz\nversion: 1.0.1\n"),
        ("replaced", &(replaced + "version: 1.0.2\n")),
    ])?;
    delivery.write("recipes/newest/a.tgz", chart.build())?;
    delivery.write("recipes/locked/a.tgz", chosen.build())?;
    delivery.write("recipes/replaced/a.tgz", chosen.build())?;
    delivery.lock(&[])?.success()?;
    let archives = delivery.build("dist")?;
    for (file, version, wanted) in
        [("a-1.0.0.tgz", "1.9.0", "1.x"), ("a-1.0.1.tgz", "1.2.0", "1.x"), ("a-1.0.2.tgz", "2.0.0", "2.0.0")]
    {
        let archive =
            ChartArchive::read(archives.get(file).context("no archive")?.as_slice(), &Limits::default())?;
        let metadata =
            String::from_utf8_lossy(archive.file("charts/dep/Chart.yaml").context("no dependency")?)
                .into_owned();
        ensure!(metadata.contains(&format!("version: \"{version}\"")), "{file}: {metadata}");
        let asked: Vec<_> = archive.metadata().dependencies.iter().map(|one| one.version.as_str()).collect();
        ensure!(asked == [wanted], "{file}: {asked:?}");
    }
    Ok(())
}

#[test]
fn an_icon_is_fetched_once_and_carried() -> Result<()> {
    let server = WebServer::start()?;
    server.put("/icon.png", [Prepared::File(b"\x89PNG\r\n\x1a\nicon".to_vec())]);
    let chart = ChartBuilder::new("a", "1.0.0").field("icon", server.url("/icon.png"));
    publish(&server, "/r", &[("a", "1.0.0", chart.build())]);
    let delivery = Delivery::new(&[("a", &(recipe(&server, "/r", "a", "1.0.0") + "icon: upstream\n"))])?;
    delivery.lock(&[])?.success()?;
    server.put("/icon.png", [Prepared::Status(404)]);
    delivery.lock(&[])?.success()?;
    let archives = delivery.build("dist")?;
    let archive = ChartArchive::read(
        archives.get("a-1.0.0.tgz").context("no archive")?.as_slice(),
        &Limits::default(),
    )?;
    ensure!(archive.metadata().icon == "file://icon.png", "{}", archive.metadata().icon);
    ensure!(archive.file("icon.png").is_some_and(|icon| icon.ends_with(b"icon")), "no icon");
    Ok(())
}

#[test]
fn the_recipe_of_a_published_chart_is_written_with_its_digest() -> Result<()> {
    let server = WebServer::start()?;
    let archive = ChartBuilder::new("csi", "v4.0.0").field("icon", "https://x.test/i.png").build();
    publish(&server, "/r", &[("csi", "v4.0.0", archive.clone())]);
    let delivery = Delivery::new(&[("other", "chart: .\n")])?;
    let line = command_line::new_recipe("csi", &server.url("/r"), "v4.0.0");
    delivery.packager(&line)?.success()?;
    let text = fs::read_to_string(delivery.path("seed-charts/csi/recipe.yaml"))?;
    ensure!(
        text.contains(&Digest::sha256(&archive).to_string()) && text.contains("icon: upstream"),
        "{text}"
    );
    let refusal = delivery.packager(&line)?.failure()?;
    ensure!(refusal.contains("exists and is not overwritten"), "{refusal}");
    let delivery = Delivery::new(&[("csi", &text.replace("icon: upstream\n", ""))])?;
    delivery.lock(&[])?.success()?;
    let report: Value = serde_json::from_str(&delivery.lock(&["--output", "json"])?.success()?)?;
    ensure!(report["charts"][0]["version"] == "v4.0.0", "{report}");
    Ok(())
}
