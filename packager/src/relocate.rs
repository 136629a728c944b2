//! Makes every image reference of a chart point at the site, by edits of its values that renderings prove.
//!
//! Each candidate value is marked, all at once; one rendering shows which value is in which reference and where. An
//! edit is kept only if it moves references to exactly their names at the site and changes no other.

mod candidate;
mod comparison;
mod judge;
mod patch;
mod proof;
mod prove;
mod references;
mod search;
mod site;
mod texts;
mod trace;
mod values_file;

pub(crate) use self::proof::Proof;
use self::prove::prove;
use self::references::References;
use self::search::{Edit, search};
pub(crate) use self::site::{Collision, Declared, InvalidSite, Site};
use self::values_file::ValuesFile;
use crate::edit::{EditError, InvalidPath};
use crate::images::{Discovery, DiscoveryError, Finder, View, discover};
use crate::lock::LockedEdit;
use crate::profile::ImageSettings;
use crate::render::{HelmError, Renderer, StageError, StagedChart, TemplateFailure};
use crate::steps::Steps;

/// How often edits that break something else than image references are dropped and the rest is proven again.
const MAX_PROOFS: usize = 3;

/// A chart to find the images of and to relocate, and where to.
pub(crate) struct Asked<'run> {
    /// Who renders.
    pub(crate) renderer: &'run Renderer,
    /// The chart.
    pub(crate) chart: &'run StagedChart,
    /// How it is looked at.
    pub(crate) settings: &'run ImageSettings,
    /// Where its references are to point.
    pub(crate) site: &'run Site,
    /// What shows how far it is.
    pub(crate) steps: &'run Steps,
}

/// What is relocated, and where to.
struct Relocating<'run> {
    renderer: &'run Renderer,
    chart: &'run StagedChart,
    discovery: &'run Discovery,
    site: &'run Site,
    /// The Kubernetes versions the chart is for.
    kubernetes_versions: &'run [String],
    steps: &'run Steps,
}

/// A chart whose references were moved, and the proof.
#[derive(Debug)]
pub(crate) struct Relocation {
    /// The edits, as a build makes them one after another.
    pub(crate) edits: Vec<LockedEdit>,
    /// `values.yaml` before and after.
    pub(crate) values: (String, String),
    /// What was moved, how, and what is left.
    pub(crate) proof: Proof,
}

/// Why a chart is not relocated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RelocationError {
    /// Its images cannot be discovered.
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    /// Helm gave no answer.
    #[error(transparent)]
    Helm(#[from] HelmError),
    /// The edited chart cannot be laid out.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// Two images of different hosts would have one name.
    #[error(transparent)]
    Collision(#[from] Collision),
    /// `values.yaml` cannot be edited.
    #[error("cannot set `{path}` in `values.yaml`: {problem}")]
    Edit {
        /// The value.
        path: String,
        /// Why.
        #[source]
        problem: EditError,
    },
    /// The path of an edit is none.
    #[error(transparent)]
    Path(#[from] InvalidPath),
    /// `values.yaml` is not UTF-8.
    #[error("`values.yaml` is not UTF-8: save it as UTF-8")]
    NotText,
    /// The edited chart does not render where the chart did.
    #[error("with the edits made in `values.yaml` the chart does not render any more: {0}")]
    Broken(TemplateFailure),
}

/// Finds the images of a chart and relocates it. Edits that were `recorded` before are only proven again.
///
/// # Errors
/// [`RelocationError`] when the images cannot be discovered, two would get one name, or helm fails.
pub(crate) fn discover_and_relocate(
    asked: &Asked<'_>,
    recorded: &[LockedEdit],
) -> Result<(Discovery, Relocation), RelocationError> {
    let Asked { renderer, chart, settings, site, steps } = *asked;
    let discovery = discover(renderer, chart, settings, steps)?;
    let kubernetes_versions = &settings.kubernetes_versions;
    let relocating = Relocating { renderer, chart, discovery: &discovery, site, kubernetes_versions, steps };
    let relocation = relocate(&relocating, recorded)?;
    Ok((discovery, relocation))
}

/// Relocates a chart; what no value can move is in the proof, with a patch each. Edits that were found before are
/// believed again when they still move everything, without a search.
fn relocate(relocating: &Relocating<'_>, recorded: &[LockedEdit]) -> Result<Relocation, RelocationError> {
    let Relocating { chart, discovery, site, .. } = relocating;
    let site = &site.knowing(&discovery.substitutions);
    let relocating = &Relocating { site, ..*relocating };
    site.refuse_collisions(discovery.images.iter().map(|found| (&found.image, None)))?;
    if !recorded.is_empty() {
        match prove(relocating, recorded) {
            Ok(proof) if proof.is_complete() && proof.needs_every_edit() => {
                return Ok(Relocation { edits: recorded.to_vec(), values: texts(chart, recorded)?, proof });
            }
            // They fit another chart: what fits this one is searched for anew.
            Ok(_)
            | Err(RelocationError::Broken(_) | RelocationError::Edit { .. } | RelocationError::Path(_)) => {}
            Err(problem) => return Err(problem),
        }
    }
    let mut found = searched(relocating)?;
    for _ in 1..MAX_PROOFS {
        let edits = ValuesFile::of(chart)?.set_all(&found, chart.values())?;
        let proof = prove(relocating, &edits)?;
        let before = found.len();
        found.retain(|edit| !proof.breaks_with(&edit.value));
        if found.len() == before {
            return Ok(Relocation { values: texts(chart, &edits)?, edits, proof });
        }
    }
    let edits = ValuesFile::of(chart)?.set_all(&found, chart.values())?;
    Ok(Relocation { values: texts(chart, &edits)?, proof: prove(relocating, &edits)?, edits })
}

fn searched(relocating: &Relocating<'_>) -> Result<Vec<Edit>, RelocationError> {
    let Relocating { renderer, chart, discovery, site, steps, .. } = *relocating;
    let finder = Finder::default();
    let views = discovery.survey.telling_views(&finder);
    let before: Vec<References> = views.iter().map(|view| References::of(&view.rendering, &finder)).collect();
    let staged = discovery.survey.chart.as_ref().unwrap_or(chart);
    let probe = Probe { renderer, chart: staged, views: &views, finder: &finder, steps };
    Ok(search(&probe, &before, site)?)
}

fn texts(chart: &StagedChart, edits: &[LockedEdit]) -> Result<(String, String), RelocationError> {
    let mut file = ValuesFile::of(chart)?;
    let before = file.text().to_owned();
    file.make(edits)?;
    Ok((before, file.text().to_owned()))
}

/// What a search renders: the chart in all its views, with values laid over.
struct Probe<'run> {
    renderer: &'run Renderer,
    chart: &'run StagedChart,
    views: &'run [View],
    finder: &'run Finder,
    steps: &'run Steps,
}
