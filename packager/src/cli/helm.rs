//! The flags of commands that look at renderings.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};

/// How helm is run.
#[derive(Debug, Args)]
pub(crate) struct HelmArguments {
    /// The helm program [default: CHARTPACK_HELM, else helm in the search path]
    #[arg(long, value_name = "PROGRAM", value_hint = ValueHint::ExecutablePath)]
    pub(crate) helm: Option<PathBuf>,
    /// Neither read nor fill the cache of renderings
    #[arg(long)]
    pub(crate) no_cache: bool,
    /// How long one rendering may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "120", value_parser = super::parse_seconds)]
    pub(crate) time_limit: Duration,
}

/// How helm is run, if at all.
#[derive(Debug, Args)]
pub(crate) struct OptionalHelmArguments {
    /// Take images from values and annotations alone
    #[arg(long)]
    pub(crate) without_helm: bool,
    /// Kubernetes version to render for [default: 1.31.0, or the newest of the catalogue file]
    #[arg(long = "kube-version", value_name = "VERSION")]
    pub(crate) kubernetes_version: Option<chart::ChartVersion>,
    /// How helm is run.
    #[command(flatten)]
    pub(crate) helm: HelmArguments,
}
