//! How scalars are written: plain where it is safe, else in quotes, keeping the style they had.
//!
//! Safe means: every YAML parser in use reads the same string back, Go's included.

use saphyr_parser::ScalarStyle;
use serde_json::Value;

use super::meaning::meaning_of;

/// Words that some YAML 1.1 parser takes for a boolean although Go's may not.
const OLD_BOOLEANS: [&str; 8] = ["y", "n", "yes", "no", "on", "off", "true", "false"];

/// Returns `value` as one line of YAML: the style of what it replaces is kept where it can be.
///
/// Collections are not scalars; they become the text `null`, which the check of every edit refuses.
pub(crate) fn write_scalar(value: &Value, old: Option<ScalarStyle>, is_flow: bool) -> String {
    match value {
        Value::String(text) => write_string(text, old, is_flow),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => "null".to_owned(),
    }
}

/// Returns `key` as it stands before a colon.
pub(crate) fn write_key(key: &str, is_flow: bool) -> String {
    write_string(key, Some(ScalarStyle::Plain), is_flow)
}

fn write_string(text: &str, old: Option<ScalarStyle>, is_flow: bool) -> String {
    let fits_single_quotes =
        !text.chars().any(|character| character.is_control() || is_line_break(character));
    match old {
        Some(ScalarStyle::SingleQuoted) if fits_single_quotes => format!("'{}'", text.replace('\'', "''")),
        Some(ScalarStyle::Plain) if is_safe_plain(text, is_flow) => text.to_owned(),
        None if is_safe_plain(text, is_flow) && begins_with_letter(text) => text.to_owned(),
        Some(
            ScalarStyle::Plain
            | ScalarStyle::SingleQuoted
            | ScalarStyle::DoubleQuoted
            | ScalarStyle::Literal
            | ScalarStyle::Folded,
        )
        | None => write_double_quoted(text),
    }
}

/// New scalars that look like versions, addresses or numbers get quotes, as `helm create` writes them.
fn begins_with_letter(text: &str) -> bool {
    text.starts_with(|character: char| character.is_alphabetic() || matches!(character, '/' | '_'))
}

fn is_safe_plain(text: &str, is_flow: bool) -> bool {
    let allowed = |character: char| {
        character.is_alphanumeric()
            || matches!(character, ' ' | '_' | '-' | '.' | '/' | '@' | '+' | '=' | '(' | ')')
            || (!is_flow
                && matches!(character, ':' | ',' | ';' | '%' | '~' | '<' | '>' | '!' | '?' | '\'' | '#'))
    };
    let begins_well = text
        .starts_with(|character: char| character.is_alphanumeric() || matches!(character, '/' | '_' | '.'));
    // Base-60 numbers such as 1:30 are strings to Go and integers to YAML 1.1.
    let is_base_60 =
        text.contains(':') && text.chars().all(|character| matches!(character, '0'..='9' | ':' | '.' | '_'));
    begins_well
        && text.chars().all(allowed)
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !is_base_60
        && !OLD_BOOLEANS.contains(&text.to_lowercase().as_str())
        && meaning_of(text).is_ok_and(|value| value.as_str() == Some(text))
}

fn is_line_break(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// Escapes as YAML 1.2 §5.7; what prints stays as it is.
fn write_double_quoted(text: &str) -> String {
    let mut result = String::with_capacity(text.len() + 2);
    result.push('"');
    for character in text.chars() {
        match character {
            '"' => result.push_str("\\\""),
            '\\' => result.push_str("\\\\"),
            '\n' => result.push_str("\\n"),
            '\r' => result.push_str("\\r"),
            '\t' => result.push_str("\\t"),
            _ if character.is_control() || is_line_break(character) => {
                result.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            _ => result.push(character),
        }
    }
    result.push('"');
    result
}

/// Returns the lines of a literal block scalar and its header, when `text` can be one.
///
/// A first line with leading blanks would need an indentation indicator, and several closing line breaks
/// a `|+` that depends on what follows: such texts are written in double quotes instead.
pub(crate) fn write_literal(text: &str) -> Option<(&'static str, Vec<String>)> {
    let (header, body) = match text.strip_suffix('\n') {
        Some(body) => ("|", body),
        None => ("|-", text),
    };
    let lines: Vec<&str> = body.split('\n').collect();
    let is_plain =
        |character: char| character == '\t' || !(character.is_control() || is_line_break(character));
    let fits = lines.len() > 1
        && lines.iter().all(|line| line.chars().all(is_plain))
        && lines.iter().all(|line| line.is_empty() || !line.trim().is_empty())
        && lines.first().is_some_and(|line| !line.is_empty() && !line.starts_with([' ', '\t']))
        && lines.last().is_some_and(|line| !line.is_empty());
    fits.then(|| (header, lines.into_iter().map(str::to_owned).collect()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn new_strings_are_plain_only_when_nobody_could_misread_them() {
        let table = [
            ("infrastructure", "infrastructure"),
            ("registry.local.cloud:5000/ubuntu/keepalived", "registry.local.cloud:5000/ubuntu/keepalived"),
            ("가상 IP 관리", "가상 IP 관리"),
            ("v2.2.4", "v2.2.4"),
            ("2.2.4", "\"2.2.4\""),
            ("150", "\"150\""),
            ("", "\"\""),
            ("yes", "\"yes\""),
            ("N", "\"N\""),
            ("null", "\"null\""),
            ("a: b", "\"a: b\""),
            ("a #b", "\"a #b\""),
            ("a\nb", "\"a\\nb\""),
            ("say \"hi\"", "\"say \\\"hi\\\"\""),
            ("{{ tpl }}", "\"{{ tpl }}\""),
            ("\u{85}", "\"\\u0085\""),
        ];
        for (text, written) in table {
            assert_eq!(write_scalar(&json!(text), None, false), written, "{text}");
        }
    }

    #[test]
    fn the_old_style_is_kept_where_it_can_say_the_same() {
        let table = [
            (json!("2.2.4"), ScalarStyle::Plain, "2.2.4"),
            (json!("1:30"), ScalarStyle::Plain, "\"1:30\""),
            (json!("8080"), ScalarStyle::Plain, "\"8080\""),
            (json!("it's"), ScalarStyle::SingleQuoted, "'it''s'"),
            (json!("a\nb"), ScalarStyle::SingleQuoted, "\"a\\nb\""),
            (json!("x"), ScalarStyle::DoubleQuoted, "\"x\""),
            (json!(80), ScalarStyle::DoubleQuoted, "80"),
            (json!(true), ScalarStyle::SingleQuoted, "true"),
            (json!(null), ScalarStyle::Plain, "null"),
        ];
        for (value, style, written) in table {
            assert_eq!(write_scalar(&value, Some(style), false), written);
        }
    }

    #[test]
    fn literal_blocks_hold_only_texts_they_hold_exactly() {
        assert_eq!(write_literal("a\n\n  b\n"), Some(("|", vec!["a".into(), String::new(), "  b".into()])));
        assert_eq!(write_literal("a\nb").map(|(header, _)| header), Some("|-"));
        for text in ["a", "a\n", " a\nb", "a\nb\n\n", "a\r\nb", "\na", "a\n  \nb"] {
            assert_eq!(write_literal(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_string_survives_in_every_style(text in any::<String>(), style in 0usize..6, is_flow: bool) {
            let styles = [
                None,
                Some(ScalarStyle::Plain),
                Some(ScalarStyle::SingleQuoted),
                Some(ScalarStyle::DoubleQuoted),
                Some(ScalarStyle::Literal),
                Some(ScalarStyle::Folded),
            ];
            let written = write_scalar(&json!(text), styles[style], is_flow);
            let document = if is_flow { format!("[{written}]") } else { format!("- {written}") };
            prop_assert_eq!(meaning_of(&document).unwrap(), json!([text]), "{}", document);
        }
    }
}
