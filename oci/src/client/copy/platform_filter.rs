//! Which manifests of an index are copied. Rule: what says nothing of a platform goes along; what belongs to an image
//! goes where that goes.

use std::collections::HashSet;

use crate::client::failure::Failure;
use crate::descriptor::{Descriptor, Platform};

/// By this annotation BuildKit's attestations name the image of the same index that they are about.
const ATTESTS_TO: &str = "vnd.docker.reference.digest";

/// Returns what to copy of an index and what not, both in its order.
///
/// # Errors
/// [`Failure::NoPlatform`] when the index has images for other platforms only.
pub(super) fn choose(
    platforms: &[Platform],
    index: &Descriptor,
    children: &[Descriptor],
) -> Result<(Vec<Descriptor>, Vec<Descriptor>), Failure> {
    if platforms.is_empty() || children.is_empty() {
        return Ok((children.to_vec(), Vec::new()));
    }
    let fits = |child: &Descriptor| {
        child.platform.as_ref().is_none_or(|own| platforms.iter().any(|wanted| own.is_one_of(wanted)))
    };
    let images: HashSet<String> = children
        .iter()
        .filter(|child| attests_to(child).is_none() && fits(child))
        .map(|child| child.digest.to_string())
        .collect();
    if images.is_empty() {
        return Err(Failure::NoPlatform {
            what: format!("the index `{}`", index.digest),
            wanted: listed(platforms.iter()),
            present: listed(children.iter().filter_map(|child| child.platform.as_ref())),
        });
    }
    let is_wanted = |child: &&Descriptor| match attests_to(child) {
        Some(image) => images.contains(image),
        None => images.contains(&child.digest.to_string()),
    };
    let (wanted, left_out): (Vec<&Descriptor>, Vec<&Descriptor>) = children.iter().partition(is_wanted);
    Ok((wanted.into_iter().cloned().collect(), left_out.into_iter().cloned().collect()))
}

fn attests_to(child: &Descriptor) -> Option<&str> {
    child.annotations.as_ref()?.get(ATTESTS_TO).map(String::as_str)
}

fn listed<'a>(platforms: impl Iterator<Item = &'a Platform>) -> String {
    platforms.map(|platform| format!("`{platform}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::media_type;

    fn child(text: &str, platform: Option<&str>) -> Descriptor {
        let digest = Digest::sha256(text.as_bytes());
        let platform = platform.map(|platform| platform.parse().unwrap());
        Descriptor { platform, ..Descriptor::new(media_type::IMAGE_MANIFEST, digest, 1) }
    }

    fn attestation(text: &str, image: &Descriptor) -> Descriptor {
        let annotations = [(ATTESTS_TO.to_owned(), image.digest.to_string())].into();
        Descriptor { annotations: Some(annotations), ..child(text, Some("unknown/unknown")) }
    }

    #[test]
    fn images_for_other_platforms_stay_and_their_attestations_with_them() {
        let amd = child("amd64", Some("linux/amd64"));
        let arm = child("arm64", Some("linux/arm64/v8"));
        let children = [
            amd.clone(),
            arm.clone(),
            attestation("of amd64", &amd),
            attestation("of arm64", &arm),
            child("of any", None),
        ];
        for (platforms, expected) in [
            (vec![], vec![0, 1, 2, 3, 4]),
            (vec!["linux/amd64"], vec![0, 2, 4]),
            (vec!["linux/arm64"], vec![1, 3, 4]),
            (vec!["linux/amd64", "linux/arm64"], vec![0, 1, 2, 3, 4]),
        ] {
            let wanted: Vec<Platform> = platforms.iter().map(|text| text.parse().unwrap()).collect();
            let (chosen, left_out) = choose(&wanted, &child("index", None), &children).unwrap();
            let is_chosen = |at: &usize| expected.contains(at);
            let (yes, no): (Vec<usize>, Vec<usize>) = (0..children.len()).partition(is_chosen);
            let pick =
                |places: Vec<usize>| places.into_iter().map(|at| children[at].clone()).collect::<Vec<_>>();
            assert_eq!((chosen, left_out), (pick(yes), pick(no)), "{platforms:?}");
        }
    }

    #[test]
    fn an_index_without_the_platform_is_no_success() {
        let children = [child("amd64", Some("linux/amd64"))];
        let refusal =
            choose(&["linux/s390x".parse().unwrap()], &child("index", None), &children).unwrap_err();
        let text = refusal.to_string();
        assert!(text.contains("no image for `linux/s390x`: it has `linux/amd64`"), "{text}");
    }
}
