//! Flags of `images`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{Output, ViewArguments};
use crate::images::ImageName;

const EXAMPLES: &str = "\
Examples:
  chartpack images linkerd-viz-2.11.1.tgz
  chartpack images argo-cd-4.9.11.tgz --why redis:7.0.0-alpine
      every place that names this image, and the toggles that show it
  chartpack images velero --kube-version 1.22.5 --kube-version 1.31.0 --output json
      with the images that only one of the two versions needs

The chart is rendered as it is and with every switch that is off turned on; `--profile` asks for less.";

/// Flags of `images`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ImagesArguments {
    /// Chart folders, recipe files or archives
    #[arg(required = true, value_name = "CHART", value_hint = ValueHint::AnyPath)]
    pub(crate) charts: Vec<PathBuf>,
    /// Show every place that names this image
    #[arg(long, value_name = "IMAGE")]
    pub(crate) why: Option<ImageName>,
    /// List the images too that only `helm test` uses
    #[arg(long)]
    pub(crate) tests: bool,
    /// How the charts are looked at
    #[command(flatten)]
    pub(crate) view: ViewArguments,
    /// How to report
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,
}
