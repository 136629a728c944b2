//! The image references of one rendering, by the place they stand in.

use std::collections::BTreeMap;

use crate::images::{Finder, ImageName};
use crate::render::Rendering;

/// A place that holds a reference. Documents are counted within their template, since marks may change their names.
pub(crate) type Slot = (String, usize, String);

/// One reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    /// The image.
    pub(crate) image: ImageName,
    /// The reference as it is written.
    pub(crate) written: String,
    /// Whether only `helm test` uses it.
    pub(crate) is_test: bool,
}

/// All references of a rendering.
#[derive(Debug, Clone, Default)]
pub(crate) struct References {
    /// The references by place.
    pub(crate) by_slot: BTreeMap<Slot, Reference>,
}

impl References {
    /// Reads a rendering.
    pub(crate) fn of(rendering: &Rendering, finder: &Finder) -> Self {
        let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        let mut by_slot = BTreeMap::new();
        for document in &rendering.documents {
            let (kind, _) = document.kind_and_name();
            let count = counts.entry((&document.template, kind)).or_default();
            *count += 1;
            for sighting in finder.sightings(document).iter() {
                let place = format!("{kind} {}", sighting.path);
                let reference = Reference {
                    image: sighting.image.clone(),
                    written: sighting.written.clone(),
                    is_test: document.is_test(),
                };
                by_slot.insert((document.template.clone(), *count, place), reference);
            }
        }
        Self { by_slot }
    }
}
