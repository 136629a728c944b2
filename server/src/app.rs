//! Everything a request needs, built once and cloned freely. The only place that reads the clock or draws randomness.

use std::sync::Arc;
use std::time::Duration;

use chart::Timestamp;
use tokio::sync::Semaphore;

use crate::access::{Caller, Signer, Verifier};
use crate::blobs::{BlobKey, Blobs, Layout};
use crate::catalog::{Catalog, RepositorySettings, VersionLimits};
use crate::registry::Registry;
use crate::repositories::Repositories;
use crate::repository_path::RepositoryPath;

/// The running server's parts.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) catalog: Catalog,
    pub(crate) blobs: Blobs,
    pub(crate) repositories: Repositories,
    pub(crate) registry: Registry,
    pub(crate) verifier: Verifier,
    pub(crate) signer: Signer,
    pub(crate) clock: Clock,
    pub(crate) rules: Arc<Rules>,
    /// Held while an archive is checked: each may take tens of megabytes and a core for a second.
    pub(crate) checking: Arc<Semaphore>,
}

/// How many archives are checked at the same time; the others wait their turn.
pub(crate) const CHECKED_AT_ONCE: usize = 4;

/// What the operator decided for all repositories.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    /// The largest chart or provenance file taken, in bytes.
    pub(crate) upload_bytes: u64,
    /// What each repository may hold.
    pub(crate) limits: VersionLimits,
    /// What a repository begins with.
    pub(crate) new_repository: RepositorySettings,
    /// Whether publishing the same bytes again is a conflict, as ChartMuseum has it.
    pub(crate) repeat_is_conflict: bool,
    /// Whether provenance may come before its chart, as ChartMuseum has it.
    pub(crate) provenance_may_come_first: bool,
    /// Whether readers need a credential even where a repository is public, as ChartMuseum has it with basic auth.
    pub(crate) anonymous_read: AnonymousRead,
    /// Whether any publisher may bring a repository into being, not only an administrator.
    pub(crate) publishers_create_repositories: bool,
    /// How long what was deleted or replaced is kept.
    pub(crate) grace: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            upload_bytes: 20 * 1024 * 1024,
            limits: VersionLimits::default(),
            new_repository: RepositorySettings::default(),
            repeat_is_conflict: false,
            provenance_may_come_first: false,
            anonymous_read: AnonymousRead::ByRepository,
            publishers_create_repositories: false,
            grace: Duration::from_secs(24 * 60 * 60),
        }
    }
}

/// Who decides whether reading needs a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AnonymousRead {
    /// Each repository's visibility.
    ByRepository,
    /// Nobody reads without one.
    Never,
}

impl AnonymousRead {
    /// Tells whether `caller` may go on to the repository's own rule.
    pub(crate) fn allows(self, caller: &Caller) -> bool {
        match self {
            Self::ByRepository => true,
            Self::Never => *caller != Caller::Anonymous,
        }
    }
}

impl App {
    /// Returns where bytes of this digest will be kept: a fresh key, or the flat file of their version.
    pub(crate) fn key_for(
        &self,
        repository: &RepositoryPath,
        file_name: &str,
        digest: &oci::Digest,
    ) -> BlobKey {
        match self.blobs.layout() {
            Layout::Addressed => BlobKey::fresh(digest, rand::random()),
            Layout::Flat => BlobKey::flat(repository, file_name),
        }
    }
}

/// Where the time comes from.
#[derive(Clone, Debug)]
pub(crate) enum Clock {
    /// The machine's.
    System,
    /// One that stands still, for tests that print times.
    #[cfg(test)]
    Fixed(Timestamp),
}

impl Clock {
    /// Returns the time in UTC, to the microsecond.
    pub(crate) fn now(&self) -> Timestamp {
        match self {
            Self::System => {
                let micros = time::OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000;
                Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
            }
            #[cfg(test)]
            Self::Fixed(time) => *time,
        }
    }
}

/// Returns a version 4 UUID (RFC 9562 §5.4), as ChartMuseum gives requests.
pub(crate) fn random_request_id() -> String {
    let bits: u128 = rand::random();
    let bits = (bits & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    let (a, rest) = hex.split_at(8);
    let (b, rest) = rest.split_at(4);
    let (c, rest) = rest.split_at(4);
    let (d, e) = rest.split_at(4);
    format!("{a}-{b}-{c}-{d}-{e}")
}

/// Returns 32 random bytes for a secret.
pub(crate) fn random_secret() -> [u8; 32] {
    rand::random()
}

/// Returns a random number for a key of stored bytes.
pub(crate) fn random_number() -> u64 {
    rand::random()
}
