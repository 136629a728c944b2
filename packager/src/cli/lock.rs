//! The flags of `chartpack lock`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{FetchArguments, HelmArguments, Output};
use crate::lock::ImageMode;

const EXAMPLES: &str = "\
Examples:
  chartpack lock playcekube.yaml
      fetch everything that the recipes name and write playcekube.lock
  chartpack lock playcekube.yaml --check
      ask every upstream again, write nothing, and name what moved
  chartpack lock playcekube.yaml --update harbor --update gitlab
      resolve these two anew: newer dependencies, and changed bytes of published versions
  chartpack lock playcekube.yaml --mirror https://charts.gitlab.io=https://nexus.local.cloud/repository/gitlab
      inside a closed network: the lock names charts.gitlab.io all the same
  chartpack lock playcekube.yaml --images names --proofs proofs
      move the image references to the site without asking any registry, and write down what moved

What was locked before is taken from the vault; other bytes for a locked version are refused.
Credentials come from helm's repositories.yaml and registry/config.json, docker's config.json and netrc, by host.
HTTPS_PROXY, HTTP_PROXY and NO_PROXY are followed.

Exit codes:
  0  the lock is written, or nothing moved
  1  something was refused, or moved
  2  the command line is wrong
  3  upstreams could not be reached or did not answer";

/// Flags of `lock`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct LockArguments {
    /// The catalogue file
    #[arg(default_value = "playcekube.yaml", value_name = "CATALOGUE", value_hint = ValueHint::FilePath)]
    pub(crate) catalogue: PathBuf,
    /// Write nothing: name what moved since it was locked
    #[arg(long, conflicts_with = "update")]
    pub(crate) check: bool,
    /// Resolve this recipe anew, whatever was locked
    #[arg(long, value_name = "RECIPE")]
    pub(crate) update: Vec<String>,
    /// How far to look into the charts' images
    #[arg(long, value_enum, default_value = "digests")]
    pub(crate) images: ImageMode,
    /// Folder to write the proof of each chart's relocation to, for people
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub(crate) proofs: Option<PathBuf>,
    /// How upstreams are asked
    #[command(flatten)]
    pub(crate) fetch: FetchArguments,
    /// How helm is run
    #[command(flatten)]
    pub(crate) renderer: HelmArguments,
    /// How to report
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,
}
