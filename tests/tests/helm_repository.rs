//! A person with helm: adds the repository, finds charts, reads about them, pulls, verifies, builds on them.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use chart::testing::ChartBuilder;
use stories::client::Upload;
use stories::command_line::{RepositorySettings, TokenRequest};
use stories::helm::{Helm, KUBERNETES_VERSION, with_each_helm};
use stories::keyring::{Keyring, SIGNER};
use stories::server::Server;
use stories::site::Site;
use stories::synthetic::plain_chart;

stories::on_each_backend! {
    every_helm_finds_exactly_what_was_published,
    every_helm_sees_a_publish_after_its_next_update,
    every_helm_shows_pulls_and_renders_what_was_published,
    every_helm_verifies_a_signed_chart,
    every_helm_builds_a_chart_on_charts_from_here,
    every_helm_needs_a_credential_for_a_private_repository,
    helm_says_which_repository_is_missing,
}

const README: &str = "# Web\n\nServes pages.\n";
const VALUES: &str = "# replicas of the pages\nreplicas: 2\n";
const TEMPLATE: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-web\n\
data:\n  replicas: {{ .Values.replicas | quote }}\n  kubernetes: {{ .Capabilities.KubeVersion.Version }}\n";

fn chart_file(name: &str, version: &str) -> String {
    format!(
        "apiVersion: v2\nname: {name}\nversion: {version}\nappVersion: \"1.10\"\n\
         description: \"{name}, as of {version}: a \\\"quoted\\\" word\"\nkubeVersion: '>=1.22.0-0'\n"
    )
}

fn web_chart(name: &str, version: &str) -> Vec<u8> {
    ChartBuilder::new(name, version)
        .chart_yaml(chart_file(name, version))
        .file("values.yaml", VALUES)
        .file("README.md", README)
        .file("templates/web.yaml", TEMPLATE)
        .build()
}

/// Charts whose versions sort by number, carry a `v`, a pre-release or build metadata.
const PUBLISHED: [(&str, &str); 6] = [
    ("web", "1.2.0"),
    ("web", "1.10.0"),
    ("web", "2.0.0-rc.1"),
    ("web", "1.9.0"),
    ("pipeline", "v0.32.1"),
    ("quality", "10.4.0+2288"),
];

fn publish_all(server: &Server, repository: &str) -> Result<()> {
    let admin = server.admin()?;
    for (name, version) in PUBLISHED {
        admin.publish(repository, &web_chart(name, version))?.expect_status(201)?;
    }
    Ok(())
}

fn rows(versions: &[(&str, &str)]) -> Vec<[String; 4]> {
    let row = |&(name, version): &(&str, &str)| {
        let description = format!("{name}, as of {version}: a \"quoted\" word");
        [format!("playce/{name}"), version.to_owned(), "1.10".to_owned(), description]
    };
    versions.iter().map(row).collect()
}

fn every_helm_finds_exactly_what_was_published(site: &Site) -> Result<()> {
    let server = site.start()?;
    publish_all(&server, "team/shelf")?;
    let newest = [("pipeline", "v0.32.1"), ("quality", "10.4.0+2288"), ("web", "1.10.0")];
    let stable = [&newest[..], &[("web", "1.9.0"), ("web", "1.2.0")]].concat();
    let all = [&newest[..2], &[("web", "2.0.0-rc.1")], &newest[2..], &[("web", "1.9.0"), ("web", "1.2.0")]]
        .concat();
    with_each_helm(|helm| {
        helm.add_repository("playce", &format!("{}/team/shelf", server.url()))?;
        helm.ok(&["repo", "update"])?;
        assert_eq!(helm.search(&[])?, rows(&newest));
        assert_eq!(helm.search(&["--versions"])?, rows(&stable));
        assert_eq!(helm.search(&["--versions", "--devel"])?, rows(&all));
        assert_eq!(helm.search(&["quality", "--version", ">=10"])?, rows(&newest[1..2]));
        Ok(())
    })
}

fn every_helm_sees_a_publish_after_its_next_update(site: &Site) -> Result<()> {
    let server = site.start()?;
    with_each_helm(|helm| {
        let repository =
            helm.home().file_name().and_then(|name| name.to_str()).context("no name")?.to_lowercase();
        server.admin()?.publish(&repository, &web_chart("web", "1.2.0"))?.expect_status(201)?;
        helm.add_repository("playce", &format!("{}/{repository}", server.url()))?;
        assert_eq!(helm.search(&[])?, rows(&[("web", "1.2.0")]));
        server.admin()?.publish(&repository, &web_chart("web", "1.10.0"))?.expect_status(201)?;
        helm.ok(&["repo", "update"])?;
        assert_eq!(helm.search(&[])?, rows(&[("web", "1.10.0")]));
        Ok(())
    })
}

fn every_helm_shows_pulls_and_renders_what_was_published(site: &Site) -> Result<()> {
    let server = site.start()?;
    publish_all(&server, "team/shelf")?;
    with_each_helm(|helm| {
        helm.add_repository("playce", &format!("{}/team/shelf", server.url()))?;
        let about = helm.ok(&["show", "chart", "playce/web"])?;
        ensure!(about.contains("version: 1.10.0") && about.contains("appVersion: \"1.10\""), "{about}");
        assert_eq!(helm.ok(&["show", "values", "playce/web"])?.trim_end(), VALUES.trim_end());
        assert_eq!(helm.ok(&["show", "readme", "playce/web"])?.trim(), README.trim());
        for (name, version) in PUBLISHED {
            helm.ok(&["pull", &format!("playce/{name}"), "--version", version])?;
            let pulled = fs::read(helm.home().join(format!("{name}-{version}.tgz")))?;
            ensure!(pulled == web_chart(name, version), "other bytes for {name} {version}");
        }
        let rendered = helm.ok(&["template", "one", "playce/web", "--kube-version", KUBERNETES_VERSION])?;
        ensure!(rendered.contains("name: one-web") && rendered.contains("kubernetes: v1.31.0"), "{rendered}");
        Ok(())
    })
}

/// Packs and signs a chart with helm 3; nothing when a tool is missing.
fn signed_chart() -> Result<Option<(Keyring, Upload)>> {
    let (Some(keyring), Some(helm)) = (Keyring::create()?, Helm::find("helm3")?) else { return Ok(None) };
    let folder = helm.home().join("signed");
    fs::create_dir(&folder)?;
    fs::write(folder.join("Chart.yaml"), chart_file("signed", "1.0.0+build.5"))?;
    fs::write(folder.join("values.yaml"), VALUES)?;
    let secret = keyring.secret().display().to_string();
    helm.ok(&["package", "signed", "--sign", "--key", SIGNER, "--keyring", &secret])?;
    let read = |name: &str| fs::read(helm.home().join(name)).with_context(|| format!("no `{name}`"));
    let archive = read("signed-1.0.0+build.5.tgz")?;
    let provenance = read("signed-1.0.0+build.5.tgz.prov")?;
    Ok(Some((keyring, Upload { archive: Some(archive), provenance: Some(provenance) })))
}

fn every_helm_verifies_a_signed_chart(site: &Site) -> Result<()> {
    let Some((keyring, upload)) = signed_chart()? else { return Ok(()) };
    let server = site.start()?;
    let admin = server.admin()?;
    admin.publish_form("together", &upload)?.expect_status(201)?;
    let archive_first = Upload { archive: upload.archive.clone(), provenance: None };
    admin.publish_form("apart", &archive_first)?.expect_status(201)?;
    admin.post("/api/apart/prov", upload.provenance.clone().unwrap_or_default())?.expect_status(201)?;
    let public = keyring.public().display().to_string();
    with_each_helm(|helm| {
        for repository in ["together", "apart"] {
            helm.add_repository(repository, &format!("{}/{repository}", server.url()))?;
            let chart = format!("{repository}/signed");
            let said = helm.run(&["pull", &chart, "--verify", "--keyring", &public])?;
            let both = said.text() + &said.complaint();
            said.success()?;
            ensure!(both.contains("Signed by: Story Signer"), "{both}");
            let kept = fs::read(helm.home().join("signed-1.0.0+build.5.tgz.prov"))?;
            ensure!(Some(kept) == upload.provenance, "other provenance bytes");
        }
        Ok(())
    })
}

fn write_parent(folder: &Path, repository_url: &str) -> Result<()> {
    fs::create_dir_all(folder)?;
    let dependency = |name: &str, version: &str| {
        format!("- name: {name}\n  version: '{version}'\n  repository: {repository_url}\n")
    };
    let dependencies = dependency("web", "^1.0.0") + &dependency("quality", "10.4.0+2288");
    fs::write(folder.join("Chart.yaml"), chart_file("parent", "0.1.0") + "dependencies:\n" + &dependencies)?;
    Ok(())
}

fn every_helm_builds_a_chart_on_charts_from_here(site: &Site) -> Result<()> {
    let server = site.start()?;
    publish_all(&server, "team/shelf")?;
    with_each_helm(|helm| {
        let url = format!("{}/team/shelf", server.url());
        helm.add_repository("playce", &url)?;
        let parent = helm.home().join("parent");
        write_parent(&parent, &url)?;
        helm.ok(&["dependency", "update", "parent"])?;
        fs::remove_dir_all(parent.join("charts"))?;
        helm.ok(&["dependency", "build", "parent"])?;
        for (name, version) in [("web", "1.10.0"), ("quality", "10.4.0+2288")] {
            let built = fs::read(parent.join(format!("charts/{name}-{version}.tgz")))?;
            ensure!(built == web_chart(name, version), "other bytes for {name}");
        }
        Ok(())
    })
}

fn every_helm_needs_a_credential_for_a_private_repository(site: &Site) -> Result<()> {
    let server = site.start()?;
    site.create_repository("secret", &RepositorySettings { private: true, ..RepositorySettings::default() })?;
    server.admin()?.publish("secret", &web_chart("web", "1.2.0"))?.expect_status(201)?;
    let request = TokenRequest { name: "laptop", role: "reader", repository: Some("secret"), expires: None };
    let token = site.create_token(&request)?;
    let url = format!("{}/secret", server.url());
    with_each_helm(|helm| {
        let refusal = helm.run(&["repo", "add", "secret", &url])?.failure()?;
        ensure!(refusal.contains("401"), "{refusal}");
        let wrong = ["repo", "add", "secret", &url, "--username", "me", "--password", "guess"];
        let refusal = helm.run(&wrong)?.failure()?;
        ensure!(refusal.contains("401"), "{refusal}");
        helm.ok(&["repo", "add", "secret", &url, "--username", "me", "--password", &token])?;
        helm.ok(&["repo", "update"])?;
        helm.ok(&["pull", "secret/web"])?;
        ensure!(fs::read(helm.home().join("web-1.2.0.tgz"))? == web_chart("web", "1.2.0"), "other bytes");
        Ok(())
    })
}

fn helm_says_which_repository_is_missing(site: &Site) -> Result<()> {
    let server = site.start()?;
    server.admin()?.publish("here", &plain_chart("web", "1.0.0"))?.expect_status(201)?;
    with_each_helm(|helm| {
        let refusal = helm.run(&["repo", "add", "gone", &format!("{}/not/here", server.url())])?.failure()?;
        ensure!(refusal.contains("404") || refusal.contains("401"), "{refusal}");
        Ok(())
    })
}
