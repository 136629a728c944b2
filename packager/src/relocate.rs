//! Makes every image reference of a chart point at a registry, by edits of its values that renderings prove.
//!
//! Each candidate value is marked, all at once; one rendering shows which value is in which reference and where. An
//! edit is kept only if it moves references to exactly their targets and changes no other.

mod candidate;
mod patch;
mod proof;
mod references;
mod search;
mod target;
mod trace;

use chart::archive::{ArchiveFile, PackError, PackOptions, PackedChart, pack_files};
use serde_json::{Map, Value};

pub(crate) use self::proof::{Edit, Proof};
use self::references::References;
use self::search::search;
pub(crate) use self::target::{InvalidTarget, PathPolicy, Target};
use crate::edit::{Document, EditError, ValuePath};
use crate::images::{Discovery, DiscoveryError, Finder, View, ViewName, discover};
use crate::profile::ImageSettings;
use crate::steps::Steps;
use crate::render::{
    HelmError, RenderRequest, Renderer, Rendering, StageError, StagedChart, TemplateFailure, merge_over,
};
use crate::toggle::set_over;

/// A chart whose references were moved, and the proof.
#[derive(Debug)]
pub(crate) struct Relocation {
    /// The files with the edits made.
    pub(crate) files: Vec<ArchiveFile>,
    /// `values.yaml` before and after.
    pub(crate) values: (String, String),
    /// What was moved, how, and what is left.
    pub(crate) proof: Proof,
}

/// Why a chart is not relocated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RelocationError {
    /// The images cannot be discovered.
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    /// Helm gave no answer.
    #[error(transparent)]
    Helm(#[from] HelmError),
    /// The edited chart cannot be laid out.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// Two images of different hosts would have one name.
    #[error("`{first}` and `{second}` would both be `{target}`: use the path policy keep-host")]
    Collision {
        /// One image.
        first: String,
        /// The other.
        second: String,
        /// The name of both.
        target: String,
    },
    /// `values.yaml` cannot be edited.
    #[error("cannot set `{path}` in `values.yaml`: {problem}")]
    Edit {
        /// The value.
        path: ValuePath,
        /// Why.
        #[source]
        problem: EditError,
    },
    /// `values.yaml` is not UTF-8.
    #[error("`values.yaml` is not UTF-8: save it as UTF-8")]
    NotText,
    /// The edited chart does not render where the chart did.
    #[error("with the edits made in `values.yaml` the chart does not render any more: {0}")]
    Broken(TemplateFailure),
    /// The edited chart cannot be packed.
    #[error("the relocated chart cannot be packed: {0}")]
    Pack(#[from] Box<PackError>),
}

/// Relocates a chart to `target`; what no value can move is in the proof, with a patch each.
///
/// # Errors
/// [`RelocationError`] when the chart does not render, or two images would get one name.
pub(crate) fn relocate(
    renderer: &Renderer,
    chart: &StagedChart,
    settings: &ImageSettings,
    target: &Target,
    steps: &Steps,
) -> Result<Relocation, RelocationError> {
    let mut discovery = discover(renderer, chart, settings, steps)?;
    // What does not render whole proves nothing.
    discovery.survey.views.retain(|view| !matches!(view.name, ViewName::Behind(_)));
    let target = &target.knowing(&discovery.substitutions);
    target.refuse_collisions(discovery.images.iter().map(|found| &found.image))?;
    let staged = discovery.survey.chart.as_ref().unwrap_or(chart);
    let finder = Finder::default();
    let before: Vec<References> =
        discovery.survey.views.iter().map(|view| References::of(&view.rendering, &finder)).collect();
    let probe = Probe { renderer, chart: staged, views: &discovery.survey.views, finder: &finder, steps };
    let edits = search(&probe, &before, target)?;
    let (files, values) = edited(chart, &edits)?;
    let after = proven(renderer, &files, &edits, &discovery, &finder, steps)?;
    let proof = Proof::new(chart, &discovery, edits, &before, &after, target);
    Ok(Relocation { files, values, proof })
}

impl Relocation {
    /// Packs the relocated chart.
    ///
    /// # Errors
    /// [`PackError`] when the files are no chart.
    pub(crate) fn pack(self, modified_seconds: u64) -> Result<PackedChart, RelocationError> {
        Ok(pack_files(self.files, &PackOptions { modified_seconds }).map_err(Box::new)?)
    }
}

/// What a probe renders: the chart in all its views, with values laid over.
pub(crate) struct Probe<'run> {
    renderer: &'run Renderer,
    chart: &'run StagedChart,
    views: &'run [View],
    finder: &'run Finder,
    steps: &'run Steps,
}

impl Probe<'_> {
    /// Renders each view with values laid over; nothing for a view that does not render.
    fn render(&self, over: &Map<String, Value>) -> Result<Vec<Option<References>>, HelmError> {
        let requests: Vec<_> = self.views.iter().map(|view| laid_over(&view.request, over)).collect();
        let outcomes = self.renderer.render_all(self.chart, &requests, self.steps)?;
        let read = |rendering: Rendering| References::of(&rendering, self.finder);
        Ok(outcomes.into_iter().map(|outcome| outcome.ok().map(read)).collect())
    }
}

fn overlay_of<'edit>(
    edits: impl IntoIterator<Item = &'edit Edit>,
    values: &Map<String, Value>,
) -> Map<String, Value> {
    let mut over = Map::new();
    for edit in edits {
        set_over(&mut over, values, &edit.path, Value::String(edit.value.clone()));
    }
    over
}

fn laid_over(request: &RenderRequest, over: &Map<String, Value>) -> RenderRequest {
    let mut values = request.values.clone();
    merge_over(&mut values, over);
    RenderRequest { values, kubernetes_version: request.kubernetes_version.clone() }
}

/// Makes the edits in `values.yaml`; comments and all else stay.
fn edited(
    chart: &StagedChart,
    edits: &[Edit],
) -> Result<(Vec<ArchiveFile>, (String, String)), RelocationError> {
    let mut files = chart.files().to_vec();
    if !files.iter().any(|file| file.path == "values.yaml") {
        files.push(ArchiveFile { path: "values.yaml".to_owned(), bytes: Vec::new() });
    }
    let mut texts = (String::new(), String::new());
    for file in files.iter_mut().filter(|file| file.path == "values.yaml") {
        let before = String::from_utf8(file.bytes.clone()).map_err(|_| RelocationError::NotText)?;
        let refused = |path: &ValuePath, problem| RelocationError::Edit { path: path.clone(), problem };
        let first = edits.first().map(|edit| edit.path.clone());
        let first = first.unwrap_or_else(|| ValuePath::of_keys(&["image"]));
        let mut document = Document::parse(&before).map_err(|problem| refused(&first, problem))?;
        for edit in edits {
            let value = Value::String(edit.value.clone());
            if let Err(problem) = document.set(&edit.path, &value) {
                let Some((list, whole)) = edit.whole_list(chart.values()) else {
                    return Err(refused(&edit.path, problem));
                };
                document.set(&list, &whole).map_err(|problem| refused(&edit.path, problem))?;
            }
        }
        file.bytes = document.text().as_bytes().to_vec();
        texts = (before, document.text().to_owned());
    }
    Ok((files, texts))
}

/// Renders the edited chart in every view, without any values of the probe.
fn proven(
    renderer: &Renderer,
    files: &[ArchiveFile],
    edits: &[Edit],
    discovery: &Discovery,
    finder: &Finder,
    steps: &Steps,
) -> Result<Vec<References>, RelocationError> {
    // Templates that were left out of the views are left out here too.
    let left_out: Vec<String> = discovery
        .survey
        .left_out
        .iter()
        .filter_map(|failure| failure.outermost_template().map(str::to_owned))
        .collect();
    let files = files.iter().filter(|file| !left_out.contains(&file.path)).cloned().collect();
    let edited = StagedChart::new(files)?;
    let requests = discovery.survey.views.iter().map(|view| match view.name {
        // Its values stand in for those of the chart, which the edits replace.
        ViewName::Known => laid_over(&view.request, &overlay_of(edits, edited.values())),
        ViewName::Values | ViewName::Toggles(_) | ViewName::Behind(_) | ViewName::AllToggles => {
            view.request.clone()
        }
    });
    let requests: Vec<_> = requests.collect();
    let quick = edited.with_fixed_keys()?;
    let outcomes = renderer.render_all(quick.as_ref().unwrap_or(&edited), &requests, steps)?;
    let read = outcomes.into_iter().map(|outcome| {
        outcome.map(|rendering| References::of(&rendering, finder)).map_err(RelocationError::Broken)
    });
    read.collect()
}
