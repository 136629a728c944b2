//! Flags of `relocate`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{Output, ViewArguments};
use crate::catalogue::PathPolicy;

const EXAMPLES: &str = "\
Examples:
  chartpack relocate linkerd-viz-2.11.1.tgz --to registry.local.cloud:5000 --dry-run
      show the edits and what they move
  chartpack relocate argo-cd-4.9.11.tgz --to registry.local.cloud:5000 -o dist --proof proof.txt
  chartpack relocate minio-4.0.2.tgz --to registry.local.cloud:5000 --path-policy strip-host -o dist

Exit codes:
  0  every image reference points at the registry
  1  some references stay; the proof names them and a patch for each
  2  the command line is wrong";

/// Flags of `relocate`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RelocateArguments {
    /// Chart folders, recipe files or archives
    #[arg(required = true, value_name = "CHART", value_hint = ValueHint::AnyPath)]
    pub(crate) charts: Vec<PathBuf>,
    /// Registry to point at: a host with its port, and a path if the images lie below one
    #[arg(long, value_name = "REGISTRY")]
    pub(crate) to: String,
    /// What becomes of the upstream host
    #[arg(long, value_enum, default_value = "keep-host")]
    pub(crate) path_policy: PathPolicy,
    /// Folder to write the relocated archives to
    #[arg(short, long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub(crate) out: Option<PathBuf>,
    /// File to write the proof to, for people
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) proof: Option<PathBuf>,
    /// Write nothing: show the edits
    #[arg(long, conflicts_with_all = ["out", "proof"])]
    pub(crate) dry_run: bool,
    /// Image that is left to the mirror configuration: host and path; may be given several times
    #[arg(long = "leave", value_name = "IMAGE")]
    pub(crate) left_to_mirror: Vec<String>,
    /// How the chart is looked at
    #[command(flatten)]
    pub(crate) view: ViewArguments,
    /// How to report
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,
}
