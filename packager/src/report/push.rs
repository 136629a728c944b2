//! What `push` says, and the exit code that goes with it.

use std::io::{self, Write};

use serde::Serialize;

use crate::cli::Output;
use crate::push::{Delivery, Destination, Outcome};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'report> {
    archive: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'report str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'report str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    provenance: bool,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Says what became of each archive.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write_deliveries(
    out: &mut dyn Write,
    to: &Destination,
    deliveries: &[Delivery],
    output: Output,
) -> io::Result<()> {
    let lines = deliveries.iter().map(line_of);
    match output {
        Output::Json => writeln!(out, "{}", serde_json::to_string_pretty(&lines.collect::<Vec<_>>())?),
        Output::Text => lines.into_iter().try_for_each(|line| write_line(out, to, &line)),
    }
}

/// Returns the exit code: 3 when a server did not answer, else 1 when something was refused, else 0.
pub(crate) fn exit_code_of(deliveries: &[Delivery]) -> u8 {
    deliveries.iter().map(|delivery| code_of(&delivery.outcome)).max().unwrap_or_default()
}

fn code_of(outcome: &Outcome) -> u8 {
    match outcome {
        Outcome::Published | Outcome::AlreadyThere | Outcome::WouldPublish | Outcome::WouldReplace => 0,
        Outcome::NotTaken(failure) if failure.is_of_the_network() => 3,
        Outcome::WouldBeRefused | Outcome::Invalid(_) | Outcome::NotTaken(_) | Outcome::NoIndex(_) => 1,
    }
}

fn line_of(delivery: &Delivery) -> Line<'_> {
    let (outcome, reason) = words_of(&delivery.outcome);
    let upload = delivery.upload.as_ref();
    Line {
        archive: delivery.path.display().to_string(),
        name: upload.map(|upload| upload.name.as_str()),
        version: upload.map(|upload| upload.version.as_str()),
        digest: upload.map(|upload| upload.digest.to_string()),
        provenance: upload.is_some_and(|upload| upload.provenance.is_some()),
        outcome,
        reason,
    }
}

fn words_of(outcome: &Outcome) -> (&'static str, Option<String>) {
    match outcome {
        Outcome::Published => ("published", None),
        Outcome::AlreadyThere => ("already-there", None),
        Outcome::WouldPublish => ("would-publish", None),
        Outcome::WouldReplace => ("would-replace", None),
        Outcome::WouldBeRefused => (
            "would-be-refused",
            Some("other bytes are published under this version: raise the version".to_owned()),
        ),
        Outcome::Invalid(problem) => ("refused", Some(problem.to_string())),
        Outcome::NotTaken(failure) if failure.is_of_the_network() => ("failed", Some(failure.to_string())),
        Outcome::NotTaken(failure) => ("refused", Some(failure.to_string())),
        Outcome::NoIndex(problem) => ("refused", Some(problem.to_string())),
    }
}

fn write_line(out: &mut dyn Write, to: &Destination, line: &Line<'_>) -> io::Result<()> {
    let what = match (line.name, line.version) {
        (Some(name), Some(version)) => format!("{name} {version}"),
        (_, _) => line.archive.clone(),
    };
    let with = if line.provenance { " with its provenance" } else { "" };
    let digest = line.digest.as_deref().unwrap_or_default();
    match (line.outcome, &line.reason) {
        ("already-there", _) => writeln!(out, "already there: {what} in {to}, same digest {digest}"),
        ("published", _) => writeln!(out, "published {what}{with} to {to} {digest}"),
        ("would-publish", _) => writeln!(out, "would publish {what}{with} to {to} {digest}"),
        ("would-replace", _) => {
            writeln!(out, "would replace {what} in {to} {digest}, if the repository allows it")
        }
        ("would-be-refused", reason) => {
            writeln!(out, "would be refused: {what}: {}", reason.as_deref().unwrap_or_default())
        }
        (outcome, reason) => writeln!(out, "{outcome}: {what}: {}", reason.as_deref().unwrap_or_default()),
    }
}
