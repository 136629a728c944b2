//! The chart repository that helm, Flux, Argo CD and Rancher read: index, archives, provenance.

pub(super) mod archive;
pub(super) mod artifact_hub;
pub(super) mod index;
