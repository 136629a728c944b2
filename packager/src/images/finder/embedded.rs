//! Configuration inside a text: YAML, JSON or TOML.

use std::collections::BTreeMap;

use chart::yaml::{self, Budget, Value};

use super::settings::settings_of;

/// Returns the tree of a text that is a document of its own; nothing for words and scripts.
pub(crate) fn embedded_value(text: &str) -> Option<Value> {
    let trimmed = text.trim_start();
    let looks_like_map = trimmed.contains('\n') && (trimmed.contains(':') || trimmed.contains('='));
    if !looks_like_map && !trimmed.starts_with(['{', '[']) {
        return None;
    }
    // First, since YAML takes the header of a table for a list and what follows for a fault. One line is no table:
    // a list of one text in JSON reads as a header.
    if text.trim().contains('\n')
        && let Ok(table) = toml::from_str::<toml::Table>(text)
    {
        return Some(of_toml(toml::Value::Table(table)));
    }
    // YAML takes the first section for a list, and leaves the rest.
    if settings_of(text).is_some() {
        return None;
    }
    let budget = Budget::for_values();
    // A text may hold several documents; each that parses is one item.
    let documents: Vec<Value> =
        split(text).filter_map(|one| yaml::parse(one.as_bytes(), &budget).ok()).collect();
    let is_tree = |value: &Value| matches!(value, Value::Mapping(_) | Value::Sequence(_));
    documents.iter().any(is_tree).then_some(Value::Sequence(documents))
}

fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n---").map(|one| one.strip_prefix("---").unwrap_or(one))
}

fn of_toml(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::Int(number),
        toml::Value::Float(number) => Value::Float(number),
        toml::Value::Boolean(switch) => Value::Bool(switch),
        toml::Value::Datetime(time) => Value::String(time.to_string()),
        toml::Value::Array(items) => Value::Sequence(items.into_iter().map(of_toml).collect()),
        toml::Value::Table(entries) => {
            let entries = entries.into_iter().map(|(key, value)| (key, of_toml(value)));
            Value::Mapping(entries.collect::<BTreeMap<_, _>>())
        }
    }
}
