//! Deliveries with images: digests from a real registry, tags that move, images that vanish or are for other machines.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use chart::archive::{ChartArchive, Limits};
use oci::client::{
    Copier, CopySettings, Destination, OnProgress, Origin, Registry, RegistryAddress, Settings,
};
use oci::layout::Layout;
use oci::{Descriptor, Digest, Platform, media_type};
use serde_json::json;
use stories::command_line::{CHECK, UPDATE, lock_with_images};
use stories::delivery::Delivery;
use stories::docker_registry::DockerRegistry;
use stories::process::Outcome;
use stories::tool::find_tool;
use tempfile::TempDir;

/// A registry with images, a delivery of one chart that uses them, and the helm that renders it.
struct Scene {
    registry: DockerRegistry,
    delivery: Delivery,
    folder: TempDir,
}

impl Scene {
    /// Makes the scene with these lines behind the recipe; nothing after saying that a tool is missing.
    fn new(recipe: &str) -> Result<Option<Self>> {
        let (Some(registry), Some(helm)) = (DockerRegistry::open()?, find_tool("helm4")?) else {
            return Ok(None);
        };
        let host = registry.address();
        let mut delivery = Delivery::new(&[("app", &format!("chart: .\n{recipe}"))])?;
        delivery.set("CHARTPACK_HELM", &helm.display().to_string());
        let folder = TempDir::with_prefix("chartroom-images-")?;
        delivery.set("CHARTPACK_CACHE", &folder.path().join("cache").display().to_string());
        delivery.write("recipes/app/Chart.yaml", "apiVersion: v2\nname: app\nversion: 1.0.0\n")?;
        let values = format!("image: {{repository: '{host}/team/app', tag: '1.0'}}\n");
        delivery.write("recipes/app/values.yaml", values)?;
        let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: app}\nspec:\n  containers:\n  - name: app\n    \
                   image: '{{ .Values.image.repository }}:{{ .Values.image.tag }}'\n";
        delivery.write("recipes/app/templates/pod.yaml", pod)?;
        Ok(Some(Self { registry, delivery, folder }))
    }

    /// Publishes an index of images for these platforms under `name:1.0`; returns its descriptor and theirs.
    fn publish(&self, name: &str, mark: &str, platforms: &[&str]) -> Result<(Digest, Vec<Digest>)> {
        let layout = Layout::create(self.folder.path().join(format!("{mark}-layout")))?;
        let mut entries = Vec::new();
        for platform in platforms {
            let image = put_image(&layout, &format!("{mark} {platform}"), platform)?;
            entries.push(Descriptor { platform: Some(platform.parse::<Platform>()?), ..image });
        }
        let index = json!({"schemaVersion": 2, "mediaType": media_type::IMAGE_INDEX, "manifests": entries});
        let index = put(&layout, media_type::IMAGE_INDEX, index.to_string().as_bytes())?;
        self.push(&layout, &index, name)?;
        Ok((index.digest, entries.into_iter().map(|entry| entry.digest).collect()))
    }

    fn push(&self, layout: &Layout, manifest: &Descriptor, name: &str) -> Result<()> {
        let address: RegistryAddress = self.registry.address().to_string().parse()?;
        let registry = Registry::connect(address, &Settings::default())?;
        let to = Destination::Registry { registry, name: name.parse()?, tag: Some("1.0".parse()?) };
        let from = Origin::Layout { layout: layout.clone(), manifest: manifest.clone() };
        let silent: OnProgress = Arc::new(|_| {});
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(Copier::new(CopySettings::default()).copy(&from, &to, &silent))?;
        Ok(())
    }

    fn lock(&self, more: &[&str]) -> Result<Outcome> {
        self.delivery.packager(&lock_with_images("digests", more))
    }
}

fn put(layout: &Layout, kind: &str, bytes: &[u8]) -> Result<Descriptor> {
    let blob = Descriptor::new(kind, Digest::sha256(bytes), bytes.len() as u64);
    layout.put_blob(&blob, bytes)?;
    Ok(blob)
}

fn put_image(layout: &Layout, content: &str, platform: &str) -> Result<Descriptor> {
    let platform: Platform = platform.parse()?;
    let config = json!({"architecture": platform.architecture, "os": platform.os, "rootfs": {"type": "layers", "diff_ids": []}});
    let manifest = json!({
        "schemaVersion": 2, "mediaType": media_type::IMAGE_MANIFEST,
        "config": put(layout, media_type::IMAGE_CONFIG, config.to_string().as_bytes())?,
        "layers": [put(layout, "application/vnd.oci.image.layer.v1.tar", content.as_bytes())?],
    });
    put(layout, media_type::IMAGE_MANIFEST, manifest.to_string().as_bytes())
}

#[test]
fn digests_are_locked_stay_and_are_told_when_their_tag_moves() -> Result<()> {
    let Some(scene) = Scene::new("")? else { return Ok(()) };
    let (index, images) = scene.publish("team/app", "first", &["linux/amd64", "linux/arm64"])?;
    scene.lock(&[])?.success()?;
    let locked = scene.delivery.lock_text();
    ensure!(locked.contains(&format!("digest: {index}\n")), "{locked}");
    ensure!(locked.contains(&format!("linux/amd64: {}\n", images[0])), "{locked}");
    ensure!(!locked.contains(&images[1].to_string()), "the catalogue asks for one platform: {locked}");
    let archives = scene.delivery.build("dist")?;
    let archive = archives.get("app-1.0.0.tgz").context("no archive")?;
    let archive = ChartArchive::read(archive.as_slice(), &Limits::default())?;
    let values = String::from_utf8_lossy(archive.file("values.yaml").unwrap_or_default()).into_owned();
    ensure!(values.contains("registry.local.cloud:5000/127.0.0.1-"), "{values}");
    scene.lock(&[CHECK])?.success()?;

    let (moved, _) = scene.publish("team/app", "second", &["linux/amd64"])?;
    let check = scene.lock(&[CHECK])?;
    let told = check.text();
    ensure!(check.status.code() == Some(1), "{told}");
    ensure!(told.contains(&format!("was {index} and is {moved}")), "{told}");
    scene.lock(&[])?.success()?;
    ensure!(scene.delivery.lock_text() == locked, "what was locked stays");
    scene.lock(&[UPDATE, "app"])?.success()?;
    ensure!(
        scene.delivery.lock_text().contains(&format!("digest: {moved}\n")),
        "{}",
        scene.delivery.lock_text()
    );
    Ok(())
}

#[test]
fn an_image_that_is_gone_is_refused_until_it_is_substituted() -> Result<()> {
    let Some(scene) = Scene::new("")? else { return Ok(()) };
    let (index, _) = scene.publish("legacy/app", "kept", &["linux/amd64"])?;
    let refusal = scene.lock(&[])?.failure()?;
    ensure!(refusal.contains("`1.0` of `127.0.0.1:") && refusal.contains("is not there"), "{refusal}");
    ensure!(refusal.contains("images: {substitutions: {OLD: NEW}}"), "{refusal}");
    ensure!(scene.delivery.lock_text().is_empty(), "a lock was written");
    let host = scene.registry.address();
    let recipe = format!("chart: .\nimages: {{substitutions: {{'{host}/team': '{host}/legacy'}}}}\n");
    scene.delivery.write("recipes/app/recipe.yaml", recipe)?;
    scene.lock(&[])?.success()?;
    let locked = scene.delivery.lock_text();
    ensure!(
        locked.contains(&format!("copiedFrom: {host}/legacy/app:1.0\n"))
            || locked.contains(&format!("copiedFrom: \"{host}/legacy/app:1.0\"\n")),
        "{locked}"
    );
    ensure!(locked.contains(&index.to_string()), "{locked}");
    Ok(())
}

#[test]
fn images_for_other_machines_alone_are_locked_and_told() -> Result<()> {
    let Some(scene) = Scene::new("")? else { return Ok(()) };
    let (index, _) = scene.publish("team/app", "windows", &["windows/amd64"])?;
    let said = scene.lock(&[])?.success()?;
    ensure!(said.contains("team/app:1.0 has none of the platforms"), "{said}");
    ensure!(scene.delivery.lock_text().contains(&index.to_string()));
    // A single manifest says nothing of its platform; its configuration does.
    let layout = Layout::create(scene.folder.path().join("single"))?;
    let single = put_image(&layout, "single", "linux/amd64")?;
    scene.push(&layout, &single, "team/app")?;
    let said = scene.lock(&[UPDATE, "app"])?.success()?;
    ensure!(!said.contains("has none"), "{said}");
    ensure!(scene.delivery.lock_text().contains(&format!("linux/amd64: {}\n", single.digest)));
    Ok(())
}

#[test]
fn a_registry_that_does_not_answer_is_no_missing_image() -> Result<()> {
    let Some(scene) = Scene::new("")? else { return Ok(()) };
    let Scene { registry, delivery, .. } = scene;
    drop(registry);
    let outcome = delivery.packager(&lock_with_images("digests", &[]))?;
    ensure!(outcome.status.code() == Some(3), "{outcome:?}");
    ensure!(outcome.failure()?.contains("cannot reach"));
    ensure!(!delivery.path("playcekube.lock").exists());
    Ok(())
}
