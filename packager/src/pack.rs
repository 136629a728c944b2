//! Makes one archive: reads a chart, makes its recipe's edits, packs it.
//!
//! The result depends on the input alone: no clock, no folder order, no machine.

use std::path::{Path, PathBuf};

use chart::ChartVersion;
use chart::archive::{ArchiveFile, PackError, PackOptions, PackedChart, pack_files};

use crate::edit::{Document, EditError, MetadataEdits, TextEdit};
use crate::recipe::{Recipe, ValueEdit};
use crate::source::{Source, SourceError};

/// What is asked for besides the recipe.
#[derive(Debug, Clone)]
pub(crate) struct PackSettings {
    /// The version to give the chart.
    pub(crate) version: Option<ChartVersion>,
    /// The version of the application inside to give the chart.
    pub(crate) app_version: Option<String>,
    /// The modification time of every entry, in seconds since 1970.
    pub(crate) modified_seconds: u64,
}

/// A chart that is packed and not written yet.
#[derive(Debug)]
pub(crate) struct Packed {
    /// The archive.
    pub(crate) chart: PackedChart,
    /// The files that the edits changed.
    pub(crate) edits: Vec<FileEdit>,
}

/// A file before and after the edits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileEdit {
    /// The path below the chart.
    pub(crate) path: &'static str,
    /// The text as it was.
    pub(crate) before: String,
    /// The text as it is packed.
    pub(crate) after: String,
}

/// Why a chart is not packed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PackRefusal {
    /// The source cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A file to edit is missing.
    #[error(
        "the chart of `{chart}` has no `{file}`, which its recipe edits: add the file, or take the edits out"
    )]
    NoFile {
        /// The source.
        chart: PathBuf,
        /// The file.
        file: &'static str,
    },
    /// A file to edit is not UTF-8.
    #[error("`{file}` of `{chart}` is not UTF-8: save it as UTF-8")]
    NotText {
        /// The source.
        chart: PathBuf,
        /// The file.
        file: &'static str,
    },
    /// An edit cannot be made.
    #[error("cannot edit `{file}` of `{chart}`: {problem}")]
    Edit {
        /// The source.
        chart: PathBuf,
        /// The file.
        file: &'static str,
        /// What is wrong.
        #[source]
        problem: EditError,
    },
    /// What the edits made is no chart.
    #[error("`{chart}` cannot be packed: {problem}")]
    Pack {
        /// The source.
        chart: PathBuf,
        /// What is wrong.
        #[source]
        problem: Box<PackError>,
    },
}

/// Packs the chart at `path` by its recipe and `settings`.
///
/// # Errors
/// [`PackRefusal`] naming the source, the file and the place to look at.
pub(crate) fn pack(path: &Path, settings: &PackSettings) -> Result<Packed, PackRefusal> {
    let Source { mut files, recipe } = Source::read(path)?;
    let (metadata, values) = edits_of(recipe, settings);
    let edit_metadata = |document: &mut Document| metadata.apply(document);
    let edit_values = |document: &mut Document| {
        values.iter().try_for_each(|ValueEdit { path, value }| document.set(path, value))
    };
    let mut edits = Vec::new();
    if metadata != MetadataEdits::default() {
        edits.extend(edit_file(path, &mut files, "Chart.yaml", edit_metadata)?);
    }
    if !values.is_empty() {
        edits.extend(edit_file(path, &mut files, "values.yaml", edit_values)?);
    }
    let options = PackOptions { modified_seconds: settings.modified_seconds };
    let chart = pack_files(files, &options)
        .map_err(|problem| PackRefusal::Pack { chart: path.to_owned(), problem: problem.into() })?;
    Ok(Packed { chart, edits })
}

fn edits_of(recipe: Option<Recipe>, settings: &PackSettings) -> (MetadataEdits, Vec<ValueEdit>) {
    let (mut metadata, values) =
        recipe.map_or_else(Default::default, |recipe| (recipe.metadata, recipe.values));
    if let Some(version) = &settings.version {
        metadata.version = Some(version.to_string());
    }
    if let Some(app_version) = &settings.app_version {
        metadata.app_version = Some(TextEdit::Set(app_version.clone()));
    }
    (metadata, values)
}

/// Edits one file in place and returns how it changed, if it did.
fn edit_file(
    chart: &Path,
    files: &mut [ArchiveFile],
    file: &'static str,
    edit: impl FnOnce(&mut Document) -> Result<(), EditError>,
) -> Result<Option<FileEdit>, PackRefusal> {
    let refuse = |problem| PackRefusal::Edit { chart: chart.to_owned(), file, problem };
    let found = files.iter_mut().find(|candidate| candidate.path == file);
    let found = found.ok_or_else(|| PackRefusal::NoFile { chart: chart.to_owned(), file })?;
    let before = String::from_utf8(found.bytes.clone())
        .map_err(|_| PackRefusal::NotText { chart: chart.to_owned(), file })?;
    let mut document = Document::parse(&before).map_err(refuse)?;
    edit(&mut document).map_err(refuse)?;
    if document.text() == before {
        return Ok(None);
    }
    found.bytes = document.text().as_bytes().to_vec();
    Ok(Some(FileEdit { path: file, before, after: document.text().to_owned() }))
}
