//! Why a version was not published, and how the catalog's refusals read to a client.

use chart::archive::{self, ArchiveError};
use chart::{ChartMetadata, ChartName, ChartVersion, InvalidProvenance, ProvenanceMismatch};
use oci::{Digest, OciName, Tag};

use super::super::create_repository::CreateRepositoryError;
use super::super::keep_blob::KeepError;
use crate::catalog::{CatalogError, Recorded};

/// Other bytes are published under a name and version.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{chart}` `{version}` is already published with other bytes ({existing}, these are {given}): publish a new version"
)]
pub(crate) struct VersionTaken {
    chart: ChartName,
    version: ChartVersion,
    existing: Digest,
    given: Digest,
}

/// Why a version was not published.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PublishError {
    /// The caller lacks the right, or the repository is not there and not theirs to create.
    #[error(transparent)]
    Repository(#[from] CreateRepositoryError),
    /// Helm would not load the archive.
    #[error("{0}")]
    Archive(Box<ArchiveError>),
    /// The provenance file is not one.
    #[error("{0}")]
    Provenance(Box<InvalidProvenance>),
    /// The provenance file speaks of another archive.
    #[error(transparent)]
    Mismatch(#[from] ProvenanceMismatch),
    /// The archive is another chart or version than it was listed as.
    #[error("the archive is `{chart}` `{version}`, but was listed as `{listed}`")]
    OtherChart {
        /// What it was listed as.
        listed: String,
        /// The chart it is.
        chart: ChartName,
        /// The version it is.
        version: ChartVersion,
    },
    /// The archive is another chart than the name it was pushed to.
    #[error(
        "the archive is the chart `{chart}`, but was pushed as `{pushed}`: push it to a name that ends in `/{chart}`"
    )]
    OtherName {
        /// The chart of the name.
        pushed: ChartName,
        /// The chart it is.
        chart: ChartName,
    },
    /// The archive is another version than its tag says.
    #[error("the tag `{tag}` is not the version of this chart: push it as `{}` first", version.as_str().replace('+', "_"))]
    OtherTag {
        /// The tag.
        tag: Tag,
        /// The version it is.
        version: ChartVersion,
    },
    /// Images were pushed under the name that the chart has in the registry.
    #[error(
        "`{name}` holds images, and a name holds charts or images: publish the chart in another repository"
    )]
    NameHoldsImages {
        /// That name.
        name: OciName,
    },
    /// Other bytes are published under this name and version.
    #[error(transparent)]
    Exists(Box<VersionTaken>),
    /// The same bytes are published, and the server was told to call that a conflict.
    #[error("file already exists")]
    Repeated,
    /// Another provenance file is published for this version.
    #[error("`{chart}` `{version}` already has another provenance file: publish a new version")]
    ProvenanceExists {
        /// The chart.
        chart: ChartName,
        /// The version.
        version: ChartVersion,
    },
    /// Two versions would share one file name.
    #[error("`{file_name}` is already the archive of `{chart}` `{version}`: choose another version")]
    FileNameTaken {
        /// The file name.
        file_name: String,
        /// The chart that has it.
        chart: String,
        /// Its version.
        version: String,
    },
    /// The repository is full.
    #[error("repo has reached storage limit: it may hold {objects} objects")]
    LimitReached {
        /// How many objects it may hold.
        objects: u64,
    },
    /// The repository has as many versions as it may.
    #[error(
        "the repository is full: it may hold {most} version(s); delete some, or let an admin raise `mostVersions`"
    )]
    TooManyVersions {
        /// How many it may hold.
        most: u64,
    },
    /// The repository would have more bytes than it may.
    #[error(
        "the repository is full: it may hold {most} bytes and would have more; delete versions, or let an admin raise `mostBytes`"
    )]
    TooManyBytes {
        /// How many it may hold.
        most: u64,
    },
    /// Nothing may be written at the moment.
    #[error("the server is read-only at the moment: {reason}")]
    ReadOnly {
        /// Why.
        reason: String,
    },
    /// The bytes could not be kept.
    #[error(transparent)]
    Keep(#[from] KeepError),
    /// The catalog did not answer.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// What the version stands on was removed while it was being published.
    #[error("the repository changed at the same moment: try again")]
    Overtaken,
    /// The work was lost with its thread.
    #[error("the archive could not be checked")]
    Interrupted(#[source] std::io::Error),
}

impl PublishError {
    /// Returns the refusal of other bytes than the `existing` ones.
    pub(in crate::operations) fn taken(metadata: &ChartMetadata, existing: Digest, given: &Digest) -> Self {
        let (chart, version) = (metadata.name.clone(), metadata.version.clone());
        Self::Exists(Box::new(VersionTaken { chart, version, existing, given: given.clone() }))
    }
}

impl From<ArchiveError> for PublishError {
    fn from(error: ArchiveError) -> Self {
        Self::Archive(Box::new(error))
    }
}

impl From<InvalidProvenance> for PublishError {
    fn from(error: InvalidProvenance) -> Self {
        Self::Provenance(Box::new(error))
    }
}

/// Returns what a client hears of an outcome that is none of publishing.
pub(super) fn refusal(outcome: Recorded, metadata: &ChartMetadata, given: &Digest) -> PublishError {
    let (chart, version) = (metadata.name.clone(), metadata.version.clone());
    match outcome {
        Recorded::Exists { digest } => PublishError::taken(metadata, digest, given),
        Recorded::ProvenanceExists => PublishError::ProvenanceExists { chart, version },
        Recorded::FileNameTaken { chart: holder, version: held } => PublishError::FileNameTaken {
            file_name: archive::file_name(&chart, &version),
            chart: holder,
            version: held,
        },
        Recorded::NameHoldsImages { name } => PublishError::NameHoldsImages { name },
        Recorded::Full { objects } => PublishError::LimitReached { objects },
        Recorded::TooManyVersions { most } => PublishError::TooManyVersions { most },
        Recorded::TooManyBytes { most } => PublishError::TooManyBytes { most },
        Recorded::ReadOnly { reason } => PublishError::ReadOnly { reason },
        Recorded::Done { .. } | Recorded::Unchanged { .. } => PublishError::Repeated,
        Recorded::BlobGone | Recorded::RepositoryGone | Recorded::VersionUnknown => PublishError::Overtaken,
    }
}
