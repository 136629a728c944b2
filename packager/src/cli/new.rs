//! The flags of `chartpack new`.

use std::path::PathBuf;

use chart::{ChartName, ChartVersion};
use clap::{Args, ValueHint};

use super::parse_version;
use crate::scaffold::{ImageReference, Kind};

const NEW_EXAMPLES: &str = "\
Examples:
  chartpack new hello
      a Deployment with a Service, in ./hello
  chartpack new keepalived --kind daemonset --image ubuntu/keepalived:v2.2.4 --app-version 2.2.4
      one pod on every node, no Service
  chartpack new hello --dir seed-charts --version 1.0.0
      in ./seed-charts/hello

The folder holds the chart and recipe.yaml, which names the edits that `chartpack pack` makes.
Nothing is ever overwritten.";

/// Flags of `new`.
#[derive(Debug, Args)]
#[command(after_help = NEW_EXAMPLES)]
pub(crate) struct NewArguments {
    /// Name of the chart and of its folder
    pub(crate) name: ChartName,
    /// What the chart runs
    #[arg(long, value_enum, default_value_t = Kind::Deployment)]
    pub(crate) kind: Kind,
    /// Image to run, as REPOSITORY[:TAG][@DIGEST] [default: NAME, tagged with the app version]
    #[arg(long, value_name = "REFERENCE")]
    pub(crate) image: Option<ImageReference>,
    /// Version of the chart
    #[arg(long, default_value = "0.1.0", value_parser = parse_version)]
    pub(crate) version: ChartVersion,
    /// Version of the application inside [default: the image's tag, else 1.0.0]
    #[arg(long, value_name = "VERSION")]
    pub(crate) app_version: Option<String>,
    /// Folder in which the chart's folder is made
    #[arg(long, default_value = ".", value_hint = ValueHint::DirPath)]
    pub(crate) dir: PathBuf,
}
