//! Rendering charts with the `helm` binary: the one seam behind which the engine stands.
//!
//! A rendering depends on the chart's files, the values, the Kubernetes version and helm's version alone; what was
//! rendered once is taken from the cache.

mod cache;
mod chart_values;
mod document;
mod failure;
mod fixed_keys;
mod helm;
mod lint;
mod scope;
mod served_kinds;
mod side_by_side;
mod staged_chart;

use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use oci::Digest;
use serde_json::{Map, Value};

use self::cache::RenderCache;
pub(crate) use self::chart_values::{merge_over, values_of};
pub(crate) use self::document::{Document, split_documents};
pub(crate) use self::failure::{FailureKind, TemplateFailure};
use self::helm::Helm;
pub(crate) use self::helm::HelmError;
pub(crate) use self::lint::LintRemark;
use self::lint::remarks_of;
pub(crate) use self::scope::Scopes;
use self::served_kinds::served_kinds;
use self::side_by_side::side_by_side;
pub(crate) use self::staged_chart::{StageError, StagedChart};
use crate::steps::Steps;

/// The Kubernetes version that charts are rendered for when none is declared: a helm that was built without stamps
/// believes in v1.20.
pub(crate) const DEFAULT_KUBERNETES_VERSION: &str = "1.31.0";

/// How charts are rendered.
#[derive(Debug, Clone)]
pub(crate) struct RenderSettings {
    /// The `helm` program; `helm` in the search path when none is named.
    pub(crate) helm: Option<PathBuf>,
    /// The folder of the cache; nothing is kept without one.
    pub(crate) cache: Option<PathBuf>,
    /// How long one rendering may take.
    pub(crate) time_limit: Duration,
}

/// One rendering to make.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RenderRequest {
    /// Values over those of the chart.
    pub(crate) values: Map<String, Value>,
    /// The Kubernetes version to render for.
    pub(crate) kubernetes_version: String,
}

/// What a chart renders to: its documents in helm's order, hooks included, custom resource definitions not.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rendering {
    /// The documents.
    pub(crate) documents: Vec<Arc<Document>>,
}

/// A rendering, or how the chart refused it.
pub(crate) type Outcome = Result<Rendering, TemplateFailure>;

/// Renders charts, one process per core.
#[derive(Debug)]
pub(crate) struct Renderer {
    helm: Helm,
    cache: RenderCache,
    runtime: tokio::runtime::Runtime,
    processes: usize,
}

impl Renderer {
    /// Finds helm and opens the cache.
    ///
    /// # Errors
    /// [`HelmError`] when helm cannot be run.
    pub(crate) fn new(settings: &RenderSettings) -> Result<Self, HelmError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(HelmError::NoRuntime)?;
        let helm = runtime.block_on(Helm::find(settings.helm.as_deref(), settings.time_limit))?;
        let processes = thread::available_parallelism().map_or(1, NonZero::get);
        Ok(Self { helm, cache: RenderCache::new(settings.cache.clone()), runtime, processes })
    }

    /// Renders a chart once.
    ///
    /// # Errors
    /// [`HelmError`] when helm itself fails; what the chart refuses is an [`Outcome`].
    pub(crate) fn render(&self, chart: &StagedChart, request: &RenderRequest) -> Result<Outcome, HelmError> {
        let key = self.key(chart, request);
        if let Some(outcome) = self.cache.find(&key) {
            return Ok(outcome);
        }
        let outcome = self.runtime.block_on(self.helm.template(chart, request))?;
        let outcome = match outcome {
            Ok(text) => Ok(Rendering { documents: self.cache.intern(split_documents(&text)) }),
            Err(text) => Err(TemplateFailure::parse(&text)),
        };
        self.cache.keep(&key, &outcome);
        Ok(outcome)
    }

    /// Renders a chart once, and where a core is free meanwhile what is likely asked for next, which is then at hand.
    ///
    /// # Errors
    /// As [`Self::render`].
    pub(crate) fn render_before(
        &self,
        chart: &StagedChart,
        request: &RenderRequest,
        likely_next: Option<&RenderRequest>,
    ) -> Result<Outcome, HelmError> {
        if let Some(outcome) = self.cache.find(&self.key(chart, request)) {
            return Ok(outcome);
        }
        let Some(next) = likely_next.filter(|_| self.processes > 1) else {
            return self.render(chart, request);
        };
        let both = self.side_by_side(&[request, next], |request| self.render(chart, request));
        both.into_iter().collect::<Result<Vec<_>, _>>()?;
        self.render(chart, request)
    }

    /// Renders a chart once for each request and returns the outcomes in their order.
    ///
    /// # Errors
    /// [`HelmError`] when helm itself fails.
    pub(crate) fn render_all(
        &self,
        chart: &StagedChart,
        requests: &[RenderRequest],
        steps: &Steps,
    ) -> Result<Vec<Outcome>, HelmError> {
        steps.expect(requests.len());
        let outcomes = self.side_by_side(requests, |request| {
            let outcome = self.render(chart, request);
            steps.done();
            outcome
        });
        outcomes.into_iter().collect()
    }

    /// Does `work`, which renders, for several things at once, and returns what it makes in their order.
    pub(crate) fn side_by_side<Item: Sync, Made: Send>(
        &self,
        items: &[Item],
        work: impl Fn(&Item) -> Made + Sync,
    ) -> Vec<Made> {
        side_by_side(self.processes, items, work)
    }

    /// Returns what helm's linter remarks about a chart with the values of `request`, strictly.
    ///
    /// # Errors
    /// [`HelmError`] when helm itself fails.
    pub(crate) fn lint(
        &self,
        chart: &StagedChart,
        request: &RenderRequest,
    ) -> Result<Vec<LintRemark>, HelmError> {
        // Kept as the rendering of one document: what helm printed.
        let key = Digest::sha256(format!("lint\n{}", self.key(chart, request)).as_bytes());
        let kept = self.cache.find(&key).and_then(Result::ok);
        if let Some(text) = kept.as_ref().and_then(|kept| kept.documents.first()) {
            return Ok(remarks_of(&text.text));
        }
        let text = self.runtime.block_on(self.helm.lint(chart, request))?;
        let text = text.replace(&chart.folder()?.display().to_string(), "");
        let documents = self.cache.intern(vec![Document::new("lint".to_owned(), text.clone())]);
        self.cache.keep(&key, &Ok(Rendering { documents }));
        Ok(remarks_of(&text))
    }

    fn key(&self, chart: &StagedChart, request: &RenderRequest) -> Digest {
        let values = Value::Object(request.values.clone()).to_string();
        let parts = [
            &chart.digest().to_string(),
            &Digest::sha256(values.as_bytes()).to_string(),
            &request.kubernetes_version,
            &served_kinds(&request.kubernetes_version),
            self.helm.version(),
        ];
        Digest::sha256(parts.map(String::as_str).join("\n").as_bytes())
    }
}
