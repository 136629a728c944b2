//! What `relocate` says.

use std::io::{self, Write};

use similar::TextDiff;

use crate::cli::Output;
use crate::relocate::Proof;

/// Shows how `values.yaml` changes.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write_values_diff(out: &mut dyn Write, values: &(String, String)) -> io::Result<()> {
    let diff = TextDiff::from_lines(&values.0, &values.1);
    write!(out, "{}", diff.unified_diff().context_radius(1).header("a/values.yaml", "b/values.yaml"))
}

/// Prints the proofs.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write_proofs(out: &mut dyn Write, proofs: &[Proof], output: Output) -> io::Result<()> {
    match output {
        Output::Json => writeln!(out, "{}", serde_json::to_string_pretty(proofs)?),
        Output::Text => proofs.iter().try_for_each(|proof| writeln!(out, "{}", proof.to_text())),
    }
}
