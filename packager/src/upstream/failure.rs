//! Why a chart cannot be fetched: each variant names what was asked for, and what to do.

use std::io;
use std::time::Duration;

use chart::archive::ArchiveError;
use chart::index::InvalidIndex;
use chart::{InvalidMetadata, InvalidName};
use oci::Digest;
use oci::client::{Failure, InvalidSettings};

use crate::push::RequestFailure;
use crate::source::SourceError;
use crate::vault::InvalidSnapshot;

/// Why a chart cannot be fetched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpstreamError {
    /// A server did not give what it was asked for.
    #[error("`{url}` cannot be fetched: {failure}")]
    Request {
        /// What was asked for.
        url: String,
        /// What went wrong.
        #[source]
        failure: RequestFailure,
    },
    /// Nothing is there.
    #[error(
        "`{url}` is not there (status 404): the upstream has moved or dropped it; correct the recipe, or build from the vault"
    )]
    Gone {
        /// What was asked for.
        url: String,
    },
    /// The server asks for credentials.
    #[error(
        "`{url}` asks who you are (status {status}): log in with helm or docker, or put user and password into netrc"
    )]
    NoAccess {
        /// What was asked for.
        url: String,
        /// 401 or 403.
        status: u16,
    },
    /// More bytes than anything of its kind has.
    #[error("`{url}` has more than {limit} bytes, which nothing of its kind has")]
    TooLarge {
        /// What was asked for.
        url: String,
        /// Bytes allowed.
        limit: usize,
    },
    /// What is served as an index is none.
    #[error("`{url}` is no index: {problem}")]
    Index {
        /// The index.
        url: String,
        /// What is wrong.
        #[source]
        problem: InvalidIndex,
    },
    /// The index does not list the chart.
    #[error("`{repository}` has no chart `{chart}`: correct the name; `helm search repo` lists them")]
    NoChart {
        /// The repository.
        repository: String,
        /// The chart.
        chart: String,
    },
    /// The index does not list the version.
    #[error("`{repository}` has `{chart}`, but no version {wanted}; the newest there are {newest}")]
    NoVersion {
        /// The repository.
        repository: String,
        /// The chart.
        chart: String,
        /// The version or constraint asked for.
        wanted: String,
        /// Some that there are.
        newest: String,
    },
    /// The index lists no usable address.
    #[error("`{repository}` lists `{chart}` without a usable URL")]
    NoUrl {
        /// The repository.
        repository: String,
        /// The chart.
        chart: String,
    },
    /// Other bytes than those that were named.
    #[error(
        "`{what}` has the digest {actual}, but {named_by} says {expected}: somebody changed it; find out who and why before you correct the digest"
    )]
    OtherDigest {
        /// What was fetched.
        what: String,
        /// Who named the digest.
        named_by: &'static str,
        /// The digest named.
        expected: Digest,
        /// The digest of the bytes.
        actual: Digest,
    },
    /// The archive is no chart.
    #[error("what {origin} gives is not a chart archive that Helm would load: {problem}")]
    Archive {
        /// Where it came from.
        origin: String,
        /// What is wrong.
        #[source]
        problem: Box<ArchiveError>,
    },
    /// The archive holds another chart.
    #[error("{origin} gives the chart {found}, which is another one")]
    OtherChart {
        /// Where it came from.
        origin: String,
        /// What it is.
        found: String,
    },
    /// The archive cannot be taken apart.
    #[error("what {origin} gives cannot be used: {problem}")]
    Kept {
        /// Where it came from.
        origin: String,
        /// What is wrong.
        #[source]
        problem: Box<InvalidSnapshot>,
    },
    /// The chart's own metadata is not valid.
    #[error("the chart of {origin} is not valid: {problem}")]
    Metadata {
        /// Where it came from.
        origin: String,
        /// What is wrong.
        #[source]
        problem: Box<InvalidMetadata>,
    },
    /// A registry did not give what it was asked for.
    #[error("`{name}` cannot be fetched: {failure}")]
    Registry {
        /// What was asked for.
        name: String,
        /// What went wrong.
        #[source]
        failure: Box<Failure>,
    },
    /// A registry cannot be asked at all.
    #[error(transparent)]
    Settings(#[from] InvalidSettings),
    /// The mirror of a registry is none.
    #[error(
        "`{name}` has its mirror at `{place}`, where no registry can be: it is the root of a host; write the mirror as `oci://HOST/PATH`"
    )]
    NoRegistry {
        /// The name in the registry.
        name: String,
        /// Where the mirror leads.
        place: String,
    },
    /// A registry's manifest is of no chart.
    #[error("`{name}` is no chart: {reason}")]
    Manifest {
        /// The name in the registry.
        name: String,
        /// What is wrong with its manifest.
        reason: String,
    },
    /// A name is no chart's.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// A file on this machine cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The snapshot of a folder cannot be made.
    #[error("cannot make the snapshot of a folder: {0}")]
    Snapshot(#[from] io::Error),
    /// git cannot be started.
    #[error("cannot start `git`, which fetches `{url}`: {reason}; install it")]
    NoGit {
        /// What was to be fetched.
        url: String,
        /// What the system says.
        #[source]
        reason: io::Error,
    },
    /// git refuses.
    #[error("git cannot fetch `{what}`: {reason}")]
    Git {
        /// What was to be fetched.
        what: String,
        /// What git says.
        reason: String,
    },
    /// Something in a git tree that no chart has.
    #[error("`{path}` of `{url}` {problem}")]
    GitEntry {
        /// The repository.
        url: String,
        /// The entry.
        path: String,
        /// What is wrong with it.
        problem: &'static str,
    },
}

impl UpstreamError {
    /// Returns how long the server asks to wait before it is asked again.
    pub(super) fn asked_wait(&self) -> Option<Duration> {
        if let Self::Request { failure: RequestFailure::Busy { wait, .. }, .. } = self { *wait } else { None }
    }

    /// Returns whether the upstream did not answer, so that nothing is known about it, and asking again may help.
    pub(crate) fn is_of_the_network(&self) -> bool {
        match self {
            Self::Request { failure, .. } => failure.is_of_the_network(),
            Self::Registry { failure, .. } => failure.is_temporary(),
            Self::Gone { .. }
            | Self::NoAccess { .. }
            | Self::TooLarge { .. }
            | Self::Index { .. }
            | Self::NoChart { .. }
            | Self::NoVersion { .. }
            | Self::NoUrl { .. }
            | Self::OtherDigest { .. }
            | Self::Archive { .. }
            | Self::OtherChart { .. }
            | Self::Kept { .. }
            | Self::Metadata { .. }
            | Self::Settings(_)
            | Self::NoRegistry { .. }
            | Self::Manifest { .. }
            | Self::Name(_)
            | Self::Source(_)
            | Self::Snapshot(_)
            | Self::NoGit { .. }
            | Self::Git { .. }
            | Self::GitEntry { .. } => false,
        }
    }
}
