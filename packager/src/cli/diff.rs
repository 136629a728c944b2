//! The flags of `chartpack diff`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{OptionalHelmArguments, Output, VaultFolder};

const EXAMPLES: &str = "\
Examples:
  chartpack diff ingress-nginx-4.1.4.tgz ingress-nginx-4.9.0.tgz
      metadata, values by path, files with their counts, images
  chartpack diff ingress-nginx-4.1.4.tgz seed-charts/ingress-nginx --full --rendered
      what a recipe makes of an archive, with every changed line, and resource by resource
  chartpack diff 2026-08/playcekube.lock playcekube.lock --exit-code
      two deliveries, chart by chart; ends with 1 when they differ

A side is an archive, a chart's folder, a recipe or a lock; a lock is compared with a lock. Charts of a lock are built
from the vault, and so is a recipe whose chart is elsewhere. Images come from renderings with helm; --without-helm takes
those that values name.";

/// Flags of `diff`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DiffArguments {
    /// Archive, chart folder, recipe or lock
    #[arg(value_name = "BEFORE", value_hint = ValueHint::AnyPath)]
    pub(crate) before: PathBuf,
    /// Archive, chart folder, recipe or lock
    #[arg(value_name = "AFTER", value_hint = ValueHint::AnyPath)]
    pub(crate) after: PathBuf,
    /// Show the changed lines of files, and of resources with --rendered
    #[arg(long)]
    pub(crate) full: bool,
    /// Compare what both render to, resource by resource
    #[arg(long, conflicts_with = "without_helm")]
    pub(crate) rendered: bool,
    /// End with 1 when something differs
    #[arg(long)]
    pub(crate) exit_code: bool,
    /// The lock that has the recipes
    #[arg(long, value_name = "LOCK", default_value = "playcekube.lock", value_hint = ValueHint::FilePath)]
    pub(crate) lock: PathBuf,
    /// Where everything is kept that was ever locked
    #[command(flatten)]
    pub(crate) vault: VaultFolder,
    /// How helm is run
    #[command(flatten)]
    pub(crate) helm: OptionalHelmArguments,
    /// How to report
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,
}
