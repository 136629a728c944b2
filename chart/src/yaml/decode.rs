//! Decoding a tree into typed fields, as `sigs.k8s.io/yaml` does.
//!
//! Numbers and switches become texts where a text is wanted; nothing else is converted, and an error names
//! its field.

use std::collections::btree_map;
use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error, Expected, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

use super::value::{Value, whole};

/// Why a field cannot take the value it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError {
    path: String,
    reason: String,
}

impl DecodeError {
    /// Returns the path of the field, such as `dependencies[0].name`; empty for the document itself.
    pub fn path(&self) -> &str {
        &self.path
    }

    fn mismatch(value: &Value, wanted: &str) -> Self {
        Self { path: String::new(), reason: format!("is {}; it must be {wanted}", value.kind()) }
    }

    fn inside(mut self, step: &str) -> Self {
        let joint = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{step}{joint}{}", self.path);
        self
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            write!(formatter, "the document {}", self.reason)
        } else {
            write!(formatter, "`{}` {}", self.path, self.reason)
        }
    }
}

impl std::error::Error for DecodeError {}

impl Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { path: String::new(), reason: format!("is not valid: {message}") }
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self { path: String::new(), reason: format!("is {unexpected}; it must be {expected}") }
    }
}

impl<'de> Deserializer<'de> for &'de Value {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self {
            Value::Null => visitor.visit_unit(),
            Value::Bool(switch) => visitor.visit_bool(*switch),
            Value::Int(number) => visitor.visit_i64(*number),
            Value::Uint(number) => visitor.visit_u64(*number),
            Value::Float(number) if !number.is_finite() => Err(DecodeError::mismatch(self, "a finite one")),
            Value::Float(number) => match whole(*number) {
                Some(integer) => visitor.visit_i64(integer),
                None => visitor.visit_f64(*number),
            },
            Value::String(text) => visitor.visit_str(text),
            Value::Sequence(items) => visitor.visit_seq(Items { items: items.iter().enumerate() }),
            Value::Mapping(entries) => visitor.visit_map(Entries { entries: entries.iter(), value: None }),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match (self, self.to_field_text()) {
            (Value::String(text), _) => visitor.visit_str(text),
            (_, Some(text)) => visitor.visit_string(text),
            (_, None) => Err(DecodeError::mismatch(self, "a text")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let Value::Bool(switch) = self else {
            return Err(DecodeError::mismatch(self, "true or false, without quotes"));
        };
        visitor.visit_bool(*switch)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if *self == Value::Null { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let Value::Sequence(items) = self else { return Err(DecodeError::mismatch(self, "a list")) };
        visitor.visit_seq(Items { items: items.iter().enumerate() })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let Value::Mapping(entries) = self else { return Err(DecodeError::mismatch(self, "a map")) };
        visitor.visit_map(Entries { entries: entries.iter(), value: None })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct
        enum identifier ignored_any
    }
}

struct Items<'de> {
    items: std::iter::Enumerate<std::slice::Iter<'de, Value>>,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = DecodeError;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, DecodeError> {
        let Some((position, item)) = self.items.next() else { return Ok(None) };
        seed.deserialize(item).map(Some).map_err(|error| error.inside(&format!("[{position}]")))
    }
}

struct Entries<'de> {
    entries: btree_map::Iter<'de, String, Value>,
    value: Option<(&'de str, &'de Value)>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, DecodeError> {
        let Some((key, value)) = self.entries.next() else { return Ok(None) };
        self.value = Some((key, value));
        seed.deserialize(StrDeserializer::new(key)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, DecodeError> {
        match self.value.take() {
            Some((key, value)) => seed.deserialize(value).map_err(|error: DecodeError| error.inside(key)),
            None => Err(DecodeError::custom("a value was asked for before its key")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use crate::yaml::{Budget, parse};

    type Lists = BTreeMap<String, Vec<String>>;

    fn decode<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, String> {
        let value = parse(text.as_bytes(), &Budget::default()).unwrap();
        T::deserialize(&value).map_err(|error| error.to_string())
    }

    #[test]
    fn scalars_become_text_where_text_is_wanted() {
        let lists = decode::<Lists>("a: [1, yes, 1.10, x, 0x10, .inf]\n").unwrap();
        assert_eq!(lists["a"], ["1", "true", "1.1", "x", "16", "+Inf"]);
        assert_eq!(decode::<Option<String>>("~"), Ok(None));
    }

    #[test]
    fn an_error_names_the_field_and_what_it_must_be() {
        for (text, reason) in [
            ("a", "the document is a text; it must be a map"),
            ("a: b", "`a` is a text; it must be a list"),
            ("a: [x, [y]]", "`a[1]` is a list; it must be a text"),
            ("a: [x, {y: z}]", "`a[1]` is a map; it must be a text"),
            ("a: [~]", "`a[0]` is null; it must be a text"),
            ("a: 1", "`a` is a number; it must be a list"),
        ] {
            assert_eq!(decode::<Lists>(text), Err(reason.to_owned()));
        }
        let reason = "`a.b` is a text; it must be true or false, without quotes";
        assert_eq!(
            decode::<BTreeMap<String, BTreeMap<String, bool>>>("a: {b: 'yes'}"),
            Err(reason.to_owned())
        );
        let reason = "`a` is not valid: the chart name is empty; give it at least one character";
        assert_eq!(decode::<BTreeMap<String, crate::ChartName>>("a: ''"), Err(reason.to_owned()));
    }

    #[test]
    fn whole_floats_are_integers_without_a_target() {
        assert_eq!(decode::<serde_json::Value>("[1.0, 1e3, 1.5]").unwrap().to_string(), "[1,1000,1.5]");
    }
}
