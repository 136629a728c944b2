//! `chartpack images`: lists the images of charts with their trails.

use std::io::Write;

use super::{CommandRefusal, view};
use crate::cli::ImagesArguments;
use crate::config::Config;
use crate::images::discover;
use crate::report::{self, ImageList};
use crate::steps::Steps;

/// Discovers the images of the charts that the flags name.
pub(super) fn run(
    arguments: &ImagesArguments,
    config: &Config,
    out: &mut dyn Write,
) -> Result<u8, CommandRefusal> {
    let renderer = view::renderer(&arguments.view, config)?;
    let steps = Steps::new(config.shows_progress);
    let mut lists = Vec::new();
    for path in &arguments.charts {
        let chart = view::staged(path)?;
        let settings = view::image_settings(&arguments.view, &chart)?;
        steps.name(chart.metadata().name.as_str());
        let discovery = discover(&renderer, &chart, &settings, &steps)
            .map_err(|problem| CommandRefusal::Discovery { chart: path.clone(), problem })?;
        lists.push(ImageList::new(chart.metadata(), discovery, arguments.tests));
    }
    steps.finish();
    let is_found = match &arguments.why {
        Some(image) => report::write_why(out, &lists, image, arguments.output)?,
        None => {
            report::write_images(out, &lists, arguments.output)?;
            true
        }
    };
    Ok(u8::from(!is_found))
}
