//! What the gate says about one chart.

use serde::Serialize;

use super::{Check, Finding, Waived};
use crate::images::Fetch;

/// What the gate says about one chart.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Verdict {
    /// What the chart was called: the recipe, or the file.
    pub(crate) name: String,
    /// The chart's name.
    pub(crate) chart: String,
    /// Its version.
    pub(crate) version: String,
    /// The Kubernetes versions it was rendered for, the newest last.
    pub(crate) kubernetes_versions: Vec<String>,
    /// How many renderings were looked at.
    pub(crate) renderings: usize,
    /// How many toggles the chart has.
    pub(crate) toggles: usize,
    /// The toggles that were rendered alone, but not together with the others: there are too many that exclude each other.
    pub(crate) not_tried_together: Vec<String>,
    /// What refuses it.
    pub(crate) refused: Vec<Finding>,
    /// What is waived.
    pub(crate) waived: Vec<Waived>,
    /// What people should know.
    pub(crate) listed: Vec<Finding>,
    /// What it is known to fetch when it runs, from no rendering.
    pub(crate) fetches: Vec<Fetch>,
    /// The checks that were left out.
    pub(crate) skipped: Vec<Check>,
}

impl Verdict {
    /// Returns whether the chart may be delivered.
    pub(crate) fn is_passed(&self) -> bool {
        self.refused.is_empty()
    }
}
