//! Every view of a chart that its profile asks for: the values as they are, toggles in groups, all of them together.

use std::collections::BTreeSet;

use super::finder::Finder;
use super::isolation::{Isolated, IsolationError, isolate};
use super::sweep::Sweep;
use crate::profile::{ImageSettings, Profile};
use crate::render::{RenderRequest, Renderer, Rendering, StagedChart, TemplateFailure, merge_over};
use crate::steps::Steps;
use crate::toggle::{Toggle, choices_of, switches_of};

/// Why a chart cannot be surveyed.
pub(crate) type SurveyError = IsolationError;

/// What a chart renders to in each view.
#[derive(Debug)]
pub(crate) struct Survey {
    /// The chart as it is probed: without templates that never render, and with fixed keys; none when it is probed
    /// as it is.
    pub(crate) chart: Option<StagedChart>,
    /// The views that show images, the values as they are first, all toggles last.
    pub(crate) views: Vec<View>,
    /// The views with the toggles in groups, of which each that works is in one.
    pub(crate) groups: Vec<View>,
    /// Templates that do not render for want of values, by their failures.
    pub(crate) left_out: Vec<TemplateFailure>,
    /// Toggles that cannot be turned on alone, with the reason.
    pub(crate) refused: Vec<(Toggle, TemplateFailure)>,
    /// How many toggles were looked at.
    pub(crate) toggles: usize,
}

/// One view of a chart.
#[derive(Debug, Clone)]
pub(crate) struct View {
    /// What was done.
    pub(crate) name: ViewName,
    /// The values over those of the chart, and the Kubernetes version.
    pub(crate) request: RenderRequest,
    /// What came out.
    pub(crate) rendering: Rendering,
}

/// What was done for a view.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ViewName {
    /// The values as they are.
    Values,
    /// These toggles were turned on.
    Toggles(Vec<Toggle>),
    /// This toggle was turned on, and the templates that refuse it were left out: nothing renders whole.
    Behind(Toggle),
    /// As many toggles as work together were turned on at once.
    AllToggles,
    /// Values from the knowledge of charts, by the source of the statement.
    Known(String),
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
    let values = settings.base_values(chart.values());
    let request = RenderRequest { values, kubernetes_version: settings.newest_kubernetes().to_owned() };
    let Isolated { chart: smaller, rendering, left_out } = as_probed(renderer, chart, &request)?;
    let (switches, choices) = toggles_for(chart, settings, &request);
    let count = switches.len() + choices.len();
    let chart = smaller.as_ref().unwrap_or(chart);
    let mut sweep = Sweep::new(renderer, chart, &request, finder, steps);
    sweep.begin(&rendering);
    let mut views = vec![View { name: ViewName::Values, request: request.clone(), rendering }];
    let groups = sweep.turn_on(&switches, &choices, &mut views)?;
    sweep.look_behind_refusals(&mut views)?;
    sweep.all_together(&switches, &choices, &mut views)?;
    if settings.profile == Profile::All {
        views.extend(sweep.known(&settings.views)?);
    }
    let refused = sweep.into_refused();
    Ok(Survey { chart: smaller, views, groups, left_out, refused, toggles: count })
}

impl Survey {
    /// Returns the views that render whole, and the groups that show a reference where none of these does.
    pub(crate) fn telling_views(&self, finder: &Finder) -> Vec<View> {
        let mut places = BTreeSet::new();
        let mut told = Vec::new();
        for view in self.whole_views() {
            let shown = finder.places_in(&view.rendering);
            let is_group = self.groups.iter().any(|group| std::ptr::eq(group, view));
            if !is_group || !shown.is_subset(&places) {
                told.push(view.clone());
            }
            places.extend(shown);
        }
        told
    }

    /// Returns every view that renders whole, the groups last.
    pub(crate) fn whole_views(&self) -> impl Iterator<Item = &View> {
        let is_whole = |view: &&View| !matches!(view.name, ViewName::Behind(_));
        // A group that was taken apart to its end is a view already.
        let is_new = |group: &&View| !self.views.iter().any(|view| view.request == group.request);
        self.views.iter().filter(is_whole).chain(self.groups.iter().filter(is_new))
    }
}

/// Returns the chart as it is probed: with fixed keys, if it makes any and renders with these, and without what fails.
fn as_probed(
    renderer: &Renderer,
    chart: &StagedChart,
    request: &RenderRequest,
) -> Result<Isolated, SurveyError> {
    // Making keys takes most of the time some charts need: what renders without them need not be rendered with them.
    if let Some((quicker, rendering)) = quicker(renderer, chart, request)? {
        return Ok(Isolated { chart: Some(quicker), rendering, left_out: Vec::new() });
    }
    let isolated = isolate(renderer, chart, request)?;
    let Some(smaller) = &isolated.chart else { return Ok(isolated) };
    Ok(match quicker(renderer, smaller, request)? {
        Some((quicker, _)) => Isolated { chart: Some(quicker), ..isolated },
        None => isolated,
    })
}

fn quicker(
    renderer: &Renderer,
    chart: &StagedChart,
    request: &RenderRequest,
) -> Result<Option<(StagedChart, Rendering)>, SurveyError> {
    let Some(quicker) = chart.with_fixed_keys() else { return Ok(None) };
    Ok(renderer.render(&quicker, request)?.ok().map(|rendering| (quicker, rendering)))
}

/// Returns the switches and the choices that the profile asks for; what is listed counts as a switch.
fn toggles_for(
    chart: &StagedChart,
    settings: &ImageSettings,
    request: &RenderRequest,
) -> (Vec<Toggle>, Vec<Toggle>) {
    let (mut switches, choices) = match settings.profile {
        Profile::Exact => return (Vec::new(), Vec::new()),
        Profile::Declared => (Vec::new(), Vec::new()),
        Profile::All => {
            let mut values = chart.values().clone();
            merge_over(&mut values, &request.values);
            (switches_of(&values), choices_of(&values, chart.files(), &chart.scopes()))
        }
    };
    switches.extend(settings.toggles.iter().cloned());
    let mut known = BTreeSet::new();
    switches.retain(|toggle| known.insert(toggle.to_string()));
    (switches, choices)
}
