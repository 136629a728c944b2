//! What `pack` says.

use std::io::{self, Write};
use std::path::Path;

use oci::Digest;
use serde::Serialize;
use similar::TextDiff;

use crate::build::Packed;
use crate::cli::Output;
use crate::target::path_in;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'report> {
    archive: String,
    name: &'report str,
    version: &'report str,
    #[serde(skip_serializing_if = "str::is_empty")]
    app_version: &'report str,
    digest: String,
    size_bytes: usize,
    edited_files: Vec<&'static str>,
    written: bool,
}

/// Shows every edited file as a unified diff.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write_edits(out: &mut dyn Write, packed: &[&Packed]) -> io::Result<()> {
    for Packed { chart, edits, .. } in packed {
        for edit in edits {
            let (before, after) =
                (format!("{}/{} as it is", chart.metadata.name, edit.path), "as it is packed");
            let diff = TextDiff::from_lines(&edit.before, &edit.after);
            write!(out, "{}", diff.unified_diff().context_radius(2).header(&before, after))?;
        }
    }
    Ok(())
}

/// Lists the archives with their digests.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write_packed(
    out: &mut dyn Write,
    folder: &Path,
    packed: &[&Packed],
    is_written: bool,
    output: Output,
) -> io::Result<()> {
    let paths = packed.iter().map(|packed| path_in(folder, &packed.chart.file_name));
    let lines = packed.iter().zip(paths).map(|(Packed { chart, edits, .. }, path)| Line {
        archive: path.display().to_string(),
        name: chart.metadata.name.as_str(),
        version: chart.metadata.version.as_str(),
        app_version: &chart.metadata.app_version,
        digest: Digest::sha256(&chart.bytes).to_string(),
        size_bytes: chart.bytes.len(),
        edited_files: edits.iter().map(|edit| edit.path).collect(),
        written: is_written,
    });
    match output {
        Output::Json => writeln!(out, "{}", serde_json::to_string_pretty(&lines.collect::<Vec<_>>())?),
        Output::Text => {
            let verb = if is_written { "" } else { "would write " };
            lines.into_iter().try_for_each(|line| writeln!(out, "{verb}{} {}", line.archive, line.digest))
        }
    }
}
