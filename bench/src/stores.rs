//! The pairs of stores that Chartroom is measured on.

use clap::ValueEnum;

use crate::cli::Work;

/// What keeps catalog and blobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Stores {
    /// SQLite and a folder.
    Embedded,
    /// Postgres and MinIO, started for the run.
    Production,
}

impl Stores {
    /// Both, in the order of the report.
    pub(crate) const ALL: [Self; 2] = [Self::Embedded, Self::Production];

    /// Returns what a reader calls them.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Embedded => "SQLite and a folder",
            Self::Production => "Postgres and MinIO",
        }
    }

    /// Returns the rows that say something about them, in the order of the report.
    pub(crate) fn rows(self) -> &'static [Work] {
        match self {
            Self::Embedded => &[
                Work::IndexGet,
                Work::IndexLatency,
                Work::Publish,
                Work::Listed,
                Work::Start,
                Work::Memory,
                Work::ArchiveGet,
                Work::Hostile,
                Work::Helm,
                Work::Lean,
                Work::RegistrySmall,
                Work::RegistryLayer,
            ],
            Self::Production => &[
                Work::IndexGet,
                Work::IndexLatency,
                Work::Publish,
                Work::Listed,
                Work::Start,
                Work::Memory,
                Work::ArchiveGet,
                Work::Hostile,
                Work::Replicas,
                Work::StoreRequests,
                Work::RegistrySmall,
                Work::RegistryLayer,
                Work::RegistryRequests,
            ],
        }
    }
}
