//! Edits of one file of a chart: `Chart.yaml` or `values.yaml`, in place.

use std::path::Path;

use chart::archive::ArchiveFile;

use super::{BuildRefusal, FileEdit};
use crate::edit::{Document, EditError};

/// Edits `file` and returns how it changed, if it did.
///
/// # Errors
/// [`BuildRefusal`] when the file is missing or the edit cannot be made.
pub(super) fn edit_file(
    chart: &Path,
    files: &mut [ArchiveFile],
    file: &'static str,
    edit: impl FnOnce(&mut Document) -> Result<(), EditError>,
) -> Result<Option<FileEdit>, BuildRefusal> {
    let refuse = |problem| BuildRefusal::Edit { chart: chart.to_owned(), file, problem };
    let found = files.iter_mut().find(|candidate| candidate.path == file);
    let found = found.ok_or_else(|| BuildRefusal::NoFile { chart: chart.to_owned(), file })?;
    let before = String::from_utf8(found.bytes.clone())
        .map_err(|_| BuildRefusal::NotText { chart: chart.to_owned(), file })?;
    let mut document = Document::parse(&before).map_err(refuse)?;
    edit(&mut document).map_err(refuse)?;
    if document.text() == before {
        return Ok(None);
    }
    found.bytes = document.text().as_bytes().to_vec();
    Ok(Some(FileEdit { path: file, before, after: document.text().to_owned() }))
}
