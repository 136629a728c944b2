//! Links a blob to a name, recording it first where it is new: what every way of bringing one in ends with.

use chart::Timestamp;
use oci::OciName;

use super::{NoRoom, find_room, find_stored};
use crate::catalog::blobs::record_blob;
use crate::catalog::connection::{Connection, on};
use crate::catalog::uploads::{end, forget_tail};
use crate::catalog::writer::{Change, Outcome};
use crate::catalog::{BlobToRecord, Catalog, CatalogError, EndedUpload};

/// A blob that is to be under a name.
#[derive(Debug, Clone)]
pub(crate) struct NewLink {
    pub(crate) repository_id: i64,
    pub(crate) name: OciName,
    pub(crate) blob: BlobToRecord,
    pub(crate) held_until: Timestamp,
    /// The upload that it came by, which is over then, and who holds it where it took several requests.
    pub(crate) upload: Option<(EndedUpload, Option<String>)>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LinkedBlob {
    /// It is under the name.
    Linked {
        /// Whether other bytes of the same digest serve, so that those just kept are needed by nobody.
        is_spare: bool,
    },
    /// The known blob was collected meanwhile.
    Gone,
    /// The upload is over, or somebody else works on it.
    UploadLost,
    /// The repository takes nothing.
    NoRoom(NoRoom),
}

impl Catalog {
    /// Puts a blob under a name and ends the upload it came by.
    pub(crate) async fn link_blob(&self, link: NewLink, now: Timestamp) -> Result<LinkedBlob, CatalogError> {
        self.make(LinkBlob { link, now }).await
    }
}

struct LinkBlob {
    link: NewLink,
    now: Timestamp,
}

impl Change for LinkBlob {
    type Answer = LinkedBlob;

    fn repository_id(&self) -> Option<i64> {
        Some(self.link.repository_id)
    }

    async fn make(&self, connection: &mut Connection) -> Result<Outcome<LinkedBlob>, CatalogError> {
        let linked = make(connection, &self.link, self.now).await?;
        Ok(match linked {
            LinkedBlob::Linked { .. } => Outcome::Commit(linked),
            LinkedBlob::Gone | LinkedBlob::UploadLost | LinkedBlob::NoRoom(_) => Outcome::Discard(linked),
        })
    }
}

async fn make(
    connection: &mut Connection,
    link: &NewLink,
    now: Timestamp,
) -> Result<LinkedBlob, CatalogError> {
    if let Err(refused) = find_room(connection, link.repository_id, link.blob.size_bytes()).await? {
        return Ok(LinkedBlob::NoRoom(refused));
    }
    if let Some((upload, holder)) = &link.upload {
        let is_ours = match holder {
            Some(holder) => is_held_by(connection, &upload.id, holder).await?,
            None => true,
        };
        if !is_ours || !end(connection, upload, "done", now).await? {
            return Ok(LinkedBlob::UploadLost);
        }
        if holder.is_some() {
            forget_tail(connection, &upload.id).await?;
        }
    }
    let (id, is_spare) = match &link.blob {
        known @ BlobToRecord::Known(_) => match record_blob(connection, known, now).await? {
            Some(id) => (id, false),
            None => return Ok(LinkedBlob::Gone),
        },
        kept @ BlobToRecord::Kept { digest, .. } => match find_stored(connection, digest).await? {
            Some(id) => (id, true),
            None => match record_blob(connection, kept, now).await? {
                Some(id) => (id, false),
                None => return Ok(LinkedBlob::Gone),
            },
        },
    };
    insert(connection, link, id).await?;
    Ok(LinkedBlob::Linked { is_spare })
}

async fn is_held_by(connection: &mut Connection, id: &str, holder: &str) -> Result<bool, CatalogError> {
    let found: Option<String> = on!(connection, |database| sqlx::query_scalar(
        "SELECT id FROM upload WHERE id = $1 AND holder = $2 AND state = 'open'"
    )
    .bind(id)
    .bind(holder)
    .fetch_optional(database)
    .await)?;
    Ok(found.is_some())
}

async fn insert(connection: &mut Connection, link: &NewLink, blob_id: i64) -> Result<(), CatalogError> {
    on!(connection, |database| {
        sqlx::query(
            "INSERT INTO blob_link (name, blob_id, held_until) VALUES ($1, $2, $3) \
             ON CONFLICT (name, blob_id) DO UPDATE SET held_until = excluded.held_until \
             WHERE blob_link.held_until < excluded.held_until",
        )
        .bind(link.name.as_str())
        .bind(blob_id)
        .bind(link.held_until.micros())
        .execute(database)
        .await
        .map(drop)
    })
}
