//! Tags: set with the manifest they name, moved only where the repository's policy lets them.

use chart::Timestamp;
use oci::Tag;

use crate::catalog::CatalogError;
use crate::catalog::connection::{Connection, on};

/// What became of a tag.
pub(super) enum TagOutcome {
    /// It names the manifest now.
    Set,
    /// It named the manifest before.
    AlreadySo,
    /// It names the manifest of this digest, and may not leave it.
    Taken(String),
}

/// Makes the tag name the manifest. Tags made from digests may always move: clients rewrite what they name with each thing
/// they attach.
pub(super) async fn set_tag(
    connection: &mut Connection,
    name_id: i64,
    manifest_id: i64,
    tag: &Tag,
    may_move: bool,
    now: Timestamp,
) -> Result<TagOutcome, CatalogError> {
    let existing: Option<(i64, String)> = on!(connection, |database| sqlx::query_as(
        "SELECT m.id, m.digest FROM tag t JOIN manifest m ON m.id = t.manifest_id \
         WHERE t.name_id = $1 AND t.tag = $2 AND m.removed_at IS NULL"
    )
    .bind(name_id)
    .bind(tag.as_str())
    .fetch_optional(database)
    .await)?;
    match existing {
        Some((id, _)) if id == manifest_id => return Ok(TagOutcome::AlreadySo),
        Some((_, digest)) if !may_move && !tag.is_of_attachments() => return Ok(TagOutcome::Taken(digest)),
        Some((id, _)) => note_untagged(connection, id, now).await?,
        None => {}
    }
    on!(connection, |database| {
        sqlx::query(
        "INSERT INTO tag (name_id, tag, manifest_id, changed_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (name_id, tag) DO UPDATE SET manifest_id = excluded.manifest_id, changed_at = excluded.changed_at"
    )
    .bind(name_id)
    .bind(tag.as_str())
    .bind(manifest_id)
    .bind(now.micros())
    .execute(database)
    .await
    .map(drop)
    })?;
    Ok(TagOutcome::Set)
}

/// Notes that a tag has left a manifest: from now on it counts for how long none names it.
pub(in crate::catalog) async fn note_untagged(
    connection: &mut Connection,
    manifest_id: i64,
    now: Timestamp,
) -> Result<(), CatalogError> {
    on!(connection, |database| sqlx::query("UPDATE manifest SET untagged_at = $2 WHERE id = $1")
        .bind(manifest_id)
        .bind(now.micros())
        .execute(database)
        .await
        .map(drop))
}
