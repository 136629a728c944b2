//! No two images of a delivery may have one name at the site, from whichever charts they come.

use std::collections::BTreeMap;

use super::{LockedChart, LockedImage};
use crate::relocate::Collision;

/// Refuses images from different places that would have one name, unless they are known to be the same bytes.
pub(super) fn refuse_collisions(charts: &BTreeMap<String, LockedChart>) -> Result<(), Collision> {
    let mut by_name: BTreeMap<&str, &LockedImage> = BTreeMap::new();
    for image in charts.values().flat_map(|chart| &chart.images) {
        let name = image.site_name.split('@').next().unwrap_or_default();
        let Some(first) = by_name.insert(name, image) else { continue };
        let is_same = without_digest(first) == without_digest(image)
            || (first.digest.is_some() && first.digest == image.digest);
        // Where only digests are asked for, a name without a tag is no name of its own.
        let is_by_digest = [first, image].iter().all(|one| one.digest.is_some() && !has_tag(&one.site_name));
        if !is_same && !is_by_digest {
            return Err(Collision {
                first: first.source().to_owned(),
                second: image.source().to_owned(),
                name: name.to_owned(),
            });
        }
    }
    Ok(())
}

fn without_digest(image: &LockedImage) -> &str {
    image.source().split('@').next().unwrap_or_default()
}

fn has_tag(name: &str) -> bool {
    let named = name.split('@').next().unwrap_or_default();
    named.rsplit('/').next().is_some_and(|last| last.contains(':'))
}
