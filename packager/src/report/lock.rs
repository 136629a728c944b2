//! What `lock` says.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

use serde_json::json;

use crate::cli::Output;
use crate::lock::{Locked, LockedForeign, LockedImage, Moved};

/// Says what was locked and what moved.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write_locked(
    out: &mut dyn Write,
    path: &Path,
    locked: &Locked,
    is_check: bool,
    output: Output,
) -> io::Result<()> {
    let Locked { lock, moved, .. } = locked;
    let moved = moved.as_deref().unwrap_or_default();
    match output {
        Output::Json => {
            let moved: Vec<_> =
                moved.iter().map(|Moved { recipe, what }| json!({"recipe": recipe, "what": what})).collect();
            let report = json!({
                "lock": path.display().to_string(),
                "written": !is_check,
                "moved": moved,
                "charts": lock.charts.iter().map(|(recipe, chart)| json!({
                    "recipe": recipe, "name": chart.name, "version": chart.version,
                    "digest": chart.archive.digest, "drift": chart.drift, "images": chart.images,
                    "relocation": chart.relocation, "foreign": chart.foreign,
                })).collect::<Vec<_>>(),
            });
            writeln!(out, "{}", serde_json::to_string_pretty(&report)?)
        }
        Output::Text => {
            for Moved { recipe, what } in moved {
                let of = if recipe.is_empty() { String::new() } else { format!("{recipe}: ") };
                writeln!(out, "moved: {of}{what}")?;
            }
            for (recipe, chart) in &lock.charts {
                for drift in &chart.drift {
                    writeln!(out, "drifted: {recipe}: {drift}")?;
                }
            }
            write_images(out, locked)?;
            match (is_check, moved.len()) {
                (true, 0) => writeln!(out, "nothing moved since {} was made", path.display()),
                (true, count) => writeln!(out, "{count} moved since {} was made", path.display()),
                (false, _) => writeln!(out, "{} charts locked in {}", lock.charts.len(), path.display()),
            }
        }
    }
}

/// Names what no value moves and nobody declared, and what has no digest.
fn write_images(out: &mut dyn Write, locked: &Locked) -> io::Result<()> {
    let Locked { lock, is_resolved, .. } = locked;
    for (recipe, chart) in &lock.charts {
        for LockedForeign { image, place, .. } in chart.foreign.iter().filter(|one| one.declared.is_none()) {
            writeln!(
                out,
                "foreign: {recipe}: no value moves {image} of {place}: patch it (`--proofs` shows how), or waive the check `foreign-image`"
            )?;
        }
        for image in chart.images.iter().filter(|image| *is_resolved && image.platforms.is_empty()) {
            writeln!(out, "left out: {recipe}: {} has none of the platforms", image.name)?;
        }
    }
    let images = lock.charts.values().flat_map(|chart| &chart.images);
    let unresolved: BTreeSet<&str> =
        images.filter(|image| image.digest.is_none()).map(LockedImage::source).collect();
    if !unresolved.is_empty() {
        writeln!(out, "unresolved: {} images have no digest: no registry was asked", unresolved.len())?;
    }
    Ok(())
}
