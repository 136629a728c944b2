//! `chartpack diff`: says what differs between two charts, or two locks.

use std::io::Write;

use chart::ChartVersion;
use chart::archive::ArchiveFile;

use super::fetch::open_vault;
use super::{CommandRefusal, helm_renderer};
use crate::bump::image_settings;
use crate::cli::{DiffArguments, Output};
use crate::config::Config;
use crate::diff::{ChartDifference, LockedChartDifference, Side, compare_locks, render_both};
use crate::profile::ImageSettings;
use crate::progress::Progress;
use crate::render::Renderer;
use crate::report;
use crate::steps::Steps;

/// Compares what the flags name.
pub(super) fn run(
    arguments: DiffArguments,
    config: &Config,
    out: &mut dyn Write,
) -> Result<u8, CommandRefusal> {
    let DiffArguments { before, after, full, rendered, exit_code, lock, vault, helm, output } = arguments;
    let vault = open_vault(&vault, config)?;
    let read = |path| Side::read(path, &lock, &vault, config.modified_seconds);
    let renderer = helm_renderer(&helm, config)?;
    let steps = Steps::new(config.shows_progress);
    let kubernetes = helm.kubernetes_version.into_iter().collect();
    let look = Look { renderer, kubernetes, with_resources: rendered, steps };
    let is_same = match (read(&before)?, read(&after)?) {
        (Side::Chart(old), Side::Chart(new)) => {
            let mut difference = ChartDifference::of(&old, &new).map_err(Box::new)?;
            look.at(&mut difference, &old, &new)?;
            look.steps.finish();
            report::write_difference(out, &difference, full, output)?;
            difference.is_empty()
        }
        (Side::Lock(old), Side::Lock(new)) => {
            let progress = Progress::new("built", config.shows_progress, output == Output::Text);
            let difference = compare_locks(&old, &new, &vault, &progress);
            progress.finish();
            let mut difference = difference?;
            for chart in difference.changed.values_mut() {
                look.at_locked(chart)?;
            }
            look.steps.finish();
            report::write_lock_difference(out, &difference, full, output)?;
            difference.is_empty()
        }
        (Side::Lock(_), Side::Chart(_)) => return Err(CommandRefusal::UnlikeSides(before, after)),
        (Side::Chart(_), Side::Lock(_)) => return Err(CommandRefusal::UnlikeSides(after, before)),
    };
    Ok(u8::from(exit_code && !is_same))
}

/// How two charts are looked at with helm, if at all.
struct Look {
    renderer: Option<Renderer>,
    kubernetes: Vec<ChartVersion>,
    with_resources: bool,
    steps: Steps,
}

impl Look {
    /// Puts into `difference` what renderings show.
    fn at(
        &self,
        difference: &mut ChartDifference,
        old: &[ArchiveFile],
        new: &[ArchiveFile],
    ) -> Result<(), CommandRefusal> {
        let Some(renderer) = &self.renderer else { return Ok(()) };
        let settings = image_settings(&ImageSettings::default(), &self.kubernetes);
        let settings = (&settings, &settings);
        render_both(difference, renderer, (old, new), settings, self.with_resources, &self.steps)?;
        Ok(())
    }

    /// The same for charts of locks. What these say about images was found out when they were made, and stays.
    fn at_locked(&self, chart: &mut LockedChartDifference) -> Result<(), CommandRefusal> {
        let known = Some(&chart.difference.images).filter(|images| !images.from_values_alone).cloned();
        if known.is_none() || self.with_resources {
            let LockedChartDifference { difference, files: (old, new), .. } = chart;
            self.at(difference, old, new)?;
        }
        if let Some(images) = known {
            chart.difference.images = images;
        }
        Ok(())
    }
}
