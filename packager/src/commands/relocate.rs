//! `chartpack relocate`: points charts at a registry, and writes the archives and the proofs.

use std::fs;
use std::io::Write;
use std::path::Path;

use chart::archive::{ArchiveFile, PackOptions, PackedChart, pack_files};

use super::{CommandRefusal, view};
use crate::build::{BuildRefusal, Overrides};
use crate::cli::{Output, RelocateArguments};
use crate::config::Config;
use crate::pack::{PackSettings, pack};
use crate::relocate::{Asked, Declared, Proof, Relocation, Site, discover_and_relocate};
use crate::render::{Renderer, StagedChart};
use crate::report;
use crate::source::Source;
use crate::steps::Steps;
use crate::target::{path_in, write_whole};

/// Relocates the charts that the flags name.
pub(super) fn run(
    arguments: &RelocateArguments,
    config: &Config,
    out: &mut dyn Write,
) -> Result<u8, CommandRefusal> {
    let renderer = view::renderer(&arguments.view, config)?;
    let steps = Steps::new(config.shows_progress);
    let (mut archives, mut proofs): (Vec<PackedChart>, Vec<Proof>) = (Vec::new(), Vec::new());
    for path in &arguments.charts {
        let (chart, relocation) = relocated(path, arguments, config, &renderer, &steps)?;
        if arguments.dry_run && arguments.output == Output::Text {
            report::write_values_diff(out, &relocation.values)?;
        }
        archives.push(packed(path, &chart, &relocation, config.modified_seconds)?);
        proofs.push(relocation.proof);
    }
    steps.finish();
    let unwritten = |path: &Path, reason| CommandRefusal::File { path: path.to_owned(), reason };
    if let Some(folder) = &arguments.out {
        fs::create_dir_all(folder).map_err(|reason| unwritten(folder, reason))?;
        for PackedChart { file_name, bytes, .. } in &archives {
            let path = path_in(folder, file_name);
            write_whole(&path, bytes).map_err(|reason| unwritten(&path, reason))?;
        }
    }
    if let Some(path) = &arguments.proof {
        let texts: Vec<String> = proofs.iter().map(Proof::to_text).collect();
        write_whole(path, texts.join("\n").as_bytes()).map_err(|reason| unwritten(path, reason))?;
    }
    report::write_proofs(out, &proofs, arguments.output)?;
    Ok(u8::from(!proofs.iter().all(Proof::is_complete)))
}

fn relocated(
    path: &Path,
    arguments: &RelocateArguments,
    config: &Config,
    renderer: &Renderer,
    steps: &Steps,
) -> Result<(StagedChart, Relocation), CommandRefusal> {
    let settings =
        PackSettings { overrides: Overrides::default(), modified_seconds: config.modified_seconds };
    let chart = StagedChart::of_packed(&pack(path, &settings)?.chart)?;
    let mut declared: Vec<Declared> =
        arguments.left_to_mirror.iter().map(|image| Declared::by_flag(image)).collect();
    let mut settings = view::image_settings(&arguments.view, &chart)?;
    if let Some(beside) = Source::read(path)?.recipe {
        declared.extend(Declared::of_waivers(&beside.recipe.waivers));
        settings = settings.with_recipe(&beside.recipe.images);
    }
    let site = Site::new(&arguments.to, arguments.path_policy, declared)?;
    steps.name(chart.metadata().name.as_str());
    let asked = Asked { renderer, chart: &chart, settings: &settings, site: &site, steps };
    let (_, relocation) = discover_and_relocate(&asked, &[])
        .map_err(|problem| CommandRefusal::Relocation { chart: path.to_owned(), problem })?;
    Ok((chart, relocation))
}

fn packed(
    path: &Path,
    chart: &StagedChart,
    relocation: &Relocation,
    modified_seconds: u64,
) -> Result<PackedChart, CommandRefusal> {
    let mut files: Vec<ArchiveFile> = chart.files().to_vec();
    if relocation.values.0 != relocation.values.1 {
        files.retain(|file| file.path != "values.yaml");
        let bytes = relocation.values.1.clone().into_bytes();
        files.push(ArchiveFile { path: "values.yaml".to_owned(), bytes });
    }
    pack_files(files, &PackOptions { modified_seconds }).map_err(|problem| {
        let refusal = BuildRefusal::Pack { chart: path.to_owned(), problem: problem.into() };
        CommandRefusal::Pack(refusal.into())
    })
}
