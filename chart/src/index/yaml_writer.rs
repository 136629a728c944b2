//! Index entries as block YAML, as people and `helm repo index` write it.
//!
//! A text stands plain only when no YAML version could take it for anything else; whatever is in doubt is quoted.

use serde_json::{Map, Value};

use super::json::write_string;

/// Appends an entry, given as JSON, as an item of a list at indent 2, keys sorted, the way `helm repo index` prints it
/// below a chart's name. A strict YAML 1.1 parser reads the same value back.
///
/// What is not a JSON object becomes an item as it is, since JSON is YAML.
pub fn write_yaml_entry(json: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"  - ");
    match serde_json::from_slice::<Map<String, Value>>(json) {
        Ok(entry) if !entry.is_empty() => write_fields(&entry, 4, out),
        Ok(_) | Err(_) => {
            out.extend_from_slice(json);
            out.push(b'\n');
        }
    }
}

/// Appends `key:` and its value as one line or more, at the current position of a line.
pub(super) fn write_field(key: &str, value: &Value, indent: usize, out: &mut Vec<u8>) {
    write_text(key, out);
    out.push(b':');
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            out.push(b'\n');
            write_indent(indent + 2, out);
            write_fields(fields, indent + 2, out);
        }
        Value::Array(items) if !items.is_empty() => {
            out.push(b'\n');
            write_indent(indent, out);
            write_items(items, indent, out);
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => {
            out.push(b' ');
            write_inline(value, out);
            out.push(b'\n');
        }
    }
}

/// Appends the fields of a map whose first line is already indented.
pub(crate) fn write_fields(fields: &Map<String, Value>, indent: usize, out: &mut Vec<u8>) {
    let mut sorted: Vec<_> = fields.iter().collect();
    sorted.sort_unstable_by_key(|(key, _)| *key);
    for (position, (key, value)) in sorted.into_iter().enumerate() {
        if position > 0 {
            write_indent(indent, out);
        }
        write_field(key, value, indent, out);
    }
}

/// Appends the items of a list whose first line is already indented.
fn write_items(items: &[Value], indent: usize, out: &mut Vec<u8>) {
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            write_indent(indent, out);
        }
        out.extend_from_slice(b"- ");
        match item {
            Value::Object(fields) if !fields.is_empty() => write_fields(fields, indent + 2, out),
            Value::Array(items) if !items.is_empty() => write_items(items, indent + 2, out),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_) => {
                write_inline(item, out);
                out.push(b'\n');
            }
        }
    }
}

/// Appends a value that fits the rest of a line: a scalar, or an empty list or map.
fn write_inline(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::String(text) => write_text(text, out),
        Value::Array(_) => out.extend_from_slice(b"[]"),
        Value::Object(_) => out.extend_from_slice(b"{}"),
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(switch) => out.extend_from_slice(switch.to_string().as_bytes()),
        Value::Number(number) => out.extend_from_slice(number.to_string().as_bytes()),
    }
}

/// Appends a text, plain or in double quotes.
pub(super) fn write_text(text: &str, out: &mut Vec<u8>) {
    if is_plain(text) {
        out.extend_from_slice(text.as_bytes());
    } else {
        write_string(text, out);
    }
}

fn write_indent(indent: usize, out: &mut Vec<u8>) {
    out.resize(out.len() + indent, b' ');
}

/// Returns whether a text can stand without quotes: a letter first, then only characters that mean nothing in block
/// YAML, and not one of the words that YAML 1.1 takes for a switch, null or number.
fn is_plain(text: &str) -> bool {
    const WORDS: [&str; 11] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"];
    let is_harmless = |byte: u8| byte.is_ascii_alphanumeric() || b" _./-+@,()=;".contains(&byte);
    let bytes = text.as_bytes();
    let has_letter_first = bytes.first().is_some_and(u8::is_ascii_alphabetic);
    let is_word = WORDS.iter().any(|word| word.eq_ignore_ascii_case(text));
    has_letter_first
        && !is_word
        && !text.ends_with(' ')
        && !text.ends_with(':')
        && !text.contains(": ")
        && bytes.iter().all(|byte| *byte == b':' || is_harmless(*byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::yaml::{Budget, parse};

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        write_text(text, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn texts_are_plain_only_without_any_doubt() {
        for plain in
            ["alpine", "A chart for Kubernetes", "https://a/b", "a-b_c.d/e", "v1.0.0+b", "gotpl (old)"]
        {
            assert_eq!(written(plain), plain);
        }
        for quoted in [
            "",
            " a",
            "a ",
            "1",
            "1.0.0",
            "0x1f",
            "1e3",
            ".5",
            "-1",
            "+1",
            "~",
            "null",
            "Null",
            "true",
            "YES",
            "n",
            "y",
            "on",
            "Off",
            ".inf",
            ".NaN",
            "nan",
            "2026-01-01",
            "12:30",
            "a: b",
            "a:",
            "a #b",
            "#a",
            "-",
            "- a",
            "? a",
            "!a",
            "&a",
            "*a",
            "{a}",
            "[a]",
            "a\nb",
            "a\tb",
            "'a'",
            "\"",
            "%a",
            "@a",
            "`a",
            "|",
            ">",
            "=",
            "<<",
            "---",
            "...",
            "ü",
            "\u{85}",
        ] {
            assert!(written(quoted).starts_with('"'), "{quoted:?}");
        }
    }

    /// Any JSON that an entry may hold, of the texts most likely to be misread.
    fn any_value() -> impl Strategy<Value = Value> {
        let text = prop_oneof![
            any::<String>(),
            "[a-z0-9 :#.+-]{0,12}",
            "(y|no|0x[0-9]|[0-9]{1,3}(\\.[0-9]{1,2}){0,2}|~|null|<<|=|---|- a|\u{2028}|\u{feff}|a\u{85}b)",
        ];
        let scalar = prop_oneof![
            text.clone().prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            Just(Value::Null),
        ];
        scalar.prop_recursive(4, 40, 5, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((text.clone(), inner), 0..5)
                    .prop_map(|fields| Value::from(fields.into_iter().collect::<Map<_, _>>())),
            ]
        })
    }

    fn sort(value: Value) -> Value {
        match value {
            Value::Object(fields) => {
                let mut fields: Vec<_> = fields.into_iter().map(|(key, value)| (key, sort(value))).collect();
                fields.sort_by(|(one, _), (other, _)| one.cmp(other));
                fields.into_iter().collect()
            }
            Value::Array(items) => items.into_iter().map(sort).collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
        }
    }

    proptest! {
        #[test]
        fn yaml_has_the_value_of_the_json(fields in prop::collection::vec(("[a-z]{1,8}", any_value()), 1..5)) {
            let entry: Map<String, Value> = fields.into_iter().collect();
            let mut out = b"list:\n".to_vec();
            write_yaml_entry(&serde_json::to_vec(&entry).unwrap(), &mut out);
            let read = parse(&out, &Budget::default()).unwrap().to_json();
            let expected = Value::from(vec![Value::from(entry)]);
            prop_assert_eq!(sort(read["list"].clone()), sort(expected), "{}", String::from_utf8_lossy(&out));
        }

        /// What clients without a JSON fast path do with the index.
        #[test]
        fn json_read_as_yaml_has_the_same_value(value in any_value()) {
            let json = crate::index::json::to_json(&value).unwrap();
            let read = parse(&json, &Budget::default()).unwrap().to_json();
            prop_assert_eq!(sort(read), sort(value), "{}", String::from_utf8_lossy(&json));
        }
    }
}
