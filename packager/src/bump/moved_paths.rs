//! Where a value that is gone probably is now: with its subtree when that moved, else under its own key elsewhere.

use serde_json::{Map, Value};

use crate::diff::ValueChanges;
use crate::edit::{Segment, ValuePath, find, is_same};

/// How many places are proposed; more would be no answer.
const MOST_PROPOSED: usize = 3;

/// Returns the places of `after` where the value at `path` of `before` probably is, the likeliest first.
pub(super) fn probable(
    path: &ValuePath,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    changes: &ValueChanges,
) -> Vec<String> {
    let text = path.to_string();
    let moved = changes.moved.iter().find_map(|one| {
        let rest = text.strip_prefix(&one.from)?;
        (rest.is_empty() || rest.starts_with(['.', '['])).then(|| format!("{}{rest}", one.to))
    });
    if let Some(moved) = moved {
        return vec![moved];
    }
    let Some(Segment::Key(last)) = path.segments().last() else { return Vec::new() };
    let old = find(&Value::Object(before.clone()), path).cloned();
    let mut found = Vec::new();
    places_of(last, after, &mut Vec::new(), &mut found);
    let was_there = |place: &Vec<String>| find_keys(before, place).is_some();
    found.retain(|(place, _)| !was_there(place));
    let likeness = |(place, value): &(Vec<String>, Value)| {
        let shared = shared_start(path, place);
        let is_equal = old.as_ref().is_some_and(|old| is_same(old, value));
        (is_equal, shared)
    };
    found.sort_by_key(|one| std::cmp::Reverse(likeness(one)));
    // Without a common beginning or the same value, an equal key is chance.
    found.retain(|one| likeness(one) > (false, 0));
    let path_of = |keys: &[String]| ValuePath::of_keys(&keys.iter().map(String::as_str).collect::<Vec<_>>());
    found.iter().take(MOST_PROPOSED).map(|(place, _)| path_of(place).to_string()).collect()
}

/// Finds every mapping entry with the key `last`.
fn places_of(
    last: &str,
    values: &Map<String, Value>,
    above: &mut Vec<String>,
    found: &mut Vec<(Vec<String>, Value)>,
) {
    for (key, value) in values {
        above.push(key.clone());
        if key == last {
            found.push((above.clone(), value.clone()));
        }
        if let Value::Object(below) = value {
            places_of(last, below, above, found);
        }
        above.pop();
    }
}

fn find_keys<'values>(values: &'values Map<String, Value>, keys: &[String]) -> Option<&'values Value> {
    let (first, rest) = keys.split_first()?;
    rest.iter().try_fold(values.get(first)?, |value, key| value.get(key))
}

fn shared_start(path: &ValuePath, place: &[String]) -> usize {
    let is_same = |(segment, key): &(&Segment, &String)| matches!(segment, Segment::Key(one) if one == *key);
    path.segments().iter().zip(place).take_while(is_same).count()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn proposed(path: &str, before: &Value, after: &Value) -> Vec<String> {
        let (before, after) = (before.as_object().unwrap(), after.as_object().unwrap());
        probable(&path.parse().unwrap(), before, after, &ValueChanges::between(before, after))
    }

    #[test]
    fn a_value_follows_its_subtree_or_its_own_key() {
        let before = json!({"old": {"image": {"repository": "quay.io/a", "tag": "1"}}, "patch": {"runAsUser": 2000}, "n": {"x": 1}});
        let after = json!({
            "new": {"image": {"repository": "quay.io/a", "tag": "1"}},
            "patch": {"create": {"runAsUser": 1}, "update": {"runAsUser": 2}},
            "far": {"runAsUser": 2000},
            "m": {"y": {"x": 2}},
        });
        assert_eq!(proposed("old.image.tag", &before, &after), ["new.image.tag"]);
        let places = proposed("patch.runAsUser", &before, &after);
        assert_eq!(places, ["far.runAsUser"], "the subtree that is the same has moved");
        assert!(proposed("n.x", &before, &after).is_empty(), "another value elsewhere is chance");
    }

    #[test]
    fn of_several_places_the_nearest_come_first() {
        let before = json!({"a": {"patch": {"runAsUser": 2000}}});
        let after = json!({
            "a": {"patch": {}, "create": {"securityContext": {"runAsUser": 1}}, "update": {"securityContext": {"runAsUser": 1}}},
            "b": {"runAsUser": 3},
        });
        let expected = ["a.create.securityContext.runAsUser", "a.update.securityContext.runAsUser"];
        assert_eq!(proposed("a.patch.runAsUser", &before, &after), expected);
    }
}
