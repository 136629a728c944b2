//! `chartroom removed` and `chartroom undelete`: what was deleted or replaced, and bringing it back.

use clap::Args;

use super::Output;
use crate::repository_path::RepositoryPath;

pub(super) const REMOVED_EXAMPLE: &str = "\
Example:
  chartroom removed --repository team/a

Each version is kept for collection.grace, 24h unless configured, and goes with the next collection after that.";

pub(super) const UNDELETE_EXAMPLE: &str = "\
Example:
  chartroom undelete keepalived 0.1.0 --repository team/a

What was replaced can come back too, once the version in its place is deleted.";

/// Flags of `removed`.
#[derive(Debug, Args)]
pub(crate) struct RemovedFlags {
    /// The repository; `/` is the default one
    #[arg(long, value_name = "PATH", default_value = "/")]
    pub(crate) repository: RepositoryPath,
    /// How to print them
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
}

/// Flags of `undelete`.
#[derive(Debug, Args)]
pub(crate) struct UndeleteFlags {
    /// The chart's name
    pub(crate) chart: String,
    /// Its version, exactly as it was published
    pub(crate) version: String,
    /// The repository; `/` is the default one
    #[arg(long, value_name = "PATH", default_value = "/")]
    pub(crate) repository: RepositoryPath,
}
