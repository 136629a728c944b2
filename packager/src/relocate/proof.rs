//! The proof of a relocation, made of the chart as it is delivered: every view, every reference, every edit.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use super::comparison::Difference;
use super::patch::{ProposedPatch, in_one_line};
use crate::catalogue::PathPolicy;

/// What was moved, how, and what is left.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Proof {
    /// The chart and its version.
    pub(crate) chart: String,
    /// The registry that everything points at.
    pub(crate) registry: String,
    /// How names are formed there.
    pub(crate) path_policy: PathPolicy,
    /// The edits of `values.yaml`, in their order.
    pub(crate) edits: Vec<ProvenEdit>,
    /// Every view of the edited chart.
    pub(crate) views: Vec<ViewProof>,
    /// What no value moves.
    pub(crate) left: Vec<Left>,
    /// Images that are needed and in none of these renderings: for the mirror configuration.
    pub(crate) unproven: Vec<String>,
    /// Places besides image references that hold an edited value.
    pub(crate) carried: BTreeSet<Difference>,
    /// What the edits change besides; always empty.
    pub(crate) broken: BTreeSet<Difference>,
}

/// One edit of `values.yaml`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct ProvenEdit {
    /// The path of the value.
    pub(crate) path: String,
    /// What is to stand there.
    pub(crate) value: Value,
    /// The references that it moves, before and after.
    pub(crate) moves: BTreeSet<(String, String)>,
}

/// One view of the edited chart.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ViewProof {
    /// What was rendered.
    pub(crate) view: String,
    /// For which Kubernetes version.
    pub(crate) kubernetes: String,
    /// How many image references it has.
    pub(crate) references: usize,
    /// How many of them point at other hosts; those that only tests use and those that are declared do not count.
    pub(crate) foreign: usize,
    /// References that are neither as they were nor where they should be; always empty.
    pub(crate) wrong: Vec<String>,
}

/// An image that no value moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Left {
    /// The image.
    pub(crate) image: String,
    /// What it should be.
    pub(crate) name: String,
    /// The templates that name it.
    pub(crate) templates: BTreeSet<String>,
    /// Whether only `helm test` uses it.
    pub(crate) only_tests: bool,
    /// Why it may stay, when that is declared.
    pub(crate) declared: Option<String>,
    /// The shortest patch that moves it, as was seen in a rendering; none when no line is sure to be the one.
    pub(crate) patch: Option<ProposedPatch>,
}

impl Left {
    /// Returns where it stands: the line of the proposed patch, else the templates.
    pub(crate) fn place(&self) -> String {
        match &self.patch {
            Some(patch) => format!("{} line {}", patch.template, patch.line),
            None => in_one_line(&self.templates),
        }
    }
}

impl Proof {
    /// Returns how many references point elsewhere over all views, without tests and what is declared.
    pub(crate) fn foreign(&self) -> usize {
        self.views.iter().map(|view| view.foreign).sum()
    }

    /// Returns whether every reference is where it should be, and nothing else changed.
    pub(crate) fn is_complete(&self) -> bool {
        self.foreign() == 0 && self.is_sound()
    }

    /// Returns whether no reference became another, and nothing else changed.
    pub(crate) fn is_sound(&self) -> bool {
        self.views.iter().all(|view| view.wrong.is_empty()) && self.broken.is_empty()
    }

    /// Returns whether each edit moves something.
    pub(super) fn needs_every_edit(&self) -> bool {
        self.edits.iter().all(|edit| !edit.moves.is_empty())
    }

    /// Returns whether something that broke holds a value.
    pub(super) fn breaks_with(&self, value: &str) -> bool {
        self.broken.iter().any(|difference| difference.after.contains(value))
    }

    /// Returns the proof as lines for people.
    pub(crate) fn to_text(&self) -> String {
        let references: usize = self.views.iter().map(|view| view.references).sum();
        let mut lines = vec![
            format!("{} relocated to {}", self.chart, self.registry),
            format!(
                "{} views, {references} image references, {} of them foreign; {} edits",
                self.views.len(),
                self.foreign(),
                self.edits.len()
            ),
        ];
        self.write_edits(&mut lines);
        lines.extend([String::new(), "renderings of the edited chart:".to_owned()]);
        for view in &self.views {
            let ViewProof { view, kubernetes, references, foreign, wrong } = view;
            lines.push(format!(
                "  {references} references, {foreign} foreign: {view}, Kubernetes {kubernetes}"
            ));
            lines.extend(wrong.iter().map(|written| format!("    wrong: {written}")));
        }
        self.write_left(&mut lines);
        let mut section = |title: &str, items: Vec<String>| {
            if !items.is_empty() {
                lines.extend([String::new(), title.to_owned()]);
                lines.extend(items.into_iter().map(|item| format!("  {item}")));
            }
        };
        section("what no rendering names, for the mirror configuration:", self.unproven.clone());
        section("other places that hold an edited value:", self.carried.iter().map(described).collect());
        section("broken:", self.broken.iter().map(described).collect());
        lines.push(String::new());
        lines.join("\n")
    }

    fn write_edits(&self, lines: &mut Vec<String>) {
        if !self.edits.is_empty() {
            lines.extend([String::new(), "edits of values.yaml:".to_owned()]);
        }
        for ProvenEdit { path, value, moves } in &self.edits {
            lines.push(match value {
                Value::String(text) if text.contains('\n') => format!("  {path}: the names inside its text"),
                Value::String(text) => format!("  {path}: {text}"),
                other => format!("  {path}: {other}"),
            });
            lines.extend(moves.iter().map(|(from, to)| format!("    {from} -> {to}")));
        }
    }

    fn write_left(&self, lines: &mut Vec<String>) {
        if !self.left.is_empty() {
            lines.extend([String::new(), "what no value moves:".to_owned()]);
        }
        for left in &self.left {
            let note = match &left.declared {
                Some(reason) => format!(", left to the mirror configuration: {reason}"),
                None if left.only_tests => ", only for helm test".to_owned(),
                None => String::new(),
            };
            lines.push(format!("  {} in {}{note}", left.image, left.place()));
            match &left.patch {
                Some(patch) => lines.extend(patch.diff.lines().map(|line| format!("    {line}"))),
                None => {
                    lines.push("    no line of a template is sure to be the one that names it".to_owned())
                }
            }
        }
    }
}

fn described(difference: &Difference) -> String {
    let Difference { template, place, before, after } = difference;
    format!("{template}: {place}: `{before}` -> `{after}`")
}
