//! The command line: which row, how thoroughly.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Measures Chartroom beside nginx and ChartMuseum, in turns, and writes the report
#[derive(Debug, Parser)]
#[command(
    name = "bench",
    after_help = "\
Examples:
  bench                     measure everything and write bench/REPORT.md: 10 to 20 minutes
  bench --quick             a look in between: under 3 minutes, written to the target folder
  bench index-get           one row, printed

ChartMuseum is measured where CHARTMUSEUM names its program. Filled corpora are kept in the target folder."
)]
pub(crate) struct Cli {
    /// What to measure
    #[arg(value_enum, default_value_t)]
    pub(crate) work: Work,
    /// At most 10,000 versions and short windows
    #[arg(long)]
    pub(crate) quick: bool,
    /// Where the report of everything goes
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

/// A row of the report, or all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Work {
    /// Everything, into the report.
    #[default]
    All,
    /// Index GET against nginx on the same bytes.
    IndexGet,
    /// Time to the first byte of the index while others publish.
    IndexLatency,
    /// Publish until listed, against the disk's own floor.
    Publish,
    /// Whether a version is in the index once it was acknowledged.
    Listed,
    /// Start to first index.
    Start,
    /// Resident memory.
    Memory,
    /// Archive GET against nginx.
    ArchiveGet,
    /// Hostile Chart.yaml files.
    Hostile,
    /// helm's own commands against a static index on nginx.
    Helm,
    /// The lean index's share of the full one.
    Lean,
}

impl Work {
    /// The rows in the order of the report.
    pub(crate) const ROWS: [Self; 10] = [
        Self::IndexGet,
        Self::IndexLatency,
        Self::Publish,
        Self::Listed,
        Self::Start,
        Self::Memory,
        Self::ArchiveGet,
        Self::Hostile,
        Self::Helm,
        Self::Lean,
    ];
}
