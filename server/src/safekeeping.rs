//! What is done with everything at once: checking it, copying it out while servers run, bringing it back, moving it.
//!
//! One rule: bytes are believed by their digest only, and a store that does not answer is never taken for an empty one.

pub(crate) mod backup;
pub(crate) mod backup_place;
mod blob_copy;
pub(crate) mod copy;
pub(crate) mod manifest;
mod present;
pub(crate) mod progress;
pub(crate) mod restore;
mod transcript;
pub(crate) mod verify;

use crate::blobs::Blobs;
use crate::catalog::Catalog;

/// A catalog with the store of its bytes.
#[derive(Clone)]
pub(crate) struct Stores {
    pub(crate) catalog: Catalog,
    pub(crate) blobs: Blobs,
}

#[cfg(test)]
mod tests;
