//! Finds the edits: proposes from a trace, renders them all together, and drops what moves nothing or anything wrong.
//!
//! Values that are there come first; empty ones, such as a global registry, only for what these cannot move.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::candidate::{Candidate, candidates, split_version};
use super::patch::replaced;
use super::proof::Edit;
use super::references::{Reference, References, Slot};
use super::trace::{Composition, Trace};
use super::{Probe, Target, overlay_of};
use crate::edit::ValuePath;
use crate::images::{ImageName, ViewName};
use crate::render::{HelmError, merge_over};

/// How often wrong edits are dropped and the rest rendered again.
const MAX_ROUNDS: usize = 8;

/// Returns the edits that move references to exactly their targets and change no other.
pub(super) fn search(
    probe: &Probe<'_>,
    before: &[References],
    target: &Target,
) -> Result<Vec<Edit>, HelmError> {
    let mut values = probe.chart.values().clone();
    // A view from the knowledge of charts may give values that the chart itself takes away.
    let known = probe.views.iter().filter(|view| view.name == ViewName::Known);
    for view in probe.views.iter().take(1).chain(known) {
        merge_over(&mut values, &view.request.values);
    }
    let (empty, filled): (Vec<_>, Vec<_>) =
        candidates(&values, probe.chart.files()).into_iter().partition(Candidate::is_empty);
    let mut search = Search { probe, before, target, values, edits: BTreeMap::new() };
    search.round(filled)?;
    if search.has_unmoved()? {
        search.round(empty)?;
    }
    search.texts()?;
    Ok(search.finish())
}

struct Search<'run> {
    probe: &'run Probe<'run>,
    before: &'run [References],
    target: &'run Target,
    values: Map<String, Value>,
    edits: BTreeMap<String, Edit>,
}

/// A place in a view.
type ViewSlot = (usize, Slot);

/// New values for each candidate, and the places that ask for each.
type Wishes = BTreeMap<usize, BTreeMap<String, Vec<ViewSlot>>>;

impl Search<'_> {
    fn round(&mut self, candidates: Vec<Candidate>) -> Result<(), HelmError> {
        let trace = Trace::of(self.probe, candidates, &self.values)?;
        let moved = self.moved(&self.rendered()?);
        let mut wishes = Wishes::new();
        let mut compositions: BTreeMap<ViewSlot, Composition> = BTreeMap::new();
        for (view, slot, reference) in self.foreign() {
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

    /// Moves what stands inside longer texts of the values, such as the configuration of a program.
    fn texts(&mut self) -> Result<(), HelmError> {
        let moved = self.moved(&self.rendered()?);
        let left = self.foreign().filter(|(view, slot, _)| !moved.contains(&(*view, (*slot).clone())));
        let left: BTreeMap<String, ImageName> =
            left.map(|(_, _, reference)| (reference.written.clone(), reference.image.clone())).collect();
        let texts = texts_in(&self.values);
        for (written, image) in left {
            let (name, target) = (split_version(&written).0, self.target.of(&image));
            let bare = ImageName { tag: None, digest: None, ..target.clone() }.to_string();
            for (path, text) in &texts {
                let was = self.edits.get(&path.to_string()).map_or(text, |edit| &edit.value).clone();
                let Some(value) = replaced(&was, name, &bare) else { continue };
                let before = self.edits.clone();
                let mut edit = Edit::new(path.clone(), text.clone(), value, 1);
                edit.moves = before.get(&path.to_string()).map(|edit| edit.moves.clone()).unwrap_or_default();
                edit.moves.insert((image.to_string(), target.to_string()));
                self.edits.insert(path.to_string(), edit);
                let after = self.rendered()?;
                let is_better = self.moved(&after).len() > moved.len() && self.wrong(&after).is_empty();
                if !is_better || !after.iter().all(Option::is_some) {
                    self.edits = before;
                }
            }
        }
        Ok(())
    }

    /// Returns the new value of the leading candidate that makes the reference its target.
    fn wish(&self, trace: &Trace, composition: &Composition, reference: &Reference) -> Option<String> {
        let candidate = trace.candidate(composition.lead)?;
        let wanted = self.target.of(&reference.image).to_string();
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
        let asked_by = asked.values().flatten().map(weight).sum();
        self.propose(trace, lead, value.clone(), asked_by);
        let Some(short) = plain.and_then(|value| asked.get(&format!("{value}/library"))) else { return };
        for place in short {
            let name = compositions.get(place).and_then(|composition| composition.others.first());
            if let Some(name) = name
                && let Some(candidate) = trace.candidate(*name)
                && !candidate.value.contains('/')
            {
                self.propose(trace, *name, format!("library/{}", candidate.value), asked_by);
            }
        }
    }

    fn propose(&mut self, trace: &Trace, number: usize, value: String, asked_by: usize) {
        let Some(candidate) = trace.candidate(number) else { return };
        let edit = Edit::new(candidate.path.clone(), candidate.value.clone(), value, asked_by);
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
            let wrong = self.wrong(&after);
            if wrong.is_empty() {
                self.attribute(&after, compositions, trace);
                return Ok(());
            }
            let mut dropped = BTreeSet::new();
            for (place, written) in wrong {
                let composition = compositions.get(&place);
                let numbers = composition.into_iter().flat_map(|one| one.others.iter().chain([&one.lead]));
                let paths: BTreeSet<String> =
                    numbers.filter_map(|number| Some(trace.candidate(*number)?.path.to_string())).collect();
                let involved = self.edits.iter().filter(|(path, edit)| {
                    !edit.is_kept() && (paths.contains(*path) || written.contains(&edit.value))
                });
                // Two edits in one reference contradict each other: the one that fewer places ask for goes.
                dropped.extend(involved.min_by_key(|(_, edit)| edit.asked_by).map(|(path, _)| path.clone()));
            }
            if dropped.is_empty() {
                break;
            }
            self.edits.retain(|path, _| !dropped.contains(path));
        }
        // What is still wrong then is none of the edits that were kept before.
        self.edits.retain(|_, edit| edit.is_kept());
        Ok(())
    }

    /// Drops the edits with which a view does not render any more, found by halving.
    fn drop_breaking(&mut self) -> Result<(), HelmError> {
        if self.rendered()?.iter().all(Option::is_some) {
            return Ok(());
        }
        let all = std::mem::take(&mut self.edits);
        let (kept, new): (BTreeMap<_, _>, BTreeMap<_, _>) =
            all.into_iter().partition(|(_, edit)| edit.is_kept());
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

    fn rendered(&self) -> Result<Vec<Option<References>>, HelmError> {
        self.probe.render(&overlay_of(self.edits.values(), &self.values))
    }

    /// Returns the references that are to be moved, with their places.
    fn foreign(&self) -> impl Iterator<Item = (usize, &Slot, &Reference)> {
        let slots = self.before.iter().enumerate();
        let slots = slots.flat_map(|(view, references)| {
            references.by_slot.iter().map(move |(slot, reference)| (view, slot, reference))
        });
        slots.filter(|(_, _, reference)| {
            !self.target.holds(&reference.image) && !self.target.leaves(&reference.image)
        })
    }

    fn moved(&self, after: &[Option<References>]) -> BTreeSet<ViewSlot> {
        let is_moved = |view: usize, slot: &Slot, reference: &Reference| {
            let now = after.get(view).and_then(|references| references.as_ref()?.by_slot.get(slot));
            now.is_some_and(|now| now.image == self.target.of(&reference.image))
        };
        let moved = self.foreign().filter(|(view, slot, reference)| is_moved(*view, slot, reference));
        moved.map(|(view, slot, _)| (view, slot.clone())).collect()
    }

    fn has_unmoved(&self) -> Result<bool, HelmError> {
        let after = self.rendered()?;
        Ok(self.moved(&after).len() < self.foreign().count())
    }

    /// Returns the places whose reference is neither as it was nor its target, with what stands there.
    fn wrong(&self, after: &[Option<References>]) -> Vec<(ViewSlot, String)> {
        let mut wrong = Vec::new();
        for (view, references) in after.iter().enumerate() {
            let Some(before) = self.before.get(view) else { continue };
            for (slot, now) in references.iter().flat_map(|references| &references.by_slot) {
                let is_right = before
                    .by_slot
                    .get(slot)
                    .is_some_and(|was| now.image == was.image || now.image == self.target.of(&was.image));
                if !is_right {
                    wrong.push(((view, slot.clone()), now.written.clone()));
                }
            }
            // A reference that is none any more has become a text that no client understands.
            let now = references.as_ref();
            for slot in before.by_slot.keys() {
                if now.is_some_and(|now| !now.by_slot.contains_key(slot)) {
                    wrong.push(((view, slot.clone()), String::new()));
                }
            }
        }
        wrong
    }

    /// Notes which references each edit moves.
    fn attribute(
        &mut self,
        after: &[Option<References>],
        compositions: &BTreeMap<ViewSlot, Composition>,
        trace: &Trace,
    ) {
        for place in self.moved(after) {
            let Some(composition) = compositions.get(&place) else { continue };
            let was = self.before.get(place.0).and_then(|references| references.by_slot.get(&place.1));
            let Some(was) = was.map(|reference| reference.image.clone()) else { continue };
            let now = self.target.of(&was);
            for number in composition.others.iter().chain([&composition.lead]) {
                let path = trace.candidate(*number).map(|candidate: &Candidate| candidate.path.to_string());
                if let Some(edit) = path.and_then(|path| self.edits.get_mut(&path)) {
                    edit.moves.insert((was.to_string(), now.to_string()));
                }
            }
        }
    }

    fn finish(self) -> Vec<Edit> {
        self.edits.into_values().filter(Edit::is_kept).collect()
    }
}

/// Returns the values that are texts of several lines, outside lists.
fn texts_in(values: &Map<String, Value>) -> Vec<(ValuePath, String)> {
    fn collect<'values>(
        values: &'values Map<String, Value>,
        above: &mut Vec<&'values str>,
        found: &mut Vec<(ValuePath, String)>,
    ) {
        for (key, value) in values {
            above.push(key);
            match value {
                Value::Object(below) => collect(below, above, found),
                Value::String(text) if text.trim_end().contains('\n') => {
                    found.push((ValuePath::of_keys(above), text.clone()));
                }
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {}
            }
            above.pop();
        }
    }
    let mut found = Vec::new();
    collect(values, &mut Vec::new(), &mut found);
    found
}

impl Edit {
    fn new(path: ValuePath, was: String, value: String, asked_by: usize) -> Self {
        Self { path, was, value, asked_by, moves: BTreeSet::new() }
    }

    /// Returns whether a rendering has shown that the edit moves something.
    fn is_kept(&self) -> bool {
        !self.moves.is_empty()
    }
}
