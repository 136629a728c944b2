//! References among words: scripts, arguments with several settings, configuration in no known format.

use super::key::{Hint, hint_of};
use crate::images::image_name::{ImageName, is_registry_host};

/// Splits a text into words, each with what the word before it says: `image: a/b:1`, `--x-image=a/b:1`.
pub(super) fn tokens_with_hints(text: &str) -> impl Iterator<Item = (&str, Option<Hint>)> {
    let separators = |character: char| {
        character.is_whitespace()
            || matches!(character, '=' | ',' | '"' | '\'' | '`' | ';' | '(' | ')' | '[' | ']' | '{' | '}')
    };
    let mut before: Option<&str> = None;
    text.split(separators).filter(|word| !word.is_empty()).map(move |word| {
        let hint = before.and_then(|key| hint_of(key.trim_end_matches(':')));
        // Prose is full of the word image: only behind a flag a reference may be short.
        let hint =
            hint.map(|hint| if before.is_some_and(|key| key.starts_with('-')) { hint } else { Hint::Weak });
        before = Some(word);
        (word, hint)
    })
}

/// Returns the image of a word that no key announces: it must name a registry, a path, and a tag or digest.
pub(super) fn unhinted(word: &str) -> Option<ImageName> {
    let (host, path) = word.split_once('/')?;
    if path.is_empty() || path.starts_with('/') || !is_registry_host(host) {
        return None;
    }
    let image: ImageName = word.trim_end_matches(['.', ':']).parse().ok()?;
    (!image.is_bare()).then_some(image)
}
