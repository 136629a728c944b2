//! What `render` and `images` say.

use std::io::{self, Write};

use chart::ChartMetadata;
use serde::Serialize;

use crate::cli::Output;
use crate::images::{Discovery, Fetch, FoundImage, ImageName, Proposal, Trail};
use crate::render::Rendering;

/// The images of one chart, as they are reported.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ImageList {
    chart: String,
    version: String,
    images: Vec<FoundImage>,
    unconfirmed: Vec<Proposal>,
    fetches: Vec<Fetch>,
    toggles: usize,
    refused_toggles: Vec<Refused>,
    left_out_templates: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Refused {
    toggle: String,
    reason: String,
}

impl ImageList {
    /// Takes what was discovered; images that only tests use stay out unless they are asked for.
    pub(crate) fn new(metadata: &ChartMetadata, discovery: Discovery, with_tests: bool) -> Self {
        let Discovery { mut images, unconfirmed, substitutions: _, fetches, survey } = discovery;
        images.retain(|found| with_tests || !found.only_tests);
        let refused = survey
            .refused
            .iter()
            .map(|(toggle, failure)| Refused { toggle: toggle.to_string(), reason: failure.to_string() });
        Self {
            chart: metadata.name.to_string(),
            version: metadata.version.to_string(),
            images,
            unconfirmed,
            fetches,
            toggles: survey.toggles,
            refused_toggles: refused.collect(),
            left_out_templates: survey.left_out.iter().map(ToString::to_string).collect(),
        }
    }
}

/// Prints what a chart renders to.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write_rendering(out: &mut dyn Write, rendering: &Rendering) -> io::Result<()> {
    for document in &rendering.documents {
        write!(out, "---\n# Source: {}\n{}", document.template, document.text)?;
    }
    Ok(())
}

/// Lists the images of charts.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write_images(out: &mut dyn Write, lists: &[ImageList], output: Output) -> io::Result<()> {
    match output {
        Output::Json => writeln!(out, "{}", serde_json::to_string_pretty(lists)?),
        Output::Text => lists.iter().try_for_each(|list| write_list(out, list)),
    }
}

fn write_list(out: &mut dyn Write, list: &ImageList) -> io::Result<()> {
    let count = list.images.len();
    writeln!(out, "{} {}: {count} images, {} toggles", list.chart, list.version, list.toggles)?;
    for found in &list.images {
        let pinned = if found.pinned { " (pinned)" } else { "" };
        let source =
            found.fetched_as.as_ref().map(|image| format!(", fetched as {image}")).unwrap_or_default();
        let trail = found.trails.first().map(Trail::to_string).unwrap_or_default();
        writeln!(out, "  {}{pinned}{source}  {trail}", found.image)?;
    }
    for proposal in &list.unconfirmed {
        writeln!(out, "  not seen in any rendering: {} of {}", proposal.image, proposal.named_by)?;
    }
    for fetch in &list.fetches {
        writeln!(out, "  needs the network: {}; {}", fetch.what, fetch.remedy)?;
    }
    for Refused { toggle, reason } in &list.refused_toggles {
        writeln!(out, "  not turned on whole: {toggle}: {reason}")?;
    }
    for template in &list.left_out_templates {
        writeln!(out, "  left out, give it its values with --probe: {template}")?;
    }
    Ok(())
}

/// Shows every place that names one image; returns whether any does.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write_why(
    out: &mut dyn Write,
    lists: &[ImageList],
    image: &ImageName,
    output: Output,
) -> io::Result<bool> {
    let is_asked_for = |found: &&FoundImage| {
        found.image == *image || (image.is_bare() && found.image.repository() == image.repository())
    };
    let mut found = Vec::new();
    for list in lists {
        found.extend(list.images.iter().filter(is_asked_for).map(|image| (list, image)));
    }
    match output {
        Output::Json => {
            let entries: Vec<_> = found
                .iter()
                .map(|(list, image)| serde_json::json!({"chart": list.chart, "version": list.version, "image": image}))
                .collect();
            writeln!(out, "{}", serde_json::to_string_pretty(&entries)?)?;
        }
        Output::Text if found.is_empty() => writeln!(out, "no chart needs {image}")?,
        Output::Text => {
            for (list, image) in &found {
                writeln!(out, "{} in {} {}", image.image, list.chart, list.version)?;
                for trail in &image.trails {
                    writeln!(out, "  {}", trail)?;
                }
            }
        }
    }
    Ok(!found.is_empty())
}
