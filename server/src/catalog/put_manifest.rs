//! Records a pushed manifest: its name, its bytes, what it refers to and its tags, in one transaction.

mod blobs;
mod name;
mod tags;

use bytes::Bytes;
use chart::{ChartVersion, Timestamp};
use oci::{Digest, OciName, Tag};

use super::connection::{Connection, on};
use super::events::{NotLocked, Weight, count};
use super::registry_events::{
    RegistryEvent, RegistryEventKind, insert_registry_events, next_registry_revision,
};
use super::writer::{Change, Outcome};
use super::{Catalog, CatalogError, Hint, Holds};
pub(super) use blobs::bytes_of_its_own;
use blobs::{added_bytes, refer_to_blobs};
use name::{NameRefusal, settle_name};
pub(super) use tags::note_untagged;
use tags::{TagOutcome, set_tag};

/// A manifest to be recorded.
#[derive(Debug, Clone)]
pub(crate) struct NewManifest {
    /// The repository the name belongs to, or will.
    pub(crate) repository_id: i64,
    pub(crate) name: OciName,
    pub(crate) holds: Holds,
    pub(crate) digest: Digest,
    pub(crate) media_type: String,
    pub(crate) content: Bytes,
    pub(crate) subject: Option<Digest>,
    pub(crate) artifact_type: Option<String>,
    /// The chart it is of, with its archive's digest, and its version where that is published.
    pub(crate) chart: Option<ManifestOfChart>,
    /// The blobs that must be under the name.
    pub(crate) blobs: Vec<Digest>,
    /// The manifests it names, present or not.
    pub(crate) children: Vec<Digest>,
    pub(crate) tags: Vec<Tag>,
    /// Whether a tag may leave the manifest it names for this one.
    pub(crate) may_move_tags: bool,
    pub(crate) actor: String,
}

/// What a chart's manifest is of.
#[derive(Debug, Clone)]
pub(crate) struct ManifestOfChart {
    pub(crate) archive: Digest,
    pub(crate) version: Option<ChartVersion>,
}

/// What became of a manifest that was to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PutManifest {
    /// It is there, with its tags.
    Done {
        /// The repository's registry revision with it.
        revision: i64,
    },
    /// It was there with its tags; nothing changed.
    Unchanged,
    /// A blob it names is not under the name.
    BlobUnknown {
        /// That blob.
        digest: Digest,
    },
    /// The name holds charts where this is an image, or images where this is a chart.
    HoldsOther,
    /// The name belongs to another repository since a moment ago.
    NameMoved,
    /// The tag names another manifest and may not leave it.
    TagTaken {
        /// The tag.
        tag: Tag,
        /// The manifest it names.
        digest: String,
    },
    /// The repository would have more bytes than it may.
    TooManyBytes {
        /// How many it may have.
        most: u64,
    },
    /// The repository is gone.
    RepositoryGone,
    /// Nothing may be written at the moment.
    ReadOnly {
        /// Why.
        reason: String,
    },
}

impl Catalog {
    /// Records a manifest, or says what stands against it.
    pub(crate) async fn put_manifest(
        &self,
        manifest: NewManifest,
        now: Timestamp,
    ) -> Result<PutManifest, CatalogError> {
        let repository_id = manifest.repository_id;
        let put = self.make(Put { manifest, now }).await?;
        if matches!(put, PutManifest::Done { .. }) {
            self.hints.send(Hint::Repository(repository_id));
        }
        Ok(put)
    }
}

struct Put {
    manifest: NewManifest,
    now: Timestamp,
}

impl Change for Put {
    type Answer = PutManifest;

    fn repository_id(&self) -> Option<i64> {
        Some(self.manifest.repository_id)
    }

    async fn make(&self, connection: &mut Connection) -> Result<Outcome<PutManifest>, CatalogError> {
        let put = put(connection, &self.manifest, self.now).await?;
        Ok(match put {
            PutManifest::Done { .. } => Outcome::Commit(put),
            PutManifest::Unchanged
            | PutManifest::BlobUnknown { .. }
            | PutManifest::HoldsOther
            | PutManifest::NameMoved
            | PutManifest::TagTaken { .. }
            | PutManifest::TooManyBytes { .. }
            | PutManifest::RepositoryGone
            | PutManifest::ReadOnly { .. } => Outcome::Discard(put),
        })
    }
}

async fn put(
    connection: &mut Connection,
    new: &NewManifest,
    now: Timestamp,
) -> Result<PutManifest, CatalogError> {
    let locked = match next_registry_revision(connection, new.repository_id).await? {
        Ok(locked) => locked,
        Err(NotLocked::Gone) => return Ok(PutManifest::RepositoryGone),
        Err(NotLocked::ReadOnly { reason }) => return Ok(PutManifest::ReadOnly { reason }),
    };
    let name_id = match settle_name(connection, new, now).await? {
        Ok(name_id) => name_id,
        Err(NameRefusal::HoldsOther) => return Ok(PutManifest::HoldsOther),
        Err(NameRefusal::Elsewhere) => return Ok(PutManifest::NameMoved),
    };
    let event =
        |kind, tag| RegistryEvent { kind, name: &new.name, tag, digest: &new.digest, actor: &new.actor };
    let mut events = Vec::new();
    let manifest_id = match find(connection, name_id, &new.digest).await? {
        Some(id) => id,
        None => {
            let id = insert(connection, name_id, new, now).await?;
            if let Err(digest) = refer_to_blobs(connection, id, new).await? {
                return Ok(PutManifest::BlobUnknown { digest });
            }
            let added = added_bytes(connection, id, new).await?;
            let most = locked.most_bytes.filter(|most| locked.stored_bytes + added > *most && added > 0);
            if let Some(most) = most {
                return Ok(PutManifest::TooManyBytes { most: most.unsigned_abs() });
            }
            count(connection, new.repository_id, Weight { versions: 0, bytes: added }).await?;
            events.push(event(RegistryEventKind::Pushed, None));
            id
        }
    };
    for tag in &new.tags {
        match set_tag(connection, name_id, manifest_id, tag, new.may_move_tags, now).await? {
            TagOutcome::Set => events.push(event(RegistryEventKind::Tagged, Some(tag))),
            TagOutcome::AlreadySo => {}
            TagOutcome::Taken(digest) => return Ok(PutManifest::TagTaken { tag: tag.clone(), digest }),
        }
    }
    let is_named_now = name_its_version(connection, manifest_id, new).await?;
    if events.is_empty() && !is_named_now {
        return Ok(PutManifest::Unchanged);
    }
    let revision = insert_registry_events(connection, locked, &events, now).await?;
    Ok(PutManifest::Done { revision })
}

/// Returns the id of a manifest that is there.
async fn find(
    connection: &mut Connection,
    name_id: i64,
    digest: &Digest,
) -> Result<Option<i64>, CatalogError> {
    on!(connection, |database| sqlx::query_scalar(
        "SELECT id FROM manifest WHERE name_id = $1 AND digest = $2 AND removed_at IS NULL"
    )
    .bind(name_id)
    .bind(digest.to_string())
    .fetch_optional(database)
    .await)
}

async fn insert(
    connection: &mut Connection,
    name_id: i64,
    new: &NewManifest,
    now: Timestamp,
) -> Result<i64, CatalogError> {
    let of_chart = new.chart.as_ref();
    let id: i64 = on!(connection, |database| {
        sqlx::query_scalar(
        "INSERT INTO manifest (name_id, digest, media_type, content, subject_digest, artifact_type, chart_version, \
         archive_digest, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
         ON CONFLICT (name_id, digest) DO UPDATE SET removed_at = NULL, chart_version = excluded.chart_version \
         RETURNING id"
    )
    .bind(name_id)
    .bind(new.digest.to_string())
    .bind(&new.media_type)
    .bind(&*new.content)
    .bind(new.subject.as_ref().map(Digest::to_string))
    .bind(new.artifact_type.as_deref())
    .bind(of_chart.and_then(|chart| chart.version.as_ref()).map(ChartVersion::as_str))
    .bind(of_chart.map(|chart| chart.archive.to_string()))
    .bind(now.micros())
    .fetch_one(database)
    .await
    })?;
    for child in &new.children {
        on!(connection, |database| sqlx::query(
            "INSERT INTO manifest_child (manifest_id, digest) VALUES ($1, $2) ON CONFLICT DO NOTHING"
        )
        .bind(id)
        .bind(child.to_string())
        .execute(database)
        .await
        .map(drop))?;
    }
    Ok(id)
}

/// Notes which version a chart's manifest is of, once that is published; returns whether this was new.
async fn name_its_version(
    connection: &mut Connection,
    manifest_id: i64,
    new: &NewManifest,
) -> Result<bool, CatalogError> {
    let Some(version) = new.chart.as_ref().and_then(|chart| chart.version.as_ref()) else { return Ok(false) };
    let named = on!(connection, |database| {
        sqlx::query(
        "UPDATE manifest SET chart_version = $2 WHERE id = $1 AND (chart_version IS NULL OR chart_version <> $2)"
    )
    .bind(manifest_id)
    .bind(version.as_str())
    .execute(database)
    .await
    .map(|done| done.rows_affected())
    })?;
    Ok(named > 0)
}
