//! Mounting: a blob of another name without its bytes, where the caller may read that name.
//!
//! What may not be read there and what is not there are answered alike: with an upload.

use oci::{Digest, OciName};

use super::super::super::Server;
use super::super::super::request::Asked;
use super::super::access::{readable, readable_by_caller};
use super::super::error::OciFailure;
use super::refusal::refusal;
use crate::catalog::FoundBlob;
use crate::operations::append_to_upload::Sender;
use crate::operations::mount_blob::mount_blob;
use crate::registry::{Owned, blob_place_of};

/// How many names with the blob are tried when the client names none.
const TRIED: u32 = 16;

/// Puts the blob under `name` if it can be mounted, and tells whether it could.
pub(super) async fn mount(
    server: &Server,
    asked: &Asked,
    name: &OciName,
    sender: &Sender,
    digest: &Digest,
) -> Result<bool, OciFailure> {
    let found = match asked.query("from").map(str::parse::<OciName>) {
        Some(Ok(from)) => find(server, &from, readable(server, asked, &from).await, digest).await?,
        // What is no name has no blobs.
        Some(Err(_)) => None,
        None => find_anywhere(server, asked, digest).await?,
    };
    match found {
        Some(found) => mount_blob(&server.app, sender.repository_id, name, found).await.map_err(refusal),
        None => Ok(false),
    }
}

/// Returns the blob of the first name that the caller may read. The client named none, so its token can be for none of
/// them: the caller's own right decides.
async fn find_anywhere(
    server: &Server,
    asked: &Asked,
    digest: &Digest,
) -> Result<Option<FoundBlob>, OciFailure> {
    for from in server.app.catalog.list_names_of_blob(digest, TRIED).await? {
        let owned = readable_by_caller(server, asked, &from).await;
        if let Some(found) = find(server, &from, owned, digest).await? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Returns the blob of a name, if that may be read.
async fn find(
    server: &Server,
    from: &OciName,
    owned: Result<Owned, OciFailure>,
    digest: &Digest,
) -> Result<Option<FoundBlob>, OciFailure> {
    match owned {
        Ok(owned) => Ok(server.app.catalog.find_blob_under(&blob_place_of(&owned, from), digest).await?),
        Err(failure) if failure.is_refusal() => Ok(None),
        Err(failure) => Err(failure),
    }
}
