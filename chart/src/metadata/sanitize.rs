//! Helm's `sanitizeString`: every kind of space becomes a plain one, what cannot be printed goes.

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// Returns `text` with Unicode white space replaced by spaces and without control, format, private,
/// unassigned and separator characters (Go's `unicode.IsSpace` and `unicode.IsPrint`).
pub(super) fn sanitize(text: String) -> String {
    let is_clean = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    if text.bytes().all(is_clean) {
        return text;
    }
    text.chars().filter_map(sanitize_character).collect()
}

/// Returns the texts, each sanitized.
pub(super) fn sanitize_all(texts: Vec<String>) -> Vec<String> {
    texts.into_iter().map(sanitize).collect()
}

fn sanitize_character(character: char) -> Option<char> {
    if character.is_whitespace() {
        return Some(' ');
    }
    match character.general_category_group() {
        GeneralCategoryGroup::Letter
        | GeneralCategoryGroup::Mark
        | GeneralCategoryGroup::Number
        | GeneralCategoryGroup::Punctuation
        | GeneralCategoryGroup::Symbol => Some(character),
        GeneralCategoryGroup::Separator | GeneralCategoryGroup::Other => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_become_plain_and_the_unprintable_goes() {
        for (given, clean) in [
            ("plain text", "plain text"),
            ("a\tb\nc\rd\u{b}e\u{c}f", "a b c d e f"),
            ("a\u{a0}b\u{85}c\u{2003}d\u{2028}e\u{3000}f", "a b c d e f"),
            ("bell\u{7}, null\0, delete\u{7f}", "bell, null, delete"),
            ("zero\u{200b}width\u{200d}\u{feff}", "zerowidth"),
            ("right-to-left \u{202e}gpj.exe", "right-to-left gpj.exe"),
            ("private \u{e000}, unassigned \u{378}", "private , unassigned "),
            ("차트 é e\u{301} 🚢 ½ «»", "차트 é e\u{301} 🚢 ½ «»"),
            ("soft\u{ad}hyphen", "softhyphen"),
        ] {
            assert_eq!(sanitize(given.to_owned()), clean, "{given:?}");
        }
    }
}
