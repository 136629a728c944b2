//! What has been brought where. Rule: of many copies at once that want the same blob in one place, one brings it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::destination::Destination;
use crate::digest::Digest;
use crate::name::OciName;

/// The names of a registry that have a blob; nothing stands for a layout, which has no names.
pub(super) type Holders = Arc<tokio::sync::Mutex<Vec<Option<OciName>>>>;

/// Which blobs have been brought where.
#[derive(Debug, Default)]
pub(super) struct Carried {
    places: Mutex<HashMap<(String, Digest), Holders>>,
}

impl Carried {
    /// Returns who has a blob at a destination, as far as this copier knows.
    pub(super) fn holders(&self, destination: &Destination, blob: &Digest) -> Holders {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(places.entry((destination.place(), blob.clone())).or_default())
    }
}
