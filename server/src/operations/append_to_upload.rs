//! Adds bytes to an upload that takes several requests, on whichever server they arrive.
//!
//! An upload is claimed before a byte is read and given back with all that arrived, also when the client broke off.

mod error;

use std::time::Duration;

use bytes::Bytes;
use chart::Timestamp;
use futures_util::{Stream, StreamExt};
use oci::Digester;

use super::begin_upload::Session;
use crate::app::{self, App};
use crate::blobs::UploadWriter;
use crate::catalog::{Claim, Claimed, UploadProgress, UploadState};
pub(crate) use error::UploadError;

/// How long a server that fell silent keeps others from going on.
const HELD_FOR: Duration = Duration::from_secs(15);
/// After how long a server to which bytes flow says that it is still there.
const RENEWED_AFTER: Duration = Duration::from_secs(5);

/// Who sends to which repository.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    pub(crate) repository_id: i64,
    pub(crate) actor: String,
}

/// An upload that is this request's alone.
pub(crate) struct HeldUpload {
    session: Session,
    holder: String,
    received: u64,
    /// What was received when it was claimed.
    before: u64,
    digester: Digester,
    writer: UploadWriter,
    renewed: Timestamp,
}

/// Returns how many bytes an upload has received.
///
/// # Errors
/// [`UploadError::Over`] when it takes no more, or the catalog's.
pub(crate) async fn find_received(app: &App, session: &Session) -> Result<u64, UploadError> {
    match app.catalog.find_upload(&session.id).await? {
        Some(row) if row.state == UploadState::Open => Ok(row.received_bytes),
        None if session.is_young(app.clock.now()) => Ok(0),
        Some(_) | None => Err(UploadError::Over),
    }
}

/// Claims the upload for bytes of the `announced` length that begin at `start`, where the client says.
///
/// # Errors
/// [`UploadError`]; the upload is as it was.
pub(crate) async fn claim(
    app: &App,
    session: &Session,
    sender: &Sender,
    start: Option<u64>,
    announced: u64,
) -> Result<HeldUpload, UploadError> {
    let now = app.clock.now();
    if !session.is_young(now) && app.catalog.find_upload(&session.id).await?.is_none() {
        return Err(UploadError::Over);
    }
    let holder = format!("{:016x}", app::random_number());
    let claim = Claim {
        repository_id: sender.repository_id,
        id: session.id.clone(),
        name: session.name.clone(),
        actor: sender.actor.clone(),
        algorithm: session.algorithm.name(),
        key: session.key(),
        holder: holder.clone(),
        held_until: after(now, HELD_FOR),
        announced,
    };
    let held = match app.catalog.claim_upload(claim, now).await? {
        Claimed::Held(held) => *held,
        Claimed::Taken => return Err(UploadError::Taken),
        Claimed::Over => return Err(UploadError::Over),
        Claimed::NoRoom(refused) => return Err(refused.into()),
    };
    let received = held.row.received_bytes;
    if start.is_some_and(|start| start != received) {
        app.catalog.release_upload(&session.id, &holder).await?;
        return Err(UploadError::WrongOffset { received });
    }
    let state = held.row.store_state.as_deref();
    let writer = app.blobs.resume_upload(&held.row.key, state, received, held.tail).await?;
    let (session, digester) = (session.clone(), held.row.digester);
    Ok(HeldUpload { session, holder, received, before: received, digester, writer, renewed: now })
}

impl HeldUpload {
    /// Takes the body, which must have the `expected` length where that is known.
    ///
    /// # Errors
    /// [`UploadError::Cut`] and [`UploadError::WrongLength`] when the body is not whole: what came may be kept. After any
    /// other, the upload stands where it stood before.
    pub(crate) async fn append<S, E>(
        &mut self,
        app: &App,
        mut body: S,
        expected: Option<u64>,
    ) -> Result<(), UploadError>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
    {
        let mut came: u64 = 0;
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|_| UploadError::Cut)?;
            came += chunk.len() as u64;
            if expected.is_some_and(|expected| came > expected) {
                return Err(UploadError::WrongLength);
            }
            self.renew(app).await?;
            self.digester.update(&chunk);
            self.writer.write(&chunk).await?;
            self.received += chunk.len() as u64;
        }
        if expected.is_some_and(|expected| came != expected) {
            return Err(UploadError::WrongLength);
        }
        Ok(())
    }

    /// Says that this server is still there; one that was silent for too long may no longer write.
    async fn renew(&mut self, app: &App) -> Result<(), UploadError> {
        let now = app.clock.now();
        if now < after(self.renewed, RENEWED_AFTER) {
            return Ok(());
        }
        let until = after(now, HELD_FOR);
        if !app.catalog.renew_upload(&self.session.id, &self.holder, until).await? {
            return Err(UploadError::Taken);
        }
        self.renewed = now;
        Ok(())
    }

    /// Keeps what came and gives the upload back; returns how many bytes it has received.
    ///
    /// # Errors
    /// [`UploadError`]; then it stands where it stood before.
    pub(crate) async fn pause(self, app: &App) -> Result<u64, UploadError> {
        let paused = self.writer.pause().await?;
        let new_start = paused.tail_start.max(self.before);
        let old = usize::try_from(new_start - paused.tail_start).unwrap_or(usize::MAX);
        let progress = UploadProgress {
            id: self.session.id,
            holder: self.holder,
            received_bytes: self.received,
            digest_state: self.digester.save(),
            store_state: paused.store_state,
            tail_start: paused.tail_start,
            new_tail: (new_start, paused.tail.slice(old.min(paused.tail.len())..)),
        };
        if app.catalog.save_upload(progress, app.clock.now()).await? {
            Ok(self.received)
        } else {
            Err(UploadError::Taken)
        }
    }

    /// Gives the upload back as it was before; what was written since is overwritten.
    ///
    /// # Errors
    /// The catalog's.
    pub(crate) async fn give_back(self, app: &App) -> Result<(), UploadError> {
        Ok(app.catalog.release_upload(&self.session.id, &self.holder).await?)
    }

    /// Returns its id and who holds it.
    pub(super) fn claim(&self) -> (String, String) {
        (self.session.id.clone(), self.holder.clone())
    }

    /// Takes it apart for its end.
    pub(super) fn into_parts(self) -> (Session, String, u64, Digester, UploadWriter) {
        (self.session, self.holder, self.received, self.digester, self.writer)
    }
}

pub(super) fn after(time: Timestamp, duration: Duration) -> Timestamp {
    let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(time.micros().saturating_add(micros))
}
