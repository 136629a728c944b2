//! `chartpack gate`: judges the charts of catalogues and locks, of recipes and of archives.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;

use chart::archive::{ArchiveFile, ChartArchive, Limits};

use super::build::{Requested, requested};
use super::fetch::open_vault;
use super::{CommandRefusal, view};
use crate::build::{DeliverSettings, Delivered, Overrides, deliver};
use crate::catalogue::Catalogue;
use crate::cli::{GateArguments, HelmArguments, Output};
use crate::config::Config;
use crate::gate::{Candidate, GateSettings, Original, Usage, Verdict, judge};
use crate::pack::{PackSettings, pack};
use crate::progress::Progress;
use crate::render::{DEFAULT_KUBERNETES_VERSION, Renderer, StagedChart};
use crate::report;
use crate::source::Source;
use crate::steps::Steps;
use crate::toggle::set_over;

/// Judges what the flags name.
pub(super) fn run(
    arguments: GateArguments,
    config: &Config,
    out: &mut dyn Write,
) -> Result<u8, CommandRefusal> {
    let mut verdicts = Vec::new();
    let mut gate = Gate::open(&arguments.helm, config, arguments.output)?;
    for source in &arguments.sources {
        if is_delivery(source) {
            let vault = open_vault(&arguments.vault, config)?;
            let Requested { lock, catalogue, only } = requested(source, &vault, &arguments.only)?;
            let settings =
                DeliverSettings { lock: &lock, vault: &vault, only, jobs: usize::from(arguments.jobs) };
            let delivered = deliver(&settings, &Progress::new("built", false, false))?;
            let settings = settings_of(&arguments, catalogue.as_ref());
            for one in &delivered {
                let candidate = candidate_of(one)?;
                verdicts.push(gate.judge(&with_flags(candidate, &arguments), &settings)?);
            }
        } else {
            let candidate = candidate_on_disk(source, &arguments, config)?;
            let settings = settings_of(&arguments, None);
            verdicts.push(gate.judge(&with_flags(candidate, &arguments), &settings)?);
        }
    }
    gate.close();
    report::write_verdicts(out, &verdicts, arguments.all, arguments.output)?;
    Ok(u8::from(!verdicts.iter().all(Verdict::is_passed)))
}

/// The gate while it is open: the renderer, and how far it is.
pub(super) struct Gate {
    renderer: Renderer,
    steps: Steps,
    progress: Progress,
}

impl Gate {
    /// Finds helm.
    pub(super) fn open(
        arguments: &HelmArguments,
        config: &Config,
        output: Output,
    ) -> Result<Self, CommandRefusal> {
        let renderer = view::open_renderer(arguments, config)?;
        // On a terminal the renderings are shown, elsewhere the charts: each in its own line.
        let is_told = output == Output::Text && !config.shows_progress;
        let progress = Progress::new("passed", false, is_told);
        Ok(Self { renderer, steps: Steps::new(config.shows_progress), progress })
    }

    /// Judges one chart.
    pub(super) fn judge(
        &mut self,
        candidate: &Candidate,
        settings: &GateSettings,
    ) -> Result<Verdict, CommandRefusal> {
        self.steps.name(&candidate.name);
        let verdict = judge(&self.renderer, candidate, settings, &self.steps)?;
        match verdict.is_passed() {
            true => self.progress.done(&verdict.name),
            false => self.progress.refused(&verdict.name),
        }
        Ok(verdict)
    }

    /// Takes the progress away.
    pub(super) fn close(&self) {
        self.steps.finish();
        self.progress.finish();
    }
}

/// A lock, or a catalogue file: the one kind of file with recipes in it.
fn is_delivery(path: &Path) -> bool {
    let has_extension = |wanted: &str| path.extension().is_some_and(|extension| extension == wanted);
    let names_recipes = || {
        let bytes = crate::source::read_bounded(path, LARGEST_LOOK).unwrap_or_default();
        str::from_utf8(&bytes).is_ok_and(|text| text.lines().any(|line| line.starts_with("recipes:")))
    };
    path.is_file()
        && (has_extension("lock") || ((has_extension("yaml") || has_extension("yml")) && names_recipes()))
}

/// How much of a file is looked at to tell a catalogue from a recipe: a recipe has at most this, in bytes.
const LARGEST_LOOK: u64 = 4 * 1024 * 1024;

/// Puts a chart that was built from a lock before the gate.
pub(super) fn candidate_of(delivered: &Delivered) -> Result<Candidate, CommandRefusal> {
    let Delivered { recipe, packed, by, original } = delivered;
    let files = unpacked(recipe, &packed.chart.bytes)?;
    Ok(Candidate::of_recipe(recipe.clone(), by, files, original.clone(), packed.added.clone())?)
}

fn unpacked(recipe: &str, bytes: &[u8]) -> Result<Vec<ArchiveFile>, CommandRefusal> {
    let archive = ChartArchive::read(bytes, &Limits::default());
    let refuse = |problem| CommandRefusal::Built { recipe: recipe.to_owned(), problem: Box::new(problem) };
    Ok(archive.map_err(refuse)?.into_files())
}

fn candidate_on_disk(
    path: &Path,
    arguments: &GateArguments,
    config: &Config,
) -> Result<Candidate, CommandRefusal> {
    let name = path.display().to_string();
    let Source { files, recipe } = Source::read(path)?;
    if let Some(beside) = recipe {
        let settings =
            PackSettings { overrides: Overrides::default(), modified_seconds: config.modified_seconds };
        let packed = pack(path, &settings)?;
        let built = unpacked(&name, &packed.chart.bytes)?;
        return Ok(Candidate::of_recipe(name, &beside.recipe, built, files, packed.added)?);
    }
    let original = match &arguments.upstream {
        Some(upstream) => {
            let chart = StagedChart::new(Source::read(upstream)?.files)?;
            Some(Original { chart, added: BTreeSet::new() })
        }
        None => None,
    };
    let chart = StagedChart::new(files)?;
    Ok(Candidate { name, chart, original, usage: Usage::default(), waivers: Vec::new() })
}

fn with_flags(mut candidate: Candidate, arguments: &GateArguments) -> Candidate {
    candidate.usage.toggles.extend(arguments.toggles.iter().cloned());
    for (path, value) in &arguments.probes {
        set_over(&mut candidate.usage.probe_values, candidate.chart.values(), path, value.clone());
    }
    candidate
}

fn settings_of(arguments: &GateArguments, catalogue: Option<&Catalogue>) -> GateSettings {
    let mut settings = settings_for(catalogue);
    if !arguments.kubernetes_versions.is_empty() {
        settings.kubernetes_versions.clone_from(&arguments.kubernetes_versions);
    }
    settings.registry = arguments.registry.clone().or(settings.registry);
    settings.skipped = arguments.skipped.iter().copied().collect();
    settings
}

/// Returns what a catalogue file says about the gate.
pub(super) fn settings_for(catalogue: Option<&Catalogue>) -> GateSettings {
    let declared = catalogue.map(|catalogue| catalogue.kubernetes.as_slice()).unwrap_or_default();
    let kubernetes_versions = match declared {
        [] => vec![DEFAULT_KUBERNETES_VERSION.to_owned()],
        versions => versions.iter().map(ToString::to_string).collect(),
    };
    let registry = catalogue.map(|catalogue| catalogue.target.registry.clone());
    GateSettings { kubernetes_versions, registry, skipped: BTreeSet::new() }
}
