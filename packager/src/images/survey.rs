//! Every view of a chart that its profile asks for: the values as they are, toggles in groups, all of them together.
//!
//! Toggles are turned on several at a time; a group is taken apart only where it fails, or to learn which toggle
//! shows an image. Neighbours in the values go to different groups, so that they do not hide each other.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::ImageName;
use super::finder::Finder;
use super::isolation::{Isolated, IsolationError, isolate};
use crate::edit::ValuePath;
use crate::profile::{ImageSettings, Profile};
use crate::render::{
    HelmError, RenderRequest, Renderer, Rendering, StagedChart, TemplateFailure, merge_over,
};
use crate::steps::Steps;
use crate::toggle::{toggles_of, turned_on};

/// How many toggles are turned on together at first: with one in ten failing, eight cost the fewest renderings.
const GROUP: usize = 8;

/// How many views with as many toggles as possible are made of one chart whose toggles contradict each other.
const MAX_ALL_VIEWS: usize = 3;

/// Why a chart cannot be surveyed.
pub(crate) type SurveyError = IsolationError;

/// What a chart renders to in each view.
#[derive(Debug)]
pub(crate) struct Survey {
    /// The chart as it is probed: without templates that never render, and with fixed keys; none when it is probed
    /// as it is.
    pub(crate) chart: Option<StagedChart>,
    /// The views, the values as they are first, all toggles last.
    pub(crate) views: Vec<View>,
    /// Templates that do not render for want of values, by their failures.
    pub(crate) left_out: Vec<TemplateFailure>,
    /// Toggles that cannot be turned on alone, with the reason.
    pub(crate) refused: Vec<(ValuePath, TemplateFailure)>,
    /// How many toggles were looked at.
    pub(crate) toggles: usize,
}

/// One view of a chart.
#[derive(Debug)]
pub(crate) struct View {
    /// What was done.
    pub(crate) name: ViewName,
    /// The values over those of the chart, and the Kubernetes version.
    pub(crate) request: RenderRequest,
    /// What came out.
    pub(crate) rendering: Rendering,
}

/// What was done for a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ViewName {
    /// The values as they are.
    Values,
    /// These toggles were turned on.
    Toggles(Vec<ValuePath>),
    /// This toggle was turned on, and the templates that refuse it were left out: nothing renders whole.
    Behind(ValuePath),
    /// Every toggle that works was turned on at once.
    AllToggles,
    /// Values from the knowledge of charts, or from the recipe.
    Known,
}

/// Renders all views of `chart` for the newest Kubernetes version.
///
/// # Errors
/// [`SurveyError`] when helm fails, or the chart does not render at all.
pub(crate) fn survey(
    renderer: &Renderer,
    chart: &StagedChart,
    settings: &ImageSettings,
    finder: &Finder,
    steps: &Steps,
) -> Result<Survey, SurveyError> {
    let mut base = settings.probe_values.clone();
    merge_over(&mut base, &settings.values);
    let request = RenderRequest { values: base, kubernetes_version: settings.newest_kubernetes().to_owned() };
    let Isolated { chart: smaller, rendering, left_out } = isolate(renderer, chart, &request)?;
    let smaller = quicker(renderer, smaller.as_ref().unwrap_or(chart), &request)?.or(smaller);
    let toggles = toggles_for(chart, settings, &request);
    let chart = smaller.as_ref().unwrap_or(chart);
    let mut sweep = Sweep { renderer, chart, base: &request, finder, steps, refused: Vec::new() };
    let mut seen = sweep.images_in(&rendering);
    let mut views = vec![View { name: ViewName::Values, request: request.clone(), rendering }];
    let groups = sweep.groups(&toggles)?;
    for group in groups {
        sweep.attribute(group, &mut seen, &mut views)?;
    }
    sweep.look_behind_refusals(&mut seen, &mut views)?;
    let working: Vec<ValuePath> = toggles
        .iter()
        .filter(|toggle| !sweep.refused.iter().any(|(one, _)| one == *toggle))
        .cloned()
        .collect();
    // What contradicts the toggles of one such view comes first in the next.
    let mut order = working;
    for _ in 0..MAX_ALL_VIEWS {
        let Some((view, left_over)) = sweep.all_that_work(&order)? else { break };
        views.push(view);
        if left_over.is_empty() {
            break;
        }
        order.retain(|toggle| !left_over.contains(toggle));
        order.splice(0..0, left_over);
    }
    if settings.profile == Profile::All {
        views.extend(sweep.known(&settings.views)?);
    }
    let refused = sweep.refused;
    Ok(Survey { chart: smaller, views, left_out, refused, toggles: toggles.len() })
}

/// Returns the chart with fixed keys, if it makes any and renders with these.
fn quicker(
    renderer: &Renderer,
    chart: &StagedChart,
    request: &RenderRequest,
) -> Result<Option<StagedChart>, SurveyError> {
    let Some(quicker) = chart.with_fixed_keys()? else { return Ok(None) };
    Ok(renderer.render(&quicker, request)?.is_ok().then_some(quicker))
}

fn toggles_for(chart: &StagedChart, settings: &ImageSettings, request: &RenderRequest) -> Vec<ValuePath> {
    let mut toggles = match settings.profile {
        Profile::Exact => Vec::new(),
        Profile::Declared => settings.toggles.clone(),
        Profile::All => {
            let mut values = chart.values().clone();
            merge_over(&mut values, &request.values);
            let mut toggles = toggles_of(&values);
            toggles.extend(settings.toggles.iter().cloned());
            toggles
        }
    };
    let mut known = BTreeSet::new();
    toggles.retain(|toggle| known.insert(toggle.to_string()));
    toggles
}

struct Sweep<'survey> {
    renderer: &'survey Renderer,
    chart: &'survey StagedChart,
    base: &'survey RenderRequest,
    finder: &'survey Finder,
    steps: &'survey Steps,
    refused: Vec<(ValuePath, TemplateFailure)>,
}

/// Toggles that render together.
struct Group {
    toggles: Vec<ValuePath>,
    rendering: Rendering,
}

impl Sweep<'_> {
    fn request(&self, toggles: &[ValuePath]) -> RenderRequest {
        RenderRequest {
            values: turned_on(&self.base.values, toggles),
            kubernetes_version: self.base.kubernetes_version.clone(),
        }
    }

    /// Turns toggles on in groups; halves what fails until single toggles are left.
    fn groups(&mut self, toggles: &[ValuePath]) -> Result<Vec<Group>, HelmError> {
        let count = toggles.len().div_ceil(GROUP).max(1);
        let mut pending: Vec<Vec<ValuePath>> = vec![Vec::new(); count];
        for (index, toggle) in toggles.iter().enumerate() {
            if let Some(group) = pending.get_mut(index % count) {
                group.push(toggle.clone());
            }
        }
        pending.retain(|group| !group.is_empty());
        let mut groups = Vec::new();
        while !pending.is_empty() {
            let requests: Vec<_> = pending.iter().map(|group| self.request(group)).collect();
            let outcomes = self.renderer.render_all(self.chart, &requests, self.steps)?;
            let mut next = Vec::new();
            for (toggles, outcome) in pending.into_iter().zip(outcomes) {
                match (outcome, toggles.as_slice()) {
                    (Ok(rendering), _) => groups.push(Group { toggles, rendering }),
                    (Err(failure), [toggle]) => self.refused.push((toggle.clone(), failure)),
                    (Err(_), several) => {
                        let (left, right) = several.split_at(several.len() / 2);
                        next.extend([left.to_vec(), right.to_vec()]);
                    }
                }
            }
            pending = next;
        }
        Ok(groups)
    }

    /// Finds the toggles of a group that show images nobody has seen yet, and keeps a view for each.
    fn attribute(
        &mut self,
        group: Group,
        seen: &mut BTreeSet<ImageName>,
        views: &mut Vec<View>,
    ) -> Result<(), HelmError> {
        let mut pending = vec![(group, false)];
        while let Some((group, is_split)) = pending.pop() {
            let shown = self.images_in(&group.rendering);
            if shown.iter().all(|image| seen.contains(image)) {
                continue;
            }
            if group.toggles.len() > 1 && !is_split {
                let (left, right) = group.toggles.split_at(group.toggles.len() / 2);
                let halves = [left, right];
                let requests = halves.map(|half| self.request(half));
                let outcomes = self.renderer.render_all(self.chart, &requests, self.steps)?;
                let rendered = halves.iter().zip(outcomes).filter_map(|(half, outcome)| {
                    Some((Group { toggles: half.to_vec(), rendering: outcome.ok()? }, false))
                });
                let rendered: Vec<_> = rendered.collect();
                // Once the halves are done: what neither shows needs toggles of both.
                pending.push((group, true));
                pending.extend(rendered);
                continue;
            }
            seen.extend(shown);
            let request = self.request(&group.toggles);
            views.push(View { name: ViewName::Toggles(group.toggles), request, rendering: group.rendering });
        }
        Ok(())
    }

    /// Looks at each toggle that is refused without the templates that refuse it: what else it turns on is used once
    /// the values fit.
    fn look_behind_refusals(
        &self,
        seen: &mut BTreeSet<ImageName>,
        views: &mut Vec<View>,
    ) -> Result<(), SurveyError> {
        for (toggle, _) in &self.refused {
            let toggles = vec![toggle.clone()];
            let request = self.request(&toggles);
            let rendering = match isolate(self.renderer, self.chart, &request) {
                Ok(isolated) => isolated.rendering,
                Err(IsolationError::Refused(_)) => continue,
                Err(problem @ (IsolationError::Helm(_) | IsolationError::Stage(_))) => return Err(problem),
            };
            let shown = self.images_in(&rendering);
            if !shown.iter().all(|image| seen.contains(image)) {
                seen.extend(shown);
                views.push(View { name: ViewName::Behind(toggle.clone()), request, rendering });
            }
        }
        Ok(())
    }

    /// Renders with all toggles; where they contradict each other, with as many as halving leaves. Returns the
    /// toggles that stayed off too.
    fn all_that_work(&self, toggles: &[ValuePath]) -> Result<Option<(View, Vec<ValuePath>)>, HelmError> {
        if toggles.len() < 2 {
            return Ok(None);
        }
        let mut kept: Vec<ValuePath> = Vec::new();
        let mut last: Option<Rendering> = None;
        let mut pending = vec![toggles.to_vec()];
        while let Some(part) = pending.pop() {
            let together: Vec<ValuePath> = kept.iter().chain(&part).cloned().collect();
            self.steps.expect(1);
            let outcome = self.renderer.render(self.chart, &self.request(&together))?;
            self.steps.done();
            match outcome {
                Ok(rendering) => (kept, last) = (together, Some(rendering)),
                Err(_) if part.len() > 1 => {
                    let (left, right) = part.split_at(part.len() / 2);
                    pending.extend([right.to_vec(), left.to_vec()]);
                }
                // This one contradicts those that are on; it was seen alone.
                Err(_) => {}
            }
        }
        let request = self.request(&kept);
        let left_over = toggles.iter().filter(|toggle| !kept.contains(toggle)).cloned().collect();
        Ok(last.map(|rendering| (View { name: ViewName::AllToggles, request, rendering }, left_over)))
    }

    /// Renders further views; those that do not render are the gate's business.
    fn known(&self, views: &[Map<String, Value>]) -> Result<Vec<View>, HelmError> {
        let requests = views.iter().map(|over| {
            let mut values = self.base.values.clone();
            merge_over(&mut values, over);
            RenderRequest { values, kubernetes_version: self.base.kubernetes_version.clone() }
        });
        let requests: Vec<_> = requests.collect();
        let outcomes = self.renderer.render_all(self.chart, &requests, self.steps)?;
        let rendered = requests.into_iter().zip(outcomes).filter_map(|(request, outcome)| {
            Some(View { name: ViewName::Known, request, rendering: outcome.ok()? })
        });
        Ok(rendered.collect())
    }

    fn images_in(&self, rendering: &Rendering) -> BTreeSet<ImageName> {
        let mut images = BTreeSet::new();
        for document in &rendering.documents {
            images.extend(self.finder.sightings(document).iter().map(|one| one.image.clone()));
        }
        images
    }
}
