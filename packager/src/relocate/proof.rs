//! The proof of a relocation, made of the chart as it is delivered: every view, every reference, every edit.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::Target;
use super::patch::{propose_patch, render_lines};
use super::references::References;
use crate::edit::{Segment, ValuePath};
use crate::images::{Discovery, ImageName, ViewName};
use crate::render::StagedChart;

/// One edit of `values.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Edit {
    /// The value.
    #[serde(serialize_with = "as_text")]
    pub(crate) path: ValuePath,
    /// What stood there; empty when nothing did.
    pub(crate) was: String,
    /// What is to stand there.
    pub(crate) value: String,
    /// How many places ask for it.
    #[serde(skip)]
    pub(super) asked_by: usize,
    /// The references that it moves, before and after.
    pub(crate) moves: BTreeSet<(String, String)>,
}

/// What was moved, how, and what is left.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Proof {
    /// The chart and its version.
    pub(crate) chart: String,
    /// The registry that everything points at.
    pub(crate) target: String,
    /// The edits.
    pub(crate) edits: Vec<Edit>,
    /// Every view of the edited chart.
    pub(crate) views: Vec<ViewProof>,
    /// What no value moves.
    pub(crate) left: Vec<Left>,
    /// Images that are needed and in none of these renderings: for the mirror configuration.
    pub(crate) unproven: Vec<String>,
}

/// One view of the edited chart.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ViewProof {
    /// What was rendered.
    pub(crate) view: String,
    /// How many image references it has.
    pub(crate) references: usize,
    /// How many of them point at other hosts, those that only tests use and those that are declared left out.
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
    pub(crate) target: String,
    /// The templates that name it.
    pub(crate) templates: BTreeSet<String>,
    /// Whether only `helm test` uses it.
    pub(crate) only_tests: bool,
    /// Whether it is declared to be left to the mirror configuration.
    pub(crate) left_to_mirror: bool,
    /// The shortest patch that moves it, as a unified diff; none when no template holds the name as one text.
    pub(crate) patch: Option<String>,
}

impl Edit {
    /// Returns the list around a path with an index, with the edit made in it; nothing for other paths.
    pub(super) fn whole_list(&self, values: &Map<String, Value>) -> Option<(ValuePath, Value)> {
        let segments = self.path.segments();
        let index = segments.iter().position(|segment| matches!(segment, Segment::Index(_)))?;
        let list = ValuePath::new(segments.get(..index)?.to_vec())?;
        let mut over = Map::new();
        crate::toggle::set_over(&mut over, values, &self.path, Value::String(self.value.clone()));
        let mut place = &Value::Object(over);
        for segment in list.segments() {
            let Segment::Key(key) = segment else { return None };
            place = place.get(key)?;
        }
        let whole = place.clone();
        Some((list, whole))
    }
}

impl Proof {
    /// Compares the edited chart's references with those before.
    pub(super) fn new(
        chart: &StagedChart,
        discovery: &Discovery,
        edits: Vec<Edit>,
        before: &[References],
        after: &[References],
        target: &Target,
    ) -> Self {
        let mut left: BTreeMap<String, Left> = BTreeMap::new();
        let mut views = Vec::new();
        for ((view, was), now) in discovery.survey.views.iter().zip(before).zip(after) {
            let mut proof = ViewProof {
                view: described(&view.name),
                references: now.by_slot.len(),
                foreign: 0,
                wrong: Vec::new(),
            };
            for (slot, reference) in &now.by_slot {
                let old = was.by_slot.get(slot).map(|old| &old.image);
                let is_target = old.is_some_and(|old| reference.image == target.of(old));
                if old != Some(&reference.image) && !is_target {
                    proof.wrong.push(reference.written.clone());
                }
                if target.holds(&reference.image) {
                    continue;
                }
                let left_to_mirror = target.leaves(&reference.image);
                proof.foreign += usize::from(!reference.is_test && !left_to_mirror);
                let entry = left.entry(reference.written.clone()).or_insert_with(|| Left {
                    image: reference.image.to_string(),
                    target: target.of(&reference.image).to_string(),
                    templates: BTreeSet::new(),
                    only_tests: true,
                    left_to_mirror,
                    patch: propose_patch(chart, slot, reference, target),
                });
                entry.templates.insert(slot.0.clone());
                entry.only_tests &= reference.is_test;
            }
            views.push(proof);
        }
        let is_rendered = |image: &ImageName| {
            before.iter().flat_map(|one| one.by_slot.values()).any(|one| one.image == *image)
        };
        let unproven = discovery
            .images
            .iter()
            .filter(|found| !found.only_tests && !target.holds(&found.image) && !is_rendered(&found.image));
        let unproven = unproven.map(|found| found.image.to_string()).collect();
        let metadata = chart.metadata();
        Self {
            chart: format!("{} {}", metadata.name, metadata.version),
            target: target.prefix().to_owned(),
            edits,
            views,
            left: left.into_values().collect(),
            unproven,
        }
    }

    /// Returns how many references point elsewhere over all views, without tests and what is declared.
    pub(crate) fn foreign(&self) -> usize {
        self.views.iter().map(|view| view.foreign).sum()
    }

    /// Returns whether every reference is where it should be.
    pub(crate) fn is_complete(&self) -> bool {
        self.foreign() == 0 && self.views.iter().all(|view| view.wrong.is_empty())
    }

    /// Returns the proof as lines for people.
    pub(crate) fn to_text(&self) -> String {
        let mut lines = vec![format!("{} relocated to {}", self.chart, self.target), String::new()];
        lines.push("edits of values.yaml:".to_owned());
        for edit in &self.edits {
            let was = if edit.was.is_empty() { "nothing" } else { &edit.was };
            let is_text = edit.value.contains('\n');
            lines.push(if is_text {
                format!("  {}: the names inside its text", edit.path)
            } else {
                format!("  {}: {} (was {was})", edit.path, edit.value)
            });
            lines.extend(edit.moves.iter().map(|(from, to)| format!("    {from} -> {to}")));
        }
        lines.extend([String::new(), "renderings of the edited chart:".to_owned()]);
        for view in &self.views {
            lines.push(format!("  {}: {} references, {} foreign", view.view, view.references, view.foreign));
            lines.extend(view.wrong.iter().map(|written| format!("    wrong: {written}")));
        }
        if !self.left.is_empty() {
            lines.extend([String::new(), "what no value moves:".to_owned()]);
        }
        for left in &self.left {
            let note = if left.left_to_mirror {
                ", left to the mirror configuration"
            } else if left.only_tests {
                ", only for helm test"
            } else {
                ""
            };
            lines.push(format!("  {} in {}{note}", left.image, render_lines(&left.templates)));
            let patch = left.patch.as_deref().unwrap_or("no template holds this name as one text\n");
            lines.extend(patch.lines().map(|line| format!("    {line}")));
        }
        if !self.unproven.is_empty() {
            lines
                .extend([String::new(), "what no rendering names, for the mirror configuration:".to_owned()]);
            lines.extend(self.unproven.iter().map(|image| format!("  {image}")));
        }
        lines.push(String::new());
        lines.join("\n")
    }
}

fn described(name: &ViewName) -> String {
    match name {
        ViewName::Values => "the values as they are".to_owned(),
        ViewName::Toggles(toggles) => {
            let toggles: Vec<_> = toggles.iter().map(ToString::to_string).collect();
            format!("with {}", toggles.join(" and "))
        }
        ViewName::Behind(toggle) => format!("behind {toggle}"),
        ViewName::AllToggles => "with all toggles".to_owned(),
        ViewName::Known => "with values from the knowledge of charts".to_owned(),
    }
}

fn as_text<S: Serializer>(path: &ValuePath, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(path)
}
