//! Values that aliases repeat.
//!
//! The attack: a few hundred bytes of aliases of aliases stand for gigabytes. So every copy, the one that is
//! kept and those that aliases make, is paid for in nodes and bytes before it is made.

use std::collections::HashMap;

use super::Size;
use crate::yaml::budget::Budget;
use crate::yaml::error::YamlProblem;
use crate::yaml::value::Value;

/// The anchors seen so far in a document.
pub(super) struct Anchors<'a> {
    budget: &'a Budget,
    kept: HashMap<String, Anchor>,
    opened: usize,
    copied_nodes: usize,
    copied_bytes: usize,
    aliased_nodes: usize,
}

enum Anchor {
    /// Its list or map is still open; the number tells it from an inner anchor of the same name.
    Open(usize),
    Kept(Value, Size),
}

/// An anchor whose list or map is still open.
pub(super) struct OpenAnchor {
    name: String,
    number: usize,
}

impl<'a> Anchors<'a> {
    /// Returns no anchors, with the whole budget left.
    pub(super) fn new(budget: &'a Budget) -> Self {
        Self { budget, kept: HashMap::new(), opened: 0, copied_nodes: 0, copied_bytes: 0, aliased_nodes: 0 }
    }

    /// Notes that `name` now stands for a list or map that has just begun.
    pub(super) fn open(&mut self, name: String) -> OpenAnchor {
        self.opened += 1;
        self.kept.insert(name.clone(), Anchor::Open(self.opened));
        OpenAnchor { name, number: self.opened }
    }

    /// Keeps the complete list or map, unless an anchor inside it has taken the name over.
    pub(super) fn close(&mut self, anchor: OpenAnchor, value: &Value, size: Size) -> Result<(), YamlProblem> {
        match self.kept.get(&anchor.name) {
            Some(Anchor::Open(number)) if *number == anchor.number => self.keep(anchor.name, value, size),
            Some(Anchor::Open(_) | Anchor::Kept(..)) | None => Ok(()),
        }
    }

    /// Keeps a copy of `value` under `name`.
    pub(super) fn keep(&mut self, name: String, value: &Value, size: Size) -> Result<(), YamlProblem> {
        self.pay(size)?;
        self.kept.insert(name, Anchor::Kept(value.clone(), size));
        Ok(())
    }

    /// Returns what the value under `name` costs.
    pub(super) fn size_of(&self, name: &str) -> Result<Size, YamlProblem> {
        self.find(name).map(|(_, size)| size)
    }

    /// Returns a copy of the value under `name`, when the document, of which `nodes` nodes have been counted
    /// with this alias, is not mostly made of aliases.
    pub(super) fn copy(&mut self, name: &str, nodes: usize) -> Result<Value, YamlProblem> {
        let (_, size) = self.find(name)?;
        self.pay(size)?;
        self.aliased_nodes += size.nodes;
        if self.aliased_nodes > 100 && nodes > 1_000 && is_excessive(self.aliased_nodes, nodes) {
            return Err(YamlProblem::TooMuchAliasing);
        }
        self.find(name).map(|(value, _)| value.clone())
    }

    fn find(&self, name: &str) -> Result<(&Value, Size), YamlProblem> {
        match self.kept.get(name) {
            Some(Anchor::Kept(value, size)) => Ok((value, *size)),
            Some(Anchor::Open(_)) => Err(YamlProblem::SelfReference(name.to_owned())),
            None => Err(YamlProblem::UnknownAnchor(name.to_owned())),
        }
    }

    fn pay(&mut self, size: Size) -> Result<(), YamlProblem> {
        self.copied_nodes += size.nodes;
        self.copied_bytes += size.bytes;
        let is_within =
            self.copied_nodes <= self.budget.alias_nodes && self.copied_bytes <= self.budget.alias_bytes;
        if is_within { Ok(()) } else { Err(YamlProblem::TooMuchAliasing) }
    }
}

/// Go refuses documents of which aliases make up more than 99 %, falling to 10 % between 400,000 and
/// 4,000,000 nodes.
#[expect(clippy::cast_precision_loss, reason = "a ratio; Go computes it in floats too")]
fn is_excessive(aliased: usize, nodes: usize) -> bool {
    const LOW: f64 = 400_000.0;
    const HIGH: f64 = 4_000_000.0;
    let place = ((nodes as f64 - LOW) / (HIGH - LOW)).clamp(0.0, 1.0);
    aliased as f64 / nodes as f64 > 0.99 - 0.89 * place
}
