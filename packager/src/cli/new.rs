//! The flags of `chartpack new`.

use std::path::PathBuf;

use chart::{ChartName, ChartVersion};
use clap::{Args, ValueHint};
use url::Url;

use crate::scaffold::{ImageReference, Kind};

const NEW_EXAMPLES: &str = "\
Examples:
  chartpack new hello
      a Deployment with a Service, in ./hello
  chartpack new keepalived --kind daemonset --image ubuntu/keepalived:v2.2.4 --app-version 2.2.4
      one pod on every node, no Service
  chartpack new hello --dir seed-charts --version 1.0.0
      in ./seed-charts/hello
  chartpack new linkerd2 --from https://helm.linkerd.io/stable --version 2.11.1
      the recipe of a published chart with its digest, in ./seed-charts/linkerd2
  chartpack new redis --from oci://registry-1.docker.io/bitnamicharts --version 17.0.0
      the same from a registry

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
    /// Repository that publishes the chart, as in `helm repo add`, or `oci://HOST/PATH`: writes its recipe alone
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, requires = "version", conflicts_with_all = ["kind", "image", "app_version"])]
    pub(crate) from: Option<Url>,
    /// Version of the chart [default: 0.1.0; with --from, the one to deliver]
    #[arg(long)]
    pub(crate) version: Option<ChartVersion>,
    /// Version of the application inside [default: the image's tag, else 1.0.0]
    #[arg(long, value_name = "VERSION")]
    pub(crate) app_version: Option<String>,
    /// Folder in which the chart's folder is made [default: the current one; with --from, seed-charts]
    #[arg(long, value_hint = ValueHint::DirPath)]
    pub(crate) dir: Option<PathBuf>,
    /// PEM file with the certificate authorities to trust besides the system's, with --from
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) ca_file: Option<PathBuf>,
}
