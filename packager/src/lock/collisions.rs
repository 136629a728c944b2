//! No two images of a delivery may have one name at the site, from whichever charts they come.

use std::collections::BTreeMap;

use super::{LockedChart, LockedImage};
use crate::relocate::Collision;

/// Refuses images from different places that would have one name, unless they are known to be the same bytes.
pub(super) fn refuse_collisions(charts: &BTreeMap<String, LockedChart>) -> Result<(), Collision> {
    refuse_among(charts.values().flat_map(|chart| &chart.images))
}

fn refuse_among<'lock>(images: impl Iterator<Item = &'lock LockedImage>) -> Result<(), Collision> {
    let mut by_name: BTreeMap<&str, &LockedImage> = BTreeMap::new();
    for image in images {
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

#[cfg(test)]
mod tests {
    use oci::Digest;

    use super::*;

    fn image(source: &str, name: &str, digest: Option<&str>) -> LockedImage {
        LockedImage {
            name: source.to_owned(),
            site_name: name.to_owned(),
            copied_from: None,
            digest: digest.map(|text| Digest::sha256(text.as_bytes())),
            platforms: BTreeMap::new(),
            trail: Vec::new(),
        }
    }

    #[test]
    fn one_name_is_for_one_image() {
        let name = "r.local:5000/x/y:1";
        let table = [
            (image("docker.io/x/y:1", name, None), image("docker.io/x/y:1", name, None), true),
            (image("docker.io/x/y:1", name, None), image("quay.io/x/y:1", name, None), false),
            (image("docker.io/x/y:1", name, Some("a")), image("quay.io/x/y:1", name, Some("b")), false),
            (image("docker.io/x/y:1", name, Some("a")), image("quay.io/x/y:1", name, Some("a")), true),
            (
                image("docker.io/x/y@sha256:0", "r.local:5000/x/y@sha256:0", Some("a")),
                image("quay.io/x/y@sha256:1", "r.local:5000/x/y@sha256:1", Some("b")),
                true,
            ),
        ];
        for (first, second, is_allowed) in table {
            let told = format!("{} and {}", first.name, second.name);
            assert_eq!(refuse_among([&first, &second].into_iter()).is_ok(), is_allowed, "{told}");
        }
    }
}
