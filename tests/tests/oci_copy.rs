//! Copies between a layout and registries, with skopeo as the judge of what arrived.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use oci::client::{
    Attachments, Copied, Copier, CopySettings, CredentialFiles, CredentialSource, Credentials, Destination,
    OnProgress, Origin, Registry, RegistryAddress, Secret, Settings,
};
use oci::layout::Layout;
use oci::{Descriptor, Digest, OciName, Platform, Reference, Tag, media_type};
use serde_json::json;
use stories::docker_registry::{DockerRegistry, PASSWORD, USER};
use stories::environment::clean_command;
use stories::fault_proxy::{FaultProxy, Mode, Way};
use stories::process::run;
use stories::site::Site;
use stories::tool::find_tool;
use tempfile::TempDir;

stories::on_each_backend! {
    a_delivery_goes_to_chartroom_and_comes_back,
    chartroom_takes_one_platform_under_the_whole_index,
}

/// Large enough that a cut falls inside.
const LAYER_BYTES: usize = 1 << 20;

/// A layout that holds an index of two images, a signature of the index that refers to it, and one of cosign's.
struct Delivery {
    layout: Layout,
    index: Descriptor,
    images: [Descriptor; 2],
    signature: Descriptor,
    folder: TempDir,
}

fn delivery() -> Result<Delivery> {
    let folder = TempDir::with_prefix("chartroom-copy-")?;
    let layout = Layout::create(folder.path().join("from"))?;
    let images = [put_image(&layout, "amd64", None)?, put_image(&layout, "arm64", None)?];
    let entry = |image: &Descriptor, platform: &str| -> Result<Descriptor> {
        Ok(Descriptor { platform: Some(platform.parse::<Platform>()?), ..image.clone() })
    };
    let entries = [entry(&images[0], "linux/amd64")?, entry(&images[1], "linux/arm64")?];
    let index = json!({"schemaVersion": 2, "mediaType": media_type::IMAGE_INDEX, "manifests": entries});
    // Spelled as no serializer of ours would: the digest is that of these bytes.
    let index = put(&layout, media_type::IMAGE_INDEX, format!("{index:#}\n").as_bytes())?;
    let signature = put_image(&layout, "signature", Some(&index))?;
    let by_tag = put_image(&layout, "cosign's signature", None)?;
    layout.add(&index, Some("1.0"))?;
    layout.add(&signature, None)?;
    layout.add(&by_tag, Some(&cosign_tag(&index)?.to_string()))?;
    Ok(Delivery { layout, index, images, signature, folder })
}

fn put(layout: &Layout, kind: &str, bytes: &[u8]) -> Result<Descriptor> {
    let blob = Descriptor::new(kind, Digest::sha256(bytes), bytes.len() as u64);
    layout.put_blob(&blob, bytes)?;
    Ok(blob)
}

fn put_image(layout: &Layout, content: &str, subject: Option<&Descriptor>) -> Result<Descriptor> {
    let config =
        json!({"architecture": content, "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}});
    let layer: Vec<u8> = content.bytes().cycle().take(LAYER_BYTES).collect();
    let mut manifest = json!({
        "schemaVersion": 2, "mediaType": media_type::IMAGE_MANIFEST,
        "config": put(layout, media_type::IMAGE_CONFIG, config.to_string().as_bytes())?,
        "layers": [put(layout, "application/vnd.oci.image.layer.v1.tar", &layer)?],
    });
    if let Some(subject) = subject {
        manifest["subject"] = json!(subject);
    }
    put(layout, media_type::IMAGE_MANIFEST, manifest.to_string().as_bytes())
}

fn cosign_tag(subject: &Descriptor) -> Result<Tag> {
    Ok(format!("{}.sig", Tag::of_referrers(&subject.digest)).parse()?)
}

/// Connects as a client of docker would, with the login in its file if there is one.
fn connect(address: SocketAddr, login: Option<&Path>) -> Result<Registry> {
    let files = CredentialFiles::new(login.map(Path::to_path_buf).into_iter().collect::<Vec<_>>());
    connect_as(&address.to_string(), CredentialSource::Files(files))
}

fn connect_as(address: &str, credentials: CredentialSource) -> Result<Registry> {
    let settings = Settings { credentials, ..Settings::default() };
    Ok(Registry::connect(address.parse::<RegistryAddress>()?, &settings)?)
}

async fn copy(settings: CopySettings, from: &Origin, to: &Destination) -> Result<Copied> {
    let silent: OnProgress = Arc::new(|_| {});
    Ok(Copier::new(settings).copy(from, to, &silent).await?)
}

fn everything() -> CopySettings {
    CopySettings { attachments: Attachments::Carry, ..CopySettings::default() }
}

fn from_layout(layout: &Layout, name: &str) -> Result<Origin> {
    let manifest = layout.find(name)?.context("the layout has no such name")?;
    Ok(Origin::Layout { layout: layout.clone(), manifest })
}

fn to_registry(registry: &Registry, name: &str) -> Result<Destination> {
    Ok(Destination::Registry { registry: registry.clone(), name: name.parse()?, tag: Some("1.0".parse()?) })
}

fn from_registry(registry: &Registry, name: &str) -> Result<Origin> {
    let reference = Reference::Tag("1.0".parse()?);
    Ok(Origin::Registry { registry: registry.clone(), name: name.parse()?, reference })
}

/// The registry under test is where `registry` leads.
async fn a_delivery_goes_there_and_comes_back_as_it_was(registry: &Registry) -> Result<()> {
    let delivery = delivery()?;
    let there = to_registry(registry, "team/app")?;
    let copied = copy(everything(), &from_layout(&delivery.layout, "1.0")?, &there).await?;
    ensure!(copied.manifests.last().map(|last| &last.digest) == Some(&delivery.index.digest), "{copied:?}");
    ensure!(copied.attached.len() == 2 && copied.absent.is_empty(), "{copied:?}");
    let again = copy(everything(), &from_layout(&delivery.layout, "1.0")?, &there).await?;
    ensure!(again.bytes_sent == 0, "{again:?}");

    let name: OciName = "team/app".parse()?;
    let referrers = registry.referrers(&name, &delivery.index.digest, None).await?;
    ensure!(referrers.iter().any(|found| found.digest == delivery.signature.digest), "{referrers:?}");

    let other = to_registry(registry, "mirror/app")?;
    let moved = copy(everything(), &from_registry(registry, "team/app")?, &other).await?;
    ensure!(moved.bytes_sent == 0, "within one registry blobs are mounted: {moved:?}");

    let back = Layout::create(delivery.folder.path().join("back"))?;
    let named = Destination::Layout { layout: back.clone(), name: Some("1.0".to_owned()) };
    let returned = copy(everything(), &from_registry(registry, "mirror/app")?, &named).await?;
    ensure!(returned.attached.len() == 2, "{returned:?}");
    ensure!(back.read_manifest(&delivery.index)? == delivery.layout.read_manifest(&delivery.index)?);
    let survey = back.survey(&delivery.index)?;
    ensure!(survey.absent.is_empty() && survey.lost.is_empty() && survey.manifests.len() == 3, "{survey:?}");
    ensure!(
        back.has_blob(&delivery.signature)? && back.find(cosign_tag(&delivery.index)?.as_str())?.is_some()
    );
    Ok(())
}

fn a_delivery_goes_to_chartroom_and_comes_back(site: &Site) -> Result<()> {
    let server = site.start()?;
    let login = Credentials::Basic { user: "story".to_owned(), password: Secret::new(server.admin_token()?) };
    let registry = connect_as(server.address(), CredentialSource::Given(login))?;
    runtime()?.block_on(a_delivery_goes_there_and_comes_back_as_it_was(&registry))
}

fn chartroom_takes_one_platform_under_the_whole_index(site: &Site) -> Result<()> {
    let (server, delivery) = (site.start()?, delivery()?);
    let login = Credentials::Basic { user: "story".to_owned(), password: Secret::new(server.admin_token()?) };
    let registry = connect_as(server.address(), CredentialSource::Given(login))?;
    let only_arm = CopySettings { platforms: vec!["linux/arm64".parse()?], ..CopySettings::default() };
    runtime()?.block_on(async {
        let origin = from_layout(&delivery.layout, "1.0")?;
        let copied = copy(only_arm, &origin, &to_registry(&registry, "team/app")?).await?;
        ensure!(copied.left_out.len() == 1, "{copied:?}");
        let anyone = connect_as(server.address(), CredentialSource::default())?;
        let resolved = anyone.resolve(&"team/app".parse()?, &Reference::Tag("1.0".parse()?)).await?;
        ensure!(resolved.descriptor.digest == delivery.index.digest, "the index is another");
        Ok(())
    })
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

#[tokio::test]
async fn a_delivery_goes_to_an_open_registry_and_comes_back() -> Result<()> {
    let Some(registry) = DockerRegistry::open()? else { return Ok(()) };
    a_delivery_goes_there_and_comes_back_as_it_was(&connect(registry.address(), None)?).await
}

#[tokio::test]
async fn a_delivery_goes_to_a_registry_with_logins_and_comes_back() -> Result<()> {
    let (Some(registry), Some(skopeo)) = (DockerRegistry::with_logins()?, find_tool("skopeo")?) else {
        return Ok(());
    };
    let folder = TempDir::with_prefix("chartroom-login-")?;
    let login = folder.path().join("auth.json");
    let mut logging_in = clean_command(skopeo);
    logging_in.args([
        "login",
        "--tls-verify=false",
        "--username",
        USER,
        "--password",
        PASSWORD,
        "--authfile",
    ]);
    run(logging_in.arg(&login).arg(registry.address().to_string()))?.success()?;
    a_delivery_goes_there_and_comes_back_as_it_was(&connect(registry.address(), Some(&login))?).await
}

#[tokio::test]
async fn skopeo_reads_what_was_copied_from_the_registry_and_from_the_layout() -> Result<()> {
    let (Some(registry), Some(skopeo)) = (DockerRegistry::open()?, find_tool("skopeo")?) else {
        return Ok(());
    };
    let delivery = delivery()?;
    let origin = from_layout(&delivery.layout, "1.0")?;
    copy(everything(), &origin, &to_registry(&connect(registry.address(), None)?, "team/app")?).await?;
    let own = format!("oci:{}:1.0", delivery.layout.root().display());
    let theirs = delivery.folder.path().join("skopeo");
    for source in [own, format!("docker://{}/team/app:1.0", registry.address())] {
        let mut pull = clean_command(&skopeo);
        pull.args(["copy", "--all", "--preserve-digests", "--insecure-policy", "--src-tls-verify=false"]);
        run(pull.arg(&source).arg(format!("dir:{}", theirs.display())))?.success()?;
        let index = std::fs::read(theirs.join("manifest.json"))?;
        ensure!(Digest::sha256(&index) == delivery.index.digest, "from {source}");
        std::fs::remove_dir_all(&theirs)?;
    }
    Ok(())
}

#[tokio::test]
async fn a_layout_that_skopeo_wrote_is_copied() -> Result<()> {
    let (Some(registry), Some(skopeo)) = (DockerRegistry::open()?, find_tool("skopeo")?) else {
        return Ok(());
    };
    let delivery = delivery()?;
    let theirs = delivery.folder.path().join("skopeo");
    let mut write = clean_command(skopeo);
    write.args(["copy", "--all", "--preserve-digests", "--insecure-policy"]);
    write.arg(format!("oci:{}:1.0", delivery.layout.root().display()));
    run(write.arg(format!("oci:{}:named", theirs.display())))?.success()?;
    let (layout, registry) = (Layout::open(theirs)?, connect(registry.address(), None)?);
    copy(CopySettings::default(), &from_layout(&layout, "named")?, &to_registry(&registry, "app")?).await?;
    let resolved = registry.resolve(&"app".parse()?, &Reference::Tag("1.0".parse()?)).await?;
    ensure!(resolved.descriptor.digest == delivery.index.digest);
    Ok(())
}

#[tokio::test]
async fn one_platform_comes_into_a_layout_under_the_whole_index() -> Result<()> {
    let Some(registry) = DockerRegistry::open()? else { return Ok(()) };
    let (delivery, registry) = (delivery()?, connect(registry.address(), None)?);
    let origin = from_layout(&delivery.layout, "1.0")?;
    copy(CopySettings::default(), &origin, &to_registry(&registry, "team/app")?).await?;
    let sparse = Layout::create(delivery.folder.path().join("sparse"))?;
    let there = Destination::Layout { layout: sparse.clone(), name: Some("1.0".to_owned()) };
    let only_arm = CopySettings { platforms: vec!["linux/arm64".parse()?], ..CopySettings::default() };
    copy(only_arm, &from_registry(&registry, "team/app")?, &there).await?;
    let survey = sparse.survey(&delivery.index)?;
    ensure!(survey.absent.iter().map(|absent| &absent.digest).eq([&delivery.images[0].digest]), "{survey:?}");
    ensure!(survey.lost.is_empty() && sparse.has_blob(&delivery.images[1])?, "{survey:?}");
    Ok(())
}

#[tokio::test]
async fn a_line_that_keeps_breaking_delays_a_copy_and_changes_nothing() -> Result<()> {
    let (Some(from), Some(to)) = (DockerRegistry::open()?, DockerRegistry::open()?) else { return Ok(()) };
    let delivery = delivery()?;
    let (origin, proxy) = (from_layout(&delivery.layout, "1.0")?, FaultProxy::start(from.address())?);
    copy(everything(), &origin, &to_registry(&connect(from.address(), None)?, "team/app")?).await?;
    // Each connection ends after less than half of a layer.
    proxy.set(Mode::Cut { way: Way::ToClient, after: 400_000 })?;
    let (broken, whole) = (connect(proxy.address(), None)?, connect(to.address(), None)?);
    copy(everything(), &from_registry(&broken, "team/app")?, &to_registry(&whole, "team/app")?).await?;
    let resolved = whole.resolve(&"team/app".parse()?, &Reference::Tag("1.0".parse()?)).await?;
    ensure!(resolved.descriptor.digest == delivery.index.digest);
    Ok(())
}
