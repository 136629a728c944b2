//! The flags of `chartpack pack`.

use std::path::PathBuf;

use chart::ChartVersion;
use clap::{Args, ValueHint};

use super::{Output, strict};

const PACK_EXAMPLES: &str = "\
Examples:
  chartpack pack seed-charts/keepalived
      apply recipe.yaml and write ./keepalived-0.1.0.tgz
  chartpack pack seed-charts/keepalived seed-charts/curl -o dist
      several at once; nothing is written unless all of them pack
  chartpack pack seed-charts/keepalived --dry-run
      show the edits as a diff and what would be written
  chartpack pack upstream-1.2.3.tgz --version 1.2.301 -o dist
      pack an archive again under a version of your own

A folder with recipe.yaml is packed by its recipe, any other chart folder and every .tgz as it is.
The same input gives the same bytes on every run and machine; SOURCE_DATE_EPOCH sets the time of the files inside.";

/// Flags of `pack`.
#[derive(Debug, Args)]
#[command(after_help = PACK_EXAMPLES)]
pub(crate) struct PackArguments {
    /// Chart folders, recipe files or archives
    #[arg(required = true, value_name = "CHART", value_hint = ValueHint::AnyPath)]
    pub(crate) sources: Vec<PathBuf>,
    /// Folder to write the archives to
    #[arg(short, long = "out-dir", value_name = "FOLDER", default_value = ".", value_hint = ValueHint::DirPath)]
    pub(crate) out: PathBuf,
    /// Version to give the chart, over Chart.yaml and recipe
    #[arg(long, value_parser = strict)]
    pub(crate) version: Option<ChartVersion>,
    /// App version to give the chart, over Chart.yaml and recipe
    #[arg(long, value_name = "VERSION")]
    pub(crate) app_version: Option<String>,
    /// Write nothing: show the edits and what would be written
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How to report
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,
}
