//! `chartpack relocate`: points a chart at a registry, and writes the archive and the proof.

use std::io::Write;

use super::{CommandRefusal, view};
use crate::cli::{Output, RelocateArguments};
use crate::config::Config;
use crate::steps::Steps;
use crate::relocate::{Target, relocate};
use crate::report;
use crate::target::write_whole;

/// Relocates the chart that the flags name.
pub(super) fn run(
    arguments: &RelocateArguments,
    config: &Config,
    out: &mut dyn Write,
) -> Result<u8, CommandRefusal> {
    let RelocateArguments {
        chart: path,
        to,
        path_policy,
        out: archive,
        proof,
        dry_run,
        left_to_mirror,
        view,
        output,
    } = arguments;
    let target = Target::new(to, *path_policy, left_to_mirror.clone())?;
    let chart = view::staged(path)?;
    let settings = view::image_settings(view, &chart)?;
    let renderer = view::renderer(view, config)?;
    let steps = Steps::new(config.shows_progress);
    steps.name(chart.metadata().name.as_str());
    let refuse = |problem| CommandRefusal::Relocation { chart: path.clone(), problem };
    let relocation = relocate(&renderer, &chart, &settings, &target, &steps).map_err(refuse)?;
    steps.finish();
    if *dry_run && *output == Output::Text {
        report::write_values_diff(out, &relocation.values)?;
    }
    report::write_proof(out, &relocation.proof, *output)?;
    let is_complete = relocation.proof.is_complete();
    let write = |path: &std::path::Path, bytes: &[u8]| {
        write_whole(path, bytes).map_err(|reason| CommandRefusal::File { path: path.to_owned(), reason })
    };
    if let Some(path) = proof {
        write(path, relocation.proof.to_text().as_bytes())?;
    }
    if let Some(path) = archive {
        let packed = relocation.pack(config.modified_seconds).map_err(refuse)?;
        write(path, &packed.bytes)?;
    }
    Ok(u8::from(!is_complete))
}
