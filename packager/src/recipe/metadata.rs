//! The metadata edits of a recipe.

use crate::edit::{MetadataEdits, TextEdit};
use crate::located::{Field, Located, LocatedProblem};

/// Reads the value of `metadata`.
///
/// # Errors
/// [`LocatedProblem`] with the line and column.
pub(super) fn read(value: Located<'_>) -> Result<MetadataEdits, LocatedProblem> {
    let known = ["description", "appVersion", "icon", "annotations", "keywordsFirst"];
    let mut edits = MetadataEdits::default();
    for field in value.known_entries("metadata", &known)? {
        match field.key {
            "description" => edits.description = Some(read_text_edit(&field)?),
            "appVersion" => edits.app_version = Some(read_text_edit(&field)?),
            "icon" => edits.icon = Some(read_text_edit(&field)?),
            "annotations" => {
                for annotation in field.value.entries("annotations")? {
                    edits.annotations.push((annotation.key.to_owned(), read_text_edit(&annotation)?));
                }
            }
            _ => edits.keywords_first = field.value.texts("keywordsFirst")?,
        }
    }
    Ok(edits)
}

/// Null means that the field goes.
fn read_text_edit(field: &Field<'_>) -> Result<TextEdit, LocatedProblem> {
    if field.value.json().is_null() {
        return Ok(TextEdit::Remove);
    }
    Ok(TextEdit::Set(field.value.text(field.key)?.to_owned()))
}
