//! One push, every view: however a chart comes, each surface shows it with one digest, and one delete takes it from all.

use anyhow::{Context, Result, ensure};
use oci::Digest;
use stories::client::{Client, Upload};
use stories::helm::{Helm, with_each_helm};
use stories::keyring::{Keyring, SIGNER};
use stories::server::Server;
use stories::site::Site;
use stories::synthetic::plain_chart;

stories::on_each_backend! {
    what_comes_by_one_surface_is_seen_and_deleted_by_every_other,
}

/// Returns the digest of the archive as each surface has it, by the surface's name.
fn seen(
    client: &Client,
    repository: &str,
    chart: &str,
    version: &str,
) -> Result<Vec<(&'static str, Option<String>)>> {
    let index = client.index(repository)?;
    let entries = index["entries"][chart].as_array().cloned().unwrap_or_default();
    let entry = entries.iter().find(|entry| entry["version"] == version);
    let listed = entry.and_then(|entry| entry["digest"].as_str()).map(|hex| format!("sha256:{hex}"));
    let museum = client.get(&format!("/api/{repository}/charts/{chart}/{version}"))?;
    let museum = (museum.status == 200).then(|| museum.json()).transpose()?;
    let museum = museum.and_then(|entry| entry["digest"].as_str().map(|hex| format!("sha256:{hex}")));
    let archive = client.get(&format!("/{repository}/charts/{chart}-{version}.tgz"))?;
    let archive = (archive.status == 200).then(|| archive.digest().to_string());
    Ok(vec![
        ("index", listed),
        ("museum", museum),
        ("archive", archive),
        ("registry", pulled(client, repository, chart, version)?),
    ])
}

/// Pulls the chart as helm does, and returns the digest of the bytes that came.
fn pulled(client: &Client, repository: &str, chart: &str, version: &str) -> Result<Option<String>> {
    let tag = version.replace('+', "_");
    let answer = client.get(&format!("/v2/{repository}/{chart}/manifests/{tag}"))?;
    if answer.status == 404 {
        return Ok(None);
    }
    let manifest = answer.expect_status(200)?.json()?;
    let config = manifest["config"]["digest"].as_str().context("no config")?;
    client.get(&format!("/v2/{repository}/{chart}/blobs/{config}"))?.expect_status(200)?.json()?;
    let layer = manifest["layers"][0]["digest"].as_str().context("no layer")?;
    let blob = client.get(&format!("/v2/{repository}/{chart}/blobs/{layer}"))?.expect_status(200)?;
    Ok(Some(blob.digest().to_string()))
}

/// Pushes a chart over the registry's protocol, in helm's order.
fn push(client: &Client, name: &str, tag: &str, archive: &[u8]) -> Result<()> {
    let mut descriptors = Vec::new();
    let config = br#"{"name":"pushed"}"#.to_vec();
    for (kind, content) in [
        ("application/vnd.cncf.helm.config.v1+json", config.as_slice()),
        ("application/vnd.cncf.helm.chart.content.v1.tar+gzip", archive),
    ] {
        let digest = Digest::sha256(content);
        let begun = client.post(&format!("/v2/{name}/blobs/uploads/"), Vec::new())?.expect_status(202)?;
        let location = begun.header("location").to_owned();
        let separator = if location.contains('?') { '&' } else { '?' };
        let put = client.request(reqwest::Method::PUT, &format!("{location}{separator}digest={digest}"));
        client.send(put.body(content.to_vec()))?.expect_status(201)?;
        descriptors.push(
            serde_json::json!({"mediaType": kind, "digest": digest.to_string(), "size": content.len()}),
        );
    }
    let manifest =
        serde_json::json!({"schemaVersion": 2, "config": descriptors[0], "layers": [descriptors[1]]});
    let put = client.request(reqwest::Method::PUT, &format!("/v2/{name}/manifests/{tag}"));
    let put = put.header("content-type", "application/vnd.oci.image.manifest.v1+json");
    client.send(put.body(manifest.to_string()))?.expect_status(201)?;
    Ok(())
}

/// Publishes an archive as a version.
type WayIn<'w> = &'w dyn Fn(&str, &[u8]) -> Result<()>;
/// Returns the address at which a version is deleted.
type WayOut<'w> = &'w dyn Fn(&str) -> String;

fn what_comes_by_one_surface_is_seen_and_deleted_by_every_other(site: &Site) -> Result<()> {
    let server = site.start()?;
    let admin = server.admin()?;
    let ways_in: [(&str, WayIn<'_>); 3] = [
        ("body", &|_, archive| admin.publish("team", archive)?.expect_status(201).map(drop)),
        ("form", &|_, archive| {
            let upload = Upload { archive: Some(archive.to_vec()), ..Upload::default() };
            admin.publish_form("team", &upload)?.expect_status(201).map(drop)
        }),
        ("registry", &|version, archive| push(&admin, "team/demo", &version.replace('+', "_"), archive)),
    ];
    let ways_out: [(&str, WayOut<'_>); 2] = [
        ("museum", &|version| format!("/api/team/charts/demo/{version}")),
        ("registry", &|version| format!("/v2/team/demo/manifests/{}", version.replace('+', "_"))),
    ];
    let mut number = 0;
    for (way_in, publish) in ways_in {
        for (way_out, address) in ways_out {
            number += 1;
            for version in [format!("1.{number}.0"), format!("1.{number}.1+up4.5")] {
                let archive = plain_chart("demo", &version);
                publish(&version, &archive).with_context(|| format!("by {way_in}: {version}"))?;
                let digest = Some(Digest::sha256(&archive).to_string());
                for (surface, shown) in seen(&admin, "team", "demo", &version)? {
                    assert_eq!(shown, digest, "{version} by {way_in}, seen by {surface}");
                }
                let deleted = admin.delete(&address(&version))?;
                ensure!(deleted.status < 300, "{version} by {way_out}: {}", deleted.text());
                for (surface, shown) in seen(&admin, "team", "demo", &version)? {
                    assert_eq!(shown, None, "{version} deleted by {way_out}, seen by {surface}");
                }
            }
        }
    }
    Ok(())
}

/// Runs helm against a registry without TLS.
fn plain(helm: &Helm, arguments: &[&str]) -> Result<String> {
    helm.ok(&[arguments, &["--plain-http"]].concat())
}

/// Logs helm in. Before 3.13 it speaks to no registry without TLS, unless that is called `localhost`.
fn log_in(helm: &Helm, server: &Server) -> Result<bool> {
    let version = helm.ok(&["version", "--short"])?;
    if version.starts_with("v3.10") || version.starts_with("v3.12") {
        return Ok(false);
    }
    let token = server.admin_token()?;
    plain(helm, &["registry", "login", server.address(), "--username", "ci", "--password", &token])?;
    Ok(true)
}

#[test]
fn helm_pushes_and_pulls_what_the_index_lists() -> Result<()> {
    with_each_helm(|helm| {
        let site = Site::new()?;
        let server = site.start()?;
        if !log_in(helm, &server)? {
            return Ok(());
        }
        let archive = plain_chart("demo", "1.2.3+up4");
        let file = helm.home().join("demo-1.2.3+up4.tgz");
        std::fs::write(&file, &archive)?;
        let registry = format!("oci://{}/team", server.address());
        plain(helm, &["push", file.to_str().context("path")?, &registry])?;
        plain(helm, &["push", file.to_str().context("path")?, &registry]).context("the same again")?;
        let digest = Some(Digest::sha256(&archive).to_string());
        for (surface, shown) in seen(&server.admin()?, "team", "demo", "1.2.3+up4")? {
            assert_eq!(shown, digest, "{surface}");
        }
        server.admin()?.publish("team", &plain_chart("other", "2.0.0"))?.expect_status(201)?;
        let into = helm.home().join("pulled");
        std::fs::create_dir(&into)?;
        let into = into.to_str().context("path")?;
        for (chart, range) in [("demo", "1.2.3+up4"), ("other", "2.0.0"), ("other", ">=1.0.0")] {
            let address = format!("{registry}/{chart}");
            plain(helm, &["pull", &address, "--version", range, "--destination", into])?;
        }
        assert_eq!(std::fs::read(helm.home().join("pulled/demo-1.2.3+up4.tgz"))?, archive);
        assert_eq!(std::fs::read(helm.home().join("pulled/other-2.0.0.tgz"))?, plain_chart("other", "2.0.0"));
        plain(helm, &["template", "x", &format!("{registry}/other"), "--version", "2.0.0"])?;
        Ok(())
    })
}

#[test]
fn provenance_goes_with_a_push() -> Result<()> {
    let Some(keyring) = Keyring::create()? else { return Ok(()) };
    with_each_helm(|helm| {
        let site = Site::new()?;
        let server = site.start()?;
        if !log_in(helm, &server)? {
            return Ok(());
        }
        helm.ok(&["create", helm.home().join("signed").to_str().context("path")?])?;
        let (home, secret) = (helm.home().to_owned(), keyring.secret());
        let (home, secret) = (home.to_str().context("path")?, secret.to_str().context("path")?);
        let chart = format!("{home}/signed");
        helm.ok(&["package", &chart, "--sign", "--key", SIGNER, "--keyring", secret, "--destination", home])?;
        let registry = format!("oci://{}/team", server.address());
        plain(helm, &["push", &format!("{home}/signed-0.1.0.tgz"), &registry])?;
        let listed = server.anonymous()?.get("/team/charts/signed-0.1.0.tgz.prov")?.expect_status(200)?;
        assert_eq!(listed.body, std::fs::read(format!("{home}/signed-0.1.0.tgz.prov"))?);
        let public = keyring.public();
        let pull = ["pull", &format!("{registry}/signed"), "--version", "0.1.0", "--verify", "--keyring"];
        let into = format!("{home}/verified");
        std::fs::create_dir(&into)?;
        let pull = [&pull[..], &[public.to_str().context("path")?, "--destination", &into]].concat();
        plain(helm, &pull)?;
        Ok(())
    })
}
