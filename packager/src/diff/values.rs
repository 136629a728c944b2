//! Values that differ, by path: added, removed, moved, changed.
//!
//! A subtree that stands elsewhere unchanged has moved; the largest such subtree is told, and nothing below it. Lists
//! count whole: Helm replaces them whole.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value};

use crate::edit::{ValuePath, is_same};

/// A value that is at one side only, or that moved nowhere else.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct ValueAt {
    /// Its path.
    pub(crate) path: String,
    /// The value.
    pub(crate) value: Value,
}

/// A value with another default.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct ValueChange {
    /// Its path.
    pub(crate) path: String,
    /// What it was.
    pub(crate) before: Value,
    /// What it is.
    pub(crate) after: Value,
}

/// A subtree that stands elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ValueMove {
    /// Its path before.
    pub(crate) from: String,
    /// Its path now.
    pub(crate) to: String,
}

/// What differs between two sets of values.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct ValueChanges {
    /// Values that are new.
    pub(crate) added: Vec<ValueAt>,
    /// Values that are gone.
    pub(crate) removed: Vec<ValueAt>,
    /// Subtrees that stand elsewhere.
    pub(crate) moved: Vec<ValueMove>,
    /// Values with another default.
    pub(crate) changed: Vec<ValueChange>,
}

type Keys = Vec<String>;

impl ValueChanges {
    /// Compares two sets of values.
    pub(crate) fn between(before: &Map<String, Value>, after: &Map<String, Value>) -> Self {
        let mut found = Found::default();
        found.compare(before, after, &mut Vec::new());
        let moves = moves_among(&found.removed, &found.added);
        let (from, to): (BTreeSet<Keys>, BTreeSet<Keys>) = moves.iter().cloned().unzip();
        let path = |keys: &Keys| path_of(keys).to_string();
        let rest = |all: &[(Keys, Value)], taken: &BTreeSet<Keys>| {
            let mut left = Vec::new();
            all.iter().for_each(|(keys, value)| without(keys, value, taken, &mut left));
            left
        };
        Self {
            added: rest(&found.added, &to),
            removed: rest(&found.removed, &from),
            moved: moves.iter().map(|(from, to)| ValueMove { from: path(from), to: path(to) }).collect(),
            changed: found.changed,
        }
    }

    /// Returns whether nothing differs.
    pub(crate) fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.moved.is_empty() && self.changed.is_empty()
    }
}

#[derive(Default)]
struct Found {
    removed: Vec<(Keys, Value)>,
    added: Vec<(Keys, Value)>,
    changed: Vec<ValueChange>,
}

impl Found {
    fn compare(&mut self, before: &Map<String, Value>, after: &Map<String, Value>, above: &mut Keys) {
        for (key, old) in before {
            above.push(key.clone());
            match (old, after.get(key)) {
                (Value::Object(old), Some(Value::Object(new))) => self.compare(old, new, above),
                (old, Some(new)) if is_same(old, new) => {}
                (old, Some(new)) => self.changed.push(ValueChange {
                    path: path_of(above).to_string(),
                    before: old.clone(),
                    after: new.clone(),
                }),
                (old, None) => self.removed.push((above.clone(), old.clone())),
            }
            above.pop();
        }
        for (key, new) in after.iter().filter(|(key, _)| !before.contains_key(*key)) {
            above.push(key.clone());
            self.added.push((above.clone(), new.clone()));
            above.pop();
        }
    }
}

/// Pairs each removed subtree, the largest first, with the one added subtree that is the same.
fn moves_among(removed: &[(Keys, Value)], added: &[(Keys, Value)]) -> Vec<(Keys, Keys)> {
    let mut places: BTreeMap<String, Vec<Keys>> = BTreeMap::new();
    added.iter().for_each(|(keys, value)| index(keys, value, &mut places));
    let mut moves = Vec::new();
    removed.iter().for_each(|(keys, value)| find_moves(keys, value, &mut places, &mut moves));
    moves
}

fn find_moves(
    keys: &Keys,
    value: &Value,
    places: &mut BTreeMap<String, Vec<Keys>>,
    moves: &mut Vec<(Keys, Keys)>,
) {
    let same = places.get(&value.to_string()).map(Vec::as_slice).unwrap_or_default();
    // `false` and `{}` stand everywhere: a small value counts only under its own key.
    let fitting: Vec<&Keys> = same.iter().filter(|to| says_much(value) || to.last() == keys.last()).collect();
    if let [to] = fitting.as_slice() {
        let to = (*to).clone();
        for taken in places.values_mut() {
            taken.retain(|one| !one.starts_with(&to) && !to.starts_with(one));
        }
        moves.push((keys.clone(), to));
        return;
    }
    for (key, below) in value.as_object().into_iter().flatten() {
        let mut keys = keys.clone();
        keys.push(key.clone());
        find_moves(&keys, below, places, moves);
    }
}

fn index(keys: &Keys, value: &Value, places: &mut BTreeMap<String, Vec<Keys>>) {
    places.entry(value.to_string()).or_default().push(keys.clone());
    for (key, below) in value.as_object().into_iter().flatten() {
        let mut keys = keys.clone();
        keys.push(key.clone());
        index(&keys, below, places);
    }
}

fn says_much(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => text.len() > 3,
        Value::Array(items) => !items.is_empty(),
        Value::Object(entries) => entries.values().any(|value| entries.len() > 1 || says_much(value)),
    }
}

/// Adds what is left of a subtree when parts of it stand elsewhere.
fn without(keys: &Keys, value: &Value, taken: &BTreeSet<Keys>, left: &mut Vec<ValueAt>) {
    if taken.contains(keys) {
        return;
    }
    match value {
        Value::Object(entries) if taken.iter().any(|one| one.starts_with(keys)) => {
            for (key, below) in entries {
                let mut keys = keys.clone();
                keys.push(key.clone());
                without(&keys, below, taken, left);
            }
        }
        value => left.push(ValueAt { path: path_of(keys).to_string(), value: value.clone() }),
    }
}

fn path_of(keys: &Keys) -> ValuePath {
    ValuePath::of_keys(&keys.iter().map(String::as_str).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn between(before: &Value, after: &Value) -> ValueChanges {
        ValueChanges::between(before.as_object().unwrap(), after.as_object().unwrap())
    }

    #[test]
    fn each_kind_of_difference_is_told_at_its_highest_path() {
        let before =
            json!({"image": {"repository": "quay.io/a", "tag": "1"}, "old": {"x": 1}, "same": [1], "n": 1});
        let after = json!({"global": {"image": {"repository": "quay.io/a", "tag": "1"}}, "same": [1, 2], "n": 1.0, "new": {"y": 2}});
        let changes = between(&before, &after);
        assert_eq!(changes.moved, [ValueMove { from: "image".to_owned(), to: "global.image".to_owned() }]);
        assert_eq!(changes.removed, [ValueAt { path: "old".to_owned(), value: json!({"x": 1}) }]);
        assert_eq!(changes.added, [ValueAt { path: "new".to_owned(), value: json!({"y": 2}) }]);
        let paths: Vec<_> = changes.changed.iter().map(|one| one.path.as_str()).collect();
        assert_eq!(paths, ["same"], "1 and 1.0 are the same to Helm");
        assert!(between(&before, &before).is_empty());
    }

    fn any_values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![any::<bool>().prop_map(Value::from), "[a-c]{0,5}".prop_map(Value::from)];
        leaf.prop_recursive(4, 24, 4, |inner| {
            proptest::collection::btree_map("[a-d]", inner, 1..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect()))
        })
    }

    fn leaves(value: &Value, above: &str, found: &mut BTreeSet<String>) {
        match value.as_object() {
            Some(entries) => {
                entries.iter().for_each(|(key, value)| leaves(value, &format!("{above}.{key}"), found))
            }
            None => _ = found.insert(above.trim_start_matches('.').to_owned()),
        }
    }

    proptest! {
        #[test]
        fn every_value_that_came_or_went_is_told_once(before in any_values(), after in any_values()) {
            let (before, after) = (json!({"top": before}), json!({"top": after}));
            let changes = between(&before, &after);
            let (mut old, mut new) = (BTreeSet::new(), BTreeSet::new());
            leaves(&before, "", &mut old);
            leaves(&after, "", &mut new);
            let changed = || changes.changed.iter().map(|one| one.path.as_str());
            let gone: Vec<&str> = changes.removed.iter().map(|one| one.path.as_str())
                .chain(changes.moved.iter().map(|one| one.from.as_str())).chain(changed()).collect();
            let come: Vec<&str> = changes.added.iter().map(|one| one.path.as_str())
                .chain(changes.moved.iter().map(|one| one.to.as_str())).chain(changed()).collect();
            let covers = |all: &[&str], leaf: &str| {
                all.iter().filter(|one| leaf == **one || leaf.starts_with(&format!("{one}."))).count()
            };
            for leaf in old.difference(&new) {
                prop_assert_eq!(covers(&gone, leaf), 1, "{} of {:?}", leaf, changes);
            }
            for leaf in new.difference(&old) {
                prop_assert_eq!(covers(&come, leaf), 1, "{} of {:?}", leaf, changes);
            }
        }
    }

    #[test]
    fn a_part_that_moved_leaves_the_rest_of_its_subtree() {
        let before = json!({"a": {"resources": {"limits": {"cpu": "100m"}}, "gone": true}});
        let after = json!({"b": {"resources": {"limits": {"cpu": "100m"}}, "fresh": true}});
        let changes = between(&before, &after);
        assert_eq!(
            changes.moved,
            [ValueMove { from: "a.resources".to_owned(), to: "b.resources".to_owned() }]
        );
        assert_eq!((changes.removed[0].path.as_str(), changes.added[0].path.as_str()), ("a.gone", "b.fresh"));
    }

    #[test]
    fn what_stands_everywhere_moves_nowhere() {
        let changes = between(
            &json!({"a": false, "tag": ""}),
            &json!({"b": false, "x": {"tag": ""}, "y": {"tag": ""}}),
        );
        assert!(changes.moved.is_empty(), "{changes:?}");
        let changes = between(&json!({"enabled": false}), &json!({"gate": {"enabled": false}}));
        assert_eq!(changes.moved.len(), 1, "the same key, and one place only");
    }
}
