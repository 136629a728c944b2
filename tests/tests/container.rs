//! The server as a container: its image, and the files that compose it with Postgres and MinIO.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, ensure};
use chart::yaml::{self, Budget};
use serde_json::{Value, json};
use stories::environment::{self, clean_command, repository_root};
use stories::image::Image;
use stories::process::run;
use stories::settings::unknown_variables;
use stories::skip::skip;
use tempfile::TempDir;

fn compose_text() -> Result<String> {
    Ok(fs::read_to_string(repository_root().join("docker/compose.yaml"))?)
}

fn compose() -> Result<Value> {
    Ok(yaml::parse(compose_text()?.as_bytes(), &Budget::default())?.to_json())
}

fn services(compose: &Value) -> Result<impl Iterator<Item = (&String, &Value)>> {
    Ok(compose["services"].as_object().context("no services")?.iter())
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn keys(map: &Value) -> BTreeSet<&str> {
    map.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect()
}

#[test]
fn the_image_passes_its_own_smoke_test() -> Result<()> {
    if !environment::wants_image_story() {
        skip("builds an image: run `make test-image`");
        return Ok(());
    }
    if !Image::can_be_built()? {
        return Ok(());
    }
    let folder = TempDir::with_prefix("chartroom-image-")?;
    let image = Image::build(&folder.path().join("layout"))?;
    let said = image.smoke_test()?;
    for step in ["as user 65532:65532", "published and read back charts/curl-0.1.0.tgz", "stopped in order"] {
        ensure!(said.contains(step), "no `{step}` in: {said}");
    }
    let config = image.config()?;
    assert_eq!(config["User"], "65532:65532");
    assert_eq!(config["Entrypoint"], json!(["chartroom"]));
    assert_eq!(config["Cmd"], json!(["serve"]));
    assert_eq!(config["Volumes"], json!({"/data": {}}));
    for label in ["title", "version", "revision", "licenses"] {
        let text = config["Labels"][format!("org.opencontainers.image.{label}")].as_str().unwrap_or_default();
        ensure!(!matches!(text, "" | "unknown"), "the label `{label}` says nothing: {config}");
    }
    ensure!(image.layer_bytes()? < 64 << 20, "not small any more: {} bytes", image.layer_bytes()?);
    let again = Image::build(&folder.path().join("again"))?;
    assert_eq!(image.digest()?, again.digest()?, "the same program made two images");
    Ok(())
}

#[test]
fn image_and_composition_name_only_settings_there_are() -> Result<()> {
    let dockerfile = fs::read_to_string(repository_root().join("docker/Dockerfile"))?;
    let is_name = |byte: char| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == '_';
    let mut names: BTreeSet<String> = dockerfile
        .split(|byte| !is_name(byte))
        .filter(|word| word.starts_with("CHARTROOM_"))
        .map(str::to_owned)
        .collect();
    ensure!(names.len() == 2, "the Dockerfile sets {names:?}");
    let compose = compose()?;
    for (_, service) in services(&compose)? {
        let own = keys(&service["environment"]).into_iter().filter(|name| name.starts_with("CHARTROOM_"));
        names.extend(own.map(str::to_owned));
    }
    ensure!(names.len() > 5, "the composition sets only {names:?}");
    assert_eq!(unknown_variables(&names.into_iter().collect::<Vec<_>>())?, [""; 0]);
    assert_eq!(unknown_variables(&["CHARTROOM_NO_SUCH".to_owned()])?, ["CHARTROOM_NO_SUCH"]);
    Ok(())
}

#[test]
fn the_composition_waits_for_what_it_needs_and_shuts_the_server_in() -> Result<()> {
    let compose = compose()?;
    for (name, service) in services(&compose)? {
        for needed in keys(&service["depends_on"]) {
            let condition = &service["depends_on"][needed]["condition"];
            let has_health = compose["services"][needed]["healthcheck"]["test"].is_array();
            let expected = if has_health { "service_healthy" } else { "service_completed_successfully" };
            assert_eq!(condition, expected, "{name} on {needed}");
        }
        if texts(&service["command"]).any(|word| matches!(word, "serve" | "migrate")) {
            assert_eq!(service["read_only"], true, "{name}");
            assert_eq!(service["cap_drop"], json!(["ALL"]), "{name}");
            assert_eq!(service["security_opt"], json!(["no-new-privileges:true"]), "{name}");
        }
    }
    let server = &compose["services"]["chartroom"];
    assert_eq!(keys(&server["depends_on"]), BTreeSet::from(["bucket", "migrate"]));
    assert_eq!(keys(&compose["services"]["migrate"]["depends_on"]), BTreeSet::from(["postgres"]));
    Ok(())
}

/// A password in a variable or in this repository would end in somebody's production.
#[test]
fn every_secret_of_the_composition_is_a_file_that_make_secrets_writes() -> Result<()> {
    let compose = compose()?;
    let mut mounted = BTreeSet::new();
    for (name, service) in services(&compose)? {
        mounted.extend(texts(&service["secrets"]));
        for variable in keys(&service["environment"]) {
            let is_secret = ["PASSWORD", "TOKEN", "SECRET", "ACCESS_KEY", "CATALOG_URL"]
                .iter()
                .any(|word| variable.contains(word));
            ensure!(!is_secret || variable.ends_with("_FILE"), "`{variable}` of `{name}` is no file");
        }
    }
    assert_eq!(mounted, keys(&compose["secrets"]));
    let folder = TempDir::with_prefix("chartroom-secrets-")?;
    let script = folder.path().join("make-secrets");
    fs::copy(repository_root().join("docker/make-secrets"), &script)?;
    run(&mut clean_command(&script))?.success()?;
    for name in &mounted {
        let path = folder.path().join(compose["secrets"][name]["file"].as_str().context("no file")?);
        let text = fs::read_to_string(&path).with_context(|| format!("`{}`", path.display()))?;
        ensure!(text.len() >= 16, "`{name}` is short: {text}");
        run(&mut clean_command(&script))?.success()?;
        assert_eq!(fs::read_to_string(&path)?, text, "`{name}` was made anew");
    }
    assert_eq!(fs::read_dir(folder.path().join("secrets"))?.count(), mounted.len());
    Ok(())
}

#[test]
fn a_closed_network_can_name_every_image_and_the_example_says_how() -> Result<()> {
    let compose = compose()?;
    for (name, service) in services(&compose)? {
        let image = service["image"].as_str().unwrap_or_default();
        ensure!(image.starts_with("${"), "the image of `{name}` cannot be changed: {image}");
    }
    let text = compose_text()?;
    let asked: BTreeSet<&str> =
        text.split("${").skip(1).filter_map(|rest| rest.split_once(":-")).map(|(name, _)| name).collect();
    let example = fs::read_to_string(repository_root().join("docker/.env.example"))?;
    let told: BTreeSet<&str> = example
        .lines()
        .filter_map(|line| line.strip_prefix("# ")?.split_once('='))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(asked, told);
    Ok(())
}
