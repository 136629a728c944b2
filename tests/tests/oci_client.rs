//! The client of registries before a registry of others, and skopeo as the judge of what it pushed.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use oci::client::{
    CredentialSource, Credentials, Failure, Pushed, Registry, RegistryAddress, Resolved, Secret, Settings,
};
use oci::{Descriptor, Digest, OciName, Reference, media_type};
use serde_json::json;
use stories::docker_registry::{DockerRegistry, PASSWORD, USER};
use stories::environment::clean_command;
use stories::fault_proxy::{FaultProxy, Mode, Way};
use stories::process::run;
use stories::tool::find_tool;
use tempfile::TempDir;

/// More than one piece, so that a cut falls inside.
const LAYER_BYTES: usize = 1 << 20;

/// An image of one layer, which nobody can run.
struct Image {
    config: Bytes,
    layer: Bytes,
    manifest: Resolved,
}

fn described(kind: &str, bytes: &Bytes) -> Descriptor {
    Descriptor::new(kind, Digest::sha256(bytes), bytes.len() as u64)
}

fn image() -> Image {
    let config =
        json!({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}});
    let config = Bytes::from(config.to_string());
    let layer: Bytes = (0..LAYER_BYTES).map(|number| (number % 251) as u8).collect();
    let content = json!({
        "schemaVersion": 2, "mediaType": media_type::IMAGE_MANIFEST,
        "config": described("application/vnd.oci.image.config.v1+json", &config),
        "layers": [described("application/vnd.oci.image.layer.v1.tar", &layer)],
    });
    let bytes = Bytes::from(content.to_string());
    let manifest = Resolved { descriptor: described(media_type::IMAGE_MANIFEST, &bytes), bytes };
    Image { config, layer, manifest }
}

fn connect(address: SocketAddr, credentials: Credentials) -> Result<Registry> {
    let address: RegistryAddress = address.to_string().parse()?;
    let settings = Settings { credentials: CredentialSource::Given(credentials), ..Settings::default() };
    Ok(Registry::connect(address, &settings)?)
}

fn login() -> Credentials {
    Credentials::Basic { user: USER.to_owned(), password: Secret::new(PASSWORD) }
}

async fn push(registry: &Registry, name: &OciName, image: &Image) -> Result<[Pushed; 2]> {
    let manifest = image.manifest.manifest()?;
    let blobs: Vec<&Descriptor> = manifest.blobs().collect();
    let silent: oci::client::OnSent = Arc::new(|_| {});
    let mut pushed = Vec::new();
    for (blob, bytes) in blobs.into_iter().zip([&image.config, &image.layer]) {
        pushed.push(registry.push_blob(name, blob, None, bytes, &silent).await?);
    }
    registry.push_manifest(name, &Reference::Tag("1.0".parse()?), &image.manifest).await?;
    pushed.try_into().ok().context("an image of two blobs")
}

async fn pull_layer(registry: &Registry, name: &OciName, image: &Image) -> Result<Vec<u8>> {
    let mut pull = registry.pull_blob(name, &described("", &image.layer));
    let mut bytes = Vec::new();
    while let Some(piece) = pull.next().await? {
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

/// The registry under test is the address.
async fn what_is_pushed_is_there_for_us_and_for_skopeo(
    address: SocketAddr,
    credentials: Credentials,
) -> Result<()> {
    let Some(skopeo) = find_tool("skopeo")? else { return Ok(()) };
    let (registry, image, name) = (connect(address, credentials.clone())?, image(), "team/app".parse()?);
    ensure!(push(&registry, &name, &image).await? == [Pushed::Sent, Pushed::Sent]);
    ensure!(push(&registry, &name, &image).await? == [Pushed::Present, Pushed::Present]);
    let tag = Reference::Tag("1.0".parse()?);
    ensure!(registry.resolve(&name, &tag).await? == image.manifest);
    ensure!(registry.look_up(&name, &tag).await?.as_ref() == Some(&image.manifest.descriptor));
    ensure!(pull_layer(&registry, &name, &image).await? == image.layer);
    ensure!(registry.tags(&name).await? == ["1.0".parse()?]);
    ensure!(registry.names().await? == std::slice::from_ref(&name));
    let silent: oci::client::OnSent = Arc::new(|_| {});
    let layer = described("", &image.layer);
    let mounted =
        registry.push_blob(&"team/other".parse()?, &layer, Some(&name), &image.layer, &silent).await?;
    ensure!(mounted == Pushed::Mounted, "{mounted:?}");

    let folder = TempDir::with_prefix("chartroom-skopeo-")?;
    let mut copy = clean_command(skopeo);
    copy.args(["copy", "--src-tls-verify=false", "--preserve-digests", "--insecure-policy"]);
    if let Credentials::Basic { .. } = credentials {
        copy.arg(format!("--src-creds={USER}:{PASSWORD}"));
    }
    copy.args([format!("docker://{address}/team/app:1.0"), format!("dir:{}", folder.path().display())]);
    run(&mut copy)?.success()?;
    ensure!(std::fs::read(folder.path().join("manifest.json"))? == image.manifest.bytes);

    let by_digest = Reference::Digest(image.manifest.descriptor.digest.clone());
    registry.delete_manifest(&name, &by_digest).await?;
    let gone = registry.resolve(&name, &tag).await;
    ensure!(matches!(gone, Err(Failure::Missing { .. })), "{gone:?}");
    Ok(())
}

#[tokio::test]
async fn an_open_registry_takes_and_gives_an_image() -> Result<()> {
    let Some(registry) = DockerRegistry::open()? else { return Ok(()) };
    what_is_pushed_is_there_for_us_and_for_skopeo(registry.address(), Credentials::Anonymous).await
}

#[tokio::test]
async fn a_registry_with_logins_takes_and_gives_an_image_and_lets_nobody_else_in() -> Result<()> {
    let Some(registry) = DockerRegistry::with_logins()? else { return Ok(()) };
    let stranger = connect(registry.address(), Credentials::Anonymous)?;
    let refused = stranger.tags(&"team/app".parse()?).await;
    ensure!(matches!(refused, Err(Failure::Unauthorized { .. })), "{refused:?}");
    what_is_pushed_is_there_for_us_and_for_skopeo(registry.address(), login()).await
}

#[tokio::test]
async fn a_download_that_is_cut_goes_on_and_is_whole() -> Result<()> {
    let Some(registry) = DockerRegistry::open()? else { return Ok(()) };
    let (image, name) = (image(), "team/app".parse()?);
    push(&connect(registry.address(), Credentials::Anonymous)?, &name, &image).await?;
    let proxy = FaultProxy::start(registry.address())?;
    // Each connection ends after less than half of the layer.
    proxy.set(Mode::Cut { way: Way::ToClient, after: 400_000 })?;
    let pulled = pull_layer(&connect(proxy.address(), Credentials::Anonymous)?, &name, &image).await?;
    ensure!(pulled == image.layer);
    Ok(())
}
