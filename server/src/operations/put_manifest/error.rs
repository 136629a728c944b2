//! Why a manifest was not put under its name.

use chart::artifact::InvalidChartArtifact;
use oci::{Digest, InvalidManifest, OciName, Tag};

use crate::catalog::{CatalogError, PutManifest};
use crate::operations::create_repository::CreateRepositoryError;
use crate::operations::publish::PublishError;

/// Why a manifest was not put.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PutManifestError {
    /// The bytes are no manifest.
    #[error(transparent)]
    Invalid(#[from] InvalidManifest),
    /// It says it is a chart's and is none.
    #[error(transparent)]
    Chart(#[from] InvalidChartArtifact),
    /// The bytes have another digest than the address says.
    #[error("the manifest was pushed as `{claimed}`, but its bytes are `{digest}`: push it again")]
    OtherDigest {
        /// What the address says.
        claimed: Digest,
        /// What they are.
        digest: Digest,
    },
    /// No chart can have this name.
    #[error("no chart can be published as `{name}`: push it to its repository's path and its own name")]
    NoChartName {
        /// The name.
        name: OciName,
    },
    /// A blob it names is not under the name.
    #[error("`{digest}` is not under `{name}`: push or mount the blob first")]
    BlobUnknown {
        /// The name.
        name: OciName,
        /// The blob.
        digest: Digest,
    },
    /// A blob has another length than the manifest says.
    #[error("the manifest says that `{digest}` has {said} bytes, but it has {size}")]
    OtherSize {
        /// The blob.
        digest: Digest,
        /// What the manifest says.
        said: u64,
        /// What it has.
        size: u64,
    },
    /// The archive is larger than charts may be.
    #[error(
        "the chart's archive or provenance is larger than {limit} bytes, which `limits.max_chart_bytes` allows"
    )]
    TooLarge {
        /// How large it may be.
        limit: u64,
    },
    /// The name holds the other kind.
    #[error("`{name}` holds charts or images, and this is the other of the two: push it to another name")]
    HoldsOther {
        /// The name.
        name: OciName,
    },
    /// The tag names another manifest.
    #[error(
        "the tag `{tag}` of `{name}` names `{digest}` already, and the repository's tags do not move: push another tag, or let an admin set `overwrite`"
    )]
    TagTaken {
        /// The name.
        name: OciName,
        /// The tag.
        tag: Tag,
        /// What it names.
        digest: String,
    },
    /// The repository is full.
    #[error(
        "the repository of `{name}` may hold {most} bytes and would have more: delete some, or let an admin raise `mostBytes`"
    )]
    TooManyBytes {
        /// The name.
        name: OciName,
        /// How many it may hold.
        most: u64,
    },
    /// Somebody else was faster.
    #[error("`{name}` changed at the same moment: push again")]
    Overtaken {
        /// The name.
        name: OciName,
    },
    /// Nothing may be written at the moment.
    #[error("the server is read-only at the moment: {reason}")]
    ReadOnly {
        /// Why.
        reason: String,
    },
    /// The caller may not push there, or the chart's repository is not there.
    #[error(transparent)]
    Repository(#[from] CreateRepositoryError),
    /// The chart was not published.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The catalog did not answer.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

impl PutManifestError {
    /// Returns what a client hears of an outcome that is none of putting.
    pub(super) fn of(outcome: PutManifest, name: &OciName) -> Self {
        let name = name.clone();
        match outcome {
            PutManifest::BlobUnknown { digest } => Self::BlobUnknown { name, digest },
            PutManifest::HoldsOther => Self::HoldsOther { name },
            PutManifest::TagTaken { tag, digest } => Self::TagTaken { name, tag, digest },
            PutManifest::TooManyBytes { most } => Self::TooManyBytes { name, most },
            PutManifest::ReadOnly { reason } => Self::ReadOnly { reason },
            PutManifest::NameMoved
            | PutManifest::RepositoryGone
            | PutManifest::Done { .. }
            | PutManifest::Unchanged => Self::Overtaken { name },
        }
    }
}
