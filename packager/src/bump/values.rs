//! The values that a recipe names, looked up in both upstreams.

use serde_json::{Map, Value};

use super::Finding;
use super::moved_paths::probable;
use crate::diff::ValueChanges;
use crate::edit::{Segment, ValuePath, find, is_same};
use crate::recipe::{Recipe, ValueEdit};

/// Both sets of values, and what differs between them.
pub(super) struct BothValues {
    before: Value,
    after: Value,
    changes: ValueChanges,
}

impl BothValues {
    /// Takes the values of both upstreams, those of subcharts below their names.
    pub(super) fn new(before: Map<String, Value>, after: Map<String, Value>) -> Self {
        let changes = ValueChanges::between(&before, &after);
        Self { before: Value::Object(before), after: Value::Object(after), changes }
    }

    /// Returns what the newer values mean for everything that `recipe` names by path.
    pub(super) fn findings(&self, recipe: &Recipe) -> Vec<Finding> {
        let mut found = Vec::new();
        for ValueEdit { path, value, .. } in &recipe.values {
            found.extend(self.gone(path, "values").or_else(|| self.other(path, value)));
        }
        for toggle in &recipe.images.toggles {
            found.extend(self.gone(&toggle.path, "images.toggles"));
        }
        for ValueEdit { path, .. } in &recipe.images.probe_values {
            found.extend(self.gone(path, "images.probeValues"));
        }
        found
    }

    /// A path is gone when what is left of it is shorter than it was. What the recipe itself makes new, as a key of an
    /// empty mapping, was never there.
    fn gone(&self, path: &ValuePath, set_by: &'static str) -> Option<Finding> {
        let (before, after) = (reach(&self.before, path), reach(&self.after, path));
        if after >= before {
            return None;
        }
        let (Some(old), Some(new)) = (self.before.as_object(), self.after.as_object()) else { return None };
        let probable = probable(path, old, new, &self.changes);
        Some(Finding::GonePath { path: path.to_string(), set_by, probable })
    }

    fn other(&self, path: &ValuePath, ours: &Value) -> Option<Finding> {
        let (before, after) = (find(&self.before, path), find(&self.after, path));
        let path = path.to_string();
        match (before, after) {
            (Some(before), Some(after)) if kind_of(before) != kind_of(after) && !is_same(after, ours) => {
                let (before, after) = (kind_of(before), kind_of(after));
                // Null says nothing about what may stand there.
                let is_null = before == "null" || after == "null";
                (!is_null).then_some(Finding::OtherKind { path, before, after })
            }
            (Some(before), Some(after)) if is_same(after, ours) && !is_same(before, ours) => {
                Some(Finding::Needless { path })
            }
            (Some(before), Some(after)) if !is_same(before, after) => {
                let (before, after) = (before.clone(), after.clone());
                Some(Finding::OtherDefault { path, before, after })
            }
            (Some(_) | None, _) => None,
        }
    }
}

/// Returns how many segments of `path` lead to something.
fn reach(values: &Value, path: &ValuePath) -> usize {
    let mut at = values;
    for (reached, segment) in path.segments().iter().enumerate() {
        let next = match segment {
            Segment::Key(key) => at.get(key),
            Segment::Index(index) => at.get(*index),
        };
        let Some(next) = next else { return reached };
        at = next;
    }
    path.segments().len()
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn findings(recipe: &str, before: &Value, after: &Value) -> Vec<Finding> {
        let recipe = Recipe::parse(&format!("chart: .\n{recipe}")).unwrap();
        let values = |value: &Value| value.as_object().unwrap().clone();
        BothValues::new(values(before), values(after)).findings(&recipe)
    }

    #[test]
    fn each_path_of_the_recipe_is_looked_up_in_both() {
        let before = json!({"a": {"b": 1, "own": {}}, "kind": "x", "default": 1, "same": 1, "merged": 1, "empty": null});
        let after =
            json!({"a": {"own": {}}, "kind": {"x": 1}, "default": 2, "same": 1, "merged": 5, "empty": {}});
        let recipe = "values: {a.b: 2, a.own.role: x, kind: y, default: 3, same: 4, merged: 5, empty: {z: 1}, brand.new: 1}\n\
                      images: {toggles: [a.b], probeValues: {a.b: 3}}\n";
        let path = |path: &str| path.to_owned();
        let gone = |set_by| Finding::GonePath { path: path("a.b"), set_by, probable: vec![] };
        assert_eq!(
            findings(recipe, &before, &after),
            [
                gone("values"),
                Finding::OtherKind { path: path("kind"), before: "a text", after: "a mapping" },
                Finding::OtherDefault { path: path("default"), before: json!(1), after: json!(2) },
                Finding::Needless { path: path("merged") },
                gone("images.toggles"),
                gone("images.probeValues"),
            ]
        );
    }

    #[test]
    fn a_key_of_our_own_goes_with_the_mapping_it_was_put_into() {
        let (before, after) = (json!({"a": {"selector": {"os": "linux"}}}), json!({"a": {}}));
        let found = findings("values: {a.selector.role: x}\n", &before, &after);
        assert!(
            matches!(&found[..], [Finding::GonePath { path, .. }] if path == "a.selector.role"),
            "{found:?}"
        );
    }
}
