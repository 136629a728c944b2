//! Which blobs are under which name: linked there for a while, or named there by a manifest or by a chart's version.
//!
//! A link is what a push leaves until a manifest names the blob; the collector takes no blob that has one.

mod find;
mod link;
mod unlink;

use bytes::Bytes;
use chart::{ChartName, Timestamp};
use oci::{Digest, OciName};

use super::connection::{Connection, on};
use super::{BlobRow, CatalogError};
use crate::repository_path::RepositoryPath;
pub(crate) use link::{LinkedBlob, NewLink};
pub(crate) use unlink::{BlobRemoval, RemovedLink};

/// A name and what else its blobs may come from.
#[derive(Debug, Clone)]
pub(crate) struct BlobPlace {
    pub(crate) name: OciName,
    /// The repository's path and the chart whose versions it stands for, when it may hold charts.
    pub(crate) chart: Option<(RepositoryPath, ChartName)>,
}

/// A blob that is under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FoundBlob {
    pub(crate) row: BlobRow,
    /// Until when the name holds it without a manifest; `None` when it has no link.
    pub(crate) held_until: Option<Timestamp>,
    /// Whether a manifest or a version names it there: it stays until one of them is changed, which the repository's
    /// revisions tell.
    pub(crate) is_named: bool,
}

/// What is served for a digest under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ServedBlob {
    /// A blob of the store.
    Stored(FoundBlob),
    /// The configuration that was minted for a version, which is in no store.
    Minted(Bytes),
}

/// Why a repository takes no bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoRoom {
    /// Nothing may be written at the moment.
    ReadOnly {
        /// Why.
        reason: String,
    },
    /// It would hold more bytes than it may.
    TooManyBytes {
        /// How many it may hold.
        most: u64,
    },
}

/// Tells whether the repository would take so many more bytes. Blobs are counted when a manifest names them, so nothing is
/// locked or counted here.
pub(super) async fn find_room(
    connection: &mut Connection,
    repository_id: i64,
    more: u64,
) -> Result<Result<(), NoRoom>, CatalogError> {
    let row: Option<(Option<String>, Option<i64>, i64)> = on!(connection, |database| {
        sqlx::query_as(
        "SELECT s.read_only_reason, r.most_bytes, r.stored_bytes FROM server_state s, repository r WHERE r.id = $1"
    )
    .bind(repository_id)
    .fetch_optional(database)
    .await
    })?;
    let more = i64::try_from(more).unwrap_or(i64::MAX);
    Ok(match row {
        Some((Some(reason), _, _)) => Err(NoRoom::ReadOnly { reason }),
        Some((None, Some(most), stored)) if stored.saturating_add(more) > most => {
            Err(NoRoom::TooManyBytes { most: most.unsigned_abs() })
        }
        Some((None, _, _)) | None => Ok(()),
    })
}

/// Returns the id of a stored blob with this digest.
async fn find_stored(connection: &mut Connection, digest: &Digest) -> Result<Option<i64>, CatalogError> {
    on!(connection, |database| sqlx::query_scalar(
        "SELECT id FROM blob WHERE digest = $1 ORDER BY id LIMIT 1"
    )
    .bind(digest.to_string())
    .fetch_optional(database)
    .await)
}
