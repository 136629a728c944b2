//! Finds the edits: proposes from a trace, renders them all together, and drops what moves nothing or anything wrong.
//!
//! Values that are there come first; empty ones, such as a global registry, only for what these cannot move.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::candidate::{Candidate, candidates, split_version};
use super::proof::Edit;
use super::references::{Reference, References, Slot};
use super::trace::{Composition, Trace};
use super::{Probe, Target};
use crate::edit::ValuePath;
use crate::render::{HelmError, merge_over};
use crate::toggle::set_over;

/// How often wrong edits are dropped and the rest rendered again.
const MAX_ROUNDS: usize = 8;

/// Returns the edits that move references to exactly their targets and change no other.
pub(super) fn search(
    probe: &Probe<'_>,
    before: &[References],
    target: &Target,
) -> Result<Vec<Edit>, HelmError> {
    let mut values = probe.chart.values().clone();
    if let Some(view) = probe.views.first() {
        merge_over(&mut values, &view.request.values);
    }
    let (empty, filled): (Vec<_>, Vec<_>) = candidates(&values).into_iter().partition(Candidate::is_empty);
    let mut search = Search { probe, before, target, values, edits: BTreeMap::new() };
    search.round(filled)?;
    if search.has_unmoved()? {
        search.round(empty)?;
    }
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

    /// Returns the new value of the leading candidate that makes the reference its target.
    fn wish(&self, trace: &Trace, composition: &Composition, reference: &Reference) -> Option<String> {
        let candidate = trace.candidate(composition.lead)?;
        let wanted = self.target.of(&reference.image).to_string();
        let name = wanted.strip_suffix(composition.rest.as_str())?;
        let (_, version) = split_version(&candidate.value);
        Some(format!("{name}{version}"))
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
        self.propose(trace, lead, value.clone());
        let Some(short) = plain.and_then(|value| asked.get(&format!("{value}/library"))) else { return };
        for place in short {
            let name = compositions.get(place).and_then(|composition| composition.others.first());
            if let Some(name) = name
                && let Some(candidate) = trace.candidate(*name)
                && !candidate.value.contains('/')
            {
                self.propose(trace, *name, format!("library/{}", candidate.value));
            }
        }
    }

    fn propose(&mut self, trace: &Trace, number: usize, value: String) {
        let Some(candidate) = trace.candidate(number) else { return };
        let edit = Edit::new(candidate.path.clone(), candidate.value.clone(), value);
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
            for (place, written) in wrong {
                let composition = compositions.get(&place);
                let numbers = composition.into_iter().flat_map(|one| one.others.iter().chain([&one.lead]));
                let paths: BTreeSet<String> =
                    numbers.filter_map(|number| Some(trace.candidate(*number)?.path.to_string())).collect();
                let before = self.edits.len();
                self.edits.retain(|path, edit| edit.is_kept() || !paths.contains(path));
                if self.edits.len() == before {
                    self.edits.retain(|_, edit| edit.is_kept() || !written.contains(&edit.value));
                }
            }
        }
        // What is still wrong after so many rounds is none of the edits that were kept before.
        self.edits.retain(|_, edit| edit.is_kept());
        Ok(())
    }

    /// Drops the edits with which a view does not render any more, found by halving.
    fn drop_breaking(&mut self) -> Result<(), HelmError> {
        if self.rendered()?.iter().all(Option::is_some) {
            return Ok(());
        }
        let all = std::mem::take(&mut self.edits);
        let (kept, new): (BTreeMap<_, _>, BTreeMap<_, _>) = all.into_iter().partition(|(_, edit)| edit.is_kept());
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
        let mut over = Map::new();
        for edit in self.edits.values() {
            set_over(&mut over, &self.values, &edit.path, Value::String(edit.value.clone()));
        }
        self.probe.render(&over)
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
                let is_right = before.by_slot.get(slot).is_some_and(|was| {
                    now.image == was.image || now.image == self.target.of(&was.image)
                });
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

impl Edit {
    fn new(path: ValuePath, was: String, value: String) -> Self {
        Self { path, was, value, moves: BTreeSet::new() }
    }

    /// Returns whether a rendering has shown that the edit moves something.
    fn is_kept(&self) -> bool {
        !self.moves.is_empty()
    }
}
