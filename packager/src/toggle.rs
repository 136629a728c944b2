//! The toggles of a chart: switches in its values that are off and may be turned on.
//!
//! Only switches outside lists count: Helm replaces lists as a whole.

mod overlay;

use serde_json::{Map, Value};

pub(crate) use self::overlay::set_over;
use crate::edit::ValuePath;

/// Returns every switch that is off, in the order of their paths.
pub(crate) fn toggles_of(values: &Map<String, Value>) -> Vec<ValuePath> {
    let mut found = Vec::new();
    collect(values, &mut Vec::new(), &mut found);
    found
}

fn collect<'values>(
    values: &'values Map<String, Value>,
    above: &mut Vec<&'values str>,
    found: &mut Vec<ValuePath>,
) {
    for (key, value) in values {
        above.push(key);
        match value {
            Value::Bool(false) => found.push(ValuePath::of_keys(above)),
            Value::Object(below) => collect(below, above, found),
            Value::Null | Value::Bool(true) | Value::Number(_) | Value::String(_) | Value::Array(_) => {}
        }
        above.pop();
    }
}

/// Returns `values` with these toggles turned on.
pub(crate) fn turned_on(values: &Map<String, Value>, toggles: &[ValuePath]) -> Map<String, Value> {
    let mut values = values.clone();
    for toggle in toggles {
        set_over(&mut values, &Map::new(), toggle, Value::Bool(true));
    }
    values
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn switches_that_are_off_are_found_outside_lists() {
        let values =
            json!({"a": {"b": false, "c": true, "d.e": {"f": false}}, "g": [{"h": false}], "i": "false"});
        let paths = toggles_of(values.as_object().unwrap());
        let texts: Vec<_> = paths.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["a.b", "a.\"d.e\".f"]);
        let on = turned_on(&Map::new(), &paths);
        assert_eq!(Value::Object(on), json!({"a": {"b": true, "d.e": {"f": true}}}));
    }
}
