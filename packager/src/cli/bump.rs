//! The flags of `chartpack bump`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{FetchArguments, OptionalHelmArguments, Output};
use crate::bump::Target;

const EXAMPLES: &str = "\
Examples:
  chartpack bump playcekube.yaml
      ask every upstream for newer versions and say what each would mean for the recipe's edits
  chartpack bump seed-charts/ingress-nginx --to 4.9.0 --write
      write this version, its digest and `revision: 0` into the recipe; everything else stays as it is
  chartpack bump playcekube.yaml --offline --output json
      the same from what the vault holds

Nothing is written without --write, and then only recipes. What is fetched is kept in the vault.

Exit codes:
  0  every recipe is current, or its edits hold on the newer version
  1  a recipe needs a hand, or was refused; each line says which
  2  the command line is wrong
  3  upstreams could not be reached or did not answer";

/// Flags of `bump`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct BumpArguments {
    /// The catalogue file, or a recipe or its folder
    #[arg(default_value = "playcekube.yaml", value_name = "CATALOGUE|RECIPE", value_hint = ValueHint::AnyPath)]
    pub(crate) source: PathBuf,
    /// Look at this recipe, or the recipes of this group, alone
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Vec<String>,
    /// Go to this version, or this commit of a git repository; for one recipe alone
    #[arg(long, value_name = "VERSION")]
    pub(crate) to: Option<Target>,
    /// Use no network: what the vault holds counts
    #[arg(long)]
    pub(crate) offline: bool,
    /// Write the newer versions into the recipes
    #[arg(long)]
    pub(crate) write: bool,
    /// How upstreams are asked
    #[command(flatten)]
    pub(crate) fetch: FetchArguments,
    /// How helm is run
    #[command(flatten)]
    pub(crate) helm: OptionalHelmArguments,
    /// How to report
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,
}
