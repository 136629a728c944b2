//! `chartpack render`: prints what a chart renders to.

use std::io::Write;

use super::{CommandRefusal, view};
use crate::cli::RenderArguments;
use crate::config::Config;
use crate::profile::Profile;
use crate::render::RenderRequest;
use crate::report;
use crate::toggle::turned_on;

/// Renders the chart that the flags name, with the toggles that they list.
pub(super) fn run(
    arguments: RenderArguments,
    config: &Config,
    out: &mut dyn Write,
) -> Result<u8, CommandRefusal> {
    let RenderArguments { chart: path, view } = arguments;
    let chart = view::staged(&path)?;
    let settings = view::image_settings(&view, &chart)?;
    let renderer = view::renderer(&view, config)?;
    let values = settings.base_values(chart.values());
    let toggles = match settings.profile {
        Profile::Exact => &[][..],
        Profile::Declared | Profile::All => &settings.toggles,
    };
    let request = RenderRequest {
        values: turned_on(&values, toggles),
        kubernetes_version: settings.newest_kubernetes().to_owned(),
    };
    let outcome = renderer.render(&chart, &request)?;
    let rendering = outcome.map_err(|failure| CommandRefusal::NotRendered { chart: path, failure })?;
    report::write_rendering(out, &rendering)?;
    Ok(0)
}
