//! Where charts are imported from: ChartMuseum's files in a folder or a bucket, or whatever an index lists over HTTP.
//!
//! A source hands over bytes and what is said of them; it judges nothing but whether it could get them.

mod download;
mod flat;
mod listed;

use chart::index::InvalidIndex;
use chart::{ChartName, ChartVersion, Timestamp};
use oci::Digest;
use reqwest::Url;

use crate::blobs::{BlobError, BlobKey, StagedBlob, Staging};
use crate::repository_path::RepositoryPath;

pub(crate) use download::{Downloads, Login, Trust};
pub(crate) use flat::FlatSource;

/// A place that charts come from.
pub(crate) enum ImportSource {
    /// Files as ChartMuseum keeps them.
    Flat(FlatSource),
    /// The index at this address, and what it lists.
    Index(Url, Downloads),
}

/// An archive that a source has.
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    /// The folder it lies in below the source; the root for an index.
    pub(crate) tenant: RepositoryPath,
    /// What the source calls it.
    pub(crate) named: Named,
    /// When it was published, if that is known.
    pub(crate) created: Option<Timestamp>,
    /// What its bytes should be, if the source says so.
    pub(crate) digest: Option<Digest>,
    pub(crate) archive: Place,
    pub(crate) provenance: OfferedProvenance,
}

/// What a source calls an archive: a file's name can be split at several hyphens, so it is no chart and version yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Named {
    /// By a file name that ends in `.tgz`.
    File(String),
    /// By an index entry.
    Entry(ChartName, ChartVersion),
}

impl Named {
    /// Returns the name of the archive's file.
    pub(crate) fn file_name(&self) -> String {
        match self {
            Self::File(name) => name.clone(),
            Self::Entry(chart, version) => chart::archive::file_name(chart, version),
        }
    }
}

/// Whether an archive has provenance beside it.
#[derive(Debug, Clone)]
pub(crate) enum OfferedProvenance {
    /// It has none.
    Absent,
    /// It has some here.
    Listed(Place),
    /// An index does not tell: there may be some here.
    Perhaps(Place),
}

/// Where the source keeps some bytes.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// A file of the flat layout.
    File(BlobKey),
    /// An address.
    Url(Url),
}

/// Everything a source has.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub(crate) offers: Vec<Offer>,
    pub(crate) unusable: Vec<Unusable>,
}

/// Something listed that nobody could fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unusable {
    /// The chart, or the file.
    pub(crate) name: String,
    /// The version as written; empty when there is none.
    pub(crate) version: String,
    pub(crate) reason: String,
}

/// Why a source could not be listed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListError {
    /// The files cannot be listed.
    #[error("cannot list the files to import: {0}")]
    Files(#[from] BlobError),
    /// The index cannot be had.
    #[error("cannot get the index `{url}`: {reason}")]
    Index {
        /// Where it should be.
        url: Url,
        /// Why not.
        reason: FetchError,
    },
    /// What is there is no index.
    #[error("`{url}` is no index of charts: {reason}")]
    NoIndex {
        /// Where it is.
        url: Url,
        /// What is wrong with it.
        reason: InvalidIndex,
    },
    /// The work was lost with its thread.
    #[error("the index could not be read")]
    Interrupted,
}

/// Why bytes were not fetched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    /// There is nothing.
    #[error("there is no such file")]
    Absent,
    /// The source does not give them, now or later.
    #[error("{0}")]
    Refused(String),
    /// The source did not answer well, several times: later it may.
    #[error("{0}; tried several times, import again later")]
    Away(String),
    /// They are more than may be taken.
    #[error("it is larger than {limit} bytes, which is the most that is taken")]
    TooLarge {
        /// How many may be taken.
        limit: u64,
    },
    /// Our own staging folder did not take them.
    #[error(transparent)]
    Staging(BlobError),
}

impl ImportSource {
    /// Returns all the source has, archives by name.
    ///
    /// # Errors
    /// [`ListError`] when it cannot be listed to its end.
    pub(crate) async fn list(&self) -> Result<Listing, ListError> {
        match self {
            Self::Flat(files) => Ok(files.list().await?),
            Self::Index(url, downloads) => listed::list(url, downloads).await,
        }
    }

    /// Tells whether looking at an archive costs no transfer.
    pub(crate) fn is_near(&self) -> bool {
        match self {
            Self::Flat(files) => files.is_near(),
            Self::Index(..) => false,
        }
    }

    /// Fetches at most `limit` bytes from a place of this source.
    ///
    /// # Errors
    /// [`FetchError`]; nothing of them stays.
    pub(crate) async fn fetch(
        &self,
        place: &Place,
        staging: &Staging,
        limit: u64,
    ) -> Result<StagedBlob, FetchError> {
        match (self, place) {
            (Self::Flat(files), Place::File(key)) => files.fetch(key, staging, limit).await,
            (Self::Index(_, downloads), Place::Url(url)) => downloads.fetch(url, staging, limit).await,
            (Self::Flat(_), Place::Url(_)) | (Self::Index(..), Place::File(_)) => Err(FetchError::Absent),
        }
    }
}
