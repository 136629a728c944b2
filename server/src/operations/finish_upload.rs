//! Makes an upload a blob of its name: bytes first, then the row and the link in one transaction.

use futures_util::TryStreamExt;
use oci::{Algorithm, Digest, Digester};

use super::append_to_upload::{HeldUpload, Sender, UploadError, after};
use super::begin_upload::Session;
use super::hold_blob::HELD_FOR;
use crate::app::{self, App};
use crate::blobs::{BlobKey, StagedBlob};
use crate::catalog::{BlobToRecord, LinkedBlob, NewLink};
use crate::faults::{self, Step};

/// Up to this size a blob that comes in one request is received whole before it is stored.
pub(crate) const RECEIVED_WHOLE: u64 = 8 * 1024 * 1024;

/// Keeps a blob that came in one request.
///
/// # Errors
/// [`UploadError`]; with other bytes than named, the upload is over.
pub(crate) async fn finish_whole(
    app: &App,
    session: &Session,
    sender: &Sender,
    digest: &Digest,
    staged: StagedBlob,
) -> Result<(), UploadError> {
    if staged.digest() != digest {
        let actual = staged.digest().clone();
        app.catalog.cancel_upload(session.ended(&sender.actor), app.clock.now()).await?;
        return Err(UploadError::OtherDigest { actual });
    }
    let link = |blob| new_link(app, session, sender, blob, None);
    if let Some(row) = app.catalog.find_blob(digest).await? {
        match app.catalog.link_blob(link(BlobToRecord::Known(row)), app.clock.now()).await? {
            LinkedBlob::Linked { .. } => return Ok(()),
            LinkedBlob::UploadLost => return Err(UploadError::Over),
            LinkedBlob::NoRoom(refused) => return Err(refused.into()),
            // Collected a moment ago: these bytes are needed after all.
            LinkedBlob::Gone => {}
        }
    }
    let (size_bytes, key) = (staged.size_bytes(), fresh_key(digest));
    app.blobs.keep(staged, key.clone()).await?;
    faults::reach(Step::BytesKept);
    let blob = BlobToRecord::Kept { digest: digest.clone(), size_bytes, key: key.clone() };
    record(app, link(blob), &key).await
}

/// Makes what a claimed upload received the blob of this digest.
///
/// # Errors
/// [`UploadError`]; with other bytes than named, the upload is over.
pub(crate) async fn finish_held(
    app: &App,
    held: HeldUpload,
    sender: &Sender,
    digest: &Digest,
) -> Result<(), UploadError> {
    let (id, owner) = held.claim();
    let finished = finish(app, held, sender, digest).await;
    if finished.is_err() {
        // Whoever tries again need not wait until this claim is over.
        app.catalog.release_upload(&id, &owner).await?;
    }
    finished
}

async fn finish(app: &App, held: HeldUpload, sender: &Sender, digest: &Digest) -> Result<(), UploadError> {
    let (session, holder, size_bytes, digester, writer) = held.into_parts();
    let key = session.key();
    if digester.algorithm() == digest.algorithm() {
        refuse_other(app, &session, sender, digest, digester.finish()).await?;
        writer.complete().await?;
    } else {
        // The client did not say beforehand which algorithm it names the bytes by.
        writer.complete().await?;
        let actual = read_again(app, &key, digest.algorithm()).await?;
        refuse_other(app, &session, sender, digest, actual).await?;
    }
    let blob = BlobToRecord::Kept { digest: digest.clone(), size_bytes, key: key.clone() };
    record(app, new_link(app, &session, sender, blob, Some(holder)), &key).await
}

async fn refuse_other(
    app: &App,
    session: &Session,
    sender: &Sender,
    digest: &Digest,
    actual: Digest,
) -> Result<(), UploadError> {
    if actual == *digest {
        return Ok(());
    }
    super::cancel_upload::cancel_upload(app, session, &sender.actor).await?;
    Err(UploadError::OtherDigest { actual })
}

async fn read_again(app: &App, key: &BlobKey, algorithm: Algorithm) -> Result<Digest, UploadError> {
    let mut pieces = Box::pin(app.blobs.open_reader(key, None).await?.into_stream());
    let mut digester = Digester::new(algorithm);
    while let Some(piece) = pieces.try_next().await? {
        digester.update(&piece);
    }
    Ok(digester.finish())
}

/// Records bytes that were just kept, and removes them where nobody needs them.
async fn record(app: &App, link: NewLink, key: &BlobKey) -> Result<(), UploadError> {
    // A claimed upload that is refused stands as it was, or is somebody else's, with its bytes under this key.
    let stays_if_refused = link.upload.as_ref().is_some_and(|(_, holder)| holder.is_some());
    let (is_needed, result) = match app.catalog.link_blob(link, app.clock.now()).await? {
        LinkedBlob::Linked { is_spare } => (!is_spare, Ok(())),
        LinkedBlob::Gone | LinkedBlob::UploadLost => (stays_if_refused, Err(UploadError::Over)),
        LinkedBlob::NoRoom(refused) => (stays_if_refused, Err(refused.into())),
    };
    if !is_needed && let Err(error) = app.blobs.remove(key).await {
        tracing::warn!(%key, %error, "cannot remove unneeded bytes");
    }
    result
}

fn new_link(
    app: &App,
    session: &Session,
    sender: &Sender,
    blob: BlobToRecord,
    holder: Option<String>,
) -> NewLink {
    NewLink {
        repository_id: sender.repository_id,
        name: session.name.clone(),
        blob,
        held_until: after(app.clock.now(), HELD_FOR),
        upload: Some((session.ended(&sender.actor), holder)),
    }
}

/// Returns a key for bytes of this digest; only those of SHA-256 have folders of their own.
fn fresh_key(digest: &Digest) -> BlobKey {
    match digest.algorithm() {
        Algorithm::Sha256 => BlobKey::fresh(digest, app::random_number()),
        Algorithm::Sha512 => {
            BlobKey::received((u128::from(app::random_number()) << 64) | u128::from(app::random_number()))
        }
    }
}
