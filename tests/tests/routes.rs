//! ChartMuseum's API request by request: its answers from a table, ours equal but for a list of reasons.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use chart::testing::{ChartBuilder, provenance_text};
use serde::Deserialize;
use serde_json::Value;
use stories::answer::Answer;
use stories::environment;
use stories::process::kill;
use stories::site::Site;
use stories::skip::skip;
use stories::wait::wait_for;
use stories::wire::WireRequest;

/// One request and ChartMuseum's answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    name: String,
    request: String,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    form: BTreeMap<String, String>,
    answer: Expected,
}

/// What an answer has to hold; what is left out is not looked at.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Expected {
    status: u16,
    #[serde(rename = "type")]
    media_type: Option<String>,
    json: Option<Value>,
    at: BTreeMap<String, String>,
    present: Vec<String>,
    absent: Vec<String>,
    error: Option<String>,
    body: Option<String>,
    empty: bool,
}

/// An answer of ours that is another one on purpose.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Difference {
    step: String,
    reason: String,
    /// Whether ours keeps to it in ChartMuseum's place too.
    #[serde(default)]
    drop_in: bool,
    answer: Expected,
}

fn steps() -> Result<Vec<Step>> {
    let mut table: BTreeMap<String, Vec<Step>> =
        toml::from_str(include_str!("../requests/chartmuseum.toml"))?;
    table.remove("step").context("no steps")
}

fn differences() -> Result<BTreeMap<String, Difference>> {
    let mut table: BTreeMap<String, Vec<Difference>> =
        toml::from_str(include_str!("../requests/differences.toml"))?;
    let list = table.remove("difference").context("no differences")?;
    for difference in &list {
        ensure!(!difference.reason.is_empty(), "`{}` differs without a reason", difference.step);
    }
    Ok(list.into_iter().map(|difference| (difference.step.clone(), difference)).collect())
}

const VALUES: &str = "# how many\nreplicas: 2\n";

/// The files the tables speak of.
fn file(name: &str) -> Result<Vec<u8>> {
    let mine = |version: &str| {
        ChartBuilder::new("mychart", version).file("values.yaml", VALUES).file("templates/one.yaml", "a: 1\n")
    };
    let signed = || ChartBuilder::new("signed", "1.0.0+b.1").build();
    let bytes = match name {
        "values.yaml" => VALUES.into(),
        "garbage" => b"neither gzip nor anything else".to_vec(),
        "mychart-0.1.0.tgz" => mine("0.1.0").build(),
        "mychart-0.1.0.tgz of other bytes" => mine("0.1.0").file("more", "more").build(),
        "mychart-0.2.0.tgz" => mine("0.2.0").build(),
        "mychart-0.3.0-rc.1.tgz" => mine("0.3.0-rc.1").build(),
        "signed-1.0.0+b.1.tgz" => signed(),
        "climbing.tgz" => ChartBuilder::new("../../climbing", "1.0.0").folder("climbing").build(),
        "latest.tgz" => ChartBuilder::new("latest", "latest").build(),
        "mychart-0.1.0.tgz.prov" => provenance("mychart", "0.1.0", &mine("0.1.0").build()),
        "signed-1.0.0+b.1.tgz.prov" => provenance("signed", "1.0.0+b.1", &signed()),
        "later-1.0.0.tgz.prov" => provenance("later", "1.0.0", b"bytes to come"),
        _ => bail!("the tables speak of `{name}`, which is not made here"),
    };
    Ok(bytes)
}

fn provenance(name: &str, version: &str, archive: &[u8]) -> Vec<u8> {
    provenance_text(name, version, &format!("{name}-{version}.tgz"), archive).into_bytes()
}

const BOUNDARY: &str = "a-line-that-no-chart-holds";

fn wire_request(step: &Step, token: &str) -> Result<WireRequest> {
    let (method, target) = step.request.split_once(' ').context("a request is method and path")?;
    let mut request = WireRequest::new(method, target).header("authorization", &format!("Bearer {token}"));
    if let Some(name) = &step.body {
        request = request.body(file(name)?);
    }
    if !step.form.is_empty() {
        let mut body = Vec::new();
        for (field, name) in &step.form {
            let head = format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"x\"\r\n\r\n"
            );
            body.extend([head.as_bytes(), &file(name)?, b"\r\n"].concat());
        }
        body.extend(format!("--{BOUNDARY}--\r\n").into_bytes());
        request =
            request.header("content-type", &format!("multipart/form-data; boundary={BOUNDARY}")).body(body);
    }
    Ok(request)
}

/// Compares an answer with what is expected; the error says what is wrong with it.
fn check(answer: &Answer, expected: &Expected) -> Result<()> {
    ensure!(
        answer.status == expected.status,
        "{} instead of {}: {}",
        answer.status,
        expected.status,
        answer.text()
    );
    if let Some(media_type) = &expected.media_type {
        let is = answer.header("content-type");
        ensure!(is.starts_with(media_type.as_str()), "type `{is}` instead of `{media_type}`");
    }
    if let Some(json) = &expected.json {
        ensure!(answer.json()? == *json, "{} instead of {json}", answer.text());
    }
    if let Some(text) = &expected.error {
        let is = answer.error_text()?;
        ensure!(!is.is_empty() && is.contains(text.as_str()), "error `{is}` without `{text}`");
    }
    if let Some(name) = &expected.body {
        ensure!(answer.body == file(name)?, "other bytes than those of `{name}`");
    }
    ensure!(!expected.empty || answer.body.is_empty(), "a body where none belongs: {}", answer.text());
    check_pointers(answer, expected)
}

fn check_pointers(answer: &Answer, expected: &Expected) -> Result<()> {
    if expected.at.is_empty() && expected.present.is_empty() && expected.absent.is_empty() {
        return Ok(());
    }
    let body = answer.json()?;
    for (pointer, value) in &expected.at {
        let is = body.pointer(pointer).and_then(Value::as_str);
        ensure!(is == Some(value), "{is:?} instead of `{value}` at {pointer}");
    }
    for pointer in &expected.present {
        ensure!(body.pointer(pointer).is_some(), "nothing at {pointer}: {body}");
    }
    for pointer in &expected.absent {
        ensure!(body.pointer(pointer).is_none(), "something at {pointer}: {body}");
    }
    Ok(())
}

/// Sends all requests and returns what is wrong with the answers.
fn faults(address: &str, token: &str, mut differences: BTreeMap<String, Difference>) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    for step in steps()? {
        let answer = wire_request(&step, token)?.send(address)?;
        let difference = differences.remove(&step.name);
        let expected = difference.as_ref().map_or(&step.answer, |difference| &difference.answer);
        if let Err(error) = check(&answer, expected) {
            wrong.push(format!("{} ({}): {error:#}", step.name, step.request));
        }
        if difference.is_some() && check(&answer, &step.answer).is_ok() {
            wrong.push(format!("{}: listed as a difference, but there is none", step.name));
        }
        if answer.header("x-request-id").is_empty() {
            wrong.push(format!("{}: no request id", step.name));
        }
    }
    wrong.extend(differences.into_keys().map(|step| format!("{step}: a difference of no step")));
    Ok(wrong)
}

#[test]
fn our_answers_are_chartmuseums_but_for_a_list_of_reasons() -> Result<()> {
    let site = Site::new()?;
    let server = site.start()?;
    let wrong = faults(server.address(), &server.admin_token()?, differences()?)?;
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn in_chartmuseums_place_fewer_reasons_are_left() -> Result<()> {
    let site = Site::new()?;
    let storage = site.folder().join("storage");
    fs::create_dir(&storage)?;
    let server = site.launch().in_place_of_chartmuseum(&storage).start()?;
    let mut differences = differences()?;
    differences.retain(|_, difference| difference.drop_in);
    let wrong = faults(server.address(), "none", differences)?;
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    let kept = fs::read(storage.join("mychart-0.1.0.tgz"))
        .context("the archive is not where ChartMuseum keeps it")?;
    ensure!(kept == file("mychart-0.1.0.tgz of other bytes")?, "other bytes in the folder");
    Ok(())
}

/// A ChartMuseum on a free port.
struct Museum {
    child: Child,
    address: String,
}

impl Drop for Museum {
    fn drop(&mut self) {
        // Already dead is what is wanted.
        let _ = kill(&mut self.child);
    }
}

fn start_museum(program: &std::path::Path, folder: &std::path::Path) -> Result<Museum> {
    // It takes no port 0; a port that was free a moment ago is the next best.
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let storage = folder.join("museum");
    fs::create_dir(&storage)?;
    let child = Command::new(program)
        .args(["--storage", "local", "--enable-metrics", "--port", &address.port().to_string()])
        .arg("--storage-local-rootdir")
        .arg(&storage)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let museum = Museum { child, address: address.to_string() };
    wait_for("ChartMuseum", Duration::from_secs(30), || {
        Ok(WireRequest::new("GET", "/health")
            .send(&museum.address)
            .ok()
            .filter(|answer| answer.status == 200))
    })?;
    Ok(museum)
}

#[test]
fn the_table_tells_what_chartmuseum_answers() -> Result<()> {
    let Some(program) = environment::chartmuseum() else {
        skip("CHARTMUSEUM names no program to compare the table with");
        return Ok(());
    };
    let site = Site::new()?;
    let museum = start_museum(&program, site.folder())?;
    for step in steps()? {
        let request = wire_request(&step, "none")?;
        if ["GET", "HEAD"].contains(&request.method.as_str()) {
            // It lists a publish some time after it has acknowledged it.
            wait_for(&format!("{}: {:?}", step.name, step.answer), Duration::from_secs(5), || {
                Ok(check(&request.send(&museum.address)?, &step.answer).ok())
            })?;
        } else {
            check(&request.send(&museum.address)?, &step.answer).with_context(|| step.name.clone())?;
        }
    }
    Ok(())
}
