//! What images of our own are made of and fetched from elsewhere: bases of a registry, files by URL, an archive by flag.

use std::fs;

use anyhow::{Result, ensure};
use oci::Digest;
use stories::docker_registry::DockerRegistry;
use stories::environment::clean_command;
use stories::image_recipe::ImageShop;
use stories::process::run;
use stories::tiny_image::write_layout;
use stories::tool::find_tool;
use stories::web_server::{Prepared, WebServer};

const TOOL: &[u8] = b"#!/bin/sh\necho tool\n";
const LOCK: [&str; 4] = ["lock", "tool", "--vault", "vault"];

/// Pushes a tiny image to a registry and returns its name there with its digest; nothing without skopeo.
fn push_base(shop: &ImageShop, registry: &DockerRegistry) -> Result<Option<String>> {
    let Some(skopeo) = find_tool("skopeo")? else { return Ok(None) };
    let layout = shop.folder().join("tiny");
    let digest = write_layout(&layout, "a base")?;
    let name = format!("{}/site/base", registry.address());
    let copy = ["--insecure-policy", "copy", "--quiet", "--preserve-digests", "--dest-tls-verify=false"];
    let (from, to) = (format!("oci:{}", layout.display()), format!("docker://{name}:v1"));
    run(clean_command(skopeo).args(copy).args([from, to]).env("HOME", shop.folder()))?.success()?;
    Ok(Some(format!("{name}@{digest}")))
}

fn write_recipe(shop: &ImageShop, base: &str, files: &str) -> Result<()> {
    let recipe =
        format!("name: site/tool\ntag: v1\nplatforms: [linux/amd64]\nbase: {base}\nfiles: [{files}]\n");
    shop.write("tool/image.yaml", &recipe)?;
    shop.write("tool/Containerfile", "FROM base\nCOPY tool /tool\n")
}

#[test]
fn a_base_of_a_registry_and_a_file_of_a_server_are_fetched_once() -> Result<()> {
    let (Some(shop), Some(registry)) = (ImageShop::open()?, DockerRegistry::open()?) else { return Ok(()) };
    let Some(base) = push_base(&shop, &registry)? else { return Ok(()) };
    let server = WebServer::start()?;
    server.put("/tool", [Prepared::File(TOOL.to_vec()), Prepared::Status(404)]);
    let file = format!("{{path: tool, url: '{}', digest: '{}'}}", server.url("/tool"), Digest::sha256(TOOL));
    write_recipe(&shop, &format!("{{image: '{base}'}}"), &file)?;
    shop.image(&LOCK)?.success()?;
    let lock = fs::read_to_string(shop.folder().join("tool/image.lock"))?;
    drop(registry);
    // Both are in the vault: nobody is asked again, and the image is the same.
    shop.image(&LOCK)?.success()?;
    ensure!(fs::read_to_string(shop.folder().join("tool/image.lock"))? == lock, "another lock");
    ensure!(server.take_received().len() == 1, "the file was fetched again");
    let checked = shop.image(&["build", "tool", "--vault", "vault", "--check"])?.success()?;
    ensure!(checked.contains("site/tool:v1 is the same twice: sha256:"), "{checked}");
    shop.image(&["build", "tool", "--vault", "vault", "-o", "images"])?.success()?;
    let refused = shop.image(&["lock", "tool", "--vault", "elsewhere"])?.failure()?;
    ensure!(refused.contains(&server.url("/tool")), "what is not to be had is not named: {refused}");
    Ok(())
}

#[test]
fn a_base_that_is_gone_and_a_file_of_other_bytes_are_refused() -> Result<()> {
    let (Some(shop), Some(registry)) = (ImageShop::open()?, DockerRegistry::open()?) else { return Ok(()) };
    let Some(base) = push_base(&shop, &registry)? else { return Ok(()) };
    let server = WebServer::start()?;
    server.put("/tool", [Prepared::File(b"something else".to_vec())]);
    let file = format!("{{path: tool, url: '{}', digest: '{}'}}", server.url("/tool"), Digest::sha256(TOOL));
    write_recipe(&shop, &format!("{{image: '{base}'}}"), &file)?;
    let changed = shop.image(&LOCK)?.failure()?;
    ensure!(changed.contains(&server.url("/tool")), "{changed}");
    ensure!(changed.contains(&Digest::sha256(b"something else").to_string()), "{changed}");
    shop.write("tool/tool", "ours\n")?;
    let (name, _) = base.split_once('@').unwrap_or_default();
    let other = format!("{name}@{}", Digest::sha256(b"no such image"));
    write_recipe(&shop, &format!("{{image: '{other}'}}"), "tool")?;
    let gone = shop.image(&LOCK)?.failure()?;
    ensure!(gone.contains(&Digest::sha256(b"no such image").to_string()), "{gone}");
    ensure!(!shop.folder().join("tool/image.lock").exists(), "a lock was written");
    Ok(())
}

#[test]
fn packages_come_from_the_archive_of_the_flag_at_the_recipes_moment() -> Result<()> {
    let Some(shop) = ImageShop::open()? else { return Ok(()) };
    let server = WebServer::start()?;
    let moment = "20261101T000000Z";
    let base = format!("{{packages: [dash], distribution: debian, suites: [story], snapshot: {moment}}}");
    shop.write("tool/tool", "ours\n")?;
    shop.write("keys.gpg", "")?;
    write_recipe(&shop, &base, "tool")?;
    let from =
        |mirror: &str| shop.image(&[&LOCK[..], &["--keyring", "keys.gpg", "--mirror", mirror]].concat());
    let refused = from(&server.url("/archive"))?.failure()?;
    ensure!(refused.contains("and the recipe's `snapshot` must go together"), "{refused}");
    ensure!(server.take_received().is_empty(), "it was asked all the same");
    let away = from(&server.url("/archive/{snapshot}"))?;
    ensure!(away.status.code() == Some(3), "{away:?}");
    ensure!(server.was_asked_for(&format!("/archive/{moment}/dists/story/InRelease")), "{away:?}");
    Ok(())
}
