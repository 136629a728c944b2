//! Makes a recipe's edits on both upstreams, going on where one cannot be made.

use chart::archive::ArchiveFile;
use chart::{ChartMetadata, ChartVersion, VersionConstraint};
use serde_json::{Map, Value};

use super::Finding;
use super::dependencies::AtHand;
use super::values::BothValues;
use crate::diff::values_of_files;
use crate::edit::{Document, EditError, TextEdit};
use crate::patch::{DriftedHunk, Fitted, apply_what_fits};
use crate::recipe::{Recipe, Revision, ValueEdit};
use crate::source::RecipeFiles;

/// Returns what the newer upstream means for the recipe, and the files of both with the edits that can be made.
pub(super) fn reapply(
    recipe: &RecipeFiles,
    (mut before, old): (Vec<ArchiveFile>, &ChartMetadata),
    (mut after, new): (Vec<ArchiveFile>, &ChartMetadata),
    dependencies: &(AtHand, AtHand),
    kubernetes: &[ChartVersion],
) -> (Vec<Finding>, Vec<ArchiveFile>, Vec<ArchiveFile>) {
    let mut findings = of_metadata(&recipe.recipe, old, new);
    findings.extend(of_kubernetes(kubernetes, old, new));
    findings.extend([&dependencies.0, &dependencies.1].into_iter().flat_map(|one| one.findings.clone()));
    let values = BothValues::new(values_with(&before, &dependencies.0), values_with(&after, &dependencies.1));
    findings.extend(values.findings(&recipe.recipe));
    findings.extend(of_overlay(recipe, &before, &after));
    edit(recipe, &mut before);
    findings.extend(edit(recipe, &mut after));
    // As a build does: patches and excludes are of upstream's own files.
    dependencies.0.place(&mut before);
    dependencies.1.place(&mut after);
    (findings, before, after)
}

fn values_with(files: &[ArchiveFile], dependencies: &AtHand) -> Map<String, Value> {
    let mut files = files.to_vec();
    dependencies.place(&mut files);
    values_of_files(&files)
}

/// Makes the edits that can be made and returns what became of the others.
fn edit(recipe: &RecipeFiles, files: &mut Vec<ArchiveFile>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let metadata = &recipe.recipe.metadata;
    let refused = edit_file(files, "Chart.yaml", |document| match metadata.apply(document) {
        Ok(()) => Vec::new(),
        Err(problem) => vec![problem],
    });
    findings.extend(refused);
    let each = |document: &mut Document| {
        let set = |ValueEdit { path, value, .. }: &ValueEdit| document.set(path, value).err();
        recipe.recipe.values.iter().filter_map(set).collect()
    };
    if !recipe.recipe.values.is_empty() {
        findings.extend(edit_file(files, "values.yaml", each));
    }
    for patch in &recipe.recipe.patches {
        let patch = patch.to_string_lossy().into_owned();
        let bytes = recipe.named.get(&patch).map(Vec::as_slice).unwrap_or_default();
        findings.extend(of_patch(&patch, bytes, files));
    }
    for file in &recipe.overlay {
        files.retain(|old| old.path != file.path);
        files.push(file.clone());
    }
    for glob in &recipe.recipe.exclude {
        let count = files.len();
        files.retain(|file| !glob.matches(&file.path));
        if files.len() == count {
            findings.push(Finding::NothingExcluded { pattern: glob.to_string() });
        }
    }
    findings
}

/// Edits one file, and says what is refused.
pub(super) fn edit_file(
    files: &mut [ArchiveFile],
    file: &'static str,
    edit: impl FnOnce(&mut Document) -> Vec<EditError>,
) -> Vec<Finding> {
    let refused = |reason: String| Finding::RefusedEdit { file, reason };
    let Some(found) = files.iter_mut().find(|one| one.path == file) else {
        return vec![refused("the chart does not have it".to_owned())];
    };
    let document = str::from_utf8(&found.bytes).map_err(|_| "it is not UTF-8".to_owned());
    let document = document.and_then(|text| Document::parse(text).map_err(|problem| problem.to_string()));
    match document {
        Ok(mut document) => {
            let problems = edit(&mut document);
            found.bytes = document.text().as_bytes().to_vec();
            problems.into_iter().map(|problem| refused(problem.to_string())).collect()
        }
        Err(reason) => vec![refused(reason)],
    }
}

fn of_patch(patch: &str, bytes: &[u8], files: &mut Vec<ArchiveFile>) -> Vec<Finding> {
    let patch = patch.to_owned();
    let Fitted { drifted, dead } = match apply_what_fits(bytes, files) {
        Ok(fitted) => fitted,
        Err(refusal) => {
            let (reason, hunk) = (refusal.to_string(), String::new());
            return vec![Finding::DeadHunk { patch, reason, hunk, is_upstream_now: false }];
        }
    };
    let drifted = drifted.into_iter().map(|DriftedHunk { file, hunk, drift }| Finding::Drifted {
        patch: patch.clone(),
        file,
        hunk,
        drift: drift.to_string(),
    });
    let dead = dead.into_iter().map(|one| Finding::DeadHunk {
        patch: patch.clone(),
        reason: one.refusal.to_string(),
        hunk: one.text,
        is_upstream_now: one.is_there_already,
    });
    drifted.chain(dead).collect()
}

fn of_metadata(recipe: &Recipe, old: &ChartMetadata, new: &ChartMetadata) -> Vec<Finding> {
    let mut findings = Vec::new();
    let edits = &recipe.metadata;
    let fields = [
        ("description", &edits.description, &old.description, &new.description),
        ("appVersion", &edits.app_version, &old.app_version, &new.app_version),
        ("icon", &edits.icon, &old.icon, &new.icon),
    ];
    for (field, edit, before, after) in fields {
        if let Some(TextEdit::Set(ours)) = edit
            && before != after
        {
            let (ours, before, after) = (ours.clone(), before.clone(), after.clone());
            findings.push(Finding::OverriddenField { field, ours, before, after });
        }
    }
    for name in recipe.dependencies.keys() {
        let depends =
            |metadata: &ChartMetadata| metadata.dependencies.iter().any(|one| one.name == name.as_str());
        if !depends(new) {
            findings.push(Finding::NoSuchDependency { name: name.to_string() });
        }
    }
    if let Revision::Own(version) = &recipe.revision
        && old.version != new.version
    {
        findings.push(Finding::OwnVersion { version: version.to_string() });
    }
    findings
}

fn of_kubernetes(kubernetes: &[ChartVersion], old: &ChartMetadata, new: &ChartMetadata) -> Vec<Finding> {
    if old.kube_version == new.kube_version {
        return Vec::new();
    }
    let (before, after) = (old.kube_version.clone(), new.kube_version.clone());
    let constraint: Option<VersionConstraint> = after.parse().ok().filter(|_| !after.is_empty());
    let excluded =
        kubernetes.iter().filter(|version| constraint.as_ref().is_some_and(|one| !one.matches(version)));
    let mut findings: Vec<Finding> = excluded
        .map(|version| Finding::Kubernetes { version: version.to_string(), constraint: after.clone() })
        .collect();
    findings.insert(0, Finding::KubernetesConstraint { before, after });
    findings
}

/// A file laid over one of upstream's hides what upstream changes in it.
fn of_overlay(recipe: &RecipeFiles, before: &[ArchiveFile], after: &[ArchiveFile]) -> Vec<Finding> {
    let bytes = |files: &[ArchiveFile], path: &str| {
        files.iter().find(|file| file.path == path).map(|file| file.bytes.clone())
    };
    let mut findings = Vec::new();
    for file in recipe.overlay.iter().map(|file| &file.path) {
        match (bytes(before, file), bytes(after, file)) {
            (Some(_), None) => findings.push(Finding::OverlaidFile { file: file.clone(), is_gone: true }),
            (Some(old), Some(new)) if old != new => {
                findings.push(Finding::OverlaidFile { file: file.clone(), is_gone: false });
            }
            (Some(_), Some(_)) | (None, _) => {}
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(text: &str) -> ChartMetadata {
        ChartMetadata::parse(format!("apiVersion: v2\nname: a\n{text}").as_bytes(), None).unwrap()
    }

    #[test]
    fn kubernetes_versions_that_fall_out_are_named() {
        let old = metadata("version: 1.0.0\nkubeVersion: '>=1.19.0-0'\n");
        let new = metadata("version: 1.1.0\nkubeVersion: '>=1.25.0-0'\n");
        let versions: Vec<ChartVersion> = ["1.24", "1.31"].map(|text| text.parse().unwrap()).to_vec();
        let found = of_kubernetes(&versions, &old, &new);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(
            found[1],
            Finding::Kubernetes { version: "1.24".to_owned(), constraint: ">=1.25.0-0".to_owned() }
        );
        assert!(of_kubernetes(&versions, &old, &old).is_empty());
    }

    #[test]
    fn fields_that_the_recipe_pins_are_told_when_upstream_moves_them() {
        let recipe = Recipe::parse(
            "chart: .\nversion: 2.0.0+up1.0.0\nmetadata: {appVersion: '1', description: ours}\n",
        )
        .unwrap();
        let old = metadata("version: 1.0.0\nappVersion: '1'\ndescription: d\n");
        let new = metadata("version: 1.1.0\nappVersion: '2'\ndescription: d\n");
        let found = of_metadata(&recipe, &old, &new);
        assert!(
            matches!(
                &found[..],
                [Finding::OverriddenField { field: "appVersion", .. }, Finding::OwnVersion { .. }]
            ),
            "{found:?}"
        );
        assert!(found.iter().all(Finding::needs_a_hand));
    }
}
