//! Judges renderings with edits: which references moved, which are wrong.

use std::collections::BTreeSet;

use super::Site;
use super::references::{Reference, References, Slot};

/// A place in a view.
pub(super) type ViewSlot = (usize, Slot);

/// The references of each view before any edit, and where they are to point.
#[derive(Debug, Clone, Copy)]
pub(super) struct Judge<'run> {
    pub(super) before: &'run [References],
    pub(super) site: &'run Site,
}

impl<'run> Judge<'run> {
    /// Returns the references that are to be moved, with their places.
    pub(super) fn foreign(&self) -> impl Iterator<Item = (usize, &'run Slot, &'run Reference)> {
        let site = self.site;
        let slots = self.before.iter().enumerate();
        let slots = slots.flat_map(|(view, references)| {
            references.by_slot.iter().map(move |(slot, reference)| (view, slot, reference))
        });
        slots.filter(|(_, _, reference)| {
            !site.holds(&reference.image) && site.leaves(&reference.image).is_none()
        })
    }

    /// Returns the places whose references have the names they should have.
    pub(super) fn moved(&self, after: &[Option<References>]) -> BTreeSet<ViewSlot> {
        let is_moved = |view: usize, slot: &Slot, reference: &Reference| {
            let now = after.get(view).and_then(|references| references.as_ref()?.by_slot.get(slot));
            now.is_some_and(|now| now.image == self.site.name_of(&reference.image))
        };
        let moved = self.foreign().filter(|(view, slot, reference)| is_moved(*view, slot, reference));
        moved.map(|(view, slot, _)| (view, slot.clone())).collect()
    }

    /// Returns the places whose reference is neither as it was nor as it should be, with what stands there.
    pub(super) fn wrong(&self, after: &[Option<References>]) -> Vec<(ViewSlot, String)> {
        let mut wrong = Vec::new();
        for (view, (before, now)) in self.before.iter().zip(after).enumerate() {
            let Some(now) = now else { continue };
            wrong.extend(
                wrong_in(before, now, self.site).into_iter().map(|(slot, written)| ((view, slot), written)),
            );
        }
        wrong
    }
}

/// Returns the places of one view whose reference is neither as it was nor as it should be.
pub(super) fn wrong_in(before: &References, after: &References, site: &Site) -> Vec<(Slot, String)> {
    let mut wrong = Vec::new();
    for (slot, now) in &after.by_slot {
        let was = before.by_slot.get(slot);
        if !was.is_some_and(|was| now.image == was.image || now.image == site.name_of(&was.image)) {
            wrong.push((slot.clone(), now.written.clone()));
        }
    }
    // A reference that is none any more has become a text that no client understands.
    let gone = before.by_slot.keys().filter(|slot| !after.by_slot.contains_key(*slot));
    wrong.extend(gone.map(|slot| (slot.clone(), String::new())));
    wrong
}
