//! `chartpack diff`: says what differs between two charts, or two locks.

use std::io::Write;

use super::{CommandRefusal, helm_renderer, open_vault};
use crate::bump::image_settings;
use crate::cli::{DiffArguments, Output};
use crate::config::Config;
use crate::diff::{ChartDifference, Side, compare_locks, render_both};
use crate::profile::ImageSettings;
use crate::progress::Progress;
use crate::recipe;
use crate::report;
use crate::steps::Steps;

/// Compares what the flags name.
pub(super) fn run(
    arguments: DiffArguments,
    config: &Config,
    out: &mut dyn Write,
) -> Result<u8, CommandRefusal> {
    let DiffArguments { before, after, full, rendered, exit_code, lock, vault, helm, output } = arguments;
    let vault = open_vault(vault, config)?;
    let read = |path| Side::read(path, &lock, &vault, config.modified_seconds);
    let renderer = helm_renderer(&helm, config)?;
    let steps = Steps::new(config.shows_progress);
    let kubernetes: Vec<_> = helm.kubernetes_version.into_iter().collect();
    let settings = |files: &_| -> ImageSettings {
        image_settings(&recipe::ImageSettings::default(), files, &kubernetes)
    };
    let is_same = match (read(&before)?, read(&after)?) {
        (Side::Chart(old), Side::Chart(new)) => {
            let mut difference = ChartDifference::of(&old, &new).map_err(Box::new)?;
            if let Some(renderer) = &renderer {
                let settings = (settings(&old), settings(&new));
                let both = (old.as_slice(), new.as_slice());
                render_both(&mut difference, renderer, both, (&settings.0, &settings.1), rendered, &steps)?;
            }
            steps.finish();
            report::write_difference(out, &difference, full, output)?;
            difference.is_empty()
        }
        (Side::Lock(old), Side::Lock(new)) => {
            let progress = Progress::new("built", config.shows_progress, output == Output::Text);
            let difference = compare_locks(&old, &new, &vault, &progress);
            progress.finish();
            let mut difference = difference?;
            for chart in difference.changed.values_mut() {
                // What the locks say about images was found out when they were made.
                let is_known = !chart.difference.images.from_values_alone;
                let Some(renderer) = renderer.as_ref().filter(|_| rendered || !is_known) else { continue };
                let (old, new) = (&chart.files.0, &chart.files.1);
                let settings = (settings(old), settings(new));
                let images = is_known.then(|| chart.difference.images.clone());
                let both = (old.as_slice(), new.as_slice());
                render_both(
                    &mut chart.difference,
                    renderer,
                    both,
                    (&settings.0, &settings.1),
                    rendered,
                    &steps,
                )?;
                if let Some(images) = images {
                    chart.difference.images = images;
                }
            }
            steps.finish();
            report::write_lock_difference(out, &difference, full, output)?;
            difference.is_empty()
        }
        (Side::Lock(_), Side::Chart(_)) => return Err(CommandRefusal::UnlikeSides(before, after)),
        (Side::Chart(_), Side::Lock(_)) => return Err(CommandRefusal::UnlikeSides(after, before)),
    };
    Ok(u8::from(exit_code && !is_same))
}
