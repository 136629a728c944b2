//! Where a copy goes. Rule: what is stored is found by its digest only, until the whole of it gets its name.

use bytes::Bytes;
use futures_util::StreamExt;
use tokio::sync::mpsc;

use super::origin::{Origin, OriginBlob, off_thread};
use crate::client::blob_source::BlobSource;
use crate::client::failure::Failure;
use crate::client::manifests::Resolved;
use crate::client::push::{OnSent, Pushed};
use crate::client::registry::Registry;
use crate::descriptor::Descriptor;
use crate::layout::Layout;
use crate::name::OciName;
use crate::reference::Reference;
use crate::tag::Tag;

/// How many pieces may wait for the disk.
const AHEAD: usize = 4;

/// Where a copy goes.
#[derive(Debug, Clone)]
pub enum Destination {
    /// A registry.
    Registry {
        /// The registry.
        registry: Registry,
        /// The name there.
        name: OciName,
        /// The tag it gets in the end, if any.
        tag: Option<Tag>,
    },
    /// A layout on disk.
    Layout {
        /// The layout.
        layout: Layout,
        /// The name it gets in the end, if any; it is listed in any case.
        name: Option<String>,
    },
}

impl Destination {
    /// Returns what is the same for all destinations that share their blobs.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Registry { registry, .. } => registry.address().to_string(),
            Self::Layout { layout, .. } => layout.root().display().to_string(),
        }
    }

    /// Returns the name that has what is brought here; a layout has none.
    pub(super) fn holder(&self) -> Option<OciName> {
        match self {
            Self::Registry { name, .. } => Some(name.clone()),
            Self::Layout { .. } => None,
        }
    }

    /// Returns the origin's name when origin and destination are one registry.
    pub(super) fn neighbour<'a>(&self, origin: &'a Origin) -> Option<&'a OciName> {
        match (self, origin) {
            (Self::Registry { registry, .. }, Origin::Registry { registry: other, name, .. }) => {
                (registry.address() == other.address()).then_some(name)
            }
            (Self::Registry { .. }, Origin::Layout { .. }) | (Self::Layout { .. }, _) => None,
        }
    }

    /// Tells whether an image is there with all its blobs.
    pub(super) async fn vouches_for(&self, image: &Descriptor) -> Result<bool, Failure> {
        match self {
            Self::Registry { registry, name, .. } => {
                let digest = Reference::Digest(image.digest.clone());
                Ok(registry.look_up(name, &digest).await?.is_some())
            }
            Self::Layout { .. } => Ok(false),
        }
    }

    /// Brings a blob here.
    pub(super) async fn put_blob(
        &self,
        blob: &Descriptor,
        elsewhere: Option<&OciName>,
        source: &OriginBlob,
        sent: &OnSent,
    ) -> Result<Pushed, Failure> {
        match self {
            Self::Registry { registry, name, .. } => {
                registry.push_blob(name, blob, elsewhere, source, sent).await
            }
            Self::Layout { layout, .. } => write_blob(layout, blob, source, sent).await,
        }
    }

    /// Stores a manifest under its digest.
    pub(super) async fn store(&self, manifest: &Resolved) -> Result<(), Failure> {
        match self {
            Self::Registry { registry, name, .. } => {
                let digest = Reference::Digest(manifest.descriptor.digest.clone());
                // Asking is cheap, and a push that changes nothing still shows in a registry's log and events.
                if registry.look_up(name, &digest).await?.is_some() {
                    return Ok(());
                }
                registry.push_manifest(name, &digest, manifest).await
            }
            Self::Layout { layout, .. } => {
                let (layout, manifest) = (layout.clone(), manifest.clone());
                off_thread(move || layout.put_blob(&manifest.descriptor, &manifest.bytes)).await
            }
        }
    }

    /// Makes something that refers to another be found. A registry does so when it is stored.
    pub(super) async fn attach(&self, manifest: &Resolved) -> Result<(), Failure> {
        match self {
            Self::Registry { .. } => Ok(()),
            Self::Layout { layout, .. } => list(layout, manifest, None).await,
        }
    }

    /// Gives a manifest that is stored a tag.
    pub(super) async fn tag(&self, manifest: &Resolved, tag: &Tag) -> Result<(), Failure> {
        match self {
            Self::Registry { registry, name, .. } => {
                let tag = Reference::Tag(tag.clone());
                let named = registry.look_up(name, &tag).await?;
                if named.is_some_and(|named| named.digest == manifest.descriptor.digest) {
                    return Ok(());
                }
                registry.push_manifest(name, &tag, manifest).await
            }
            Self::Layout { layout, .. } => list(layout, manifest, Some(tag.to_string())).await,
        }
    }

    /// Gives the whole its name.
    pub(super) async fn name(&self, root: &Resolved) -> Result<(), Failure> {
        match self {
            Self::Registry { tag: Some(tag), .. } => self.tag(root, tag).await,
            Self::Registry { tag: None, .. } => Ok(()),
            Self::Layout { layout, name } => list(layout, root, name.clone()).await,
        }
    }
}

async fn list(layout: &Layout, manifest: &Resolved, name: Option<String>) -> Result<(), Failure> {
    let (layout, manifest) = (layout.clone(), manifest.descriptor.clone());
    off_thread(move || layout.add(&manifest, name.as_deref())).await
}

/// Writing, hashing and syncing stay away from the threads on which everything else waits.
async fn write_blob(
    layout: &Layout,
    blob: &Descriptor,
    source: &OriginBlob,
    sent: &OnSent,
) -> Result<Pushed, Failure> {
    let (asked, wanted) = (layout.clone(), blob.clone());
    if off_thread(move || asked.has_blob(&wanted)).await? {
        return Ok(Pushed::Present);
    }
    let mut stream = source.open().await?;
    let (sender, mut receiver) = mpsc::channel::<Bytes>(AHEAD);
    let (layout, blob) = (layout.clone(), blob.clone());
    let writing = tokio::spawn(off_thread(move || {
        let mut writer = layout.write_blob(&blob)?;
        while let Some(piece) = receiver.blocking_recv() {
            writer.append(&piece)?;
        }
        // Of a source that failed there are too few bytes, so that nothing is kept.
        writer.finish()
    }));
    let mut moved = 0;
    let mut trouble = None;
    while let Some(piece) = stream.next().await {
        match piece {
            Ok(piece) => {
                moved += piece.len() as u64;
                if sender.send(piece).await.is_err() {
                    break;
                }
                sent(moved);
            }
            Err(failure) => {
                trouble = Some(failure);
                break;
            }
        }
    }
    drop(sender);
    let written = writing.await.map_err(|panic| Failure::Source {
        what: "a blob for the layout".to_owned(),
        reason: std::io::Error::other(panic),
    })?;
    match trouble {
        Some(failure) => Err(failure),
        None => written.map(|()| Pushed::Sent),
    }
}
