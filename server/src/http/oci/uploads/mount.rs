//! Mounting: a blob of another name without its bytes, where the caller may read that name.
//!
//! What may not be read there and what is not there are answered alike: with an upload.

use oci::{Digest, OciName};

use super::super::super::Server;
use super::super::super::request::Asked;
use super::super::access::readable;
use super::super::blobs::place_of;
use super::super::error::OciFailure;
use super::refusal::refusal;
use crate::catalog::FoundBlob;
use crate::operations::append_to_upload::Sender;
use crate::operations::mount_blob::mount_blob;

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
    let from = match asked.query("from").map(str::parse::<OciName>) {
        Some(Ok(from)) => vec![from],
        // What is no name has no blobs.
        Some(Err(_)) => return Ok(false),
        None => server.app.catalog.list_names_of_blob(digest, TRIED).await?,
    };
    for from in from {
        if let Some(found) = find(server, asked, &from, digest).await? {
            return mount_blob(&server.app, sender.repository_id, name, found).await.map_err(refusal);
        }
    }
    Ok(false)
}

/// Returns the blob where the caller may read it.
async fn find(
    server: &Server,
    asked: &Asked,
    from: &OciName,
    digest: &Digest,
) -> Result<Option<FoundBlob>, OciFailure> {
    match readable(server, asked, from).await {
        Ok(owned) => Ok(server.app.catalog.find_blob_under(&place_of(&owned, from), digest).await?),
        Err(failure) if failure.is_refusal() => Ok(None),
        Err(failure) => Err(failure),
    }
}
