//! `chartroom collect-garbage`: one run of the collector.

use std::time::Duration;

use clap::Args;

use super::Output;
use crate::config::parse_duration;

pub(super) const EXAMPLES: &str = "\
Examples:
  chartroom collect-garbage --dry-run             tell what would go
  chartroom collect-garbage --grace 1h            make room now; what was deleted before that cannot come back
  chartroom collect-garbage --grace 0s --offline  with no server running: leave nothing but what is published

Servers collect every hour by themselves. A run works beside them, may be stopped at any moment, and the next one goes on.";

/// Flags of `collect-garbage`.
#[derive(Debug, Args)]
pub(crate) struct CollectGarbageFlags {
    /// Keep what became unreferenced less than this ago [default: collection.grace, 24h]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub(crate) grace: Option<Duration>,
    /// Nothing is being published: also take files of the last hour that the catalog does not know
    #[arg(long)]
    pub(crate) offline: bool,
    /// Count, and remove nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How to print what went
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
}
