//! A mirror for closed networks: containerd pulls names of other hosts from us, with no route to anywhere else.

use anyhow::{Context, Result, ensure};
use stories::command_line::{RepositorySettings, TokenRequest};
use stories::containerd::Containerd;
use stories::network::Network;
use stories::process::run;
use stories::server::Server;
use stories::site::Site;
use stories::tiny_image::write_layout;
use stories::tool::find_tool;

/// Pushes a fresh image to a name on the server inside the network, and returns its digest.
fn push(site: &Site, server: &Server, network: &Network, name: &str) -> Result<String> {
    let layout = site.folder().join(name.replace(['/', ':'], "-"));
    let digest = write_layout(&layout, name)?;
    let user = format!("ci:{}", server.admin_token()?);
    run(network
        .command("skopeo")
        .args([
            "--insecure-policy",
            "copy",
            "--preserve-digests",
            "--dest-tls-verify=false",
            "--dest-creds",
            &user,
        ])
        .arg(format!("oci:{}", layout.display()))
        .arg(format!("docker://{}/{name}", server.address()))
        .env("HOME", site.folder()))?
    .success()?;
    Ok(digest)
}

/// Pulls by tag and by digest and checks that both are the image that was pushed.
fn pull(containerd: &Containerd<'_>, reference: &str, digest: &str, user: Option<&str>) -> Result<()> {
    containerd.pull(reference, user)?.success()?;
    let pulled = containerd.digest_of(reference)?;
    ensure!(pulled.as_deref() == Some(digest), "{reference} is {pulled:?}, not {digest}");
    let (name, _) = reference.rsplit_once(':').context("no tag")?;
    let by_digest = format!("{name}@{digest}");
    containerd.pull(&by_digest, user)?.success()?;
    ensure!(containerd.digest_of(&by_digest)?.as_deref() == Some(digest), "{by_digest}");
    Ok(())
}

#[test]
fn containerd_pulls_names_of_other_hosts_with_no_route_to_them() -> Result<()> {
    let Some(network) = Network::without_a_way_out()? else { return Ok(()) };
    if find_tool("skopeo")?.is_none() {
        return Ok(());
    }
    let Some(containerd) = Containerd::start(&network)? else { return Ok(()) };
    let site = Site::new()?;
    let server = site.launch().under(&network.wrapper()).start()?;
    site.create_repository("site", &RepositorySettings { private: true, ..RepositorySettings::default() })?;
    for host in ["docker.io", "quay.io"] {
        containerd.mirror(host, server.url(), None)?;
    }
    // The same path at two hosts, and the path that Docker Hub gives to names of one word.
    for name in ["docker.io/library/redis:7", "docker.io/bitnami/redis:7", "quay.io/bitnami/redis:7"] {
        let digest = push(&site, &server, &network, name)?;
        pull(&containerd, name, &digest, None)?;
    }
    // A name of our own is no other host's.
    push(&site, &server, &network, "bitnami/postgres:16")?;
    containerd.pull("docker.io/bitnami/postgres:16", None)?.failure()?;

    // A repository is a mirror of its own, for those who may read it.
    let digest = push(&site, &server, &network, "site/docker.io/library/nginx:1")?;
    containerd.pull("docker.io/library/nginx:1", None)?.failure()?;
    containerd.mirror("docker.io", server.url(), Some("/v2/site"))?;
    containerd.pull("docker.io/library/nginx:1", None)?.failure()?;
    let reader = TokenRequest { name: "node", role: "reader", repository: Some("site"), expires: None };
    let user = format!("node:{}", site.create_token(&reader)?);
    pull(&containerd, "docker.io/library/nginx:1", &digest, Some(&user))?;
    // What lies in the default repository is not in this mirror.
    containerd.pull("docker.io/library/redis:7", Some(&user))?.failure()?;
    Ok(())
}
