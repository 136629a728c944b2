//! The flags of `chartpack vault`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::Output;

const EXAMPLES: &str = "\
Examples:
  chartpack vault list
  chartpack vault verify
  chartpack vault collect --keep playcekube.lock --keep 2026-08/playcekube.lock --dry-run
      what would go because neither lock names it";

/// Flags of `vault`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct VaultArguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) action: VaultAction,
    /// Folder of the vault [default: CHARTPACK_VAULT, else in the user's data folder]
    #[arg(long, global = true, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub(crate) vault: Option<PathBuf>,
    /// How to report
    #[arg(long, global = true, value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,
}

/// What to do with the vault.
#[derive(Debug, Subcommand)]
pub(crate) enum VaultAction {
    /// List what it holds
    List,
    /// Read every byte and name the files that were changed
    Verify,
    /// Remove what no lock names
    Collect {
        /// A lock whose inputs stay, of a catalogue file or of an image
        #[arg(long, required = true, value_name = "LOCK", value_hint = ValueHint::FilePath)]
        keep: Vec<PathBuf>,
        /// Remove nothing: say what would go
        #[arg(long)]
        dry_run: bool,
    },
}
