//! The flags of `chartpack gate`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{HelmArguments, Output, VaultFolder};
use crate::edit::ValuePath;
use crate::gate::Check;
use crate::toggle::Toggle;

const EXAMPLES: &str = "\
Examples:
  chartpack gate playcekube.yaml
      judge every chart of playcekube.lock as `build` would make it, with the waivers of its recipe
  chartpack gate playcekube.yaml --only harbor --output json
  chartpack gate seed-charts/keepalived --registry registry.local.cloud:5000
      judge a chart on this machine by its recipe
  chartpack gate harbor-19.3.0.tgz --upstream harbor-upstream-19.3.0.tgz --kube-version 1.24 --kube-version 1.31
      judge an archive, and name the files that upstream's does not have

Exit code 0 when every chart may be delivered, 1 when one is refused. Links for people are listed and refuse nothing.";

/// Flags of `gate`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct GateArguments {
    /// Catalogue files, locks, recipes, chart folders or archives
    #[arg(required = true, value_name = "CATALOGUE|RECIPE|CHART", value_hint = ValueHint::AnyPath)]
    pub(crate) sources: Vec<PathBuf>,
    /// Of a catalogue, judge this recipe, or the recipes of this group, alone
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Vec<String>,
    /// Where everything is kept that was ever locked
    #[command(flatten)]
    pub(crate) vault: VaultFolder,
    /// The site's registry; other images refuse the chart [default: that of the catalogue; without one they are listed]
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) registry: Option<String>,
    /// Of an archive, the upstream chart it was made from
    #[arg(long, value_name = "CHART", value_hint = ValueHint::AnyPath)]
    pub(crate) upstream: Option<PathBuf>,
    /// Kubernetes version to render for; may be given several times, the newest last [default: those of the catalogue, else 1.31.0]
    #[arg(long = "kube-version", value_name = "VERSION")]
    pub(crate) kubernetes_versions: Vec<String>,
    /// A toggle that will be used, besides those of the recipe: a switch, or PATH=TEXT; may be given several times
    #[arg(long = "toggle", value_name = "PATH")]
    pub(crate) toggles: Vec<Toggle>,
    /// One value that only makes a chart render that demands it, as PATH=YAML
    #[arg(long = "probe", value_name = "PATH=VALUE", value_parser = super::render::parse_setting)]
    pub(crate) probes: Vec<(ValuePath, serde_json::Value)>,
    /// Leave this check out, and say so; may be given several times
    #[arg(long = "skip", value_name = "CHECK")]
    pub(crate) skipped: Vec<Check>,
    /// How many charts to build at once
    #[arg(long, value_name = "COUNT", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) jobs: u16,
    /// How helm is run
    #[command(flatten)]
    pub(crate) helm: HelmArguments,
    /// Show what is only listed too
    #[arg(long)]
    pub(crate) all: bool,
    /// How to report
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,
}
