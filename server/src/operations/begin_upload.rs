//! Begins an upload: makes up an address that any server knows again, and writes nothing.

use std::time::Duration;

use chart::Timestamp;
use oci::{Algorithm, OciName};

use crate::access::Purpose;
use crate::app::{self, App};
use crate::blobs::BlobKey;
use crate::catalog::{CatalogError, EndedUpload};

/// How long an upload may stand still.
pub(crate) const UPLOAD_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// An upload that was begun here: `<32 hex>-<algorithm>-<microseconds since 1970>-<signature>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) name: OciName,
    pub(crate) id: String,
    pub(crate) algorithm: Algorithm,
    random: u128,
    begun: Timestamp,
}

impl Session {
    /// Returns where the bytes go when they come in pieces.
    pub(crate) fn key(&self) -> BlobKey {
        BlobKey::received(self.random)
    }

    /// Tells whether nobody can have forgotten that it is over: it must have a row if it was ever used.
    pub(crate) fn is_young(&self, now: Timestamp) -> bool {
        let age = u64::try_from(now.micros().saturating_sub(self.begun.micros())).unwrap_or_default();
        Duration::from_micros(age) < UPLOAD_LIFETIME
    }

    /// Returns it as the catalog keeps it when it ends.
    pub(crate) fn ended(&self, actor: &str) -> EndedUpload {
        EndedUpload {
            id: self.id.clone(),
            name: self.name.clone(),
            actor: actor.to_owned(),
            algorithm: self.algorithm.name(),
            key: self.key(),
        }
    }
}

/// Begins an upload to `name`.
///
/// # Errors
/// [`CatalogError`] when there is no key to sign its address with.
pub(crate) async fn begin_upload(
    app: &App,
    name: &OciName,
    algorithm: Algorithm,
) -> Result<Session, CatalogError> {
    let now = app.clock.now();
    let random = (u128::from(app::random_number()) << 64) | u128::from(app::random_number());
    let stem = format!("{random:032x}-{}-{}", algorithm.name(), now.micros());
    let signature = app.signer.sign(Purpose::Upload, &signed(name, &stem), now).await?;
    Ok(Session { name: name.clone(), id: format!("{stem}-{signature}"), algorithm, random, begun: now })
}

/// Reads an address; `None` for one that no server made up for this name.
///
/// # Errors
/// [`CatalogError`] when the key it is signed with cannot be looked up.
pub(crate) async fn read_session(
    app: &App,
    name: &OciName,
    id: &str,
) -> Result<Option<Session>, CatalogError> {
    let Some((stem, signature)) = id.rsplit_once('-') else { return Ok(None) };
    if !app.signer.is_signed(Purpose::Upload, &signed(name, stem), signature).await? {
        return Ok(None);
    }
    let mut parts = stem.split('-');
    let session = (|| {
        let random = u128::from_str_radix(parts.next()?, 16).ok()?;
        let algorithm = Algorithm::from_name(parts.next()?)?;
        let begun = Timestamp::from_micros(parts.next()?.parse().ok()?);
        Some(Session { name: name.clone(), id: id.to_owned(), algorithm, random, begun })
    })();
    Ok(session)
}

fn signed(name: &OciName, stem: &str) -> Vec<u8> {
    format!("{name} {stem}").into_bytes()
}
