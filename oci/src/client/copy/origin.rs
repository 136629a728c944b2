//! Where a copy comes from. Rule: nothing is there only when registry or layout says so.

use futures_util::FutureExt;
use tokio::task::spawn_blocking;

use crate::client::blob_source::{BlobSource, BlobStream, LayoutBlob};
use crate::client::failure::Failure;
use crate::client::manifests::Resolved;
use crate::client::registry::Registry;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::layout::{Layout, LayoutError};
use crate::manifest::Manifest;
use crate::name::OciName;
use crate::reference::Reference;
use crate::tag::Tag;

/// Where a copy comes from.
#[derive(Debug, Clone)]
pub enum Origin {
    /// A registry.
    Registry {
        /// The registry.
        registry: Registry,
        /// The name there.
        name: OciName,
        /// What to copy.
        reference: Reference,
    },
    /// A layout on disk.
    Layout {
        /// The layout.
        layout: Layout,
        /// What to copy, as [`Layout::find`] returns it.
        manifest: Descriptor,
    },
}

/// A blob of an origin.
pub(super) enum OriginBlob {
    Registry { registry: Registry, name: OciName, blob: Descriptor },
    Layout(LayoutBlob),
}

impl Origin {
    /// Returns the manifest that is to be copied.
    pub(super) async fn root(&self) -> Result<Resolved, Failure> {
        match self {
            Self::Registry { registry, name, reference } => registry.resolve(name, reference).await,
            Self::Layout { layout, manifest } => Ok(read(layout, manifest).await?),
        }
    }

    /// Returns a manifest that another one names; nothing when it is not there.
    pub(super) async fn manifest(&self, wanted: &Descriptor) -> Result<Option<Resolved>, Failure> {
        match self {
            Self::Registry { registry, name, .. } => {
                let digest = Reference::Digest(wanted.digest.clone());
                Failure::none_if_missing(registry.resolve(name, &digest).await)
            }
            Self::Layout { layout, .. } => match read(layout, wanted).await {
                Ok(manifest) => Ok(Some(manifest)),
                Err(Failure::Layout(LayoutError::Missing { .. })) => Ok(None),
                Err(failure) => Err(failure),
            },
        }
    }

    /// Returns what refers to a manifest.
    pub(super) async fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, Failure> {
        match self {
            Self::Registry { registry, name, .. } => registry.referrers(name, subject, None).await,
            Self::Layout { layout, .. } => {
                let (layout, subject) = (layout.clone(), subject.clone());
                off_thread(move || referrers_in(&layout, &subject)).await
            }
        }
    }

    /// Returns the manifest under a tag, which is a name in a layout; nothing when there is none.
    pub(super) async fn tagged(&self, tag: &Tag) -> Result<Option<Resolved>, Failure> {
        match self {
            Self::Registry { registry, name, .. } => {
                Failure::none_if_missing(registry.resolve(name, &Reference::Tag(tag.clone())).await)
            }
            Self::Layout { layout, .. } => {
                let (named_in, tag) = (layout.clone(), tag.clone());
                match off_thread(move || named_in.find(tag.as_str())).await? {
                    Some(entry) => self.manifest(&entry).await,
                    None => Ok(None),
                }
            }
        }
    }

    /// Returns where to read a blob.
    pub(super) fn blob(&self, blob: &Descriptor) -> OriginBlob {
        match self {
            Self::Registry { registry, name, .. } => {
                OriginBlob::Registry { registry: registry.clone(), name: name.clone(), blob: blob.clone() }
            }
            Self::Layout { layout, .. } => {
                OriginBlob::Layout(LayoutBlob { layout: layout.clone(), blob: blob.clone() })
            }
        }
    }
}

impl BlobSource for OriginBlob {
    async fn open(&self) -> Result<BlobStream, Failure> {
        match self {
            Self::Registry { registry, name, blob } => Ok(registry.pull_blob(name, blob).into_stream()),
            Self::Layout(blob) => blob.open().await,
        }
    }
}

async fn read(layout: &Layout, manifest: &Descriptor) -> Result<Resolved, Failure> {
    let (layout, wanted) = (layout.clone(), manifest.clone());
    let bytes = off_thread(move || layout.read_manifest(&wanted)).await?;
    let Descriptor { media_type, digest, size, .. } = manifest.clone();
    Ok(Resolved { descriptor: Descriptor::new(media_type, digest, size), bytes: bytes.into() })
}

/// A layout lists what refers to something in its index, beside everything else.
fn referrers_in(layout: &Layout, subject: &Digest) -> Result<Vec<Descriptor>, LayoutError> {
    let mut found = Vec::new();
    for entry in layout.entries()? {
        if !layout.has_blob(&entry)? {
            continue;
        }
        // What is no manifest refers to nothing.
        let manifest = Manifest::parse(&layout.read_manifest(&entry)?, Some(&entry.media_type)).ok();
        if manifest.and_then(|manifest| manifest.subject).is_some_and(|named| named.digest == *subject) {
            found.push(entry);
        }
    }
    Ok(found)
}

/// Does on another thread what waits for a disk.
pub(super) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LayoutError> + Send + 'static,
) -> Result<T, Failure> {
    let done = spawn_blocking(work).map(|joined| {
        joined.map_err(|panic| Failure::Source {
            what: "a layout".to_owned(),
            reason: std::io::Error::other(panic),
        })
    });
    Ok(done.await??)
}
