//! What registry clients do beyond one push and one pull: all at once, over lines that break, and in their own order.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use base64::Engine as _;
use stories::command_line::verify;
use stories::environment::clean_command;
use stories::fault_proxy::{FaultProxy, Mode, Way};
use stories::helm::Helm;
use stories::process::{Outcome, run};
use stories::server::Server;
use stories::site::Site;
use stories::synthetic::plain_chart;
use stories::tiny_image::{write_layout, write_layout_of};
use stories::tool::find_tool;
use stories::wait::wait_for;

stories::on_each_backend! {
    images_with_a_layer_in_common_are_pushed_at_the_same_time,
    a_client_whose_line_breaks_pushes_again_and_succeeds,
}

/// How long a client may go on without coming to where its line is cut.
const PATIENCE: Duration = Duration::from_secs(60);
const MIB: usize = 1 << 20;

/// A registry client with a credential for the registry at an address.
struct Tool {
    program: PathBuf,
    home: PathBuf,
}

impl Tool {
    fn find(name: &str, server: &Server, address: &str, home: &Path) -> Result<Option<Self>> {
        let Some(program) = find_tool(name)? else { return Ok(None) };
        let token = base64::engine::general_purpose::STANDARD.encode(format!("ci:{}", server.admin_token()?));
        let config = serde_json::json!({ "auths": { address: { "auth": token } } }).to_string();
        std::fs::create_dir_all(home)?;
        std::fs::write(home.join("config.json"), &config)?;
        Ok(Some(Self { program, home: home.to_owned() }))
    }

    fn run(&self, arguments: &[&str]) -> Result<Outcome> {
        run(clean_command(&self.program)
            .args(arguments)
            .env("HOME", &self.home)
            .env("DOCKER_CONFIG", &self.home)
            .env("REGISTRY_AUTH_FILE", self.home.join("config.json")))
    }

    fn ok(&self, arguments: &[&str]) -> Result<String> {
        self.run(arguments)?.success()
    }
}

/// Returns bytes that nothing compresses.
fn noise(seed: u64, size: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33).to_le_bytes()[0]
    };
    (0..size).map(|_| next()).collect()
}

fn images_with_a_layer_in_common_are_pushed_at_the_same_time(site: &Site) -> Result<()> {
    let server = site.start()?;
    let home = site.folder().join("home");
    let Some(skopeo) = Tool::find("skopeo", &server, server.address(), &home)? else { return Ok(()) };
    let layer = noise(1, 6 * MIB);
    let mut images = Vec::new();
    for number in 0..8 {
        let layout = site.folder().join(format!("image-{number}"));
        // Two of each image, under names of several repositories.
        let digest = write_layout_of(&layout, &format!("image {}", number / 2), &layer)?;
        images.push((
            layout,
            format!("{}/{}/web:{number}", server.address(), ["one", "two/deep"][number % 2]),
            digest,
        ));
    }
    thread::scope(|scope| {
        let skopeo = &skopeo;
        let pushes: Vec<_> = images
            .iter()
            .map(|(layout, target, _)| {
                scope.spawn(move || {
                    let (from, to) = (format!("oci:{}", layout.display()), format!("docker://{target}"));
                    skopeo.ok(&[
                        "copy",
                        "--quiet",
                        "--preserve-digests",
                        "--dest-tls-verify=false",
                        &from,
                        &to,
                    ])
                })
            })
            .collect();
        for push in pushes {
            push.join().map_err(|_| anyhow!("a push panicked"))??;
        }
        Ok::<_, anyhow::Error>(())
    })?;
    for (_, target, digest) in &images {
        let shown = skopeo.ok(&[
            "inspect",
            "--tls-verify=false",
            "--format",
            "{{.Digest}}",
            &format!("docker://{target}"),
        ])?;
        assert_eq!(shown.trim(), digest, "{target}");
    }
    // One layer and four configurations, of which those who pushed at the same moment may have kept a twin each.
    let stored = site.blobs()?.len();
    ensure!((5..=10).contains(&stored), "{stored} blobs of five");
    site.run(&verify("0s"))?.success().context("waste was left")?;
    Ok(())
}

fn a_client_whose_line_breaks_pushes_again_and_succeeds(site: &Site) -> Result<()> {
    let server = site.start()?;
    let proxy = FaultProxy::start(server.address().parse().context("address")?)?;
    let address = proxy.address().to_string();
    let home = site.folder().join("home");
    let Some(crane) = Tool::find("crane", &server, &address, &home)? else { return Ok(()) };
    let layout = site.folder().join("image");
    let digest = write_layout_of(&layout, "cut", &noise(2, 12 * MIB))?;
    let target = format!("{address}/team/web:1.0");
    proxy.set(Mode::Cut { way: Way::ToUpstream, after: 5 << 20 })?;
    thread::scope(|scope| {
        // It tries a blob three times, and waits longer before each.
        let push =
            scope.spawn(|| crane.ok(&["push", "--insecure", layout.to_str().context("path")?, &target]));
        wait_for("the line to break", PATIENCE, || {
            Ok((proxy.cuts() > 0 || push.is_finished()).then_some(()))
        })?;
        proxy.set(Mode::Pass)?;
        push.join().map_err(|_| anyhow!("the push panicked"))?
    })?;
    ensure!(proxy.cuts() > 0, "nothing was cut");
    assert_eq!(crane.ok(&["digest", "--insecure", &target])?.trim(), digest);
    let admin = server.admin()?;
    let manifest = admin.get("/v2/team/web/manifests/1.0")?.expect_status(200)?.json()?;
    let layer = manifest["layers"][0]["digest"].as_str().context("no layer")?;
    let came = admin.get(&format!("/v2/team/web/blobs/{layer}"))?.expect_status(200)?;
    assert_eq!(came.digest().to_string(), layer);
    Ok(())
}

#[test]
fn buildah_pushes_from_its_storage_and_pulls_by_tag_and_digest() -> Result<()> {
    let site = Site::new()?;
    let server = site.start()?;
    let home = site.folder().join("home");
    let Some(buildah) = Tool::find("buildah", &server, server.address(), &home)? else { return Ok(()) };
    let storage = ["root", "runroot"].map(|part| site.folder().join(part).display().to_string());
    let base = ["--root", &storage[0], "--runroot", &storage[1], "--storage-driver", "vfs"];
    let ok = |arguments: &[&str]| buildah.ok(&[&base[..], arguments].concat());
    let layout = site.folder().join("image");
    write_layout(&layout, "stored")?;
    let Some(skopeo) = Tool::find("skopeo", &server, server.address(), &home)? else { return Ok(()) };
    let first = format!("docker://{}/first:1.0", server.address());
    let from = format!("oci:{}", layout.display());
    skopeo.ok(&["copy", "--quiet", "--dest-tls-verify=false", &from, &first])?;
    let stored = ok(&["pull", "--quiet", "--tls-verify=false", &first])?;
    let (target, said) = (format!("{}/team/web", server.address()), site.folder().join("digest"));
    for form in ["oci", "v2s2"] {
        let push = ["push", "--quiet", "--tls-verify=false", "--format", form, "--digestfile"];
        let to = format!("docker://{target}:{form}");
        ok(&[&push[..], &[said.to_str().context("path")?, stored.trim(), &to]].concat())?;
        let digest = std::fs::read_to_string(&said)?;
        for reference in [format!("{target}:{form}"), format!("{target}@{}", digest.trim())] {
            ok(&["pull", "--quiet", "--policy", "always", "--tls-verify=false", &reference])?;
        }
        let answer = server.admin()?.get(&format!("/v2/team/web/manifests/{form}"))?.expect_status(200)?;
        let kind = if form == "oci" { "vnd.oci.image" } else { "vnd.docker.distribution" };
        ensure!(answer.header("content-type").contains(kind), "{form}: {}", answer.header("content-type"));
    }
    Ok(())
}

/// Returns the requests to the registry that a log tells of, as `VERB part`, each once.
fn requests(log: &str) -> BTreeSet<String> {
    let field = |line: &str, name: &str| {
        let (_, rest) = line.split_once(&format!(" {name}=\""))?;
        rest.split('"').next().map(str::to_owned)
    };
    let asked = log.lines().filter_map(|line| Some((field(line, "method")?, field(line, "path")?)));
    let part = |path: &str| {
        let parts = ["/blobs/uploads/", "/blobs/", "/manifests/", "/tags/list", "/v2/token"];
        let found = parts.iter().find(|part| path.contains(**part));
        found.map_or_else(|| path.to_owned(), |part| part.trim_matches('/').to_owned())
    };
    let asked = asked.filter(|(_, path)| path.starts_with("/v2/"));
    asked.map(|(verb, path)| format!("{verb} {}", part(&path))).collect()
}

#[test]
fn clients_send_what_the_registry_is_made_for() -> Result<()> {
    let site = Site::new()?;
    let server = site.start()?;
    let (Some(helm), home) = (Helm::find("helm3")?, site.folder().join("home")) else { return Ok(()) };
    let Some(skopeo) = Tool::find("skopeo", &server, server.address(), &home)? else { return Ok(()) };
    let mut seen = server.log()?.len();
    let mut since = || -> Result<BTreeSet<String>> {
        let log = server.log()?;
        let new = requests(log.get(seen..).unwrap_or_default());
        seen = log.len();
        Ok(new)
    };
    let chart = site.folder().join("demo-1.0.0.tgz");
    std::fs::write(&chart, plain_chart("demo", "1.0.0"))?;
    let token = server.admin_token()?;
    helm.ok(&[
        "registry",
        "login",
        server.address(),
        "--plain-http",
        "--username",
        "ci",
        "--password",
        &token,
    ])?;
    let repository = format!("oci://{}/team", server.address());
    helm.ok(&["push", chart.to_str().context("path")?, &repository, "--plain-http"])?;
    let pushed = since()?;
    for request in ["POST blobs/uploads", "PUT blobs/uploads", "PUT manifests"] {
        ensure!(pushed.contains(request), "helm did not send {request}: {pushed:?}");
    }
    ensure!(
        !pushed.iter().any(|request| request.starts_with("PATCH")),
        "helm pushes whole blobs: {pushed:?}"
    );
    let into = site.folder().display().to_string();
    let pull = ["pull", "--plain-http", "--destination", &into];
    helm.ok(&[&pull[..], &[&format!("{repository}/demo"), "--version", "^1"]].concat())?;
    let pulled = since()?;
    for request in ["GET tags/list", "GET manifests", "GET blobs"] {
        ensure!(pulled.contains(request), "helm did not send {request}: {pulled:?}");
    }
    let layout = site.folder().join("image");
    write_layout(&layout, "asked")?;
    let to = format!("docker://{}/team/web:1.0", server.address());
    let copy = ["copy", "--quiet", "--dest-tls-verify=false"];
    skopeo.ok(&[&copy[..], &[&format!("oci:{}", layout.display()), &to]].concat())?;
    let pushed = since()?;
    for request in
        ["HEAD blobs", "POST blobs/uploads", "PATCH blobs/uploads", "PUT blobs/uploads", "PUT manifests"]
    {
        ensure!(pushed.contains(request), "skopeo did not send {request}: {pushed:?}");
    }
    Ok(())
}
