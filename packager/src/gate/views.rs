//! Every rendering by which a chart is judged: its values, its declared toggles, all toggles together at each Kubernetes
//! version; each single toggle at the newest.
//!
//! A toggle that was not declared counts only where upstream's own chart does better.

use serde_json::{Map, Value};

use super::candidate::{Candidate, GateSettings};
use crate::render::{
    FailureKind, HelmError, RenderRequest, Renderer, Rendering, StagedChart, TemplateFailure, merge_over,
};
use crate::steps::Steps;
use crate::toggle::{Together, Toggle, go_together, switches_of, turned_on};

/// How many renderings may be spent on finding toggles that go together: charts whose toggles exclude each other in many
/// ways would cost more than all their single toggles.
const MAX_TOGETHER: usize = 64;

/// How many templates that do not render are looked for in one chart: each costs a rendering.
const MAX_BROKEN: usize = 16;

/// What was turned on for a rendering.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Turned {
    /// Nothing: the values as they are.
    Nothing,
    /// The declared toggles.
    Declared,
    /// One toggle.
    One(Toggle),
    /// All toggles that go together.
    All,
}

/// A rendering that was asked for.
#[derive(Debug)]
pub(super) struct View {
    /// What was turned on.
    pub(super) turned: Turned,
    /// What was asked for.
    pub(super) request: RenderRequest,
    /// What came out.
    pub(super) outcome: Result<Rendering, TemplateFailure>,
    /// Whether the chart will be used like this.
    pub(super) is_used: bool,
}

impl View {
    /// Returns what people call it.
    pub(super) fn name(&self) -> String {
        let turned = match &self.turned {
            Turned::Nothing => "the values".to_owned(),
            Turned::Declared => "the declared toggles".to_owned(),
            Turned::One(toggle) => format!("`{toggle}`"),
            Turned::All => "all toggles".to_owned(),
        };
        format!("{turned}, Kubernetes {}", self.request.kubernetes_version)
    }
}

/// All renderings of one chart.
#[derive(Debug, Default)]
pub(super) struct Views {
    /// The renderings, the values at the newest Kubernetes version first.
    pub(super) views: Vec<View>,
    /// Toggles that render alone, but not together with the others.
    pub(super) contradictions: Vec<(Toggle, TemplateFailure)>,
    /// Toggles of which nobody knows whether they go together: finding it out was given up.
    pub(super) not_tried_together: Vec<Toggle>,
    /// What else does not render with the values, found by leaving out template after template.
    pub(super) others_broken: Vec<TemplateFailure>,
    /// How many toggles there are.
    pub(super) toggles: usize,
}

/// Renders everything by which the chart is judged; its toggles with fixed keys in place of new ones, where `quicker` is the
/// chart with such.
///
/// # Errors
/// [`HelmError`] when helm itself fails.
pub(super) fn render(
    renderer: &Renderer,
    candidate: &Candidate,
    quicker: Option<&StagedChart>,
    settings: &GateSettings,
    probe_values: &Map<String, Value>,
    steps: &Steps,
) -> Result<Views, HelmError> {
    let sweep = Sweep { renderer, chart: &candidate.chart, settings, probe_values, steps };
    let declared = &candidate.usage.toggles;
    let is_every_used = candidate.usage.is_every_toggle_used;
    let values = sweep.at_each_version(None, Turned::Nothing, &[], true)?;
    let mut views = Views { views: values, ..Views::default() };
    // What does not render at all does not render with a toggle either.
    if let Some(Err(failure)) = views.views.first().map(|view| &view.outcome) {
        views.others_broken = sweep.broken_besides(failure)?;
        return Ok(views);
    }
    if !declared.is_empty() {
        views.views.extend(sweep.at_each_version(None, Turned::Declared, declared, true)?);
    }
    let mut values = candidate.chart.values().clone();
    merge_over(&mut values, probe_values);
    let mut toggles = switches_of(&values);
    toggles.extend(declared.iter().filter(|toggle| !toggles.contains(toggle)).cloned().collect::<Vec<_>>());
    views.toggles = toggles.len();
    let requests: Vec<_> =
        toggles.iter().map(|toggle| sweep.request(std::slice::from_ref(toggle), settings.newest())).collect();
    let outcomes = sweep.quickly(quicker, &requests)?;
    let mut working = Vec::new();
    for ((toggle, request), outcome) in toggles.into_iter().zip(requests).zip(outcomes) {
        if outcome.is_ok() {
            working.push(toggle.clone());
        }
        let is_used = is_every_used || declared.contains(&toggle);
        views.views.push(View { turned: Turned::One(toggle), request, outcome, is_used });
    }
    let Together { toggles, contradictions, not_tried, .. } = sweep.that_go_together(quicker, &working)?;
    (views.contradictions, views.not_tried_together) = (contradictions, not_tried);
    if toggles.len() > 1 {
        let together = sweep.at_each_version(quicker, Turned::All, &toggles, is_every_used)?;
        views.views.extend(together);
    }
    Ok(views)
}

struct Sweep<'run> {
    renderer: &'run Renderer,
    chart: &'run StagedChart,
    settings: &'run GateSettings,
    probe_values: &'run Map<String, Value>,
    steps: &'run Steps,
}

impl Sweep<'_> {
    fn request(&self, toggles: &[Toggle], version: &str) -> RenderRequest {
        RenderRequest {
            values: turned_on(self.probe_values, toggles),
            kubernetes_version: version.to_owned(),
        }
    }

    /// Renders for each Kubernetes version, the newest first.
    fn at_each_version(
        &self,
        quicker: Option<&StagedChart>,
        turned: Turned,
        toggles: &[Toggle],
        is_used: bool,
    ) -> Result<Vec<View>, HelmError> {
        let versions = self.settings.kubernetes_versions.iter().rev();
        let requests: Vec<_> = versions.map(|version| self.request(toggles, version)).collect();
        let outcomes = self.quickly(quicker, &requests)?;
        let views = requests.into_iter().zip(outcomes);
        Ok(views
            .map(|(request, outcome)| View { turned: turned.clone(), request, outcome, is_used })
            .collect())
    }

    /// Returns what fails besides the template of `first`, so that one run names all of them.
    fn broken_besides(&self, first: &TemplateFailure) -> Result<Vec<TemplateFailure>, HelmError> {
        let (mut left_out, mut failures) = (Vec::new(), Vec::new());
        let mut next = first.outermost_template().map(str::to_owned);
        while let Some(template) =
            next.take().filter(|one| !left_out.contains(one) && left_out.len() < MAX_BROKEN)
        {
            left_out.push(template);
            let smaller = self.chart.without(&left_out);
            let request = self.request(&[], self.settings.newest());
            if let Err(failure) = self.renderer.render(&smaller, &request)? {
                next = failure.outermost_template().map(str::to_owned);
                failures.push(failure);
            }
        }
        Ok(failures)
    }

    /// Renders the chart with fixed keys in place of new ones; what that refuses is asked of the chart as it is.
    fn quickly(
        &self,
        quicker: Option<&StagedChart>,
        requests: &[RenderRequest],
    ) -> Result<Vec<Result<Rendering, TemplateFailure>>, HelmError> {
        let Some(quicker) = quicker else {
            return self.renderer.render_all(self.chart, requests, self.steps);
        };
        let mut outcomes = self.renderer.render_all(quicker, requests, self.steps)?;
        let refused: Vec<_> = outcomes
            .iter()
            .zip(requests)
            .filter(|(one, _)| one.is_err())
            .map(|(_, one)| one.clone())
            .collect();
        let again = self.renderer.render_all(self.chart, &refused, self.steps)?;
        for (outcome, again) in outcomes.iter_mut().filter(|one| one.is_err()).zip(again) {
            *outcome = again;
        }
        Ok(outcomes)
    }

    /// Returns as many toggles as render together, and those that do not go with them.
    fn that_go_together(
        &self,
        quicker: Option<&StagedChart>,
        toggles: &[Toggle],
    ) -> Result<Together<Rendering, TemplateFailure>, HelmError> {
        let chart = quicker.unwrap_or(self.chart);
        go_together(toggles, MAX_TOGETHER, |together, likely_next| {
            self.steps.expect(1);
            let request = self.request(together, self.settings.newest());
            let likely_next = likely_next.map(|toggles| self.request(toggles, self.settings.newest()));
            let outcome = self.renderer.render_before(chart, &request, likely_next.as_ref())?;
            self.steps.done();
            Ok(outcome)
        })
    }
}

/// Returns whether the failure of a toggle is the chart's own way of saying that it needs more values.
pub(super) fn asks_for_values(failure: &TemplateFailure) -> bool {
    match failure.kind {
        FailureKind::AskedFor | FailureKind::Schema => true,
        FailureKind::NotYaml | FailureKind::Kubernetes | FailureKind::Broken => false,
    }
}
