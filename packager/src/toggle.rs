//! The toggles of a chart: switches in its values that are off and may be turned on, and texts that may be others.
//!
//! Only what stands outside lists counts: Helm replaces lists as a whole.

mod choice;
mod overlay;
mod together;

use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value};

pub(crate) use self::choice::choices_of;
pub(crate) use self::overlay::set_over;
pub(crate) use self::together::{Together, go_together};
use crate::edit::{InvalidPath, ValuePath, meaning_of};

/// A value that changes what a chart is made of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Toggle {
    /// The value.
    pub(crate) path: ValuePath,
    /// What it is set to: true for a switch, a text for a choice.
    pub(crate) value: Value,
}

impl Toggle {
    /// Returns the switch at `path`, turned on.
    pub(crate) fn on(path: ValuePath) -> Self {
        Self { path, value: Value::Bool(true) }
    }
}

/// `metrics.enabled` for a switch that is on, `mode=distributed` for any other value.
impl fmt::Display for Toggle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Value::Bool(true) => self.path.fmt(formatter),
            Value::String(text) => write!(formatter, "{}={text}", self.path),
            other => write!(formatter, "{}={other}", self.path),
        }
    }
}

impl FromStr for Toggle {
    type Err = InvalidPath;

    fn from_str(text: &str) -> Result<Self, InvalidPath> {
        // A key may hold the sign too, and then stands in quotes.
        let sign = text.rfind('=').filter(|sign| !text.get(*sign..).is_some_and(|rest| rest.contains('"')));
        let Some((path, value)) = sign.and_then(|sign| Some((text.get(..sign)?, text.get(sign + 1..)?)))
        else {
            return Ok(Self::on(text.parse()?));
        };
        let value = meaning_of(value).unwrap_or_else(|_| Value::String(value.to_owned()));
        Ok(Self { path: path.parse()?, value })
    }
}

/// Returns every switch that is off, in the order of their paths.
pub(crate) fn switches_of(values: &Map<String, Value>) -> Vec<Toggle> {
    let mut found = Vec::new();
    collect(values, &mut Vec::new(), &mut found);
    found
}

fn collect<'values>(
    values: &'values Map<String, Value>,
    above: &mut Vec<&'values str>,
    found: &mut Vec<Toggle>,
) {
    for (key, value) in values {
        above.push(key);
        match value {
            Value::Bool(false) => found.push(Toggle::on(ValuePath::of_keys(above))),
            Value::Object(below) => collect(below, above, found),
            Value::Null | Value::Bool(true) | Value::Number(_) | Value::String(_) | Value::Array(_) => {}
        }
        above.pop();
    }
}

/// Returns `values` with these toggles turned on.
pub(crate) fn turned_on(values: &Map<String, Value>, toggles: &[Toggle]) -> Map<String, Value> {
    let mut values = values.clone();
    for Toggle { path, value } in toggles {
        set_over(&mut values, &Map::new(), path, value.clone());
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
        let switches = switches_of(values.as_object().unwrap());
        let texts: Vec<_> = switches.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["a.b", "a.\"d.e\".f"]);
        let on = turned_on(&Map::new(), &switches);
        assert_eq!(Value::Object(on), json!({"a": {"b": true, "d.e": {"f": true}}}));
    }

    #[test]
    fn toggles_read_back_as_they_are_shown() {
        let table = [
            ("a.b", json!(true)),
            ("mode=distributed", json!("distributed")),
            ("a.count=3", json!(3)),
            ("a.\"b.c=d\".e", json!(true)),
        ];
        for (text, value) in table {
            let toggle: Toggle = text.parse().unwrap();
            assert_eq!((toggle.to_string().as_str(), &toggle.value), (text, &value));
        }
        assert!("=1".parse::<Toggle>().is_err());
    }
}
