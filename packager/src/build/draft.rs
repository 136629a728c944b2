//! The first half of a build: everything that a recipe changes in the upstream's own files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use chart::ChartVersion;
use chart::archive::ArchiveFile;

use super::edits::edit_file;
use super::unknown_values::unknown_values;
use super::{BuildRefusal, FileEdit, Vendored};
use crate::edit::{Document, MetadataEdits, TextEdit};
use crate::patch;
use crate::recipe::{Recipe, Revision, ValueEdit};
use crate::vendor::{self, read_metadata};

/// The bytes that a recipe names.
#[derive(Debug, Default)]
pub(crate) struct Ingredients {
    /// The upstream's files.
    pub(crate) files: Vec<ArchiveFile>,
    /// The patches in their order: path beside the recipe, and bytes.
    pub(crate) patches: Vec<(String, Vec<u8>)>,
    /// The overlay's files, relative to the chart.
    pub(crate) overlay: Vec<ArchiveFile>,
}

/// What is asked for over the recipe.
#[derive(Debug, Clone, Default)]
pub(crate) struct Overrides {
    /// The version to deliver under.
    pub(crate) version: Option<ChartVersion>,
    /// The version of the application inside.
    pub(crate) app_version: Option<String>,
}

/// A chart with its own files as they will be packed, and nothing added yet.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(super) files: Vec<ArchiveFile>,
    pub(super) edits: Vec<FileEdit>,
    /// The values that the recipe sets.
    pub(super) values: Vec<ValueEdit>,
    pub(super) drift: Vec<String>,
    /// The files that are none of the upstream's.
    pub(super) added: BTreeSet<String>,
    /// What messages call the source.
    pub(super) chart: PathBuf,
}

impl Draft {
    /// Makes the recipe's changes; `chart` is what messages call the source. Without a recipe only `overrides` count.
    ///
    /// # Errors
    /// [`BuildRefusal`] naming the source, the file and the place to look at.
    pub(crate) fn make(
        chart: &Path,
        recipe: Option<&Recipe>,
        ingredients: Ingredients,
        overrides: &Overrides,
    ) -> Result<Self, BuildRefusal> {
        let Ingredients { mut files, patches, overlay } = ingredients;
        let metadata = metadata_edits(chart, recipe, &files, overrides)?;
        let mut edits = Vec::new();
        if metadata != MetadataEdits::default() {
            edits.extend(edit_file(chart, &mut files, "Chart.yaml", |document| metadata.apply(document))?);
        }
        let values = recipe.map(|recipe| recipe.values.as_slice()).unwrap_or_default();
        if !values.is_empty() {
            edits.extend(edit_file(chart, &mut files, "values.yaml", |document| set_all(document, values))?);
        }
        let upstreams: BTreeSet<String> = files.iter().map(|file| file.path.clone()).collect();
        let mut drift = Vec::new();
        for (name, bytes) in patches {
            let refuse = |problem| BuildRefusal::Patch {
                chart: chart.to_owned(),
                patch: name.clone(),
                problem: Box::new(problem),
            };
            let drifted = patch::apply(&bytes, &mut files).map_err(refuse)?;
            drift.extend(
                drifted.iter().map(|one| format!("{name}, hunk {} of {}: {}", one.hunk, one.file, one.drift)),
            );
        }
        for file in overlay {
            files.retain(|old| old.path != file.path);
            files.push(file);
        }
        for glob in recipe.map(|recipe| recipe.exclude.as_slice()).unwrap_or_default() {
            let before = files.len();
            files.retain(|file| !glob.matches(&file.path));
            if files.len() == before {
                let pattern = glob.to_string();
                return Err(BuildRefusal::NothingExcluded { chart: chart.to_owned(), pattern });
            }
        }
        let added =
            files.iter().map(|file| file.path.clone()).filter(|path| !upstreams.contains(path)).collect();
        Ok(Self { files, edits, values: values.to_vec(), drift, added, chart: chart.to_owned() })
    }

    /// Refuses a recipe that sets values which the chart, with its dependencies, does not have. Whoever packs a chart that
    /// is still being written may set them first; what is locked must have an effect.
    ///
    /// # Errors
    /// [`BuildRefusal::UnknownValues`] naming each with its line and column in the recipe.
    pub(crate) fn refuse_unknown_values(&self, dependencies: &[Vendored]) -> Result<(), BuildRefusal> {
        let mut files = self.files.clone();
        for Vendored { folder, files: vendored, .. } in dependencies {
            let refuse =
                |problem| BuildRefusal::Subchart { chart: self.chart.clone(), problem: Box::new(problem) };
            vendor::place(&mut files, folder, vendored.clone()).map_err(refuse)?;
        }
        let before = self.edits.iter().find(|edit| edit.path == "values.yaml");
        let unknown = unknown_values(&files, before.map(|edit| edit.before.as_str()), &self.values);
        if unknown.is_empty() {
            return Ok(());
        }
        Err(BuildRefusal::UnknownValues { chart: self.chart.clone(), unknown })
    }

    /// Returns the files as they are now.
    pub(crate) fn files(&self) -> &[ArchiveFile] {
        &self.files
    }
}

fn set_all(document: &mut Document, values: &[ValueEdit]) -> Result<(), crate::edit::EditError> {
    values.iter().try_for_each(|ValueEdit { path, value, .. }| document.set(path, value))
}

fn metadata_edits(
    chart: &Path,
    recipe: Option<&Recipe>,
    files: &[ArchiveFile],
    overrides: &Overrides,
) -> Result<MetadataEdits, BuildRefusal> {
    let mut metadata = recipe.map(|recipe| recipe.metadata.clone()).unwrap_or_default();
    let revision = recipe.map_or(&Revision::Upstream, |recipe| &recipe.revision);
    metadata.version = match (&overrides.version, revision) {
        (Some(version), _) => Some(version.to_string()),
        (None, Revision::Upstream) => None,
        (None, Revision::Own(_) | Revision::Number(_)) => {
            let upstream = read_metadata(files).map_err(|problem| BuildRefusal::Metadata {
                chart: chart.to_owned(),
                problem: Box::new(problem),
            })?;
            let version = revision.version(&upstream.version);
            let version = version.map_err(|problem| BuildRefusal::Revision {
                chart: chart.to_owned(),
                problem: Box::new(problem),
            })?;
            Some(version.to_string())
        }
    };
    if let Some(app_version) = &overrides.app_version {
        metadata.app_version = Some(TextEdit::Set(app_version.clone()));
    }
    Ok(metadata)
}
