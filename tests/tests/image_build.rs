//! Images of our own: the same lock gives the same image to anyone, and what makes it another is named.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use oci::layout::{Layout, name_of};
use oci::{Content, Manifest};
use serde_json::{Value, json};
use stories::image_recipe::{ImageShop, KeepalivedImage, SmallImage};
use stories::process::signal;
use stories::unpacked_image::listing;
use stories::wait::wait_for;
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(120);
const CYCLONE_DX: &str = "application/vnd.cyclonedx+json";

/// The image of a layout that has one platform.
struct OneImage {
    layout: Layout,
    manifest: oci::Descriptor,
    config: Value,
    layers: Vec<oci::Descriptor>,
}

fn read_image(layout: &Path, tag: &str) -> Result<OneImage> {
    let layout = Layout::open(layout)?;
    let root = layout.find(tag)?.context("no such tag")?;
    let survey = layout.survey(&root)?;
    ensure!(survey.lost.is_empty() && survey.absent.is_empty(), "not whole: {survey:?}");
    let index = Manifest::parse(&layout.read_manifest(&root)?, Some(&root.media_type))?;
    let manifest = index.manifests().first().context("an index of nothing")?.clone();
    let image = Manifest::parse(&layout.read_manifest(&manifest)?, Some(&manifest.media_type))?;
    let Content::Image { config, layers } = image.content else { anyhow::bail!("an index in an index") };
    let config = serde_json::from_slice(&layout.open_blob(&config)?.into_bytes()?)?;
    Ok(OneImage { layout, manifest, config, layers })
}

#[test]
fn root_and_nobody_build_the_same_image_from_one_lock() -> Result<()> {
    // The build by nobody, with another umask, time zone and folder, is refused when it is not what root locked.
    let Some(folder) = KeepalivedImage::built_by_nobody()? else { return Ok(()) };
    let image = read_image(&folder.join("images"), "v2.2.7")?;
    assert_eq!(image.layers.len(), 2, "the distribution's packages and ours");
    assert_eq!(image.config["config"]["Entrypoint"], json!(["/usr/local/bin/run.sh"]));
    assert_eq!(image.config["config"]["Labels"]["org.opencontainers.image.title"], "keepalived");
    assert_eq!(image.manifest.platform.as_ref().map(ToString::to_string).as_deref(), Some("linux/amd64"));
    let text = image.config.to_string();
    for leak in ["io.buildah.version", "proxy", "localhost", "/tmp", "Seoul"] {
        ensure!(!text.contains(leak), "the configuration tells of the builder: {text}");
    }
    ensure!(text.contains("\"created\":\"1980-01-01T00:00:00Z\""), "{text}");
    Ok(())
}

#[test]
fn no_layer_tells_of_the_machine() -> Result<()> {
    let Some(folder) = KeepalivedImage::built_by_nobody()? else { return Ok(()) };
    let image = read_image(&folder.join("images"), "v2.2.7")?;
    let mut count = 0;
    for layer in &image.layers {
        let bytes = image.layout.open_blob(layer)?.into_bytes()?;
        let mut archive = listing(&bytes)?;
        archive.sort();
        count += archive.len();
        for line in archive {
            let (kind, path) = line.split_at(1);
            ensure!(!matches!(kind, "c" | "b"), "a device node: {path}");
            let is_leak = [
                " etc/hostname",
                " etc/resolv.conf",
                " etc/machine-id",
                " etc/apt/sources.list",
                "99mmdebstrap",
            ];
            ensure!(!is_leak.iter().any(|leak| line.ends_with(leak)), "{line}");
            ensure!(line.contains(" 1980-01-01 "), "a time of its own: {line}");
        }
    }
    ensure!(count > 5000, "only {count} paths");
    Ok(())
}

#[test]
fn the_sbom_is_attached_and_names_every_package() -> Result<()> {
    let Some(folder) = KeepalivedImage::built_by_nobody()? else { return Ok(()) };
    let image = read_image(&folder.join("images"), "v2.2.7")?;
    let entries = image.layout.entries()?;
    let attached = entries.iter().find(|entry| name_of(entry).is_none()).context("nothing is attached")?;
    let referrer = Manifest::parse(&image.layout.read_manifest(attached)?, Some(&attached.media_type))?;
    assert_eq!(referrer.artifact_type(), Some(CYCLONE_DX));
    assert_eq!(referrer.subject.as_ref().map(|subject| &subject.digest), Some(&image.manifest.digest));
    let Content::Image { layers, .. } = &referrer.content else { anyhow::bail!("an index") };
    let document = image.layout.open_blob(layers.first().context("no document")?)?.into_bytes()?;
    let document: Value = serde_json::from_slice(&document)?;
    assert_eq!((&document["bomFormat"], &document["specVersion"]), (&json!("CycloneDX"), &json!("1.5")));
    let components = document["components"].as_array().context("no components")?;
    let lock = fs::read_to_string(folder.join("image/image.lock"))?;
    let locked = lock.matches("sizeBytes:").count();
    assert_eq!(components.len(), locked, "as many packages as were locked");
    let keepalived = components.iter().find(|one| one["name"] == "keepalived").context("no keepalived")?;
    let address = keepalived["purl"].as_str().context("no address")?;
    ensure!(address.starts_with("pkg:deb/debian/keepalived@1%3A2.2.7"), "{address}");
    Ok(())
}

#[test]
fn a_random_file_is_named_by_check_and_its_absence_is_green() -> Result<()> {
    let Some(small) = SmallImage::built()? else { return Ok(()) };
    let Some(shop) = ImageShop::open()? else { return Ok(()) };
    let random = "FROM base\nRUN mkdir -p /opt/tool /var/log && head -c 8 /dev/urandom > /opt/tool/key && date > /var/log/built\n";
    shop.write_recipe("tool", &small.layout(), &small.digest, random)?;
    shop.image(&["lock", "tool", "--vault", "vault"])?.success()?;
    let checked = shop.image(&["build", "tool", "--vault", "vault", "--check"])?;
    assert_eq!(checked.status.code(), Some(1));
    ensure!(
        checked.text().contains("linux/amd64, layer 1: content of `/opt/tool/key`"),
        "{}",
        checked.text()
    );
    let refused = shop.image(&["build", "tool", "--vault", "vault", "-o", "out"])?.failure()?;
    ensure!(refused.contains("the image came out as sha256:"), "{refused}");
    ensure!(!shop.folder().join("out").exists(), "something was written");

    shop.write(
        "tool/Containerfile",
        "FROM base\nRUN mkdir -p /opt /var/log && date > /var/log/built && echo 1 > /opt/fixed && touch /opt/now\n",
    )?;
    let refused = shop.image(&["build", "tool", "--vault", "vault"])?.failure()?;
    ensure!(refused.contains("is of another recipe") && refused.contains("tool/Containerfile"), "{refused}");
    shop.image(&["lock", "tool", "--vault", "vault"])?.success()?;
    let checked = shop.image(&["build", "tool", "--vault", "vault", "--check"])?.success()?;
    ensure!(checked.contains("site/tool:v1 is the same twice: sha256:"), "{checked}");
    Ok(())
}

#[test]
fn a_run_reaches_no_network_and_a_step_that_fails_is_shown() -> Result<()> {
    let Some(small) = SmallImage::built()? else { return Ok(()) };
    let Some(shop) = ImageShop::open()? else { return Ok(()) };
    let asking = "FROM base\nRUN cat /proc/net/dev >&2; exit 7\n";
    shop.write_recipe("tool", &small.layout(), &small.digest, asking)?;
    let said = shop.image(&["lock", "tool", "--vault", "vault"])?.failure()?;
    ensure!(said.contains("`buildah` failed while building") && said.contains("exit status 7"), "{said}");
    let devices: Vec<_> =
        said.lines().filter_map(|line| line.trim().split_once(": ")).map(|(name, _)| name).collect();
    ensure!(devices.contains(&"lo"), "the devices are not shown: {said}");
    ensure!(
        !devices.iter().any(|name| name.starts_with("e") && !name.contains(' ')),
        "a device of the machine: {said}"
    );
    ensure!(!shop.folder().join("tool/image.lock").exists(), "a lock was written");
    Ok(())
}

#[test]
fn an_interrupted_build_leaves_nothing() -> Result<()> {
    let Some(image) = KeepalivedImage::built()? else { return Ok(()) };
    let temporary = TempDir::with_prefix("chartroom-interrupted-")?;
    let arguments = ["build", "image", "--vault", "vault", "-o", "interrupted"];
    let mut build = image.shop.start_image(&arguments, temporary.path())?;
    let entries = || -> Result<Vec<PathBuf>> {
        fs::read_dir(temporary.path())?.map(|entry| Ok(entry?.path())).collect()
    };
    wait_for("the base to be made", SOON, || {
        let is_begun = entries()?.iter().any(|folder| folder.join("linux-amd64/archive/Packages").exists());
        Ok(is_begun.then_some(()))
    })?;
    signal(build.id(), "INT")?;
    let status = wait_for("the build to end", SOON, || Ok(build.try_wait()?))?;
    assert_eq!(status.code(), Some(1));
    assert_eq!(entries()?, Vec::<PathBuf>::new(), "something is left");
    ensure!(!image.shop.folder().join("interrupted").exists(), "something was written");
    Ok(())
}
