//! The first delivery of all: keepalived, from its recipe to a DaemonSet rendered with the site's values.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use stories::helm::{Helm, KUBERNETES_VERSION, with_each_helm};
use stories::packager::{self, run_packager};
use stories::server::Server;
use stories::site::Site;
use stories::{command_line, environment};

/// The image in the site's registry, as the recipe sets it.
const IMAGE: &str = "registry.local.cloud:5000/ubuntu/keepalived:v2.2.4";

fn seed_chart() -> PathBuf {
    environment::repository_root().join("seed-charts/keepalived")
}

/// Packs a chart into a fresh folder and returns the archive.
fn pack(site: &Site, chart: &Path, into: &str) -> Result<PathBuf> {
    let packed = site.folder().join(into);
    fs::create_dir(&packed)?;
    run_packager(site.folder(), &command_line::pack(chart, &packed))?.success()?;
    Ok(packed.join("keepalived-0.1.0.tgz"))
}

fn push(server: &Server, archive: &Path) -> Result<()> {
    packager::push(&[archive], &format!("{}/playcekube", server.url()), &server.admin_token()?)?.success()?;
    Ok(())
}

/// Checks that the one workload is a DaemonSet with that image and nothing else.
fn assert_daemon_set(rendered: &str, image: &str) -> Result<()> {
    ensure!(rendered.contains("kind: DaemonSet"), "no DaemonSet: {rendered}");
    let images: Vec<&str> = rendered.lines().filter_map(|line| line.trim().strip_prefix("image:")).collect();
    let plain: Vec<&str> = images.iter().map(|image| image.trim().trim_matches('"')).collect();
    assert_eq!(plain, [image], "{rendered}");
    Ok(())
}

fn template(helm: &Helm, more: &[&str]) -> Result<String> {
    let line = ["template", "keepalived", "playcekube/keepalived", "--namespace", "kube-system"];
    helm.ok(&[&line[..], &["--kube-version", KUBERNETES_VERSION], more].concat())
}

fn install_with_site_values(helm: &Helm, url: &str) -> Result<()> {
    helm.add_repository("playcekube", url)?;
    let row = ["playcekube/keepalived", "0.1.0", "2.2.4", "Keepalived for the cluster's virtual IP address"];
    assert_eq!(helm.search(&["keepalived"])?, [row.map(str::to_owned)]);
    let about = helm.ok(&["show", "chart", "playcekube/keepalived"])?;
    ensure!(about.contains("catalog.cattle.io/certified: playcekube"), "{about}");
    ensure!(
        about.contains("keywords:\n- infrastructure\n"),
        "the category is not the first keyword: {about}"
    );
    let rendered = template(helm, &[])?;
    assert_daemon_set(&rendered, IMAGE)?;
    for (name, value) in [("VIP", "192.168.0.250"), ("INTERFACE", "eth0"), ("VROUTER_ID", "150")] {
        let lines = format!("name: KEEPALIVED_{name}\n              value: \"{value}\"");
        ensure!(rendered.contains(&lines), "no {name} in {rendered}");
    }
    let values =
        "image:\n  repository: mirror.site.example:5000/ubuntu/keepalived\nkeepalived:\n  vip: 10.0.0.9\n";
    fs::write(helm.home().join("site.yaml"), values)?;
    let rendered = template(helm, &["--values", "site.yaml"])?;
    ensure!(rendered.contains("value: \"10.0.0.9\""), "{rendered}");
    assert_daemon_set(&rendered, "mirror.site.example:5000/ubuntu/keepalived:v2.2.4")
}

#[test]
fn the_seed_chart_reaches_a_rendered_daemon_set_with_the_sites_values() -> Result<()> {
    let site = Site::new()?;
    let server = site.start()?;
    push(&server, &pack(&site, &seed_chart(), "packed")?)?;
    let url = format!("{}/playcekube", server.url());
    with_each_helm(|helm| install_with_site_values(helm, &url))
}

#[test]
fn a_chart_begun_from_nothing_reaches_a_rendered_daemon_set() -> Result<()> {
    let site = Site::new()?;
    let server = site.start()?;
    run_packager(site.folder(), &command_line::new_chart("keepalived", "daemonset", IMAGE, "2.2.4"))?
        .success()?;
    push(&server, &pack(&site, Path::new("keepalived"), "packed")?)?;
    let Some(helm) = Helm::find("helm3")? else { return Ok(()) };
    helm.add_repository("playcekube", &format!("{}/playcekube", server.url()))?;
    assert_daemon_set(&template(&helm, &[])?, IMAGE)
}

#[test]
fn packing_and_pushing_again_changes_nothing() -> Result<()> {
    let site = Site::new()?;
    let server = site.start()?;
    let index = || {
        Ok::<_, anyhow::Error>(server.anonymous()?.get("/playcekube/index.yaml")?.expect_status(200)?.body)
    };
    let first = pack(&site, &seed_chart(), "first")?;
    push(&server, &first)?;
    let before = index()?;
    let second = pack(&site, &seed_chart(), "second")?;
    ensure!(fs::read(&first)? == fs::read(&second).context("nothing packed")?, "other bytes");
    push(&server, &second)?;
    ensure!(index()? == before, "the index changed");
    Ok(())
}
