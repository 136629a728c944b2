//! What a key says about its value: whether it holds an image, and how sure that is.

use super::super::ImageName;

/// How sure a key makes it that its value is an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hint {
    /// The key is `image`: any reference, even a bare name.
    Certain,
    /// The key ends in `image`: a reference with a path, tag or digest.
    Strong,
    /// The key has `image` somewhere: a reference with a path, and a tag or digest.
    Weak,
}

/// Words of keys that hold something about an image, never the image.
const ABOUT: [&str; 16] = [
    "pull",
    "secret",
    "policy",
    "registry",
    "tag",
    "repository",
    "version",
    "size",
    "scan",
    "gc",
    "url",
    "path",
    "name-",
    "mode",
    "prefix",
    "credential",
];

/// Returns what a key, flag or variable name says about its value.
pub(super) fn hint_of(key: &str) -> Option<Hint> {
    let key = key.trim_start_matches('-').to_lowercase();
    if key == "image" {
        return Some(Hint::Certain);
    }
    if key.ends_with("image") || key.ends_with("image-win") {
        return Some(Hint::Strong);
    }
    let is_about = ABOUT.iter().any(|word| key.contains(word));
    (key.contains("image") && !is_about).then_some(Hint::Weak)
}

impl Hint {
    /// Returns the image that a text names, when the text is enough of a reference for this hint.
    pub(super) fn judge(self, text: &str) -> Option<ImageName> {
        let image: ImageName = text.trim().parse().ok()?;
        let (has_path, has_version) = (text.contains('/'), !image.is_bare());
        let is_enough = match self {
            Self::Certain => !matches!(text, "true" | "false" | "null") && text != "latest",
            Self::Strong => has_path || has_version,
            Self::Weak => has_path && has_version,
        };
        is_enough.then_some(image)
    }
}
