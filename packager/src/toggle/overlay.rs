//! Values to be laid over those of a chart, as `--values` does.

use serde_json::{Map, Value};

use crate::edit::{Segment, ValuePath};

/// Sets `value` at `path` in values that will be laid over `chart`. A path into a list takes the chart's list along,
/// since Helm replaces lists as a whole. What cannot be set is left out.
pub(crate) fn set_over(
    overlay: &mut Map<String, Value>,
    chart: &Map<String, Value>,
    path: &ValuePath,
    value: Value,
) {
    let Some((Segment::Key(first), rest)) = path.segments().split_first() else { return };
    let place = overlay.entry(first.clone()).or_insert(Value::Null);
    set(place, chart.get(first), rest, value);
}

fn set(place: &mut Value, chart: Option<&Value>, path: &[Segment], value: Value) {
    match path.split_first() {
        None => *place = value,
        Some((Segment::Key(key), rest)) => {
            if !place.is_object() {
                *place = Value::Object(Map::new());
            }
            if let Some(map) = place.as_object_mut() {
                let below = map.entry(key.clone()).or_insert(Value::Null);
                set(below, chart.and_then(|chart| chart.get(key)), rest, value);
            }
        }
        Some((Segment::Index(index), rest)) => {
            if !place.is_array() {
                *place = chart.cloned().unwrap_or(Value::Null);
            }
            if let Some(item) = place.get_mut(*index) {
                let known = item.clone();
                set(item, Some(&known), rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_is_taken_along() {
        let chart = json!({"a": {"list": [{"image": "x", "name": "n"}, {"image": "y"}]}});
        let mut overlay = Map::new();
        let chart = chart.as_object().unwrap();
        set_over(&mut overlay, chart, &"a.list[1].image".parse().unwrap(), json!("z"));
        set_over(&mut overlay, chart, &"a.list[0].image".parse().unwrap(), json!("w"));
        set_over(&mut overlay, chart, &"b.c".parse().unwrap(), json!(1));
        let expected = json!({"a": {"list": [{"image": "w", "name": "n"}, {"image": "z"}]}, "b": {"c": 1}});
        assert_eq!(Value::Object(overlay), expected);
    }
}
