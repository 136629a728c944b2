//! Settings of a text in INI's form, as programs' own configuration and lists of variables have it: sections, `key = value`.
//!
//! Every line must have the form: in a script, what looks like a setting is words like others.

use super::super::ImageName;
use super::super::image_name::is_registry_host;
use super::key::hint_of;

/// One setting.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Setting<'text> {
    /// Its section and key.
    pub(super) path: String,
    pub(super) key: &'text str,
    /// The value, without quotes and without a comment behind it.
    pub(super) value: &'text str,
}

/// Returns the settings of a text; nothing when it is something else, or has none.
pub(super) fn settings_of(text: &str) -> Option<Vec<Setting<'_>>> {
    let (mut section, mut settings) = ("", Vec::<Setting<'_>>::new());
    for line in text.lines() {
        let trimmed = line.trim();
        let is_continued = line.starts_with(char::is_whitespace) && !settings.is_empty();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = trimmed.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = Some(name).filter(|name| !name.contains(['[', ']', ',', '"']))?;
            continue;
        }
        // Python's reader takes both; without a section, colons are YAML's.
        let separators: &[char] = if section.is_empty() { &['='] } else { &['=', ':'] };
        match trimmed.split_once(separators).map(|(key, value)| (key.trim(), value)) {
            Some((key, value)) if is_key(key) => {
                let path = if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") };
                settings.push(Setting { path, key, value: plain(value) });
            }
            // What goes on below a key belongs to it.
            Some(_) | None if is_continued => {
                let Setting { path, key, .. } = settings.last()?;
                let (path, key) = (path.clone(), *key);
                settings.push(Setting { path, key, value: plain(trimmed) });
            }
            Some(_) | None => return None,
        }
    }
    (!settings.is_empty()).then_some(settings)
}

/// Returns the images that a setting lists, and how they are written: those with a version or a registry, behind a key
/// that says so. Such keys hold files and names of pictures as well.
pub(super) fn images_of<'text>(setting: &Setting<'text>) -> Vec<(ImageName, &'text str)> {
    if hint_of(setting.key).is_none() {
        return Vec::new();
    }
    let parts = setting.value.split([',', ' ']).filter(|part| !part.is_empty());
    let named = parts.filter_map(|part| {
        let image: ImageName = part.parse().ok()?;
        let names_registry = part.split_once('/').is_some_and(|(host, _)| is_registry_host(host));
        (!image.is_bare() || names_registry).then_some((image, part))
    });
    named.collect()
}

fn is_key(key: &str) -> bool {
    let is_part =
        |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-' | '/');
    !key.is_empty() && key.chars().all(is_part)
}

fn plain(value: &str) -> &str {
    let value = value.trim();
    for quote in ['"', '\''] {
        if let Some((inside, _)) = value.strip_prefix(quote).and_then(|rest| rest.split_once(quote)) {
            return inside;
        }
    }
    let comment = value.find(" ;").into_iter().chain(value.find(" #")).min();
    comment.and_then(|at| value.get(..at)).unwrap_or(value).trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Vec<(String, &str)>> {
        let settings = settings_of(text)?;
        Some(settings.into_iter().map(|Setting { path, value, .. }| (path, value)).collect())
    }

    #[test]
    fn sections_keys_comments_and_lines_that_go_on_are_read() {
        let text = "; ours\n# and\n[a]\nimage = \"x/y:1\" ; note\n\n[b \"c\"]\nsome.key=z # note\n  more\n";
        assert_eq!(read(text), None, "a quoted section is no plain one");
        let text = text.replace("[b \"c\"]", "[b]");
        let expected = [("a.image", "x/y:1"), ("b.some.key", "z"), ("b.some.key", "more")];
        assert_eq!(read(&text), Some(expected.map(|(path, value)| (path.to_owned(), value)).to_vec()));
    }

    #[test]
    fn scripts_documents_and_words_are_something_else() {
        for text in [
            "#!/bin/sh\nset -e\nIMAGE=a/b:1\n",
            "image: a/b:1\n",
            "[\"a\", \"b\"]\n",
            "[a]\n",
            "some words\n",
            "export IMAGE=a/b:1\n",
            "if [ $a = b ]; then\n",
            "",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
