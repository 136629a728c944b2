//! What stands against a version, decided inside the transaction that would record it.

use super::{Recorded, Row};
use crate::catalog::CatalogError;
use crate::catalog::connection::{Connection, on};
use crate::catalog::events::{Existing, Locked, Quota, Weight};

/// Decides between what is there and what comes; `None` lets it through.
pub(super) fn refuse(row: &Row<'_>, existing: &Existing, revision: i64) -> Option<Recorded> {
    let same_archive = row.has_archive_of(existing);
    if !same_archive && !row.new.may_overwrite {
        // What the catalog holds is a digest, so this always parses.
        return existing.archive_digest.parse().ok().map(|digest| Recorded::Exists { digest });
    }
    let same_provenance = match (&existing.provenance_digest, &row.new.provenance) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(there), Some(comes)) => {
            if *there != comes.digest().to_string() && !row.new.may_overwrite {
                return Some(Recorded::ProvenanceExists);
            }
            *there == comes.digest().to_string()
        }
    };
    (same_archive && same_provenance).then_some(Recorded::Unchanged { revision: revision - 1 })
}

async fn count_objects(connection: &mut Connection, repository_id: i64) -> Result<u64, CatalogError> {
    let count: i64 = on!(connection, |database| sqlx::query_scalar(
        "SELECT COUNT(*) + COUNT(provenance_blob_id) FROM version WHERE repository_id = $1",
    )
    .bind(repository_id)
    .fetch_one(database)
    .await)?;
    Ok(count.unsigned_abs())
}

/// Decides whether a version that is not there may come; `None` lets it through.
pub(super) async fn refuse_new(
    connection: &mut Connection,
    row: &Row<'_>,
    locked: Locked,
) -> Result<Option<Recorded>, CatalogError> {
    if row.new.must_exist {
        return Ok(Some(Recorded::VersionUnknown));
    }
    if let Some(refusal) = beyond_quota(locked) {
        return Ok(Some(refusal));
    }
    let Some(objects) = row.new.limits.objects else { return Ok(None) };
    let count = count_objects(connection, row.new.repository_id).await?;
    Ok((count >= objects).then_some(Recorded::Full { objects }))
}

/// Refuses bytes that take more room than those in whose place they come, where there is none.
pub(super) fn refuse_larger(row: &Row<'_>, existing: &Existing, locked: Locked) -> Option<Recorded> {
    let (new, old) = (row.new.weight(), existing.weight());
    let holds =
        Weight { versions: locked.holds.versions - old.versions, bytes: locked.holds.bytes - old.bytes };
    let is_larger = new.bytes > old.bytes;
    beyond_quota(Locked { holds, ..locked }).filter(|_| is_larger)
}

/// Compares what the repository would hold with what it may.
fn beyond_quota(locked: Locked) -> Option<Recorded> {
    Some(match locked.passed_quota()? {
        Quota::Versions(most) => Recorded::TooManyVersions { most },
        Quota::Bytes(most) => Recorded::TooManyBytes { most },
    })
}
