//! The sweep over a chart's toggles: which render, which show images that nobody has seen yet.
//!
//! Toggles are turned on several at a time; a group is taken apart only where it fails, or to learn which toggle
//! shows an image. Neighbours in the values go to different groups, so that they do not hide each other.

use std::collections::BTreeSet;

use super::ImageName;
use super::finder::Finder;
use super::isolation::{IsolationError, isolate};
use super::survey::{SurveyError, View, ViewName};
use crate::profile::KnownView;
use crate::render::{
    HelmError, RenderRequest, Renderer, Rendering, StagedChart, TemplateFailure, merge_over,
};
use crate::steps::Steps;
use crate::toggle::{Together, Toggle, go_together, turned_on};

/// How many toggles are turned on together at first: with one in ten failing, eight cost the fewest renderings.
const GROUP: usize = 8;

/// How many views with as many toggles as possible are made of one chart whose toggles contradict each other.
const MAX_ALL_VIEWS: usize = 3;

/// One sweep.
pub(super) struct Sweep<'survey> {
    renderer: &'survey Renderer,
    chart: &'survey StagedChart,
    base: &'survey RenderRequest,
    finder: &'survey Finder,
    steps: &'survey Steps,
    seen: BTreeSet<ImageName>,
    refused: Vec<(Toggle, TemplateFailure)>,
}

impl<'survey> Sweep<'survey> {
    /// Begins a sweep over a chart that renders with the values of `base`.
    pub(super) fn new(
        renderer: &'survey Renderer,
        chart: &'survey StagedChart,
        base: &'survey RenderRequest,
        finder: &'survey Finder,
        steps: &'survey Steps,
    ) -> Self {
        Self { renderer, chart, base, finder, steps, seen: BTreeSet::new(), refused: Vec::new() }
    }

    /// Takes note of what the values as they are show.
    pub(super) fn begin(&mut self, rendering: &Rendering) {
        self.seen.extend(self.images_in(rendering));
    }

    /// Turns every toggle on in some group, adds a view for each that shows new images, and returns the groups.
    pub(super) fn turn_on(
        &mut self,
        switches: &[Toggle],
        choices: &[Toggle],
        views: &mut Vec<View>,
    ) -> Result<Vec<View>, HelmError> {
        let mut all = Vec::new();
        for layer in [vec![switches.to_vec()], one_for_each_path(choices)].concat() {
            let groups = self.groups(&layer)?;
            for group in &groups {
                self.attribute(group, views)?;
            }
            all.extend(groups);
        }
        Ok(all)
    }

    /// Returns the toggles that cannot be turned on, with the reasons.
    pub(super) fn into_refused(self) -> Vec<(Toggle, TemplateFailure)> {
        self.refused
    }

    fn view(&self, toggles: &[Toggle], rendering: Rendering) -> View {
        View { name: ViewName::Toggles(toggles.to_vec()), request: self.request(toggles), rendering }
    }

    fn request(&self, toggles: &[Toggle]) -> RenderRequest {
        RenderRequest {
            values: turned_on(&self.base.values, toggles),
            kubernetes_version: self.base.kubernetes_version.clone(),
        }
    }

    /// Turns toggles on in groups; halves what fails until single toggles are left.
    fn groups(&mut self, toggles: &[Toggle]) -> Result<Vec<View>, HelmError> {
        let count = toggles.len().div_ceil(GROUP).max(1);
        let mut pending: Vec<Vec<Toggle>> = vec![Vec::new(); count];
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
                    (Ok(rendering), _) => groups.push(self.view(&toggles, rendering)),
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
    fn attribute(&mut self, group: &View, views: &mut Vec<View>) -> Result<(), HelmError> {
        let mut pending = vec![(group.clone(), false)];
        while let Some((group, is_split)) = pending.pop() {
            let shown = self.images_in(&group.rendering);
            let ViewName::Toggles(toggles) = &group.name else { continue };
            if shown.is_subset(&self.seen) {
                continue;
            }
            if toggles.len() > 1 && !is_split {
                let (left, right) = toggles.split_at(toggles.len() / 2);
                let halves = [left, right];
                let requests = halves.map(|half| self.request(half));
                let outcomes = self.renderer.render_all(self.chart, &requests, self.steps)?;
                let rendered = halves.iter().zip(outcomes);
                let rendered: Vec<_> = rendered
                    .filter_map(|(half, outcome)| Some((self.view(half, outcome.ok()?), false)))
                    .collect();
                // Once the halves are done: what neither shows needs toggles of both.
                pending.push((group, true));
                pending.extend(rendered);
                continue;
            }
            self.seen.extend(shown);
            views.push(group);
        }
        Ok(())
    }

    /// Looks at each toggle that is refused without the templates that refuse it: what else it turns on is used once
    /// the values fit.
    pub(super) fn look_behind_refusals(&mut self, views: &mut Vec<View>) -> Result<(), SurveyError> {
        let requests: Vec<_> =
            self.refused.iter().map(|(toggle, _)| self.request(std::slice::from_ref(toggle))).collect();
        let (renderer, chart) = (self.renderer, self.chart);
        let isolated = renderer.side_by_side(&requests, |request| {
            isolate(renderer, chart, request).map(|isolated| isolated.rendering)
        });
        for (((toggle, _), request), rendering) in self.refused.iter().zip(requests).zip(isolated) {
            let rendering = match rendering {
                Ok(rendering) => rendering,
                Err(IsolationError::Refused(_)) => continue,
                Err(problem @ IsolationError::Helm(_)) => return Err(problem),
            };
            let shown = self.images_in(&rendering);
            if !shown.is_subset(&self.seen) {
                self.seen.extend(shown);
                views.push(View { name: ViewName::Behind(toggle.clone()), request, rendering });
            }
        }
        Ok(())
    }

    /// Adds views with as many toggles on as work together. A switch that is refused alone may work with a choice,
    /// and is then refused no more.
    pub(super) fn all_together(
        &mut self,
        switches: &[Toggle],
        choices: &[Toggle],
        views: &mut Vec<View>,
    ) -> Result<(), HelmError> {
        let is_refused = |toggle: &Toggle| self.refused.iter().any(|(one, _)| one == toggle);
        let (hard, mut order): (Vec<_>, Vec<_>) = switches.iter().cloned().partition(is_refused);
        let mut on: Option<Vec<Toggle>> = None;
        // What contradicts the toggles of one such view comes first in the next.
        for _ in 0..MAX_ALL_VIEWS {
            let Some((view, kept)) = self.all_that_work(&order)? else { break };
            views.push(view);
            on.get_or_insert_with(|| kept.clone());
            let left_over: Vec<_> = order.iter().filter(|toggle| !kept.contains(toggle)).cloned().collect();
            if left_over.is_empty() {
                break;
            }
            order.retain(|toggle| kept.contains(toggle));
            order.splice(0..0, left_over);
        }
        for layer in one_for_each_path(choices) {
            self.choose_with_all(&layer, on.as_deref().unwrap_or_default(), views)?;
        }
        for choice in choices {
            let unlocked = hard.iter().filter(|toggle| self.asks_for(toggle, choice));
            let together: Vec<Toggle> = [choice].into_iter().chain(unlocked).cloned().collect();
            if let Some((mut view, kept)) = self.all_that_work(&together)? {
                view.name = ViewName::Toggles(kept.clone());
                views.push(view);
                self.refused.retain(|(toggle, _)| !kept.contains(toggle));
            }
        }
        Ok(())
    }

    /// Makes choices beside all that is on; one rendering, since each choice was seen already.
    fn choose_with_all(
        &self,
        choices: &[Toggle],
        on: &[Toggle],
        views: &mut Vec<View>,
    ) -> Result<(), HelmError> {
        let request = self.request(&[on, choices].concat());
        self.steps.expect(1);
        if let Ok(rendering) = self.renderer.render(self.chart, &request)? {
            views.push(View { name: ViewName::AllToggles, request, rendering });
        }
        self.steps.done();
        Ok(())
    }

    /// Returns whether what refuses a switch names a choice, as in `sentinel needs architecture=replication`.
    fn asks_for(&self, switch: &Toggle, choice: &Toggle) -> bool {
        let Some((_, failure)) = self.refused.iter().find(|(one, _)| one == switch) else { return false };
        let text = choice.value.as_str().unwrap_or_default();
        failure.cause.contains(choice.path.last_key()) && failure.cause.contains(text)
    }

    /// Renders with all toggles; where they contradict each other, with as many as halving leaves. Returns which
    /// these are too.
    fn all_that_work(&self, toggles: &[Toggle]) -> Result<Option<(View, Vec<Toggle>)>, HelmError> {
        if toggles.len() < 2 {
            return Ok(None);
        }
        let together = go_together(toggles, usize::MAX, |together, likely_next| {
            self.steps.expect(1);
            let likely_next = likely_next.map(|toggles| self.request(toggles));
            let request = self.request(together);
            let outcome = self.renderer.render_before(self.chart, &request, likely_next.as_ref())?;
            self.steps.done();
            Ok::<_, HelmError>(outcome)
        })?;
        // What contradicts those that are on was seen alone.
        let Together { toggles: kept, shown, .. } = together;
        let request = self.request(&kept);
        let name = ViewName::AllToggles;
        Ok(shown.map(|rendering| (View { name, request, rendering }, kept)))
    }

    /// Renders further views; those that do not render are the gate's business.
    pub(super) fn known(&self, views: &[KnownView]) -> Result<Vec<View>, HelmError> {
        let requests = views.iter().map(|known| {
            let mut values = self.base.values.clone();
            merge_over(&mut values, &known.values);
            RenderRequest { values, kubernetes_version: self.base.kubernetes_version.clone() }
        });
        let requests: Vec<_> = requests.collect();
        let outcomes = self.renderer.render_all(self.chart, &requests, self.steps)?;
        let rendered = views.iter().zip(requests).zip(outcomes).filter_map(|((known, request), outcome)| {
            Some(View { name: ViewName::Known(known.source.clone()), request, rendering: outcome.ok()? })
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

/// Splits choices so that no two of one value are made together.
fn one_for_each_path(choices: &[Toggle]) -> Vec<Vec<Toggle>> {
    let mut layers: Vec<Vec<Toggle>> = Vec::new();
    for choice in choices {
        let free = layers.iter().position(|layer| layer.iter().all(|other| other.path != choice.path));
        match free.and_then(|free| layers.get_mut(free)) {
            Some(layer) => layer.push(choice.clone()),
            None => layers.push(vec![choice.clone()]),
        }
    }
    layers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_of_one_value_are_made_apart() {
        let toggles: Vec<Toggle> = ["a=x", "a=z", "b=x"].map(|text| text.parse().unwrap()).to_vec();
        let layers = one_for_each_path(&toggles);
        let shown: Vec<Vec<String>> =
            layers.iter().map(|layer| layer.iter().map(ToString::to_string).collect()).collect();
        assert_eq!(shown, [vec!["a=x".to_owned(), "b=x".to_owned()], vec!["a=z".to_owned()]]);
    }
}
