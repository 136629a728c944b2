//! Requests with the answers that are expected, read from the tables in `requests/`.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use chart::testing::{ChartBuilder, provenance_text};
use serde::Deserialize;
use serde_json::Value;
use stories::answer::Answer;
use stories::wire::WireRequest;

/// One request and ChartMuseum's answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) request: String,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    form: BTreeMap<String, String>,
    pub(crate) answer: Expected,
}

/// What an answer has to hold; what is left out is not looked at.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Expected {
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
pub(crate) struct Difference {
    pub(crate) step: String,
    pub(crate) reason: String,
    /// Whether ours keeps to it in ChartMuseum's place too.
    #[serde(default)]
    pub(crate) drop_in: bool,
    pub(crate) answer: Expected,
}

/// The tables of requests.
pub(crate) const SINGLE: &str = include_str!("../requests/chartmuseum.toml");
pub(crate) const TENANTS: &str = include_str!("../requests/tenants.toml");

/// Reads a table of requests.
pub(crate) fn steps(table: &str) -> Result<Vec<Step>> {
    let mut table: BTreeMap<String, Vec<Step>> = toml::from_str(table)?;
    table.remove("step").context("no steps")
}

/// Reads the list of differences, by step.
pub(crate) fn differences() -> Result<BTreeMap<String, Difference>> {
    let mut table: BTreeMap<String, Vec<Difference>> =
        toml::from_str(include_str!("../requests/differences.toml"))?;
    let list = table.remove("difference").context("no differences")?;
    Ok(list.into_iter().map(|difference| (difference.step.clone(), difference)).collect())
}

const VALUES: &str = "# how many\nreplicas: 2\n";

/// The files the tables speak of.
pub(crate) fn file(name: &str) -> Result<Vec<u8>> {
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

pub(crate) fn wire_request(step: &Step, token: &str) -> Result<WireRequest> {
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
pub(crate) fn check(answer: &Answer, expected: &Expected) -> Result<()> {
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
