//! Fields of `Chart.yaml` that differ: annotations and dependencies one by one, other fields whole.

use std::collections::BTreeMap;

use chart::ChartMetadata;
use serde::Serialize;
use serde_json::Value;

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct FieldChange {
    /// The field: `appVersion`, `annotations.KEY`, `dependencies.NAME`.
    pub(crate) field: String,
    /// What it was; absent when it is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<Value>,
    /// What it is; absent when it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) after: Option<Value>,
}

/// Returns the fields that differ, sorted by name.
pub(super) fn changes(before: &ChartMetadata, after: &ChartMetadata) -> Vec<FieldChange> {
    let (old, mut new) = (fields_of(before), fields_of(after));
    let mut changes = Vec::new();
    for (field, before) in old {
        let after = new.remove(&field);
        if after.as_ref() != Some(&before) {
            changes.push(FieldChange { field, before: Some(before), after });
        }
    }
    changes.extend(new.into_iter().map(|(field, after)| FieldChange {
        field,
        before: None,
        after: Some(after),
    }));
    changes.sort_by(|one, other| one.field.cmp(&other.field));
    changes
}

fn fields_of(metadata: &ChartMetadata) -> BTreeMap<String, Value> {
    let mut fields = BTreeMap::new();
    // Metadata is plain texts and lists, which JSON always holds.
    let Ok(Value::Object(all)) = serde_json::to_value(metadata) else { return fields };
    for (field, value) in all {
        match (field.as_str(), value) {
            ("annotations", Value::Object(annotations)) => {
                let each = annotations.into_iter().map(|(key, text)| (format!("annotations.{key}"), text));
                fields.extend(each);
            }
            ("dependencies", Value::Array(_)) => {
                for dependency in &metadata.dependencies {
                    let value = serde_json::to_value(dependency).unwrap_or_default();
                    fields.insert(format!("dependencies.{}", dependency.effective_name()), value);
                }
            }
            (_, value) => _ = fields.insert(field, value),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn annotations_and_dependencies_are_told_one_by_one() {
        let parse = |more: &str| {
            let text = format!("apiVersion: v2\nname: a\nversion: 1.0.0\n{more}");
            ChartMetadata::parse(text.as_bytes(), None).unwrap()
        };
        let old = parse(
            "annotations: {x: '1', z: '2'}\ndependencies: [{name: d, version: 1.x, repository: r}]\nkubeVersion: '>=1.19'\n",
        );
        let new = parse(
            "annotations: {x: '1', z: '3'}\ndependencies: [{name: d, version: 1.x, repository: r, alias: e}]\nkubeVersion: '>=1.20'\n",
        );
        let told: Vec<_> = changes(&old, &new)
            .into_iter()
            .map(|one| (one.field, one.before.is_some(), one.after.is_some()))
            .collect();
        let field = |name: &str, before, after| (name.to_owned(), before, after);
        assert_eq!(
            told,
            [
                field("annotations.z", true, true),
                field("dependencies.d", true, false),
                field("dependencies.e", false, true),
                field("kubeVersion", true, true),
            ]
        );
        assert_eq!(changes(&old, &new)[3].after, Some(json!(">=1.20")));
        assert!(changes(&old, &old).is_empty());
    }
}
