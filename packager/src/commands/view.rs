//! What the flags of a view mean: settings of the renderer, and of the chart's images.

use std::path::{Path, PathBuf};

use chart::archive::Limits;
use chart::yaml::{Budget, InvalidValues, parse_values};
use serde_json::Map;

use super::CommandRefusal;
use crate::cli::{HelmArguments, ViewArguments};
use crate::config::Config;
use crate::profile::ImageSettings;
use crate::recipe::ValueEdit;
use crate::render::{DEFAULT_KUBERNETES_VERSION, RenderSettings, Renderer, StagedChart};
use crate::source::{Source, SourceError, read_bounded};
use crate::toggle::set_over;

/// Why the flags of a view mean nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidView {
    /// A file of values cannot be read, or is larger than any chart.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A file of values holds none.
    #[error("`{path}`: {problem}")]
    Values {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        problem: InvalidValues,
    },
}

/// Opens the renderer that the flags ask for.
pub(super) fn renderer(arguments: &ViewArguments, config: &Config) -> Result<Renderer, CommandRefusal> {
    open_renderer(&arguments.renderer, config)
}

/// Opens the renderer that the flags of a command ask for which looks at many charts.
pub(super) fn open_renderer(arguments: &HelmArguments, config: &Config) -> Result<Renderer, CommandRefusal> {
    let cache = config.cache.as_ref().filter(|_| !arguments.no_cache);
    Ok(Renderer::new(&RenderSettings {
        helm: arguments.helm.clone().or_else(|| config.helm.clone()),
        cache: cache.map(|folder| folder.join("renderings")),
        time_limit: arguments.time_limit,
    })?)
}

/// Reads a chart and lays it out for helm.
pub(super) fn staged(path: &Path) -> Result<StagedChart, CommandRefusal> {
    Ok(StagedChart::new(Source::read(path)?.files)?)
}

/// Returns what the flags say about the images of a chart.
pub(super) fn image_settings(
    arguments: &ViewArguments,
    chart: &StagedChart,
) -> Result<ImageSettings, InvalidView> {
    let mut values = Map::new();
    for path in &arguments.values {
        let bytes = read_bounded(path, Limits::default().file_bytes)?;
        let layer = parse_values(&bytes, &Budget::for_values())
            .map_err(|problem| InvalidView::Values { path: path.clone(), problem })?;
        lay_over(&mut values, layer);
    }
    for (path, value) in &arguments.settings {
        set_over(&mut values, chart.values(), path, value.clone());
    }
    let probes = arguments.probes.iter().cloned();
    let probe_values = probes.map(|(path, value)| ValueEdit { path, value, at: None }).collect();
    let versions = match arguments.kubernetes_versions.as_slice() {
        [] => vec![DEFAULT_KUBERNETES_VERSION.to_owned()],
        versions => versions.to_vec(),
    };
    Ok(ImageSettings {
        profile: arguments.profile,
        toggles: arguments.toggles.clone(),
        values,
        probe_values,
        views: Vec::new(),
        extra_images: Vec::new(),
        substitutions: arguments.substitutions.clone(),
        kubernetes_versions: versions,
    })
}

/// Unlike between chart and values, null stays here: it takes the chart's value away.
fn lay_over(under: &mut Map<String, serde_json::Value>, over: Map<String, serde_json::Value>) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(serde_json::Value::Object(below)), serde_json::Value::Object(above)) => {
                lay_over(below, above)
            }
            (_, value) => _ = under.insert(key, value),
        }
    }
}
