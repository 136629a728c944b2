//! Puts a manifest under a name: an image, an attachment, or a chart, whose push under the tag of its version publishes it.
//!
//! Everything a manifest names must be under its name before; an index may name manifests that are not.

mod chart_push;
mod error;

use bytes::Bytes;
use chart::artifact::ChartArtifact;
use oci::{Digest, Digester, Manifest, OciName, Reference, Tag};

use crate::access::{Caller, Permission};
use crate::app::App;
use crate::catalog::{Holds, ManifestOfChart, NewManifest, PutManifest};
use crate::operations::create_repository::CreateRepositoryError;
use crate::registry::Owned;
use chart_push::{ChartPush, place_chart};
pub(crate) use error::PutManifestError;

/// A manifest on its way in.
pub(crate) struct ManifestPush {
    pub(crate) name: OciName,
    pub(crate) owned: Owned,
    /// The tag or digest of the address.
    pub(crate) reference: Reference,
    /// Further tags.
    pub(crate) tags: Vec<Tag>,
    /// What the client says its type is.
    pub(crate) media_type: Option<String>,
    pub(crate) content: Bytes,
    pub(crate) caller: Caller,
}

/// A manifest that can be pulled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PushedManifest {
    pub(crate) digest: Digest,
    /// What it is attached to.
    pub(crate) subject: Option<Digest>,
    /// The further tags that name it now.
    pub(crate) tags: Vec<Tag>,
}

/// Puts the manifest; it can be pulled, and a chart it publishes is listed, when this returns.
///
/// # Errors
/// [`PutManifestError`]; no tag names it then.
pub(crate) async fn put_manifest(app: &App, push: ManifestPush) -> Result<PushedManifest, PutManifestError> {
    let digest = digest_of(&push)?;
    let manifest = Manifest::parse(&push.content, push.media_type.as_deref())?;
    let subject = manifest.subject.as_ref().map(|subject| subject.digest.clone());
    let all_tags: Vec<Tag> = match &push.reference {
        Reference::Tag(tag) => std::iter::once(tag).chain(&push.tags).cloned().collect(),
        Reference::Digest(_) => push.tags.clone(),
    };
    let place = match ChartArtifact::of(&manifest)? {
        Some(artifact) => {
            place_chart(app, ChartPush { push: &push, artifact: &artifact, tags: &all_tags }).await?
        }
        None => place_other(&push, &manifest, &all_tags)?,
    };
    let new = NewManifest {
        repository_id: place.owner.repository.id(),
        name: push.name.clone(),
        holds: place.holds,
        digest: digest.clone(),
        media_type: manifest.media_type.clone(),
        content: push.content.clone(),
        subject: subject.clone(),
        artifact_type: manifest.artifact_type().map(str::to_owned),
        chart: place.chart,
        blobs: manifest.blobs().map(|blob| blob.digest.clone()).collect(),
        children: manifest.manifests().iter().map(|child| child.digest.clone()).collect(),
        tags: all_tags,
        may_move_tags: place.may_move_tags,
        actor: push.caller.name().to_owned(),
    };
    match app.catalog.put_manifest(new, app.clock.now()).await? {
        PutManifest::Done { revision } => place.owner.repository.note_registry_revision(revision),
        PutManifest::Unchanged => {}
        refused => return Err(PutManifestError::of(refused, &push.name)),
    }
    Ok(PushedManifest { digest, subject, tags: push.tags })
}

/// Where a manifest goes, and what is known of it.
struct ManifestTarget {
    owner: Owned,
    holds: Holds,
    chart: Option<ManifestOfChart>,
    may_move_tags: bool,
}

/// Computes the digest of the bytes by the algorithm the client named, and compares.
fn digest_of(push: &ManifestPush) -> Result<Digest, PutManifestError> {
    let Reference::Digest(claimed) = &push.reference else { return Ok(Digest::sha256(&push.content)) };
    let mut digester = Digester::new(claimed.algorithm());
    digester.update(&push.content);
    let digest = digester.finish();
    if digest == *claimed {
        Ok(digest)
    } else {
        Err(PutManifestError::OtherDigest { claimed: claimed.clone(), digest })
    }
}

/// Finds the place of an image, or of what is attached to something.
fn place_other(
    push: &ManifestPush,
    manifest: &Manifest,
    tags: &[Tag],
) -> Result<ManifestTarget, PutManifestError> {
    let path = push.owned.repository.path();
    // The right may have been one to create a chart's repository, which this does not.
    if !push.caller.has(Permission::Publish, path) {
        return Err(CreateRepositoryError::denied(&push.caller, Permission::Publish, path).into());
    }
    let is_image = manifest.is_image() && !tags.iter().any(Tag::is_of_attachments);
    Ok(ManifestTarget {
        owner: push.owned.clone(),
        holds: if is_image { Holds::Images } else { Holds::Attachments },
        chart: None,
        may_move_tags: push.owned.repository.row().settings.overwrite.permits(false),
    })
}
