//! Which value is in which reference, and where: all candidates are marked at once, and the renderings are read.

use serde_json::{Map, Value};

use super::Probe;
use super::candidate::{Candidate, marks_in};
use super::references::{References, Slot};
use crate::render::HelmError;
use crate::toggle::set_over;

/// The references of every view with the candidates marked.
#[derive(Debug)]
pub(super) struct Trace {
    candidates: Vec<Candidate>,
    views: Vec<Option<References>>,
}

/// What a reference is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Composition {
    /// The candidate that the reference begins with.
    pub(super) lead: usize,
    /// The candidates further on.
    pub(super) others: Vec<usize>,
    /// What follows the leading candidate's name, with the other candidates as they were.
    pub(super) rest: String,
}

impl Trace {
    /// Marks candidates in every view; those that break a rendering are left unmarked, found by halving.
    pub(super) fn of(
        probe: &Probe<'_>,
        candidates: Vec<Candidate>,
        values: &Map<String, Value>,
    ) -> Result<Self, HelmError> {
        let mut marked: Vec<usize> = Vec::new();
        let mut views = vec![None; probe.views.len()];
        let mut pending: Vec<Vec<usize>> = vec![(0..candidates.len()).collect()];
        while let Some(part) = pending.pop().filter(|part| !part.is_empty()) {
            let together: Vec<usize> = marked.iter().chain(&part).copied().collect();
            let mut over = Map::new();
            for (number, candidate) in together.iter().filter_map(|at| Some((at, candidates.get(*at)?))) {
                set_over(&mut over, values, &candidate.path, Value::String(candidate.marked(*number)));
            }
            let rendered = probe.render(&over)?;
            if rendered.iter().all(Option::is_some) {
                (marked, views) = (together, rendered);
            } else if part.len() > 1 {
                let (left, right) = part.split_at(part.len() / 2);
                pending.extend([right.to_vec(), left.to_vec()]);
            }
        }
        Ok(Self { candidates, views })
    }

    /// Returns a candidate by its number.
    pub(super) fn candidate(&self, number: usize) -> Option<&Candidate> {
        self.candidates.get(number)
    }

    /// Returns what the reference at a place of a view is made of; nothing when no candidate begins it.
    pub(super) fn composition(&self, view: usize, slot: &Slot) -> Option<Composition> {
        let written = &self.views.get(view)?.as_ref()?.by_slot.get(slot)?.written;
        let marks = marks_in(written);
        let (lead, others) = marks.split_first()?;
        let whole = self.candidate(*lead)?.marked(*lead);
        let mark = format!("zq{lead}qz");
        let end = whole.find(&mark)? + mark.len();
        let is_empty = self.candidate(*lead)?.is_empty();
        let head = if is_empty { whole.as_str() } else { whole.get(..end)? };
        let mut rest = written.strip_prefix(head)?.to_owned();
        for other in others {
            let candidate = self.candidate(*other)?;
            rest = rest.replace(&candidate.marked(*other), &candidate.value);
        }
        // What a template changed about a marked value cannot be put back.
        marks_in(&rest).is_empty().then(|| Composition { lead: *lead, others: others.to_vec(), rest })
    }
}
