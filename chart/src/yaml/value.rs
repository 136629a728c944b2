//! A YAML document as a tree.

use std::collections::BTreeMap;

use super::number::{format_float, format_key};

/// A YAML value after Go's scalar rules. Scalars keep their kind, because a number is another text in a text
/// field (`1.10` is `1.1`) than in JSON.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing: an empty plain scalar, `~` or `null`.
    Null,
    /// A switch: `true`, `yes`, `on`, `y` and their opposites.
    Bool(bool),
    /// A whole number that fits 64 bits with a sign.
    Int(i64),
    /// A whole number that fits only 64 bits without a sign.
    Uint(u64),
    /// A number with a fraction or an exponent, or too long for 64 bits; may be infinite or undefined.
    Float(f64),
    /// A text.
    String(String),
    /// A list.
    Sequence(Vec<Value>),
    /// A map. Keys that were numbers or switches are their text; order is lost, as in Go.
    Mapping(BTreeMap<String, Value>),
}

impl Value {
    /// Returns the value under `key`, nothing when this is no map or has no such key.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Mapping(entries) => entries.get(key),
            Self::Null
            | Self::Bool(_)
            | Self::Int(_)
            | Self::Uint(_)
            | Self::Float(_)
            | Self::String(_)
            | Self::Sequence(_) => None,
        }
    }

    /// Returns the text when this is one; numbers and switches are not.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// Returns the value as JSON without a target type: whole floats as integers, as Go prints them. Infinite
    /// and undefined floats, which Go refuses, become null; [`super::parse_values`] refuses them too.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Bool(switch) => (*switch).into(),
            Self::Int(number) => (*number).into(),
            Self::Uint(number) => (*number).into(),
            Self::Float(number) => whole(*number).map_or_else(|| (*number).into(), serde_json::Value::from),
            Self::String(text) => text.as_str().into(),
            Self::Sequence(items) => items.iter().map(Self::to_json).collect(),
            Self::Mapping(entries) => entries
                .iter()
                .map(|(key, value)| (key.clone(), value.to_json()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }

    /// Returns the text a scalar becomes in a text field; nothing for null, lists and maps.
    pub(super) fn to_field_text(&self) -> Option<String> {
        match self {
            Self::Bool(switch) => Some(switch.to_string()),
            Self::Int(number) => Some(number.to_string()),
            Self::Uint(number) => Some(number.to_string()),
            Self::Float(number) => Some(format_float(*number)),
            Self::String(text) => Some(text.clone()),
            Self::Null | Self::Sequence(_) | Self::Mapping(_) => None,
        }
    }

    /// Turns a value into the key of a map; what cannot be one comes back as the name of its kind.
    pub(super) fn into_key(self) -> Result<String, &'static str> {
        match self {
            Self::String(text) => Ok(text),
            Self::Float(number) => Ok(format_key(number)),
            Self::Bool(switch) => Ok(switch.to_string()),
            Self::Int(number) => Ok(number.to_string()),
            Self::Uint(_) => Err("a whole number of more than 63 bits"),
            Self::Null | Self::Sequence(_) | Self::Mapping(_) => Err(self.kind()),
        }
    }

    /// Returns the kind in words.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Int(_) | Self::Uint(_) | Self::Float(_) => "a number",
            Self::String(_) => "a text",
            Self::Sequence(_) => "a list",
            Self::Mapping(_) => "a map",
        }
    }
}

/// Returns the integer a float is equal to, when there is one of at most 53 bits.
pub(super) fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let is_whole =
        number.fract() == 0.0 && number.abs() <= EXACT && !(number == 0.0 && number.is_sign_negative());
    #[expect(clippy::cast_possible_truncation, reason = "a whole number of at most 53 bits fits")]
    is_whole.then_some(number as i64)
}
