//! The distribution specification's own conformance suite, at its newest level and with everything switched on that it
//! switches off by default; sparse images alone stay off, since an image whose layers are missing is refused here.

use std::path::Path;

use anyhow::{Context, Result};
use chart::yaml::{self, Budget};
use serde_json::{Map, Value};
use stories::environment::clean_command;
use stories::process::run;
use stories::server::Server;
use stories::site::Site;
use stories::tool::find_tool;

stories::on_each_backend! {
    everyone_passes_where_everyone_may_push,
    a_publisher_passes_with_a_credential,
}

/// What the suite leaves out unless asked.
const SWITCHED_ON: [&str; 4] = [
    "OCI_API_BLOBS_DIGEST_HEADER",
    "OCI_API_BLOBS_UPLOAD_CANCEL",
    "OCI_API_MANIFESTS_DIGEST_HEADER",
    "OCI_API_MANIFESTS_TAG_PARAM",
];

/// What the suite may leave out: an image that cannot be pulled is not accepted.
const LEFT_OUT: [&str; 1] = ["Sparse Manifests"];

fn everyone_passes_where_everyone_may_push(site: &Site) -> Result<()> {
    let server = site.launch().open().start()?;
    expect_conformance(site, &server, &[])
}

fn a_publisher_passes_with_a_credential(site: &Site) -> Result<()> {
    let server = site.start()?;
    let password = server.admin_token()?;
    expect_conformance(site, &server, &[("OCI_USERNAME", "ci"), ("OCI_PASSWORD", &password)])
}

/// Runs the suite between two chart repositories, so that a mount goes from one to the other.
fn expect_conformance(site: &Site, server: &Server, credential: &[(&str, &str)]) -> Result<()> {
    let Some(suite) = find_tool("oci-conformance")? else { return Ok(()) };
    let results = site.folder().join("conformance");
    let mut command = clean_command(&suite);
    command.envs(SWITCHED_ON.map(|name| (name, "true"))).envs(credential.iter().copied());
    command.envs([("OCI_VERSION", "dev"), ("OCI_REGISTRY", server.address()), ("OCI_TLS", "disabled")]);
    command.envs([("OCI_REPO1", "conformance/one"), ("OCI_REPO2", "another/two/deeper")]);
    run(command.env("OCI_RESULTS_DIR", &results).current_dir(site.folder()))?.success()?;
    let verdicts = verdicts(&results.join("results.yaml"))?;
    let not_passed: Vec<_> = verdicts
        .iter()
        .filter(|(name, verdict)| *verdict != "Pass" && !LEFT_OUT.contains(&name.as_str()))
        .collect();
    assert!(not_passed.is_empty(), "{not_passed:?}");
    assert!(verdicts.len() >= 50, "a shorter suite than was read: {verdicts:?}");
    Ok(())
}

/// Returns what the suite says of each part of the interface and each kind of content.
fn verdicts(path: &Path) -> Result<Vec<(String, String)>> {
    let text = std::fs::read(path).with_context(|| format!("no results in `{}`", path.display()))?;
    let results = yaml::parse(&text, &Budget::default()).context("results are no YAML")?.to_json();
    let part = |name: &str| results.get(name).and_then(Value::as_object).cloned().unwrap_or_else(Map::new);
    let all = ["apis", "data"].map(part).into_iter().flatten();
    all.map(|(name, verdict)| Ok((name, verdict.as_str().context("a verdict is a word")?.to_owned())))
        .collect()
}
