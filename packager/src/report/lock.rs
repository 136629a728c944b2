//! What `lock` says.

use std::io::{self, Write};
use std::path::Path;

use serde_json::json;

use crate::cli::Output;
use crate::lock::{Locked, Moved};

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
    let Locked { lock, moved } = locked;
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
                    "digest": chart.archive.digest, "drift": chart.drift,
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
            match (is_check, moved.len()) {
                (true, 0) => writeln!(out, "nothing moved since {} was made", path.display()),
                (true, count) => writeln!(out, "{count} moved since {} was made", path.display()),
                (false, _) => writeln!(out, "{} charts locked in {}", lock.charts.len(), path.display()),
            }
        }
    }
}
