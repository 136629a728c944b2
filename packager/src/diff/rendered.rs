//! What two charts render to, resource by resource. A chart that does not render is an answer, not an error.

use std::collections::{BTreeMap, BTreeSet};

use chart::archive::ArchiveFile;
use serde::Serialize;

use super::files::compare_texts;
use super::{ChartDifference, ImageChanges};
use crate::images::{DiscoveryError, ImageName, discover};
use crate::profile::ImageSettings;
use crate::render::{HelmError, RenderRequest, Renderer, Rendering, StageError, StagedChart};
use crate::steps::Steps;

/// What two charts render to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct RenderedChanges {
    /// Resources that are new, as `Kind/name`.
    pub(crate) added: Vec<String>,
    /// Resources that are gone.
    pub(crate) removed: Vec<String>,
    /// Resources with another text.
    pub(crate) changed: Vec<ResourceChange>,
    /// Why a side does not render; nothing is compared then.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) refused: Vec<String>,
}

/// A resource with another text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResourceChange {
    /// `Kind/name`.
    pub(crate) resource: String,
    /// How many lines are new.
    pub(crate) lines_added: usize,
    /// How many lines are gone.
    pub(crate) lines_removed: usize,
    /// The unified diff.
    pub(crate) diff: String,
}

/// Why two charts cannot be rendered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RenderBothError {
    /// The files cannot be laid out for helm.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// Helm gave no answer.
    #[error(transparent)]
    Helm(#[from] HelmError),
}

impl RenderedChanges {
    fn between(before: &Rendering, after: &Rendering) -> Self {
        let (old, mut new) = (by_resource(before), by_resource(after));
        let mut changes = Self::default();
        for (resource, before) in old {
            match new.remove(&resource) {
                Some(after) if after == before => {}
                Some(after) => {
                    let (lines_added, lines_removed, diff) = compare_texts(&resource, &before, &after);
                    changes.changed.push(ResourceChange { resource, lines_added, lines_removed, diff });
                }
                None => changes.removed.push(resource),
            }
        }
        changes.added = new.into_keys().collect();
        changes
    }

    /// Returns whether no resource is known to differ.
    pub(crate) fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

/// Documents of one kind and name, as hooks with several policies are, count as one resource.
fn by_resource(rendering: &Rendering) -> BTreeMap<String, String> {
    let mut resources: BTreeMap<String, String> = BTreeMap::new();
    for document in &rendering.documents {
        let (kind, name) = document.kind_and_name();
        resources.entry(format!("{kind}/{name}")).or_default().push_str(&document.text);
    }
    resources
}

/// Renders both charts and puts into `difference` the images of all their views and, when asked for, what they render to.
///
/// A chart that no helm renders keeps the images of its values.
///
/// # Errors
/// [`RenderBothError`] when helm itself fails.
pub(crate) fn render_both(
    difference: &mut ChartDifference,
    renderer: &Renderer,
    (before, after): (&[ArchiveFile], &[ArchiveFile]),
    settings: (&ImageSettings, &ImageSettings),
    with_resources: bool,
    steps: &Steps,
) -> Result<(), RenderBothError> {
    let (before, after) = (StagedChart::new(before.to_vec())?, StagedChart::new(after.to_vec())?);
    let images = |chart: &StagedChart, settings| images_of(renderer, chart, settings, steps);
    if let (Some(old), Some(new)) = (images(&before, settings.0)?, images(&after, settings.1)?) {
        difference.images = ImageChanges::between(&old, &new, false);
    }
    if with_resources {
        let render = |chart: &StagedChart, settings: &ImageSettings| {
            let request = RenderRequest {
                values: settings.values.clone(),
                kubernetes_version: settings.newest_kubernetes().to_owned(),
            };
            renderer.render(chart, &request)
        };
        difference.rendered = Some(match (render(&before, settings.0)?, render(&after, settings.1)?) {
            (Ok(before), Ok(after)) => RenderedChanges::between(&before, &after),
            (old, new) => {
                let told = |side: &str, outcome: Result<_, _>| {
                    outcome.err().map(|failure: crate::render::TemplateFailure| format!("{side}: {failure}"))
                };
                let refused = [told("before", old), told("after", new)].into_iter().flatten().collect();
                RenderedChanges { refused, ..RenderedChanges::default() }
            }
        });
    }
    Ok(())
}

/// Returns the images that renderings show, tests left out; nothing when the chart does not render.
fn images_of(
    renderer: &Renderer,
    chart: &StagedChart,
    settings: &ImageSettings,
    steps: &Steps,
) -> Result<Option<BTreeSet<ImageName>>, HelmError> {
    match discover(renderer, chart, settings, steps) {
        Ok(found) => {
            let images = found.images.into_iter().filter(|found| !found.only_tests).map(|found| found.image);
            Ok(Some(images.collect()))
        }
        Err(DiscoveryError::Helm(error)) => Err(error),
        Err(DiscoveryError::Survey(_) | DiscoveryError::Knowledge(_)) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::render::split_documents;

    #[test]
    fn resources_are_compared_by_kind_and_name() {
        let rendering =
            |text: &str| Rendering { documents: split_documents(text).into_iter().map(Arc::new).collect() };
        let pod = |name: &str, more: &str| {
            format!("---\n# Source: a/templates/x.yaml\nkind: Pod\nmetadata: {{name: {name}}}\n{more}")
        };
        let before = rendering(&(pod("a", "spec: 1\n") + &pod("b", "") + &pod("c", "")));
        let after = rendering(&(pod("c", "") + &pod("a", "spec: 2\n") + &pod("d", "")));
        let changes = RenderedChanges::between(&before, &after);
        assert_eq!((changes.added, changes.removed), (vec!["Pod/d".to_owned()], vec!["Pod/b".to_owned()]));
        assert_eq!(changes.changed[0].resource, "Pod/a");
        assert!(changes.changed[0].diff.contains("-spec: 1\n+spec: 2\n"));
    }
}
