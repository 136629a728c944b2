//! Removes a tag, or a manifest with its tags; bytes that nobody refers to then are the collector's.

use chart::Timestamp;
use oci::{Digest, OciName, Reference, Tag};

use super::connection::{Connection, on};
use super::events::{NotLocked, Weight, count};
use super::put_manifest::{bytes_of_its_own, note_untagged};
use super::registry_events::{
    RegistryEvent, RegistryEventKind, insert_registry_events, next_registry_revision,
};
use super::untagged_manifests::is_unkept_since;
use super::writer::{Change, Outcome};
use super::{Catalog, CatalogError, Hint};
use crate::catalog::blobs::digest_from_catalog;

/// What is to go.
#[derive(Debug, Clone)]
pub(crate) struct ManifestRemoval {
    pub(crate) repository_id: i64,
    pub(crate) name_id: i64,
    pub(crate) name: OciName,
    pub(crate) reference: Reference,
    /// Only when nothing has kept it since then.
    pub(crate) unkept_since: Option<Timestamp>,
    pub(crate) actor: String,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RemovedManifest {
    /// It is gone.
    Done {
        /// The repository's registry revision without it.
        revision: i64,
    },
    /// It was not there.
    Unknown,
    /// Nothing may be written at the moment.
    ReadOnly {
        /// Why.
        reason: String,
    },
}

impl Catalog {
    /// Removes what `removal` names.
    pub(crate) async fn delete_manifest(
        &self,
        removal: ManifestRemoval,
        now: Timestamp,
    ) -> Result<RemovedManifest, CatalogError> {
        let repository_id = removal.repository_id;
        let removed = self.make(Remove { removal, now }).await?;
        if matches!(removed, RemovedManifest::Done { .. }) {
            self.hints.send(Hint::Repository(repository_id));
        }
        Ok(removed)
    }
}

struct Remove {
    removal: ManifestRemoval,
    now: Timestamp,
}

impl Change for Remove {
    type Answer = RemovedManifest;

    fn repository_id(&self) -> Option<i64> {
        Some(self.removal.repository_id)
    }

    async fn make(&self, connection: &mut Connection) -> Result<Outcome<RemovedManifest>, CatalogError> {
        let removed = remove(connection, &self.removal, self.now).await?;
        Ok(match removed {
            RemovedManifest::Done { .. } => Outcome::Commit(removed),
            RemovedManifest::Unknown | RemovedManifest::ReadOnly { .. } => Outcome::Discard(removed),
        })
    }
}

async fn remove(
    connection: &mut Connection,
    removal: &ManifestRemoval,
    now: Timestamp,
) -> Result<RemovedManifest, CatalogError> {
    let locked = match next_registry_revision(connection, removal.repository_id).await? {
        Ok(locked) => locked,
        Err(NotLocked::Gone) => return Ok(RemovedManifest::Unknown),
        Err(NotLocked::ReadOnly { reason }) => return Ok(RemovedManifest::ReadOnly { reason }),
    };
    let removed = match &removal.reference {
        Reference::Tag(tag) => remove_tag(connection, removal.name_id, tag, now).await?,
        Reference::Digest(digest) => remove_manifest(connection, removal, digest).await?,
    };
    let Some(digest) = removed else { return Ok(RemovedManifest::Unknown) };
    let (kind, tag) = match &removal.reference {
        Reference::Tag(tag) => (RegistryEventKind::Untagged, Some(tag)),
        Reference::Digest(_) => (RegistryEventKind::Deleted, None),
    };
    let event = RegistryEvent { kind, name: &removal.name, tag, digest: &digest, actor: &removal.actor };
    let revision = insert_registry_events(connection, locked, &[event], now).await?;
    Ok(RemovedManifest::Done { revision })
}

/// Removes a tag; returns the digest it named.
async fn remove_tag(
    connection: &mut Connection,
    name_id: i64,
    tag: &Tag,
    now: Timestamp,
) -> Result<Option<Digest>, CatalogError> {
    let found: Option<(i64, String)> = on!(connection, |database| sqlx::query_as(
        "DELETE FROM tag WHERE name_id = $1 AND tag = $2 \
         RETURNING manifest_id, (SELECT digest FROM manifest WHERE manifest.id = tag.manifest_id)"
    )
    .bind(name_id)
    .bind(tag.as_str())
    .fetch_optional(database)
    .await)?;
    let Some((manifest_id, digest)) = found else { return Ok(None) };
    note_untagged(connection, manifest_id, now).await?;
    Ok(Some(digest_from_catalog(&digest)?))
}

/// Removes a manifest, and its tags and references with it.
async fn remove_manifest(
    connection: &mut Connection,
    removal: &ManifestRemoval,
    digest: &Digest,
) -> Result<Option<Digest>, CatalogError> {
    let found: Option<(i64, Option<String>)> = on!(connection, |database| {
        sqlx::query_as(concat!(
            "SELECT m.id, m.archive_digest FROM manifest m WHERE m.name_id = $1 AND m.digest = $2 \
             AND m.removed_at IS NULL AND ($3 IS NULL OR ",
            is_unkept_since!("$3"),
            ")"
        ))
        .bind(removal.name_id)
        .bind(digest.to_string())
        .bind(removal.unkept_since.map(Timestamp::micros))
        .fetch_optional(database)
        .await
    })?;
    let Some((id, archive_digest)) = found else { return Ok(None) };
    if archive_digest.is_none() {
        let bytes = bytes_of_its_own(connection, id, removal.repository_id).await?;
        count(connection, removal.repository_id, Weight { versions: 0, bytes: -bytes }).await?;
    }
    on!(connection, |database| sqlx::query("DELETE FROM manifest WHERE id = $1")
        .bind(id)
        .execute(database)
        .await
        .map(drop))?;
    Ok(Some(digest.clone()))
}
