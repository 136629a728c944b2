//! JSON that YAML 1.1 parsers read as the same value.
//!
//! No escaped slash and no surrogate escapes; raw UTF-8, but characters that YAML does not print are escaped.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::Formatter;

/// Returns the compact JSON of `value`.
///
/// # Errors
/// Only what `value`'s own `Serialize` reports: writing to memory does not fail.
pub(crate) fn to_json<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<Vec<u8>> {
    let mut json = Vec::new();
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut json, PrintableInYaml))?;
    Ok(json)
}

/// Appends `text` as a double-quoted string, which is one and the same in JSON and YAML.
pub(super) fn write_string(text: &str, out: &mut Vec<u8>) {
    match to_json(text) {
        Ok(quoted) => out.extend_from_slice(&quoted),
        // Unreachable, a string always serialises; an empty string keeps the document well formed.
        Err(_) => out.extend_from_slice(b"\"\""),
    }
}

/// Escapes what serde_json leaves raw and YAML parsers refuse or fold.
struct PrintableInYaml;

impl Formatter for PrintableInYaml {
    fn write_string_fragment<W: Write + ?Sized>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut raw_start = 0;
        for (position, character) in fragment.char_indices() {
            if is_printable_in_yaml(character) {
                continue;
            }
            writer.write_all(fragment.get(raw_start..position).unwrap_or_default().as_bytes())?;
            // All of them are below U+10000, so that one escape suffices.
            write!(writer, "\\u{:04x}", u32::from(character))?;
            raw_start = position + character.len_utf8();
        }
        writer.write_all(fragment.get(raw_start..).unwrap_or_default().as_bytes())
    }
}

/// Returns whether a character may stand raw: YAML 1.1's printable set without its own line breaks (next line, line
/// and paragraph separator), which YAML would fold, and without the byte order mark.
fn is_printable_in_yaml(character: char) -> bool {
    !matches!(character, '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped_only_where_yaml_needs_it() {
        for (text, json) in [
            ("https://a/b", r#""https://a/b""#),
            ("<&>", r#""<&>""#),
            ("a\"b\\c", r#""a\"b\\c""#),
            ("tab\tline\n", r#""tab\tline\n""#),
            ("\u{0}\u{1f}", r#""\u0000\u001f""#),
            ("\u{7f}\u{85}\u{9f}\u{a0}", "\"\\u007f\\u0085\\u009f\u{a0}\""),
            ("😀 한국어 ü", "\"😀 한국어 ü\""),
            ("\u{2028}\u{2029}\u{feff}\u{fffe}\u{ffff}", r#""\u2028\u2029\ufeff\ufffe\uffff""#),
        ] {
            let mut out = Vec::new();
            write_string(text, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), json);
        }
    }
}
