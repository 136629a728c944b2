//! Images, with the clients that people use: pushed, copied, listed, deleted, and what is attached to them.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use stories::environment::clean_command;
use stories::process::{Outcome, run};
use stories::server::Server;
use stories::site::Site;
use stories::tiny_image::write_layout;
use stories::tool::find_tool;

stories::on_each_backend! {
    an_image_is_pushed_copied_listed_and_deleted,
}

/// Runs a client with the site's folder as its home and the admin's credential in it.
fn client(tool: &Path, site: &Site, server: &Server, arguments: &[&str]) -> Result<Outcome> {
    use base64::Engine as _;
    let home = site.folder();
    let token = base64::engine::general_purpose::STANDARD.encode(format!("ci:{}", server.admin_token()?));
    let config = serde_json::json!({ "auths": { server.address(): { "auth": token } } }).to_string();
    let docker = home.join("docker");
    std::fs::create_dir_all(&docker)?;
    std::fs::write(docker.join("config.json"), &config)?;
    run(clean_command(tool)
        .args(arguments)
        .env("HOME", home)
        .env("DOCKER_CONFIG", &docker)
        .env("REGISTRY_AUTH_FILE", docker.join("config.json")))
}

fn an_image_is_pushed_copied_listed_and_deleted(site: &Site) -> Result<()> {
    let Some(skopeo) = find_tool("skopeo")? else { return Ok(()) };
    let server = site.start()?;
    let skopeo = |arguments: &[&str]| client(&skopeo, site, &server, arguments)?.success();
    let layout = site.folder().join("image");
    let digest = write_layout(&layout, "one")?;
    let source = format!("oci:{}", layout.display());
    let target = |reference: &str| format!("docker://{}/library/{reference}", server.address());
    let (to, from) = ("--dest-tls-verify=false", "--src-tls-verify=false");
    let copy = ["copy", "--quiet", "--preserve-digests"];
    skopeo(&[&copy[..], &[to, &source, &target("web:1.0")]].concat())?;
    skopeo(&[&copy[..], &[to, &source, &target("web:1.0")]].concat()).context("the same again")?;
    skopeo(&[&copy[..], &[from, to, &target("web:1.0"), &target("copy:2.0")]].concat()).context("mounted")?;
    let shown = skopeo(&["inspect", "--tls-verify=false", "--format", "{{.Digest}}", &target("web:1.0")])?;
    assert_eq!(shown.trim(), digest);
    let by_digest = format!("oci:{}", site.folder().join("pulled").display());
    skopeo(&[&copy[..], &[from, &target(&format!("web@{digest}")), &by_digest]].concat())?;
    let blob = format!("blobs/sha256/{}", digest.trim_start_matches("sha256:"));
    assert_eq!(std::fs::read(site.folder().join("pulled").join(&blob))?, std::fs::read(layout.join(&blob))?);
    let tags = skopeo(&["list-tags", "--tls-verify=false", &target("web")])?;
    ensure!(tags.contains("1.0"), "{tags}");
    skopeo(&["delete", "--tls-verify=false", &target("web:1.0")])?;
    let gone = server.admin()?.get("/v2/library/web/manifests/1.0")?;
    assert_eq!(gone.status, 404, "{}", gone.text());
    server.admin()?.get("/v2/library/copy/manifests/2.0")?.expect_status(200)?;
    Ok(())
}

#[test]
fn crane_and_oras_push_what_the_other_pulls() -> Result<()> {
    let (Some(crane), Some(oras)) = (find_tool("crane")?, find_tool("oras")?) else { return Ok(()) };
    let site = Site::new()?;
    let server = site.start()?;
    let layout = site.folder().join("image");
    let digest = write_layout(&layout, "one")?;
    let reference = format!("{}/team/web:1.0", server.address());
    let layout = layout.to_str().context("path")?;
    let run = |tool: &Path, arguments: &[&str]| client(tool, &site, &server, arguments)?.success();
    run(&crane, &["push", "--insecure", layout, &reference])?;
    let resolved = run(&oras, &["resolve", "--plain-http", &reference])?;
    assert_eq!(resolved.trim(), digest);
    let note = site.folder().join("note.txt");
    std::fs::write(&note, "checked")?;
    let attach =
        ["attach", "--plain-http", "--disable-path-validation", "--artifact-type", "text/note", &reference];
    run(&oras, &[&attach[..], &[note.to_str().context("path")?]].concat())?;
    let found = run(&oras, &["discover", "--plain-http", "--format", "json", &reference])?;
    ensure!(found.contains("text/note"), "{found}");
    run(&oras, &["tag", "--plain-http", &reference, "stable"])?;
    let tags = run(&crane, &["ls", "--insecure", &format!("{}/team/web", server.address())])?;
    assert_eq!(tags.lines().collect::<Vec<_>>(), ["1.0", "stable"]);
    run(&crane, &["delete", "--insecure", &format!("{}/team/web:stable", server.address())])?;
    Ok(())
}
