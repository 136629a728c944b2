//! The first delivery of all: keepalived, from a new folder to a DaemonSet rendered with the site's values.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use stories::helm::{Helm, KUBERNETES_VERSION, with_each_helm};
use stories::packager::run_packager;
use stories::server::Server;
use stories::site::Site;
use stories::{command_line, packager};

const IMAGE: &str = "registry.local.cloud:5000/ubuntu/keepalived:v2.2.4";

/// Scaffolds, packs and pushes the chart as the packager's own help tells.
fn deliver(site: &Site, server: &Server) -> Result<()> {
    let line = command_line::new_chart("keepalived", "daemonset", IMAGE, "2.2.4");
    run_packager(site.folder(), &line)?.success()?;
    let packed = site.folder().join("packed");
    fs::create_dir(&packed)?;
    run_packager(site.folder(), &command_line::pack(Path::new("keepalived"), &packed))?.success()?;
    let archive = packed.join("keepalived-0.1.0.tgz");
    let url = format!("{}/playcekube", server.url());
    packager::push(&[&archive], &url, &server.admin_token()?)?.success()?;
    Ok(())
}

fn assert_daemon_set(rendered: &str, image: &str) -> Result<()> {
    ensure!(rendered.contains("kind: DaemonSet"), "no DaemonSet: {rendered}");
    let images: Vec<&str> = rendered.lines().filter_map(|line| line.trim().strip_prefix("image:")).collect();
    let plain: Vec<&str> = images.iter().map(|image| image.trim().trim_matches('"')).collect();
    assert_eq!(plain, [image], "{rendered}");
    Ok(())
}

fn install_with_site_values(helm: &Helm, url: &str) -> Result<()> {
    helm.add_repository("playcekube", url)?;
    let rows = helm.search(&["keepalived"])?;
    let [name, version, application, _] = rows.first().context("not found")?;
    assert_eq!([name, version, application], ["playcekube/keepalived", "0.1.0", "2.2.4"]);
    let values =
        "image:\n  repository: mirror.site.example:5000/ubuntu/keepalived\n  pullPolicy: IfNotPresent\n";
    fs::write(helm.home().join("site.yaml"), values)?;
    let line = ["template", "keepalived", "playcekube/keepalived", "--kube-version", KUBERNETES_VERSION];
    assert_daemon_set(&helm.ok(&line)?, IMAGE)?;
    let rendered = helm.ok(&[&line[..], &["--namespace", "kube-system", "--values", "site.yaml"]].concat())?;
    ensure!(rendered.contains("imagePullPolicy: IfNotPresent"), "{rendered}");
    assert_daemon_set(&rendered, "mirror.site.example:5000/ubuntu/keepalived:v2.2.4")
}

#[test]
fn a_new_chart_reaches_a_rendered_daemon_set_with_the_sites_values() -> Result<()> {
    let site = Site::new()?;
    let server = site.start()?;
    deliver(&site, &server)?;
    let url = format!("{}/playcekube", server.url());
    with_each_helm(|helm| install_with_site_values(helm, &url))
}

#[test]
fn packing_twice_and_pushing_twice_changes_nothing() -> Result<()> {
    let site = Site::new()?;
    let server = site.start()?;
    deliver(&site, &server)?;
    let before = server.anonymous()?.get("/playcekube/index.yaml")?.body;
    let again = site.folder().join("again");
    fs::create_dir(&again)?;
    run_packager(site.folder(), &command_line::pack(Path::new("keepalived"), &again))?.success()?;
    let archive = again.join("keepalived-0.1.0.tgz");
    ensure!(
        fs::read(&archive)? == fs::read(site.folder().join("packed/keepalived-0.1.0.tgz"))?,
        "other bytes"
    );
    let url = format!("{}/playcekube", server.url());
    packager::push(&[&archive], &url, &server.admin_token()?)?.success()?;
    ensure!(server.anonymous()?.get("/playcekube/index.yaml")?.body == before, "the index changed");
    Ok(())
}
