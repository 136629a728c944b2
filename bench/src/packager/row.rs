//! The figures of one chart on its whole way.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;
use stories::expected_images::Expected;
use stories::helm::KUBERNETES_VERSION;

use super::recipes::Recipes;
use super::site::{Cost, Packager, PathPolicy, Site};

/// What the delivery of a chart may take, and the look at every toggle, in seconds. The last is that of all other charts.
const BARS: [(&str, f64); 3] = [("gitlab-", 300.0), ("kube-prometheus-stack-", 120.0), ("", 20.0)];
/// The same, again.
pub(super) const BAR_AGAIN: f64 = 20.0;

/// What `chartpack relocate --output json` says, as far as it is counted here.
#[derive(Debug, Deserialize)]
pub(super) struct Proof {
    pub(super) edits: Vec<serde_json::Value>,
    pub(super) views: Vec<View>,
    pub(super) left: Vec<Left>,
    pub(super) broken: Vec<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct View {
    pub(super) references: usize,
    foreign: usize,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Left {
    pub(super) image: String,
    pub(super) only_tests: bool,
}

/// What `chartpack images --output json` says, as far as it is counted here.
#[derive(Debug, Deserialize)]
struct Images {
    images: Vec<Found>,
    toggles: usize,
}

#[derive(Debug, Deserialize)]
struct Found {
    image: String,
}

/// The figures of one chart.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) chart: String,
    /// How many images people listed; none where they made no list.
    pub(super) listed: Option<usize>,
    pub(super) missed: BTreeSet<String>,
    pub(super) found: usize,
    pub(super) toggles: usize,
    pub(super) kept: Proof,
    pub(super) stripped: Proof,
    pub(super) first: Way,
    pub(super) again: Way,
}

/// What the commands of the whole way took, one after the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    /// `lock`, with the images of what the recipe uses found and moved.
    pub(super) lock: Cost,
    /// `build`, with the gate.
    pub(super) build: Cost,
    /// `relocate` of upstream's chart, which has images searched and references moved with every toggle.
    pub(super) relocate: Cost,
}

impl Way {
    /// Returns what it took from the recipe to the archive, in seconds.
    pub(super) fn delivery(&self) -> f64 {
        self.lock.seconds + self.build.seconds
    }

    /// Returns how long all cores worked, in seconds.
    pub(super) fn processor_seconds(&self) -> f64 {
        [self.lock, self.build, self.relocate].map(|cost| cost.processor_seconds).iter().sum()
    }

    fn is_within(&self, seconds: f64) -> bool {
        self.delivery() <= seconds && self.relocate.seconds <= seconds
    }
}

impl Row {
    /// Sends one chart down its way twice, from an empty cache and again.
    ///
    /// # Errors
    /// When the packager or its gate refuses the chart.
    pub(super) fn measure(packager: &Packager, archive: &Path, recipes: &Recipes) -> Result<Self> {
        let chart = archive.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let site = Site::new(packager, archive, recipes.of(&chart))?;
        let (first, kept) = walk(&site)?;
        let (again, _) = walk(&site)?;
        let (_, stripped): (Cost, Vec<Proof>) = site.relocate(PathPolicy::StripHost)?;
        let one = "the packager says nothing of the chart";
        let images: Vec<Images> = site.images(KUBERNETES_VERSION)?;
        let Images { images, toggles } = images.into_iter().next().context(one)?;
        let found: BTreeSet<String> = images.into_iter().map(|found| found.image).collect();
        let expected = Expected::of(&chart).ok();
        let missed = |expected: &Expected| expected.images.difference(&found).cloned().collect();
        Ok(Self {
            chart,
            listed: expected.as_ref().map(|expected| expected.images.len()),
            missed: expected.as_ref().map(missed).unwrap_or_default(),
            found: found.len(),
            toggles,
            kept,
            stripped: stripped.into_iter().next().context(one)?,
            first,
            again,
        })
    }

    /// Returns what each may take the first time, in seconds.
    pub(super) fn bar(&self) -> f64 {
        let own = BARS.iter().find(|(name, _)| self.chart.starts_with(name));
        own.map_or(BAR_AGAIN, |(_, first)| *first)
    }

    pub(super) fn is_met(&self) -> bool {
        self.first.is_within(self.bar()) && self.again.is_within(BAR_AGAIN)
    }
}

fn walk(site: &Site<'_>) -> Result<(Way, Proof)> {
    let (lock, build) = (site.lock()?, site.build()?);
    let (relocate, proofs): (Cost, Vec<Proof>) = site.relocate(PathPolicy::KeepHost)?;
    let proof = proofs.into_iter().next().context("the packager proves nothing of the chart")?;
    Ok((Way { lock, build, relocate }, proof))
}

impl Proof {
    pub(super) fn references(&self) -> usize {
        self.views.iter().map(|view| view.references).sum()
    }

    pub(super) fn foreign(&self) -> usize {
        self.views.iter().map(|view| view.foreign).sum()
    }
}
