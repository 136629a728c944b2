//! What becomes of a version that is to be recorded.

use oci::{Digest, OciName};

use crate::blobs::BlobKey;
use crate::catalog::IndexChange;

/// How much a repository may hold; `None` for no limit.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct VersionLimits {
    /// Archives and provenance files together.
    pub(crate) objects: Option<u64>,
    /// Versions of one chart: the oldest give way.
    pub(crate) versions_per_chart: Option<u32>,
}

/// What became of a version that was to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Recorded {
    /// It is new, or took the place of other bytes.
    Done {
        /// The repository's revision with it.
        revision: i64,
        /// Keys that nothing refers to any longer.
        released: Vec<BlobKey>,
        /// What the index has to show, when this is all that changed.
        change: Option<Box<IndexChange>>,
    },
    /// The same bytes were there; nothing changed.
    Unchanged {
        /// The repository's revision, which has it.
        revision: i64,
    },
    /// Other bytes are published under the same name and version.
    Exists {
        /// Their digest.
        digest: Digest,
    },
    /// Another provenance file is published for this version.
    ProvenanceExists,
    /// Another chart and version share the archive's file name.
    FileNameTaken {
        /// That chart.
        chart: String,
        /// Its version.
        version: String,
    },
    /// Images were pushed under the name that the chart has in the registry.
    NameHoldsImages {
        /// That name.
        name: OciName,
    },
    /// The repository holds as many objects as it may.
    Full {
        /// How many that is.
        objects: u64,
    },
    /// The repository would hold more versions than it may.
    TooManyVersions {
        /// How many it may hold.
        most: u64,
    },
    /// The repository would hold more bytes than it may.
    TooManyBytes {
        /// How many it may hold.
        most: u64,
    },
    /// Nothing may be written at the moment.
    ReadOnly {
        /// Why.
        reason: String,
    },
    /// A blob that was known has been collected since: keep the bytes again.
    BlobGone,
    /// The repository is gone.
    RepositoryGone,
    /// Provenance came for a version that is not there.
    VersionUnknown,
}
