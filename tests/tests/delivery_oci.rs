//! Deliveries made of charts in an OCI registry: docker-registry, filled by helm, open and behind a password.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use chart::archive::{ChartArchive, Limits};
use chart::testing::ChartBuilder;
use stories::command_line::{self, MIRROR, WRITE};
use stories::delivery::Delivery;
use stories::environment::clean_command;
use stories::helm::Helm;
use stories::port::free_address;
use stories::service::Service;
use stories::tool::find_tool;
use tempfile::TempDir;

/// A registry on loopback, gone when dropped.
struct Registry {
    host: String,
    service: Service,
    _folder: TempDir,
}

impl Registry {
    fn start() -> Result<Option<Self>> {
        Self::start_with("")
    }

    /// Starts a registry that asks for the user `story` with the password `secret`.
    fn start_closed() -> Result<Option<Self>> {
        // bcrypt, the only form that the registry reads.
        let users = "story:$2y$05$mY0Vt2nyKtVBjgk/Y0bUYua5OU3JLLhw4wT9pmB1X.VTAhRpCtuF2\n";
        Self::start_with(users)
    }

    fn start_with(users: &str) -> Result<Option<Self>> {
        let Some(program) = find_tool("docker-registry")? else { return Ok(None) };
        let folder = TempDir::with_prefix("chartroom-registry-")?;
        let host = free_address()?.to_string();
        let config = format!(
            "version: 0.1\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: '{host}'}}\n",
            folder.path().display()
        );
        fs::write(folder.path().join("users"), users)?;
        let file = folder.path().join("users");
        let access = if users.is_empty() {
            String::new()
        } else {
            format!("auth: {{htpasswd: {{realm: story, path: {}}}}}\n", file.display())
        };
        fs::write(folder.path().join("config.yml"), config + &access)?;
        let mut command = clean_command(program);
        command.arg("serve").arg(folder.path().join("config.yml"));
        let service = Service::new("docker-registry", command)?;
        let address = host.clone();
        service.start(move |_| std::net::TcpStream::connect(&address).is_ok())?;
        Ok(Some(Self { host, service, _folder: folder }))
    }

    fn push(&self, helm: &Helm, name: &str, version: &str, chart: &ChartBuilder) -> Result<String> {
        let file = helm.home().join(format!("{name}-{version}.tgz"));
        fs::write(&file, chart.build())?;
        let (file, to) = (file.display().to_string(), format!("oci://{}/charts", self.host));
        let said = helm.run(&["push", &file, &to, "--plain-http"])?;
        let said = said.text() + &said.complaint();
        let digest = said.lines().find_map(|line| line.strip_prefix("Digest: "));
        digest.map(|digest| digest.trim().to_owned()).with_context(|| format!("helm push said {said}"))
    }
}

/// Starts a closed registry that holds `app` 1.0.0; none without docker-registry or helm.
fn closed_registry_with_app() -> Result<Option<Registry>> {
    let (Some(helm), Some(registry)) = (Helm::find("helm3")?, Registry::start_closed()?) else {
        return Ok(None);
    };
    helm.ok(&["registry", "login", &registry.host, "-u", "story", "-p", "secret", "--plain-http"])?;
    registry.push(&helm, "app", "1.0.0", &ChartBuilder::new("app", "1.0.0"))?;
    Ok(Some(registry))
}

/// Returns docker's configuration with the user `story` and the password `secret` for a host, as `docker login` writes it.
fn docker_config(host: &str) -> String {
    format!(r#"{{"auths":{{"{host}":{{"auth":"c3Rvcnk6c2VjcmV0"}}}}}}"#)
}

#[test]
fn charts_and_dependencies_come_from_a_registry_once() -> Result<()> {
    let (Some(helm), Some(registry)) = (Helm::find("helm3")?, Registry::start()?) else { return Ok(()) };
    for version in ["1.0.0", "1.4.0+b.1", "2.0.0"] {
        registry.push(&helm, "part", version, &ChartBuilder::new("part", version))?;
    }
    let repository = format!("oci://{}/charts", registry.host);
    let app = ChartBuilder::new("app", "1.0.0+x")
        .dependency("part", "1.x", &repository)
        .subchart(&ChartBuilder::new("part", "1.0.0"));
    // helm pushes no chart whose dependencies are missing, so this one carries it and the recipe replaces it.
    let digest = registry.push(&helm, "app", "1.0.0+x", &app)?;
    let place = format!("{}/charts", registry.host);
    let recipe = |digest: &str| {
        format!(
            "upstream: {{oci: '{place}/app', version: 1.0.0+x, digest: '{digest}'}}\n\
                 dependencies: {{part: {{oci: '{place}/part', version: 1.4.0+b.1}}}}\n"
        )
    };
    let local = "apiVersion: v2\nname: own\nversion: 0.1.0\ndependencies:\n- {name: part, version: 1.x, repository: 'REPOSITORY'}\n";
    let delivery = Delivery::new(&[("app", &recipe(&digest)), ("own", "chart: .\n")])?;
    delivery.write("recipes/own/Chart.yaml", local.replace("REPOSITORY", &repository))?;
    delivery.lock(&[])?.success()?;
    registry.service.end("KILL")?;
    let archives = delivery.build("dist")?;
    for file in ["app-1.0.0+x.tgz", "own-0.1.0.tgz"] {
        let archive = ChartArchive::read(archives.get(file).context(file)?.as_slice(), &Limits::default())?;
        let part = archive.file("charts/part/Chart.yaml").context("no dependency")?;
        ensure!(
            String::from_utf8_lossy(part).contains("1.4.0+b.1"),
            "{file}: {}",
            String::from_utf8_lossy(part)
        );
    }
    Ok(())
}

#[test]
fn a_moved_tag_is_found() -> Result<()> {
    let (Some(helm), Some(registry)) = (Helm::find("helm3")?, Registry::start()?) else { return Ok(()) };
    let chart = |mark: &str| ChartBuilder::new("app", "1.0.0").file("mark.txt", mark);
    registry.push(&helm, "app", "1.0.0", &chart("one"))?;
    let text = format!("upstream: {{oci: '{}/charts/app', version: 1.0.0}}\n", registry.host);
    let delivery = Delivery::new(&[("app", &text)])?;
    delivery.lock(&[])?.success()?;
    delivery.lock(&["--check"])?.success()?;
    registry.push(&helm, "app", "1.0.0", &chart("two"))?;
    let moved = delivery.lock(&["--check"])?.failure()?;
    ensure!(moved.contains("moved: app: the chart"), "{moved}");
    ensure!(Path::new(&delivery.path("playcekube.lock")).exists(), "the lock is gone");
    let wrong = text.replace("1.0.0}", &format!("1.0.0, digest: '{}'}}", oci::Digest::sha256(b"other")));
    let refusal = Delivery::new(&[("app", &wrong)])?.lock(&[])?.failure()?;
    let asked = format!(
        "`oci://{}/charts/app@{}` is not there (status 404)",
        registry.host,
        oci::Digest::sha256(b"other")
    );
    ensure!(refusal.contains(&asked), "{refusal}");
    Ok(())
}

#[test]
fn a_registrys_newest_tag_is_found_and_written_with_the_digest_of_its_manifest() -> Result<()> {
    let (Some(helm), Some(registry)) = (Helm::find("helm3")?, Registry::start()?) else { return Ok(()) };
    let mut digests = Vec::new();
    for version in ["1.0.0", "1.2.0", "1.10.0", "2.0.0-rc.1"] {
        digests.push(registry.push(&helm, "app", version, &ChartBuilder::new("app", version))?);
    }
    let place = format!("{}/charts/app", registry.host);
    let recipe = |version: &str, digest: &str| {
        format!("upstream: {{oci: '{place}', version: {version}, digest: '{digest}'}} # ours\n")
    };
    let delivery = Delivery::new(&[("app", &recipe("1.0.0", &digests[0]))])?;
    delivery.packager(&command_line::bump(&[WRITE]))?.success()?;
    let written = fs::read_to_string(delivery.path("recipes/app/recipe.yaml"))?;
    ensure!(written == recipe("1.10.0", &digests[2]), "{written}");
    delivery.lock(&[])?.success()?;
    Ok(())
}

#[test]
fn a_closed_registry_opens_to_dockers_credentials_only() -> Result<()> {
    let Some(registry) = closed_registry_with_app()? else { return Ok(()) };
    let text = format!("upstream: {{oci: '{}/charts/app', version: 1.0.0}}\n", registry.host);
    let mut delivery = Delivery::new(&[("app", &text)])?;
    let refusal = delivery.lock(&[])?.failure()?;
    ensure!(refusal.contains("asks who you are (status 401)"), "{refusal}");
    delivery.write("docker/config.json", docker_config(&registry.host))?;
    delivery.set("DOCKER_CONFIG", &delivery.path("docker").display().to_string());
    delivery.lock(&[])?.success()?;
    ensure!(!delivery.lock_text().contains("secret"), "a password in the lock");
    Ok(())
}

#[test]
fn a_closed_registry_opens_to_the_programs_that_docker_asks_and_to_netrc() -> Result<()> {
    let Some(registry) = closed_registry_with_app()? else { return Ok(()) };
    let text = format!("upstream: {{oci: '{}/charts/app', version: 1.0.0}}\n", registry.host);
    let mut by_program = Delivery::new(&[("app", &text)])?;
    let program = "#!/bin/sh\ncat > /dev/null\necho '{\"Username\":\"story\",\"Secret\":\"secret\"}'\n";
    by_program.write("bin/docker-credential-story", program)?;
    fs::set_permissions(by_program.path("bin/docker-credential-story"), Permissions::from_mode(0o755))?;
    by_program.write("docker/config.json", r#"{"credsStore":"story"}"#)?;
    by_program.set("DOCKER_CONFIG", &by_program.path("docker").display().to_string());
    by_program.set("PATH", &format!("{}:/usr/bin:/bin", by_program.path("bin").display()));
    by_program.lock(&[])?.success()?;
    let mut by_netrc = Delivery::new(&[("app", &text)])?;
    by_netrc.write("netrc", "machine 127.0.0.1 login story password secret\n")?;
    by_netrc.set("NETRC", &by_netrc.path("netrc").display().to_string());
    by_netrc.lock(&[])?.success()?;
    Ok(())
}

#[test]
fn a_registry_has_mirrors_whose_credentials_are_their_own() -> Result<()> {
    let Some(registry) = closed_registry_with_app()? else { return Ok(()) };
    let text = "upstream: {oci: registry.test/stable/app, version: 1.0.0}\n";
    let mut delivery = Delivery::new(&[("app", text)])?;
    let mirror = format!("oci://registry.test/stable=oci://{}/charts", registry.host);
    let keep = |delivery: &Delivery, host: &str| delivery.write("docker/config.json", docker_config(host));
    delivery.set("DOCKER_CONFIG", &delivery.path("docker").display().to_string());
    // The upstream's password is none of the mirror's business.
    keep(&delivery, "registry.test")?;
    let refusal = delivery.lock(&[MIRROR, &mirror])?.failure()?;
    ensure!(refusal.contains("asks who you are (status 401)"), "{refusal}");
    keep(&delivery, &registry.host)?;
    delivery.lock(&[MIRROR, &mirror])?.success()?;
    let lock = delivery.lock_text();
    ensure!(lock.contains("registry.test/stable/app") && !lock.contains(&registry.host), "{lock}");
    Ok(())
}
