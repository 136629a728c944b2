//! What `bump` says.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::diff::{shown, write_images};
use crate::bump::{Bump, BumpRefusal, Finding, Outcome};
use crate::cli::Output;
use crate::diff::ImageChanges;

/// What became of one recipe, as it is reported.
#[derive(Debug)]
pub(crate) struct BumpedRecipe {
    /// Its name.
    pub(crate) name: String,
    /// The outcome.
    pub(crate) result: Result<Outcome, BumpRefusal>,
    /// How the images differ, when something newer is there.
    pub(crate) images: Option<ImageChanges>,
    /// Whether the recipe was written.
    pub(crate) is_written: bool,
}

impl BumpedRecipe {
    /// Returns the recipe's own exit code, as the command's would be for it alone.
    pub(crate) fn exit_code(&self) -> u8 {
        match &self.result {
            Ok(Outcome::Newer(bump)) => u8::from(bump.needs_a_hand()),
            Ok(Outcome::Current(_) | Outcome::Asks(_)) => 0,
            Err(refusal) if refusal.is_of_the_network() => 3,
            Err(_) => 1,
        }
    }

    fn status(&self) -> &'static str {
        match &self.result {
            Ok(Outcome::Current(_)) => "current",
            Ok(Outcome::Asks(_)) => "asks",
            Ok(Outcome::Newer(bump)) if bump.needs_a_hand() => "needsAHand",
            Ok(Outcome::Newer(_)) => "ready",
            Err(_) => "refused",
        }
    }
}

/// Says what was found, recipe by recipe.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write_bumped(out: &mut dyn Write, bumped: &[BumpedRecipe], output: Output) -> io::Result<()> {
    match output {
        Output::Json => {
            let all: Vec<_> = bumped.iter().map(json_of).collect();
            writeln!(out, "{}", serde_json::to_string_pretty(&all)?)
        }
        Output::Text => bumped.iter().try_for_each(|one| write_one(out, one)),
    }
}

fn json_of(bumped: &BumpedRecipe) -> Value {
    let mut value = json!({
        "recipe": bumped.name, "status": bumped.status(), "exitCode": bumped.exit_code(),
        "written": bumped.is_written,
    });
    let Some(entries) = value.as_object_mut() else { return value };
    match &bumped.result {
        Ok(Outcome::Current(version)) => _ = entries.insert("before".to_owned(), json!(version)),
        Ok(Outcome::Asks(what)) => _ = entries.insert("reason".to_owned(), json!(what)),
        Err(refusal) => _ = entries.insert("reason".to_owned(), json!(refusal.to_string())),
        Ok(Outcome::Newer(bump)) => {
            entries.insert("before".to_owned(), json!(bump.before));
            entries.insert("after".to_owned(), json!(bump.after));
            entries.insert("byName".to_owned(), json!(bump.is_by_name));
            entries.insert("findings".to_owned(), json!(bump.findings));
            entries.insert("images".to_owned(), json!(bumped.images));
            entries.insert("upstream".to_owned(), json!(bump.upstream_difference));
        }
    }
    value
}

fn write_one(out: &mut dyn Write, bumped: &BumpedRecipe) -> io::Result<()> {
    let name = &bumped.name;
    match &bumped.result {
        Ok(Outcome::Current(version)) => writeln!(out, "{name}: {version} is current"),
        Ok(Outcome::Asks(what)) => writeln!(out, "{name}: {what}"),
        Err(refusal) => writeln!(out, "{name}: refused: {refusal}"),
        Ok(Outcome::Newer(bump)) => write_newer(out, bumped, bump),
    }
}

fn write_newer(out: &mut dyn Write, bumped: &BumpedRecipe, bump: &Bump) -> io::Result<()> {
    let Bump { before, after, findings, .. } = bump;
    let state = if bump.needs_a_hand() { "needs a hand" } else { "the edits hold" };
    let written = if bumped.is_written { ", written" } else { "" };
    writeln!(out, "{}: {before} -> {after}, {state}{written}", bumped.name)?;
    if bump.is_by_name {
        writeln!(out, "  found in the vault by the chart's name: lock it before you rely on it")?;
    }
    findings.iter().try_for_each(|finding| write_finding(out, finding))?;
    if let Some(images) = &bumped.images {
        write_images(out, images, "  ")?;
    }
    let values = &bump.upstream_difference.values;
    let (added, removed, moved) = (values.added.len(), values.removed.len(), values.moved.len());
    let changed = values.changed.len();
    writeln!(out, "  upstream's values: {added} added, {removed} removed, {moved} moved, {changed} changed")
}

fn write_finding(out: &mut dyn Write, finding: &Finding) -> io::Result<()> {
    let mark = if finding.needs_a_hand() { "!" } else { "·" };
    write!(out, "  {mark} ")?;
    match finding {
        Finding::GonePath { path, set_by, probable } => {
            write!(out, "gone: `{path}` of `{set_by}`")?;
            match probable.as_slice() {
                [] => writeln!(out, ", and nothing looks like it: take it out"),
                [one] => writeln!(out, ", probably `{one}` now"),
                several => writeln!(out, ", probably one of `{}` now", several.join("`, `")),
            }
        }
        Finding::OtherKind { path, before, after } => {
            writeln!(out, "other kind: `{path}` was {before} and is {after}")
        }
        Finding::OtherDefault { path, before, after } => {
            writeln!(out, "default changed: `{path}`: {} -> {}", shown(before), shown(after))
        }
        Finding::Needless { path } => writeln!(out, "needless: `{path}` is upstream's default now"),
        Finding::RefusedEdit { file, reason } => writeln!(out, "refused: `{file}`: {reason}"),
        Finding::OverriddenField { field, ours, before, after } => {
            writeln!(
                out,
                "overridden: `{field}` stays `{ours}`, and upstream's went from `{before}` to `{after}`"
            )
        }
        Finding::Drifted { patch, file, hunk, drift } => {
            writeln!(out, "drifted: {patch}, hunk {hunk} of {file}: {drift}")
        }
        Finding::DeadHunk { patch, reason, hunk, is_upstream_now } => {
            let remedy = if *is_upstream_now { "; upstream has made this change: drop the hunk" } else { "" };
            writeln!(out, "dead: {patch}: {reason}{remedy}")?;
            hunk.lines().try_for_each(|line| writeln!(out, "      {line}"))
        }
        Finding::NothingExcluded { pattern } => {
            writeln!(out, "dead: `exclude` names `{pattern}`, which is no file")
        }
        Finding::OverlaidFile { file, is_gone } => {
            let what = if *is_gone { "is gone upstream" } else { "changed upstream" };
            writeln!(out, "overlaid: `{file}` {what}")
        }
        Finding::NoSuchDependency { name } => {
            writeln!(out, "dead: `dependencies` names `{name}`, which the chart does not depend on")
        }
        Finding::MissingDependency { of, wanted, reason } if reason.is_empty() => {
            writeln!(
                out,
                "dependency: the vault lacks {wanted}, for which the {of} chart asks: leave --offline out"
            )
        }
        Finding::MissingDependency { of, reason, .. } => {
            writeln!(out, "dependency: of the {of} chart: {reason}")
        }
        Finding::Kubernetes { version, constraint } => {
            writeln!(out, "Kubernetes {version} of the catalogue is outside `{constraint}`")
        }
        Finding::KubernetesConstraint { before, after } => {
            writeln!(out, "kubeVersion: `{before}` -> `{after}`")
        }
        Finding::OwnVersion { version } => writeln!(out, "choose the next `version`: it is {version}"),
    }
}
