//! The order of what happens in the registry: every change takes the repository's next registry revision, which also locks
//! it, and leaves an event. The index has an order of its own, which these changes leave alone.

use chart::Timestamp;
use oci::{Digest, OciName, Tag};

use super::connection::{Connection, on, read};
use super::events::{NotLocked, why_not_locked};
use super::{Catalog, CatalogError};

/// A repository as a transaction that has locked it for a change of its registry sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct LockedRegistry {
    pub(super) repository_id: i64,
    pub(super) revision: i64,
    pub(super) most_bytes: Option<i64>,
    pub(super) stored_bytes: i64,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RegistryEventKind {
    /// A manifest is new.
    Pushed,
    /// A tag names a manifest.
    Tagged,
    /// A tag is gone.
    Untagged,
    /// A manifest is gone.
    Deleted,
}

impl RegistryEventKind {
    const fn word(self) -> &'static str {
        match self {
            Self::Pushed => "pushed",
            Self::Tagged => "tagged",
            Self::Untagged => "untagged",
            Self::Deleted => "deleted",
        }
    }
}

/// What happened to which manifest, and who did it.
pub(super) struct RegistryEvent<'a> {
    pub(super) kind: RegistryEventKind,
    pub(super) name: &'a OciName,
    pub(super) tag: Option<&'a Tag>,
    pub(super) digest: &'a Digest,
    pub(super) actor: &'a str,
}

/// Moves the repository's registry revision on, which also locks it for the rest of the transaction.
pub(super) async fn next_registry_revision(
    connection: &mut Connection,
    repository_id: i64,
) -> Result<Result<LockedRegistry, NotLocked>, CatalogError> {
    let row: Option<(i64, Option<i64>, i64)> = on!(connection, |database| sqlx::query_as(
        "UPDATE repository SET registry_revision = registry_revision + 1 \
         WHERE id = $1 AND (SELECT read_only_reason FROM server_state) IS NULL \
         RETURNING registry_revision, most_bytes, stored_bytes",
    )
    .bind(repository_id)
    .fetch_optional(database)
    .await)?;
    match row {
        Some((revision, most_bytes, stored_bytes)) => {
            Ok(Ok(LockedRegistry { repository_id, revision, most_bytes, stored_bytes }))
        }
        None => Ok(Err(why_not_locked(connection).await?)),
    }
}

/// Writes the events of a change, each under a revision of its own; returns the last of these.
pub(super) async fn insert_registry_events(
    connection: &mut Connection,
    locked: LockedRegistry,
    events: &[RegistryEvent<'_>],
    at: Timestamp,
) -> Result<i64, CatalogError> {
    let mut revision = locked.revision;
    for (event, own) in events.iter().zip(locked.revision..) {
        revision = own;
        insert(connection, locked.repository_id, own, event, at).await?;
    }
    if revision != locked.revision {
        on!(connection, |database| sqlx::query(
            "UPDATE repository SET registry_revision = $2 WHERE id = $1"
        )
        .bind(locked.repository_id)
        .bind(revision)
        .execute(database)
        .await
        .map(drop))?;
    }
    Ok(revision)
}

async fn insert(
    connection: &mut Connection,
    repository_id: i64,
    revision: i64,
    event: &RegistryEvent<'_>,
    at: Timestamp,
) -> Result<(), CatalogError> {
    on!(connection, |database| sqlx::query(
        "INSERT INTO registry_event (repository_id, revision, kind, name, tag, digest, actor, at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(repository_id)
    .bind(revision)
    .bind(event.kind.word())
    .bind(event.name.as_str())
    .bind(event.tag.map(Tag::as_str))
    .bind(event.digest.to_string())
    .bind(event.actor)
    .bind(at.micros())
    .execute(database)
    .await
    .map(drop))
}

/// One change of what a repository's names hold, as the feed tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RegistryChangeRow {
    pub(crate) revision: i64,
    /// `pushed`, `tagged`, `untagged` or `deleted`.
    pub(crate) kind: String,
    pub(crate) name: String,
    /// Of what is about a tag.
    pub(crate) tag: Option<String>,
    /// The manifest's digest.
    pub(crate) digest: String,
    pub(crate) actor: String,
    pub(crate) at: Timestamp,
}

impl Catalog {
    /// Returns up to `limit` changes of a repository's registry after `revision`, in order and without gaps.
    pub(crate) async fn list_registry_changes(
        &self,
        repository_id: i64,
        revision: i64,
        limit: u32,
    ) -> Result<Vec<RegistryChangeRow>, CatalogError> {
        type Row = (i64, String, String, Option<String>, String, String, i64);
        let rows: Vec<Row> = read!(self, |database| sqlx::query_as(
            "SELECT revision, kind, name, tag, digest, actor, at FROM registry_event \
             WHERE repository_id = $1 AND revision > $2 ORDER BY revision LIMIT $3",
        )
        .bind(repository_id)
        .bind(revision)
        .bind(i64::from(limit))
        .fetch_all(database)
        .await)?;
        let rows = rows.into_iter().map(|(revision, kind, name, tag, digest, actor, at)| RegistryChangeRow {
            revision,
            kind,
            name,
            tag,
            digest,
            actor,
            at: Timestamp::from_micros(at),
        });
        Ok(rows.collect())
    }
}
