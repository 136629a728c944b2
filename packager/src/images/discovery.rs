//! All images of one chart, each with the trail of where it was seen.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::ImageName;
use super::downloads::downloads_in;
use super::finder::{Finder, Place, Sighting};
use super::knowledge::{Fetch, InvalidKnowledge, Knowledge};
use super::proposals::{Proposal, proposals};
use super::survey::{Survey, SurveyError, View, ViewName, survey};
use crate::profile::{ImageSettings, Substitution, source_of};
use crate::render::{Document, HelmError, RenderRequest, Renderer, StagedChart, merge_over};
use crate::steps::Steps;

/// What is known about the images of one chart.
#[derive(Debug)]
pub(crate) struct Discovery {
    /// The images, sorted by name.
    pub(crate) images: Vec<FoundImage>,
    /// Images that values or annotations name and no view shows.
    pub(crate) unconfirmed: Vec<Proposal>,
    /// Where images are fetched from instead: what was decided, then what is known.
    pub(crate) substitutions: Vec<Substitution>,
    /// What else the chart fetches when it runs.
    pub(crate) fetches: Vec<Fetch>,
    /// The views they were seen in.
    pub(crate) survey: Survey,
}

/// One image.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FoundImage {
    /// The image as the chart names it, completed.
    pub(crate) image: ImageName,
    /// The name it is fetched by, when a substitution gives another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fetched_as: Option<ImageName>,
    /// Whether the chart names it by digest.
    pub(crate) pinned: bool,
    /// Whether only `helm test` uses it.
    pub(crate) only_tests: bool,
    /// Where it is named; never empty.
    pub(crate) trails: Vec<Trail>,
}

/// One place that names an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "seenIn")]
pub(crate) enum Trail {
    /// A rendered document.
    #[serde(rename_all = "camelCase")]
    Rendering {
        /// The template.
        template: String,
        /// Kind and name of the document.
        document: String,
        /// The path in it.
        path: String,
        /// What kind of place it is.
        place: Place,
        /// The toggles that were on; empty for the values as they are.
        toggles: Vec<String>,
        /// The Kubernetes version, when only another than the newest shows it.
        #[serde(skip_serializing_if = "Option::is_none")]
        kubernetes_version: Option<String>,
    },
    /// The recipe, or the knowledge of charts.
    Statement {
        /// Why it is needed.
        reason: String,
    },
}

/// Why images cannot be discovered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DiscoveryError {
    /// The chart cannot be surveyed.
    #[error(transparent)]
    Survey(#[from] SurveyError),
    /// Helm gave no answer.
    #[error(transparent)]
    Helm(#[from] HelmError),
    /// The knowledge of charts is malformed.
    #[error(transparent)]
    Knowledge(#[from] InvalidKnowledge),
}

/// Finds the images of a chart.
///
/// # Errors
/// [`DiscoveryError`] when helm fails or the chart does not render at all.
pub(crate) fn discover(
    renderer: &Renderer,
    chart: &StagedChart,
    settings: &ImageSettings,
    steps: &Steps,
) -> Result<Discovery, DiscoveryError> {
    let known = Knowledge::of(chart.metadata(), chart.values())?;
    let settings = settings.over(&known);
    let finder = Finder::default();
    let survey = survey(renderer, chart, &settings, &finder, steps)?;
    let mut images = Collected { settings: &settings, by_name: BTreeMap::new() };
    for view in &survey.views {
        for document in &view.rendering.documents {
            images.add_document(document, &finder, view, None);
        }
    }
    let staged = survey.chart.as_ref().unwrap_or(chart);
    images.add_other_versions(renderer, staged, &survey, &finder, steps)?;
    for extra in &settings.extra_images {
        images.add(&extra.image, false, Trail::Statement { reason: extra.reason.clone() });
    }
    let mut values = chart.values().clone();
    merge_over(&mut values, &settings.values);
    let mut unconfirmed = proposals(chart.metadata(), &values);
    images.add_behind_refused(&mut unconfirmed, &survey);
    let images = images.finish();
    let is_seen = |image: &ImageName| images.iter().any(|one| one.image.repository() == image.repository());
    unconfirmed.retain(|proposal| !is_seen(&proposal.image));
    let substitutions = settings.substitutions;
    let mut fetches = known.fetches;
    for document in
        survey.views.iter().flat_map(|view| &view.rendering.documents).filter(|one| !one.is_test())
    {
        for fetch in downloads_in(document) {
            if !fetches.contains(&fetch) {
                fetches.push(fetch);
            }
        }
    }
    Ok(Discovery { images, unconfirmed, substitutions, fetches, survey })
}

struct Collected<'run> {
    settings: &'run ImageSettings,
    by_name: BTreeMap<ImageName, FoundImage>,
}

impl Collected<'_> {
    fn add_document(&mut self, document: &Document, finder: &Finder, view: &View, version: Option<&str>) {
        let (kind, name) = document.kind_and_name();
        for Sighting { image, path, place, .. } in finder.sightings(document).iter() {
            let trail = Trail::Rendering {
                template: document.template.clone(),
                document: format!("{kind}/{name}"),
                path: path.clone(),
                place: *place,
                toggles: toggles_of(view),
                kubernetes_version: version.map(str::to_owned),
            };
            self.add(image, document.is_test(), trail);
        }
    }

    /// Charts take tags from the cluster's version: each view is rendered for the other versions too.
    fn add_other_versions(
        &mut self,
        renderer: &Renderer,
        chart: &StagedChart,
        survey: &Survey,
        finder: &Finder,
        steps: &Steps,
    ) -> Result<(), HelmError> {
        let newest = self.settings.newest_kubernetes().to_owned();
        for version in self.settings.kubernetes_versions.clone() {
            if version == newest {
                continue;
            }
            let of_version = |view: &View| RenderRequest {
                kubernetes_version: version.clone(),
                values: view.request.values.clone(),
            };
            let requests: Vec<_> = survey.views.iter().map(of_version).collect();
            let outcomes = renderer.render_all(chart, &requests, steps)?;
            for (view, outcome) in survey.views.iter().zip(outcomes) {
                // What does not render for an older version is the gate's business.
                for document in outcome.iter().flat_map(|rendering| &rendering.documents) {
                    self.add_document(document, finder, view, Some(&version));
                }
            }
        }
        Ok(())
    }

    /// What stands beside a toggle that cannot be turned on without further values is taken from the values.
    fn add_behind_refused(&mut self, proposals: &mut Vec<Proposal>, survey: &Survey) {
        for (toggle, _) in &survey.refused {
            let segments = toggle.path.segments();
            let Some((_, above)) = segments.split_last().filter(|(_, above)| !above.is_empty()) else {
                continue;
            };
            let part = format!("{}.", toggle.path.prefix(above.len()));
            proposals.retain(|proposal| {
                let is_behind = proposal.named_by.starts_with(&part);
                if is_behind && !self.by_name.contains_key(&proposal.image) {
                    let reason =
                        format!("{} names it; `{toggle}` asks for further values", proposal.named_by);
                    self.add(&proposal.image, false, Trail::Statement { reason });
                }
                !is_behind
            });
        }
    }

    /// Adds a trail; of the same place seen in several views only the first is kept.
    fn add(&mut self, image: &ImageName, is_test: bool, trail: Trail) {
        let found = self.by_name.entry(image.clone()).or_insert_with(|| {
            let source = source_of(image, &self.settings.substitutions);
            FoundImage {
                image: image.clone(),
                fetched_as: (source != *image).then_some(source),
                pinned: image.is_pinned(),
                only_tests: true,
                trails: Vec::new(),
            }
        });
        found.only_tests &= is_test;
        if !found.trails.iter().any(|one| one.is_same_place(&trail)) {
            found.trails.push(trail);
        }
    }

    /// Leaves out bare names that only configuration mentions when the same image is seen with its tag.
    fn finish(self) -> Vec<FoundImage> {
        let versioned: Vec<String> =
            self.by_name.keys().filter(|image| !image.is_bare()).map(ImageName::repository).collect();
        let is_mention = |found: &FoundImage| {
            let only_embedded =
                |trail: &Trail| matches!(trail, Trail::Rendering { place: Place::Embedded, .. });
            found.image.is_bare()
                && found.trails.iter().all(only_embedded)
                && versioned.contains(&found.image.repository())
        };
        self.by_name.into_values().filter(|found| !is_mention(found)).collect()
    }
}

/// Where an image was seen, in one line.
impl fmt::Display for Trail {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Rendering { template, document, path, toggles, kubernetes_version, .. } = self else {
            let Self::Statement { reason } = self else { return Ok(()) };
            return formatter.write_str(reason);
        };
        write!(formatter, "{template}: {document} {path}")?;
        match toggles.as_slice() {
            [] => {}
            [all] if all == "all" => formatter.write_str(", with all toggles")?,
            [known] if known == "known" => {
                formatter.write_str(", with values from the knowledge of charts")?
            }
            several => write!(formatter, ", with {}", several.join(" and "))?,
        }
        kubernetes_version.iter().try_for_each(|version| write!(formatter, ", on Kubernetes {version}"))
    }
}

impl Trail {
    fn is_same_place(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Rendering { template, document, path, .. },
                Self::Rendering {
                    template: other_template, document: other_document, path: other_path, ..
                },
            ) => template == other_template && document == other_document && path == other_path,
            (Self::Statement { reason }, Self::Statement { reason: other }) => reason == other,
            (Self::Rendering { .. } | Self::Statement { .. }, _) => false,
        }
    }
}

fn toggles_of(view: &View) -> Vec<String> {
    match &view.name {
        ViewName::Values => Vec::new(),
        ViewName::Toggles(toggles) => toggles.iter().map(ToString::to_string).collect(),
        ViewName::Behind(toggle) => vec![toggle.to_string()],
        ViewName::AllToggles => vec!["all".to_owned()],
        ViewName::Known(_) => vec!["known".to_owned()],
    }
}
