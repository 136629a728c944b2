//! What a rendering shows about its documents as resources: complete ones, each made once, by versions that are served.

use std::collections::HashMap;

use chart::yaml::{self, Budget, Value};

use super::removed_apis::{self, RemovedApi};
use super::source_line::source_line;
use super::{Check, Finding};
use crate::render::{Document, Rendering, StagedChart, split_documents};

/// Returns what is wrong with the documents of one rendering.
pub(super) fn check(
    chart: &StagedChart,
    rendering: &Rendering,
    kubernetes: &str,
    table: &[RemovedApi],
) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut seen: HashMap<Identity<'_>, &Document> = HashMap::new();
    for document in &rendering.documents {
        let value = document.value();
        if matches!(value, Value::Null) {
            found.extend(not_yaml(document));
            continue;
        }
        let Some(identity) = Identity::of(document) else {
            found.push(incomplete(document));
            continue;
        };
        found.extend(removed_api(chart, document, &identity, kubernetes, table));
        if let Some(first) = seen.insert(identity, document) {
            found.push(duplicate(chart, document, first));
        }
    }
    found
}

/// Returns what a Kubernetes version does not serve of the folders `crds/`, which helm installs before it renders.
pub(super) fn check_definitions(chart: &StagedChart, kubernetes: &str, table: &[RemovedApi]) -> Vec<Finding> {
    let is_definition = |path: &str| path.starts_with("crds/") || path.contains("/crds/");
    let files = chart.files().iter().filter(|file| is_definition(&file.path));
    let texts = files.filter_map(|file| Some((&file.path, str::from_utf8(&file.bytes).ok()?)));
    let documents = texts.flat_map(|(path, text)| {
        split_documents(text).into_iter().map(|one| Document::new(path.clone(), one.text))
    });
    let found = documents.filter_map(|document| {
        let identity = Identity::of(&document)?;
        removed_api(chart, &document, &identity, kubernetes, table)
    });
    found.collect()
}

/// What a cluster tells resources apart by. Hooks may come back under another moment.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Identity<'document> {
    api: &'document str,
    kind: &'document str,
    namespace: &'document str,
    name: &'document str,
    hook: &'document str,
}

impl<'document> Identity<'document> {
    fn of(document: &'document Document) -> Option<Self> {
        let value = document.value();
        let metadata = value.get("metadata");
        let text = |value: Option<&'document Value>| value.and_then(Value::as_str);
        let of_metadata = |key| text(metadata.and_then(|metadata| metadata.get(key)));
        let hook = metadata.and_then(|metadata| metadata.get("annotations")?.get("helm.sh/hook"));
        let kind = text(value.get("kind")).filter(|kind| !kind.is_empty())?;
        let api = text(value.get("apiVersion")).filter(|api| !api.is_empty())?;
        let is_named = |name: &&str| !name.is_empty();
        // A list has no name, and a resource may let the cluster make one.
        let name = of_metadata("name").or_else(|| of_metadata("generateName")).filter(is_named);
        let name = name.or_else(|| kind.ends_with("List").then_some(document.text.as_str()))?;
        let namespace = of_metadata("namespace").unwrap_or_default();
        Some(Self { api, kind, namespace, name, hook: text(hook).unwrap_or_default() })
    }
}

/// A document of comments alone is dropped by helm; what is no YAML is not.
fn not_yaml(document: &Document) -> Option<Finding> {
    let problem = yaml::parse(document.text.as_bytes(), &Budget::for_values()).err()?;
    let cause = format!("what it makes is not YAML: {problem}");
    Some(
        Finding::new(Check::InvalidYaml, &document.template, cause)
            .at(&document.template, None)
            .remedy("correct the template with a patch, or leave it out with `exclude`"),
    )
}

fn incomplete(document: &Document) -> Finding {
    let value = document.value();
    let has = |key| value.get(key).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
    let missing = match (has("apiVersion"), has("kind")) {
        (false, _) => "apiVersion",
        (true, false) => "kind",
        (true, true) => "metadata.name",
    };
    let first = document.text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    let cause = format!("a document without `{missing}`, beginning with `{first}`: installing would fail");
    Finding::new(Check::IncompleteResource, &document.template, cause)
        .at(&document.template, None)
        .remedy("correct the template with a patch, or leave it out with `exclude`")
}

fn removed_api(
    chart: &StagedChart,
    document: &Document,
    identity: &Identity<'_>,
    kubernetes: &str,
    table: &[RemovedApi],
) -> Option<Finding> {
    let Identity { api, kind, name, .. } = identity;
    let RemovedApi { removed, replacement, .. } = removed_apis::removed(table, api, kind, kubernetes)?;
    let place = source_line(chart, &document.template, &format!("apiVersion: {api}"));
    let cause = format!("{api} {kind} `{name}` is not served by Kubernetes {removed} and later");
    let patched = replacement.as_ref().map_or_else(
        || "nothing serves it then: switch it off in `values`".to_owned(),
        |replacement| format!("use {replacement} by a patch"),
    );
    Some(
        Finding::new(Check::RemovedApi, format!("{api}/{kind}/{name}"), cause)
            .at(place.file, place.line)
            .remedy(format!("{patched}, or take a newer chart")),
    )
}

fn duplicate(chart: &StagedChart, document: &Document, first: &Document) -> Finding {
    let (kind, name) = document.kind_and_name();
    let place = source_line(chart, &document.template, &format!("kind: {kind}"));
    let cause = if first.template == document.template {
        format!("{kind} `{name}` is made twice by this template: installing would fail")
    } else {
        format!("{kind} `{name}` is made by `{}` too: installing would fail", first.template)
    };
    Finding::new(Check::DuplicateResource, format!("{kind}/{name}"), cause)
        .at(place.file, place.line)
        .remedy("leave one of the templates out with `exclude`, or switch one off in `values`")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn found(documents: &[&str]) -> Vec<(Check, String)> {
        let chart = vec![chart::archive::ArchiveFile {
            path: "Chart.yaml".to_owned(),
            bytes: b"apiVersion: v2\nname: a\nversion: 1.0.0\n".to_vec(),
        }];
        let chart = StagedChart::new(chart).unwrap();
        let documents = documents.iter().enumerate().map(|(number, text)| {
            Arc::new(Document::new(format!("templates/{number}.yaml"), (*text).to_owned()))
        });
        let rendering = Rendering { documents: documents.collect() };
        let table = removed_apis::table().unwrap();
        let found = check(&chart, &rendering, "1.25", &table);
        found.into_iter().map(|one| (one.check, one.subject)).collect()
    }

    #[test]
    fn definitions_are_judged_where_they_lie() {
        let file = |path: &str, text: &str| chart::archive::ArchiveFile {
            path: path.to_owned(),
            bytes: text.as_bytes().to_vec(),
        };
        let definition = "# a licence\n---\napiVersion: apiextensions.k8s.io/v1beta1\n\
                          kind: CustomResourceDefinition\nmetadata: {name: d}\n";
        let chart = StagedChart::new(vec![
            file("Chart.yaml", "apiVersion: v2\nname: a\nversion: 1.0.0\n"),
            file("crds/d.yaml", definition),
        ])
        .unwrap();
        let table = removed_apis::table().unwrap();
        let found = check_definitions(&chart, "1.22", &table);
        assert_eq!((found[0].file.as_str(), found[0].line), ("crds/d.yaml", Some(3)));
        assert!(check_definitions(&chart, "1.21", &table).is_empty());
    }

    #[test]
    fn documents_are_resources_once_and_served() {
        let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n";
        let hook = |moment: &str| {
            format!(
                "apiVersion: v1\nkind: Pod\nmetadata: {{name: p, annotations: {{helm.sh/hook: {moment}}}}}\n"
            )
        };
        let row = |check, subject: &str| vec![(check, subject.to_owned())];
        let table = [
            (vec![pod.to_owned(), pod.to_owned()], row(Check::DuplicateResource, "Pod/p")),
            (vec![pod.to_owned(), pod.replace("{name: p}", "{name: p, namespace: other}")], vec![]),
            (vec![hook("pre-install"), hook("post-install")], vec![]),
            (vec!["# only a licence\n".to_owned()], vec![]),
            (vec!["{}\n".to_owned()], row(Check::IncompleteResource, "templates/0.yaml")),
            (vec!["a: 1\n".to_owned()], row(Check::IncompleteResource, "templates/0.yaml")),
            (vec!["a: [\n".to_owned()], row(Check::InvalidYaml, "templates/0.yaml")),
            (vec!["apiVersion: v1\nkind: PodList\nitems: []\n".to_owned()], vec![]),
            (
                vec!["apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: c}\n".to_owned()],
                row(Check::RemovedApi, "batch/v1beta1/CronJob/c"),
            ),
        ];
        for (documents, expected) in table {
            let texts: Vec<&str> = documents.iter().map(String::as_str).collect();
            assert_eq!(found(&texts), expected, "{texts:?}");
        }
    }
}
