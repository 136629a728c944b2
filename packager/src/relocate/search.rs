//! Finds the edits: proposes from a trace, renders them all together, and drops what moves nothing or anything wrong.
//!
//! Values that are there come first; empty ones, such as a global registry, only for what these cannot move.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::candidate::{Candidate, candidates};
use super::judge::{Judge, ViewSlot};
use super::references::{Reference, References};
use super::texts::move_texts;
use super::trace::{Composition, Trace};
use super::{Probe, Site};
use crate::edit::ValuePath;
use crate::images::ViewName;
use crate::render::{HelmError, RenderRequest, merge_over};
use crate::toggle::set_over;

/// How often wrong edits are dropped and the rest rendered again.
const MAX_ROUNDS: usize = 8;

/// One value to set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edit {
    /// Where.
    pub(super) path: ValuePath,
    /// What.
    pub(super) value: String,
    /// How much depends on it: each place that asks for it, containers twice.
    pub(super) weight: usize,
    /// Whether a rendering has shown that it moves something.
    pub(super) is_kept: bool,
}

/// Returns the edits that move references to exactly their names at the site and change no other.
pub(super) fn search(probe: &Probe<'_>, before: &[References], site: &Site) -> Result<Vec<Edit>, HelmError> {
    let mut values = probe.chart.values().clone();
    // A view from the knowledge of charts may give values that the chart itself takes away.
    let known = probe.views.iter().filter(|view| matches!(view.name, ViewName::Known(_)));
    for view in probe.views.iter().take(1).chain(known) {
        merge_over(&mut values, &view.request.values);
    }
    let found = candidates(&values, probe.chart.files(), &probe.chart.scopes());
    let (empty, filled): (Vec<_>, Vec<_>) = found.into_iter().partition(Candidate::is_empty);
    let mut search = Search { probe, judge: Judge { before, site }, values, edits: BTreeMap::new() };
    search.round(filled)?;
    if search.has_unmoved()? {
        search.round(empty)?;
    }
    move_texts(&mut search)?;
    Ok(search.edits.into_values().filter(|edit| edit.is_kept).collect())
}

/// A search under way.
pub(super) struct Search<'run> {
    probe: &'run Probe<'run>,
    pub(super) judge: Judge<'run>,
    /// The values that are edited.
    pub(super) values: Map<String, Value>,
    /// The edits by path.
    pub(super) edits: BTreeMap<String, Edit>,
}

/// New values for each candidate, and the places that ask for each.
type Wishes = BTreeMap<usize, BTreeMap<String, Vec<ViewSlot>>>;

impl Search<'_> {
    fn round(&mut self, candidates: Vec<Candidate>) -> Result<(), HelmError> {
        let trace = Trace::of(self.probe, candidates, &self.values)?;
        let moved = self.judge.moved(&self.rendered()?);
        let mut wishes = Wishes::new();
        let mut compositions: BTreeMap<ViewSlot, Composition> = BTreeMap::new();
        for (view, slot, reference) in self.judge.foreign() {
            if moved.contains(&(view, slot.clone())) {
                continue;
            }
            let Some(composition) = trace.composition(view, slot) else { continue };
            if let Some(value) = self.wish(&trace, &composition, reference) {
                let places = wishes.entry(composition.lead).or_default().entry(value).or_default();
                places.push((view, slot.clone()));
            }
            compositions.insert((view, slot.clone()), composition);
        }
        for (lead, asked) in wishes {
            self.decide(&trace, lead, &asked, &compositions);
        }
        self.verify(&compositions, &trace)
    }

    /// Returns the new value of the leading candidate that makes the reference its target.
    fn wish(&self, trace: &Trace, composition: &Composition, reference: &Reference) -> Option<String> {
        let candidate = trace.candidate(composition.lead)?;
        let wanted = self.judge.site.name_of(&reference.image).to_string();
        let name = wanted.strip_suffix(composition.rest.as_str())?;
        Some(format!("{name}{}", candidate.version()))
    }

    /// Of several values asked for, takes the one most places ask for; a registry of short names and others keeps
    /// the others', and the short names are completed where they stand.
    fn decide(
        &mut self,
        trace: &Trace,
        lead: usize,
        asked: &BTreeMap<String, Vec<ViewSlot>>,
        compositions: &BTreeMap<ViewSlot, Composition>,
    ) {
        let plain = asked.keys().find(|value| asked.contains_key(&format!("{value}/library")));
        let most = asked.iter().max_by_key(|(_, places)| places.len()).map(|(value, _)| value);
        let Some(value) = plain.or(most) else { return };
        // A container does not start without its image; what else is named may never be used.
        let weight = |place: &ViewSlot| if place.1.2.ends_with(".image") { 2 } else { 1 };
        let weight = asked.values().flatten().map(weight).sum();
        self.propose(trace, lead, value.clone(), weight);
        let Some(short) = plain.and_then(|value| asked.get(&format!("{value}/library"))) else { return };
        for place in short {
            let name = compositions.get(place).and_then(|composition| composition.others.first());
            if let Some(name) = name
                && let Some(candidate) = trace.candidate(*name)
                && !candidate.value.contains('/')
            {
                self.propose(trace, *name, format!("library/{}", candidate.value), weight);
            }
        }
    }

    fn propose(&mut self, trace: &Trace, number: usize, value: String, weight: usize) {
        let Some(candidate) = trace.candidate(number) else { return };
        let edit = Edit { path: candidate.path.clone(), value, weight, is_kept: false };
        self.edits.insert(candidate.path.to_string(), edit);
    }

    /// Renders with all edits, drops those that make something wrong, until nothing is wrong.
    fn verify(
        &mut self,
        compositions: &BTreeMap<ViewSlot, Composition>,
        trace: &Trace,
    ) -> Result<(), HelmError> {
        for _ in 0..MAX_ROUNDS {
            self.drop_breaking()?;
            let after = self.rendered()?;
            let wrong = self.judge.wrong(&after);
            if wrong.is_empty() {
                self.keep(&after, compositions, trace);
                return Ok(());
            }
            let mut dropped = BTreeSet::new();
            for (place, written) in wrong {
                let composition = compositions.get(&place);
                let numbers = composition.into_iter().flat_map(|one| one.others.iter().chain([&one.lead]));
                let paths: BTreeSet<String> =
                    numbers.filter_map(|number| Some(trace.candidate(*number)?.path.to_string())).collect();
                let involved = self.edits.iter().filter(|(path, edit)| {
                    !edit.is_kept && (paths.contains(*path) || written.contains(&edit.value))
                });
                // Two edits in one reference contradict each other: the one that fewer places ask for goes.
                dropped.extend(involved.min_by_key(|(_, edit)| edit.weight).map(|(path, _)| path.clone()));
            }
            if dropped.is_empty() {
                break;
            }
            self.edits.retain(|path, _| !dropped.contains(path));
        }
        // What is still wrong then is none of the edits that were kept before.
        self.edits.retain(|_, edit| edit.is_kept);
        Ok(())
    }

    /// Drops the edits with which a view does not render any more, found by halving.
    fn drop_breaking(&mut self) -> Result<(), HelmError> {
        if self.rendered()?.iter().all(Option::is_some) {
            return Ok(());
        }
        let all = std::mem::take(&mut self.edits);
        let (kept, new): (BTreeMap<_, _>, BTreeMap<_, _>) =
            all.into_iter().partition(|(_, edit)| edit.is_kept);
        self.edits = kept;
        let mut pending: Vec<Vec<(String, Edit)>> = vec![new.into_iter().collect()];
        while let Some(part) = pending.pop() {
            let before = self.edits.clone();
            self.edits.extend(part.iter().cloned());
            if self.rendered()?.iter().all(Option::is_some) {
                continue;
            }
            self.edits = before;
            if part.len() > 1 {
                let (left, right) = part.split_at(part.len() / 2);
                pending.extend([right.to_vec(), left.to_vec()]);
            }
        }
        Ok(())
    }

    /// Renders each view with the edits; nothing for a view that does not render.
    pub(super) fn rendered(&self) -> Result<Vec<Option<References>>, HelmError> {
        let mut over = Map::new();
        for edit in self.edits.values() {
            set_over(&mut over, &self.values, &edit.path, Value::String(edit.value.clone()));
        }
        self.probe.render(&over)
    }

    fn has_unmoved(&self) -> Result<bool, HelmError> {
        let after = self.rendered()?;
        Ok(self.judge.moved(&after).len() < self.judge.foreign().count())
    }

    /// Keeps the edits that moved something.
    fn keep(
        &mut self,
        after: &[Option<References>],
        compositions: &BTreeMap<ViewSlot, Composition>,
        trace: &Trace,
    ) {
        for place in self.judge.moved(after) {
            let Some(composition) = compositions.get(&place) else { continue };
            for number in composition.others.iter().chain([&composition.lead]) {
                let path = trace.candidate(*number).map(|candidate| candidate.path.to_string());
                if let Some(edit) = path.and_then(|path| self.edits.get_mut(&path)) {
                    edit.is_kept = true;
                }
            }
        }
    }
}

impl Probe<'_> {
    /// Renders each view with values laid over; nothing for a view that does not render.
    pub(super) fn render(&self, over: &Map<String, Value>) -> Result<Vec<Option<References>>, HelmError> {
        let laid_over = |request: &RenderRequest| {
            let mut values = request.values.clone();
            merge_over(&mut values, over);
            RenderRequest { values, kubernetes_version: request.kubernetes_version.clone() }
        };
        let requests: Vec<_> = self.views.iter().map(|view| laid_over(&view.request)).collect();
        let outcomes = self.renderer.render_all(self.chart, &requests, self.steps)?;
        let read = outcomes
            .into_iter()
            .map(|outcome| outcome.ok().map(|rendering| References::of(&rendering, self.finder)));
        Ok(read.collect())
    }
}
