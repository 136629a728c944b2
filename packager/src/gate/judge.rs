//! Judges one chart: everything is looked at before anything is said, so that one run shows all there is to do.

use std::collections::HashSet;

use oci::Digest;
use serde_json::{Map, Value};

use super::candidate::{Candidate, GateSettings};
use super::findings::Findings;
use super::site::Site;
use super::views::{Turned, View, Views, asks_for_values};
use super::{
    Check, Finding, GateError, Verdict, failures, metadata, references, removed_apis, resources, secrets,
};
use super::{stale_files, views, waivers};
use crate::images::{Finder, Knowledge};
use crate::render::{RenderRequest, Renderer, StagedChart, TemplateFailure, merge_over};
use crate::steps::Steps;
use crate::toggle::set_over;

/// Judges a chart.
///
/// # Errors
/// [`GateError`] when helm itself fails; what is wrong with the chart is in the verdict.
pub(crate) fn judge(
    renderer: &Renderer,
    candidate: &Candidate,
    settings: &GateSettings,
    steps: &Steps,
) -> Result<Verdict, GateError> {
    let known = Knowledge::of(candidate.chart.metadata(), candidate.chart.values())?;
    let mut probe_values = Map::new();
    for edit in &known.probe_values {
        set_over(&mut probe_values, candidate.chart.values(), &edit.path, edit.value.clone());
    }
    merge_over(&mut probe_values, &candidate.usage.probe_values);
    let mut judge = Judge {
        renderer,
        candidate,
        settings,
        site: Site::new(settings.registry.clone()),
        found: Findings::default(),
    };
    stale_files::check(candidate).into_iter().for_each(|finding| judge.found.refuse(finding));
    secrets::check(&candidate.chart).into_iter().for_each(|finding| judge.found.refuse(finding));
    metadata::check(candidate, &judge.site, &mut judge.found);
    // Making keys takes most of the time some charts need, and no template looks at them.
    let quicker = candidate.chart.with_fixed_keys();
    let views = views::render(renderer, candidate, quicker.as_ref(), settings, &probe_values, steps)?;
    judge.failures(&views, steps)?;
    judge.documents(&views)?;
    judge.lint(quicker.as_ref(), &probe_values)?;
    let Findings { mut refused, mut listed } = judge.found;
    refused.retain(|finding| !settings.skipped.contains(&finding.check));
    listed.retain(|finding| !settings.skipped.contains(&finding.check));
    let (refused, waived) = waivers::apply(&candidate.waivers, refused, &settings.skipped);
    Ok(Verdict {
        name: candidate.name.clone(),
        chart: candidate.chart.metadata().name.to_string(),
        version: candidate.chart.metadata().version.to_string(),
        kubernetes_versions: settings.kubernetes_versions.clone(),
        renderings: views.views.len(),
        toggles: views.toggles,
        not_tried_together: views.not_tried_together.iter().map(ToString::to_string).collect(),
        refused,
        waived,
        listed,
        fetches: known.fetches,
        skipped: settings.skipped.iter().copied().collect(),
    })
}

struct Judge<'run> {
    renderer: &'run Renderer,
    candidate: &'run Candidate,
    settings: &'run GateSettings,
    site: Site,
    found: Findings,
}

impl Judge<'_> {
    /// What does not render.
    fn failures(&mut self, views: &Views, steps: &Steps) -> Result<(), GateError> {
        let mut of_toggles = Vec::new();
        for view in &views.views {
            let Err(failure) = &view.outcome else { continue };
            match &view.turned {
                Turned::Nothing | Turned::Declared => {
                    for finding in failures::findings(&self.candidate.chart, Check::Render, failure) {
                        self.found.refuse(finding.seen_in(view.name()));
                    }
                }
                Turned::One(toggle) => of_toggles.push((toggle.to_string(), view, failure)),
                Turned::All => of_toggles.push(("all toggles".to_owned(), view, failure)),
            }
        }
        let requests: Vec<_> = of_toggles.iter().map(|(_, view, _)| view.request.clone()).collect();
        let upstreams = self.are_refused_upstream(&requests, steps)?;
        for ((toggle, view, failure), is_upstreams) in of_toggles.into_iter().zip(upstreams) {
            self.toggle(toggle, view, failure, is_upstreams);
        }
        for failure in &views.others_broken {
            self.found.refuse(failures::finding(&self.candidate.chart, Check::Render, failure));
        }
        for (toggle, failure) in &views.contradictions {
            let cause = format!("does not go with other toggles: {failure}");
            self.found.list(Finding::new(Check::Toggle, toggle.to_string(), cause));
        }
        Ok(())
    }

    /// Returns for each request whether upstream's own chart does not render either; so it counts where there is none.
    fn are_refused_upstream(
        &self,
        requests: &[RenderRequest],
        steps: &Steps,
    ) -> Result<Vec<bool>, GateError> {
        let Some(original) = &self.candidate.original else { return Ok(vec![true; requests.len()]) };
        let outcomes = self.renderer.render_all(&original.chart, requests, steps)?;
        Ok(outcomes.iter().map(Result::is_err).collect())
    }

    /// A toggle that fails refuses the chart when it is declared, or when upstream's own chart renders with it.
    fn toggle(&mut self, toggle: String, view: &View, failure: &TemplateFailure, is_upstreams: bool) {
        let is_declared = match &view.turned {
            Turned::One(toggle) => self.candidate.usage.toggles.contains(toggle),
            Turned::Nothing | Turned::Declared | Turned::All => false,
        };
        let mut finding =
            failures::finding(&self.candidate.chart, Check::Toggle, failure).seen_in(view.name());
        (finding.check, finding.subject) = (Check::Toggle, toggle);
        if !is_declared && is_upstreams {
            let why =
                if asks_for_values(failure) { "asks for more values" } else { "already broken upstream" };
            finding.cause = format!("{why}: {}", finding.cause);
        }
        self.found.add(finding, is_declared || !is_upstreams);
    }

    /// What the documents of all renderings show.
    fn documents(&mut self, views: &Views) -> Result<(), GateError> {
        let table = removed_apis::table()?;
        for version in &self.settings.kubernetes_versions {
            for finding in resources::check_definitions(&self.candidate.chart, version, &table) {
                self.found.refuse(finding);
            }
        }
        let finder = Finder::default();
        let mut seen: HashSet<(Digest, bool)> = HashSet::new();
        for view in &views.views {
            let Ok(rendering) = &view.outcome else { continue };
            let version = view.request.kubernetes_version.as_str();
            for finding in resources::check(&self.candidate.chart, rendering, version, &table) {
                let is_refused = view.is_used || self.is_changed(&finding.file);
                self.found.add(finding.seen_in(view.name()), is_refused);
            }
            for document in &rendering.documents {
                if seen.insert((document.digest().clone(), view.is_used)) {
                    self.references(document, &finder, view);
                }
            }
        }
        Ok(())
    }

    fn references(&mut self, document: &crate::render::Document, finder: &Finder, view: &View) {
        let chart = &self.candidate.chart;
        // Nobody runs a test or turns on a toggle that was not declared without the internet in mind.
        let is_used = view.is_used && !document.is_test();
        for (finding, is_link) in references::addresses(chart, document, &self.site) {
            self.found.add(finding.seen_in(view.name()), is_used && !is_link);
        }
        for finding in references::images(chart, document, finder, &self.site) {
            self.found.add(finding.seen_in(view.name()), is_used && self.site.is_known());
        }
    }

    /// Returns whether a file is not upstream's, byte for byte.
    fn is_changed(&self, path: &str) -> bool {
        let Some(original) = &self.candidate.original else { return false };
        let bytes = |files: &[chart::archive::ArchiveFile]| {
            files.iter().find(|file| file.path == path).map(|file| Digest::sha256(&file.bytes))
        };
        bytes(self.candidate.chart.files()) != bytes(original.chart.files())
    }

    /// What helm's linter remarks; the chart as it is only where there is something to remark of the quicker one.
    fn lint(
        &mut self,
        quicker: Option<&StagedChart>,
        probe_values: &Map<String, Value>,
    ) -> Result<(), GateError> {
        let kubernetes_version = self.settings.newest().to_owned();
        let request = RenderRequest { values: probe_values.clone(), kubernetes_version };
        if let Some(quicker) = quicker
            && self.renderer.lint(quicker, &request)?.is_empty()
        {
            return Ok(());
        }
        for remark in self.renderer.lint(&self.candidate.chart, &request)? {
            let finding = super::lint::finding(&self.candidate.chart, &remark);
            let is_news =
                |finding: &Finding| !self.found.refused.iter().any(|other| other.file == finding.file);
            if let Some(finding) = finding.filter(is_news) {
                self.found.refuse(finding);
            }
        }
        Ok(())
    }
}
