//! What a YAML text means to Helm: the JSON that Go's parser makes of it.
//!
//! The editor never trusts its own idea of a text; it compares meanings before and after.

use chart::yaml::{self, Budget, YamlError};
use serde_json::Value;

use super::path::{Segment, ValuePath};

/// Returns the JSON that Helm would see in `text`; null for an empty text.
///
/// # Errors
/// [`YamlError`] when the text is not YAML or passes the parser's budget.
pub(crate) fn meaning_of(text: &str) -> Result<Value, YamlError> {
    Ok(yaml::parse(text.as_bytes(), &Budget::default())?.to_json())
}

/// Returns the value at `path`, if it is there.
pub(crate) fn find<'value>(root: &'value Value, path: &ValuePath) -> Option<&'value Value> {
    path.segments().iter().try_fold(root, |value, segment| match segment {
        Segment::Key(key) => value.as_object()?.get(key),
        Segment::Index(index) => value.as_array()?.get(*index),
    })
}

/// Puts `new` at `path`, making the mappings on the way that are missing or null.
///
/// Returns nothing when something on the way is neither a mapping, null, nor a list with that item.
pub(crate) fn put(root: &mut Value, path: &ValuePath, new: Value) -> Option<()> {
    let place = path.segments().iter().try_fold(root, |value, segment| match segment {
        Segment::Key(key) => {
            if value.is_null() {
                *value = Value::Object(serde_json::Map::new());
            }
            Some(value.as_object_mut()?.entry(key.clone()).or_insert(Value::Null))
        }
        Segment::Index(index) => value.as_array_mut()?.get_mut(*index),
    })?;
    *place = new;
    Some(())
}

/// Takes the entry `key` out of the mapping at the top of `root` or below `parent`.
pub(crate) fn take(root: &mut Value, parent: Option<&str>, key: &str) -> Option<Value> {
    let mapping = match parent {
        Some(parent) => root.get_mut(parent)?,
        None => root,
    };
    mapping.as_object_mut()?.remove(key)
}

/// Returns whether two values are the same to Helm, which reads every number as a 64-bit float.
pub(crate) fn is_same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left == right || left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| is_same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, value)| right.get(key).is_some_and(|other| is_same(value, other)))
        }
        _ => left == right,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn missing_and_null_mappings_are_made_on_the_way() {
        let mut root = json!({"a": null, "list": [{"b": 1}], "text": "x"});
        assert!(put(&mut root, &"a.b.c".parse().unwrap(), json!(1)).is_some());
        assert!(put(&mut root, &"list[0].b".parse().unwrap(), json!(2)).is_some());
        assert_eq!(root, json!({"a": {"b": {"c": 1}}, "list": [{"b": 2}], "text": "x"}));
        assert!(put(&mut root, &"list[1].b".parse().unwrap(), json!(2)).is_none());
        assert!(put(&mut root, &"text.b".parse().unwrap(), json!(2)).is_none());
    }

    #[test]
    fn numbers_are_compared_as_helm_reads_them() {
        assert!(is_same(&json!({"a": [1, 2.5]}), &json!({"a": [1.0, 2.5]})));
        assert!(!is_same(&json!("1"), &json!(1)));
        assert!(!is_same(&json!({"a": 1}), &json!({"a": 1, "b": 2})));
    }
}
