//! What stands before the gate: a chart as it would be delivered, and what its recipe says about it.

use std::collections::BTreeSet;

use chart::archive::ArchiveFile;
use serde_json::{Map, Value};

use super::Check;
use crate::profile::Profile;
use crate::recipe::{Recipe, Waiver};
use crate::render::{DEFAULT_KUBERNETES_VERSION, StageError, StagedChart};
use crate::toggle::{Toggle, set_over};

/// A chart before the gate.
#[derive(Debug)]
pub(crate) struct Candidate {
    /// What reports call it: the recipe, or the file.
    pub(crate) name: String,
    /// The chart as it would be delivered.
    pub(crate) chart: StagedChart,
    /// What it was made from; none when the chart is all there is.
    pub(crate) original: Option<Original>,
    /// How it will be used.
    pub(crate) usage: Usage,
    /// What may pass.
    pub(crate) waivers: Vec<Waiver>,
}

/// What a chart was made from.
#[derive(Debug)]
pub(crate) struct Original {
    /// The upstream chart untouched, with the dependencies that were vendored.
    pub(crate) chart: StagedChart,
    /// The files that the recipe adds: overlay, icon, what patches make.
    pub(crate) added: BTreeSet<String>,
}

/// How a chart will be used.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Usage {
    /// The toggles that are declared.
    pub(crate) toggles: Vec<Toggle>,
    /// Whether every toggle of the chart counts as declared, except that upstream may refuse it.
    pub(crate) is_every_toggle_used: bool,
    /// Values without which the chart does not render.
    pub(crate) probe_values: Map<String, Value>,
}

/// What holds for every chart of a delivery.
#[derive(Debug)]
pub(crate) struct GateSettings {
    /// The Kubernetes versions that charts must render on, the newest last; never empty.
    pub(crate) kubernetes_versions: Vec<String>,
    /// The site's registry; without one images are listed only.
    pub(crate) registry: Option<String>,
    /// The checks that are left out.
    pub(crate) skipped: BTreeSet<Check>,
}

impl GateSettings {
    /// Returns the newest Kubernetes version.
    pub(crate) fn newest(&self) -> &str {
        self.kubernetes_versions.last().map_or(DEFAULT_KUBERNETES_VERSION, String::as_str)
    }
}

impl Candidate {
    /// Puts a chart that a recipe made before the gate. `added` are the files that the recipe adds to `original`.
    ///
    /// # Errors
    /// [`StageError`] when one of the charts cannot be laid out.
    pub(crate) fn of_recipe(
        name: String,
        recipe: &Recipe,
        files: Vec<ArchiveFile>,
        original: Vec<ArchiveFile>,
        added: BTreeSet<String>,
    ) -> Result<Self, StageError> {
        let chart = StagedChart::new(files)?;
        let original = Some(Original { chart: StagedChart::new(original)?, added });
        let mut probe_values = Map::new();
        for edit in &recipe.images.probe_values {
            set_over(&mut probe_values, chart.values(), &edit.path, edit.value.clone());
        }
        let usage = Usage {
            toggles: match recipe.images.profile {
                Profile::Exact => Vec::new(),
                Profile::Declared | Profile::All => recipe.images.toggles.clone(),
            },
            is_every_toggle_used: recipe.images.profile == Profile::All,
            probe_values,
        };
        Ok(Self { name, chart, original, usage, waivers: recipe.waivers.clone() })
    }
}
