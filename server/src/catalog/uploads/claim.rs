//! Takes an upload for one server, making its row where this is the first that it receives.

use chart::Timestamp;
use oci::OciName;

use super::{HeldRow, RawUpload, UploadRow, UploadState, select_uploads};
use crate::blobs::BlobKey;
use crate::catalog::blob_links::{NoRoom, find_room};
use crate::catalog::connection::{Connection, on};
use crate::catalog::writer::{Change, Outcome};
use crate::catalog::{Catalog, CatalogError};

/// Who wants to go on with which upload.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    pub(crate) repository_id: i64,
    pub(crate) id: String,
    pub(crate) name: OciName,
    pub(crate) actor: String,
    /// The registered name of the algorithm its digest is computed with.
    pub(crate) algorithm: &'static str,
    pub(crate) key: BlobKey,
    /// Whoever works on it, unlike anybody else.
    pub(crate) holder: String,
    /// Until when it is theirs alone.
    pub(crate) held_until: Timestamp,
    /// How many more bytes are announced.
    pub(crate) announced: u64,
}

/// What became of a claim.
#[derive(Debug, Clone)]
pub(crate) enum Claimed {
    /// It is the claimant's for now.
    Held(Box<HeldRow>),
    /// Somebody else works on it.
    Taken,
    /// It is over.
    Over,
    /// The repository takes nothing.
    NoRoom(NoRoom),
}

impl Catalog {
    /// Takes an upload for its claimant.
    pub(crate) async fn claim_upload(&self, claim: Claim, now: Timestamp) -> Result<Claimed, CatalogError> {
        self.make(ClaimUpload { claim, now }).await
    }
}

struct ClaimUpload {
    claim: Claim,
    now: Timestamp,
}

impl Change for ClaimUpload {
    type Answer = Claimed;

    fn repository_id(&self) -> Option<i64> {
        Some(self.claim.repository_id)
    }

    async fn make(&self, connection: &mut Connection) -> Result<Outcome<Claimed>, CatalogError> {
        let claim = &self.claim;
        if let Err(refused) = find_room(connection, claim.repository_id, claim.announced).await? {
            return Ok(Outcome::Discard(Claimed::NoRoom(refused)));
        }
        if !take(connection, claim, self.now).await? {
            return Ok(Outcome::Discard(match find(connection, &claim.id).await?.map(|row| row.state) {
                Some(UploadState::Open) => Claimed::Taken,
                Some(UploadState::Over) | None => Claimed::Over,
            }));
        }
        let Some(row) = find(connection, &claim.id).await? else {
            return Ok(Outcome::Discard(Claimed::Over));
        };
        let pieces: Vec<Vec<u8>> = on!(connection, |database| sqlx::query_scalar(
            "SELECT content FROM upload_tail WHERE upload_id = $1 ORDER BY start_byte"
        )
        .bind(&claim.id)
        .fetch_all(database)
        .await)?;
        Ok(Outcome::Commit(Claimed::Held(Box::new(HeldRow { row, tail: pieces.concat().into() }))))
    }
}

/// Writes the claimant into the row unless it is over or somebody else's.
async fn take(connection: &mut Connection, claim: &Claim, now: Timestamp) -> Result<bool, CatalogError> {
    let taken = on!(connection, |database| {
        sqlx::query(
            "INSERT INTO upload (id, name, actor, state, algorithm, received_bytes, storage_key, holder, held_until, \
             created_at, changed_at) VALUES ($1, $2, $3, 'open', $4, 0, $5, $6, $7, $8, $8) \
             ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until, \
             changed_at = excluded.changed_at \
             WHERE upload.state = 'open' AND (upload.holder IS NULL OR upload.held_until < $8)",
        )
        .bind(&claim.id)
        .bind(claim.name.as_str())
        .bind(&claim.actor)
        .bind(claim.algorithm)
        .bind(claim.key.as_str())
        .bind(&claim.holder)
        .bind(claim.held_until.micros())
        .bind(now.micros())
        .execute(database)
        .await
        .map(|done| done.rows_affected())
    })?;
    Ok(taken > 0)
}

async fn find(connection: &mut Connection, id: &str) -> Result<Option<UploadRow>, CatalogError> {
    let raw: Option<RawUpload> =
        on!(connection, |database| sqlx::query_as(select_uploads!("WHERE id = $1"))
            .bind(id)
            .fetch_optional(database)
            .await)?;
    raw.map(UploadRow::try_from).transpose()
}
