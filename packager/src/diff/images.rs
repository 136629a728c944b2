//! Images that differ: added, removed, or the same repository under another tag or digest.

use std::collections::{BTreeMap, BTreeSet};

use chart::ChartMetadata;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::images::{ImageName, proposals};

/// Images that differ.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ImageChanges {
    /// Images that are new.
    pub(crate) added: Vec<ImageName>,
    /// Images that are gone.
    pub(crate) removed: Vec<ImageName>,
    /// Repositories of which another image is used.
    pub(crate) new_tags: Vec<NewTag>,
    /// Whether only values and annotations were read; what templates make of them may be another name.
    pub(crate) from_values_alone: bool,
}

/// A repository of which another image is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct NewTag {
    /// The image before.
    pub(crate) before: ImageName,
    /// The image now.
    pub(crate) after: ImageName,
}

impl ImageChanges {
    /// Compares two sets of images.
    pub(crate) fn between(
        before: &BTreeSet<ImageName>,
        after: &BTreeSet<ImageName>,
        from_values_alone: bool,
    ) -> Self {
        let mut changes = Self { from_values_alone, ..Self::default() };
        let mut gone: BTreeMap<String, Vec<ImageName>> = BTreeMap::new();
        for image in before.difference(after) {
            gone.entry(image.repository()).or_default().push(image.clone());
        }
        for image in after.difference(before) {
            let old = gone.get_mut(&image.repository()).filter(|left| !left.is_empty());
            match old.map(|left| left.remove(0)) {
                Some(before) => changes.new_tags.push(NewTag { before, after: image.clone() }),
                None => changes.added.push(image.clone()),
            }
        }
        changes.removed = gone.into_values().flatten().collect();
        changes
    }

    /// Returns whether nothing differs.
    pub(crate) fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.new_tags.is_empty()
    }
}

/// Returns the images that values and annotations name, without any rendering.
pub(crate) fn images_in_values(metadata: &ChartMetadata, values: &Map<String, Value>) -> BTreeSet<ImageName> {
    proposals(metadata, values).into_iter().map(|proposal| proposal.image).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_tag_of_one_repository_is_one_change() {
        let set =
            |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect::<BTreeSet<ImageName>>();
        let before = set(&["quay.io/a:1", "quay.io/b:1", "redis:7"]);
        let after = set(&["quay.io/a:2", "quay.io/c:1", "docker.io/library/redis:7"]);
        let changes = ImageChanges::between(&before, &after, false);
        let text = |images: &[ImageName]| images.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            (text(&changes.added), text(&changes.removed)),
            (vec!["quay.io/c:1".to_owned()], vec!["quay.io/b:1".to_owned()])
        );
        assert_eq!(changes.new_tags.len(), 1);
        assert!(ImageChanges::between(&before, &before, false).is_empty());
    }
}
