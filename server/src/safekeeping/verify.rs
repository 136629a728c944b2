//! Compares what the catalog says with what is stored, beside running servers, a page of rows in memory at a time.
//!
//! One rule: bytes are lost only when the store itself says so. A store that does not answer ends the check instead.

mod blobs;
mod copies;
mod finding;
mod manifests;
mod objects;
mod pace;
mod repositories;
mod versions;

use std::time::Duration;

use serde::Serialize;

pub(crate) use self::finding::{Finding, Found};
use self::pace::Pace;
use super::Stores;
use super::progress::Progress;
use crate::blobs::BlobError;
use crate::catalog::{BlobRow, CatalogError};

/// How many rows are asked for at a time.
const PAGE: u32 = 500;

/// How to look.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Verification {
    /// How long bytes that nobody refers to are no finding: somebody may be about to.
    pub(crate) grace: Duration,
    /// The most bytes read in a second.
    pub(crate) bytes_per_second: Option<u64>,
    /// Whether what can be repaired safely is.
    pub(crate) repairs: bool,
}

/// What was looked at, and what was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Verified {
    /// Repositories.
    pub(crate) repositories: u64,
    /// Versions.
    pub(crate) versions: u64,
    /// Manifests of the registry, those minted for versions included.
    pub(crate) manifests: u64,
    /// Blobs the catalog knows, each read whole.
    pub(crate) blobs: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
    /// Everything that is not as it should be, or was not until it was repaired.
    pub(crate) findings: Vec<Finding>,
}

impl Verified {
    /// Returns how many findings still stand.
    pub(crate) fn standing(&self) -> usize {
        self.findings.iter().filter(|finding| !finding.repaired).count()
    }
}

/// Why the check could not look everywhere.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VerifyError {
    /// The catalog does not answer.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The store does not answer.
    #[error(transparent)]
    Blobs(#[from] BlobError),
}

/// One check in progress.
struct Check<'a> {
    stores: &'a Stores,
    verification: Verification,
    pace: Pace,
    progress: &'a Progress,
    random: fn() -> u64,
    verified: Verified,
    /// Blobs whose bytes are gone or wrong, with the place of their finding.
    lost: Vec<(BlobRow, usize)>,
}

impl Check<'_> {
    fn found(&mut self, found: Found, repaired: bool) {
        self.verified.findings.push(Finding::of(found, repaired));
    }
}

/// Checks everything and returns what was found; `random` makes the keys under which copies of lost bytes are kept.
///
/// # Errors
/// [`VerifyError`] when a store does not answer: then nothing is said about what is in it.
pub(crate) async fn verify(
    stores: &Stores,
    verification: Verification,
    random: fn() -> u64,
    progress: &Progress,
) -> Result<Verified, VerifyError> {
    let pace = Pace::new(verification.bytes_per_second);
    let verified = Verified::default();
    let mut check = Check { stores, verification, pace, progress, random, verified, lost: Vec::new() };
    check.check_repositories().await?;
    check.check_versions().await?;
    check.check_manifests().await?;
    check.check_blobs().await?;
    check.repair_blobs().await?;
    check.check_objects().await?;
    progress.finish();
    Ok(check.verified)
}
