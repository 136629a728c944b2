//! What `sign` says.

use std::io::{self, Write};
use std::path::PathBuf;

use serde::Serialize;

use crate::cli::Output;

/// A provenance file, and what became of it.
#[derive(Debug, Serialize)]
pub(crate) struct Signed {
    /// The file.
    pub(crate) provenance: PathBuf,
    /// What became of it.
    #[serde(flatten)]
    pub(crate) state: SignedState,
}

/// What became of a provenance file.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase", tag = "state")]
pub(crate) enum SignedState {
    /// It was written.
    Written,
    /// It was good already.
    Unchanged,
    /// It was checked and is good.
    Good {
        /// The fingerprint of the key that signed it.
        signer: String,
    },
    /// It was checked and is not good.
    Refused {
        /// Why.
        reason: String,
    },
}

impl Signed {
    /// Returns whether it was checked and is not good.
    pub(crate) fn is_refused(&self) -> bool {
        matches!(self.state, SignedState::Refused { .. })
    }
}

/// Says what was signed, or found signed.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write_signed(out: &mut dyn Write, signed: &[Signed], output: Output) -> io::Result<()> {
    match output {
        Output::Json => writeln!(out, "{}", serde_json::to_string_pretty(signed)?),
        Output::Text => signed.iter().try_for_each(|Signed { provenance, state }| {
            let provenance = provenance.display();
            match state {
                SignedState::Written => writeln!(out, "signed: {provenance}"),
                SignedState::Unchanged => writeln!(out, "signed already: {provenance}"),
                SignedState::Good { signer } => writeln!(out, "good: {provenance}, signed by {signer}"),
                SignedState::Refused { reason } => writeln!(out, "refused: {provenance}: {reason}"),
            }
        }),
    }
}
