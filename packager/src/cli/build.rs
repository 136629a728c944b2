//! The flags of `chartpack build`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{HelmArguments, Output, VaultFolder};

const EXAMPLES: &str = "\
Examples:
  chartpack build playcekube.yaml -o dist
      build every chart of playcekube.lock, after a check that the recipes are those that were locked
  chartpack build playcekube.lock -o dist
      the same from lock and vault alone, without the recipes
  chartpack build playcekube.yaml --only cicd --only harbor --dry-run
      build a group and a recipe, show the edits, write nothing

No network is used. The same lock gives the same bytes on every machine. Nothing is written unless all charts build and
pass the gate (`chartpack gate --help`), which renders them with helm.";

/// Flags of `build`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct BuildArguments {
    /// The catalogue file, or the lock itself
    #[arg(default_value = "playcekube.yaml", value_name = "CATALOGUE", value_hint = ValueHint::FilePath)]
    pub(crate) catalogue: PathBuf,
    /// Folder to write the archives to
    #[arg(short, long = "out-dir", value_name = "FOLDER", default_value = ".", value_hint = ValueHint::DirPath)]
    pub(crate) out: PathBuf,
    /// Build this recipe, or the recipes of this group, alone
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Vec<String>,
    /// Where everything is kept that was ever locked
    #[command(flatten)]
    pub(crate) vault: VaultFolder,
    /// How many charts to build at once
    #[arg(long, value_name = "COUNT", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) jobs: u16,
    /// Do not render the charts: nothing is proven then
    #[arg(long)]
    pub(crate) no_gate: bool,
    /// How helm is run
    #[command(flatten)]
    pub(crate) helm: HelmArguments,
    /// Write nothing: show the edits and what would be written
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Write a provenance file beside each archive, signed with this OpenPGP secret key
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) sign_key: Option<PathBuf>,
    /// File with the key's passphrase [default: CHARTPACK_SIGNING_PASSPHRASE]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "sign_key")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// How to report
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,
}
