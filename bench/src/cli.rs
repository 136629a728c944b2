//! The command line: which row, on which stores, how thoroughly.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use crate::stores::Stores;

/// Measures Chartroom beside nginx, docker-registry and ChartMuseum, in turns, and writes the report
#[derive(Debug, Parser)]
#[command(
    name = "bench",
    after_help = "\
Examples:
  bench                                   measure everything and write bench/REPORT.md
  bench --quick                           a look in between, written to the target folder
  bench publish --stores production       one row on Postgres and MinIO, printed
  bench packager                          the packager over community charts, into bench/PACKAGER.md

ChartMuseum is measured where CHARTMUSEUM names its program. Filled corpora are kept in the target folder."
)]
pub(crate) struct Cli {
    /// What to measure
    #[arg(value_enum, default_value_t)]
    pub(crate) work: Work,
    /// What Chartroom keeps everything in [default: both, one after the other]
    #[arg(long, value_enum)]
    pub(crate) stores: Option<Stores>,
    /// At most 10,000 versions and short windows
    #[arg(long)]
    pub(crate) quick: bool,
    /// The folder of charts for the packager [default: shared/upstream/charts beside the repository]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) charts: Option<PathBuf>,
    /// Where the report of everything goes, or that of the packager
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
    /// Publish rate with one replica and with several.
    Replicas,
    /// What each publish asks of bucket and database.
    StoreRequests,
    /// Small blobs and manifests of the registry, against docker-registry.
    RegistrySmall,
    /// One layer of a gibibyte, both ways, against docker-registry.
    RegistryLayer,
    /// What each small blob asks of bucket and database.
    RegistryRequests,
    /// The packager over a folder of charts, into a report of its own.
    Packager,
}

impl Cli {
    /// Returns the stores to measure on.
    pub(crate) fn stores(&self) -> Vec<Stores> {
        self.stores.map_or_else(|| Stores::ALL.to_vec(), |stores| vec![stores])
    }
}

impl Work {
    /// Returns those of the rows on such stores that were asked for.
    pub(crate) fn rows_on(self, stores: Stores) -> Vec<Self> {
        stores.rows().iter().copied().filter(|row| [Self::All, *row].contains(&self)).collect()
    }
}
