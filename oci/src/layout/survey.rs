//! Reads a manifest and all below it. Rule: what an index names may be absent, which is said and is no error; what an
//! image names must be there.

use std::collections::BTreeSet;

use super::Layout;
use super::error::LayoutError;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::manifest::Manifest;

/// What a manifest comes to in one layout.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// The manifests that are there, each once, an index before what it names.
    pub manifests: Vec<Descriptor>,
    /// The blobs of these that are there, each once.
    pub blobs: Vec<Descriptor>,
    /// The manifests that an index names and that are not there: it is sparse.
    pub absent: Vec<Descriptor>,
    /// The blobs that an image names and that are not there: it is broken.
    pub lost: Vec<Descriptor>,
}

pub(super) fn survey(layout: &Layout, root: &Descriptor) -> Result<Survey, LayoutError> {
    let mut survey = Survey::default();
    let mut seen = BTreeSet::new();
    let mut waiting = vec![root.clone()];
    // Without recursion: an attacker's indexes may be nested as deep as there are bytes.
    while let Some(descriptor) = waiting.pop() {
        if seen.insert(descriptor.digest.clone()) {
            let manifest = read(layout, &descriptor)?;
            survey.manifests.push(descriptor);
            sort_children(layout, &manifest, &mut waiting, &mut survey)?;
            sort_blobs(layout, &manifest, &mut seen, &mut survey)?;
        }
    }
    Ok(survey)
}

fn read(layout: &Layout, descriptor: &Descriptor) -> Result<Manifest, LayoutError> {
    let bytes = layout.read_manifest(descriptor)?;
    Manifest::parse(&bytes, Some(&descriptor.media_type))
        .map_err(|reason| LayoutError::Manifest { digest: descriptor.digest.clone(), reason })
}

fn sort_children(
    layout: &Layout,
    manifest: &Manifest,
    waiting: &mut Vec<Descriptor>,
    survey: &mut Survey,
) -> Result<(), LayoutError> {
    for child in manifest.manifests().iter().rev() {
        if layout.has_blob(child)? {
            waiting.push(child.clone());
        } else {
            survey.absent.insert(0, child.clone());
        }
    }
    Ok(())
}

fn sort_blobs(
    layout: &Layout,
    manifest: &Manifest,
    seen: &mut BTreeSet<Digest>,
    survey: &mut Survey,
) -> Result<(), LayoutError> {
    for blob in manifest.blobs() {
        if seen.insert(blob.digest.clone()) {
            let place = if layout.has_blob(blob)? { &mut survey.blobs } else { &mut survey.lost };
            place.push(blob.clone());
        }
    }
    Ok(())
}
