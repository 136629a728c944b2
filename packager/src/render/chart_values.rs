//! The values of a chart with those of its subcharts below their names, as Helm brings them together.
//!
//! Subcharts that conditions switch off are included: a toggle may switch them on.

use chart::ChartMetadata;
use chart::archive::ArchiveFile;
use chart::yaml::{Budget, parse_values};
use serde_json::{Map, Value};

/// Returns the values of the chart whose files are given, paths relative to it.
pub(crate) fn values_of(files: &[ArchiveFile], metadata: &ChartMetadata) -> Map<String, Value> {
    collect(files, "", metadata)
}

/// Puts `over` on top of `under`: maps into maps, null takes a key away, anything else replaces.
pub(crate) fn merge_over(under: &mut Map<String, Value>, over: &Map<String, Value>) {
    for (key, value) in over {
        match (under.get_mut(key), value) {
            (Some(Value::Object(below)), Value::Object(above)) => merge_over(below, above),
            (_, Value::Null) => _ = under.remove(key),
            (_, value) => _ = under.insert(key.clone(), value.clone()),
        }
    }
}

fn collect(files: &[ArchiveFile], root: &str, metadata: &ChartMetadata) -> Map<String, Value> {
    let mut values = Map::new();
    for folder in subchart_folders(files, root) {
        let below = format!("{root}charts/{folder}/");
        let Some(subchart) = metadata_at(files, &below) else { continue };
        let own = Value::Object(collect(files, &below, &subchart));
        for name in effective_names(metadata, &subchart) {
            values.insert(name.to_owned(), own.clone());
        }
    }
    let own = files.iter().rev().find(|file| file.path == format!("{root}values.yaml"));
    // The archive's reader has refused values that do not parse.
    let own = own.and_then(|file| parse_values(&file.bytes, &Budget::for_values()).ok()).unwrap_or_default();
    merge_over(&mut values, &own);
    values
}

/// Returns the names under which a chart uses one of its subcharts: its aliases, or its own.
pub(super) fn effective_names<'chart>(
    metadata: &'chart ChartMetadata,
    subchart: &'chart ChartMetadata,
) -> Vec<&'chart str> {
    let names = metadata.dependencies.iter().filter(|one| one.name == subchart.name.as_str());
    let mut names: Vec<&str> = names.map(|one| one.effective_name()).collect();
    if names.is_empty() {
        names.push(subchart.name.as_str());
    }
    names
}

pub(super) fn metadata_at(files: &[ArchiveFile], root: &str) -> Option<ChartMetadata> {
    let bytes_of = |name: &str| {
        let path = format!("{root}{name}");
        files.iter().find(|file| file.path == path).map(|file| file.bytes.as_slice())
    };
    ChartMetadata::parse(bytes_of("Chart.yaml")?, bytes_of("requirements.yaml")).ok()
}

pub(super) fn subchart_folders<'files>(files: &'files [ArchiveFile], root: &str) -> Vec<&'files str> {
    let prefix = format!("{root}charts/");
    let below = files.iter().filter_map(|file| file.path.strip_prefix(&prefix)?.strip_suffix("/Chart.yaml"));
    below.filter(|folder| !folder.contains('/')).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    /// Returns a chart that uses another one, which has one of its own, under two names.
    pub(in crate::render) fn chart_of_aliases() -> (Vec<ArchiveFile>, ChartMetadata) {
        let file =
            |path: &str, text: &str| ArchiveFile { path: path.to_owned(), bytes: text.as_bytes().to_vec() };
        let parent = "apiVersion: v2\nname: a\nversion: 1.0.0\ndependencies:\n- {name: b, version: 1.0.0, alias: first}\n\
                      - {name: b, version: 1.0.0, alias: second}\n";
        let files = vec![
            file("Chart.yaml", parent),
            file("values.yaml", "first: {active: true, gone: ~}\n"),
            file("charts/b/Chart.yaml", "apiVersion: v2\nname: b\nversion: 1.0.0\n"),
            file("charts/b/values.yaml", "active: false\ngone: 1\nimage: a\n"),
            file("charts/b/charts/c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n"),
            file("charts/b/charts/c/values.yaml", "deep: 1\n"),
        ];
        (files, ChartMetadata::parse(parent.as_bytes(), None).unwrap())
    }

    #[test]
    fn subcharts_stand_below_their_alias_and_the_parent_wins() {
        let (files, metadata) = chart_of_aliases();
        let expected = json!({
            "first": {"c": {"deep": 1}, "active": true, "image": "a"},
            "second": {"c": {"deep": 1}, "active": false, "gone": 1, "image": "a"},
        });
        assert_eq!(Value::Object(values_of(&files, &metadata)), expected);
    }
}
