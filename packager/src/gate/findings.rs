//! What the gate finds of one chart, sorted into what refuses the chart and what people are only told.

use super::Finding;

/// The findings of one chart, each thing once.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// What refuses the chart unless it is waived.
    pub(super) refused: Vec<Finding>,
    /// What people should know.
    pub(super) listed: Vec<Finding>,
}

impl Findings {
    /// Adds a finding that refuses the chart; the same thing listed before is listed no more.
    pub(super) fn refuse(&mut self, finding: Finding) {
        self.listed.retain(|other| !other.is_same(&finding));
        if !self.refused.iter().any(|other| other.is_same(&finding)) {
            self.refused.push(finding);
        }
    }

    /// Adds a finding that people are told.
    pub(super) fn list(&mut self, finding: Finding) {
        if !self.refused.iter().chain(&self.listed).any(|other| other.is_same(&finding)) {
            self.listed.push(finding);
        }
    }

    /// Adds a finding of one kind or the other.
    pub(super) fn add(&mut self, finding: Finding, is_refused: bool) {
        if is_refused { self.refuse(finding) } else { self.list(finding) }
    }
}
