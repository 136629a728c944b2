//! Edits of `Chart.yaml`: the few fields a delivery changes, each in its own span.

use serde_json::Value;

use super::path::ValuePath;
use super::{Document, EditError};

/// What happens to one text field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TextEdit {
    /// It gets this text.
    Set(String),
    /// It goes.
    Remove,
}

/// The edits of one `Chart.yaml`; what is not named stays as its author wrote it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct MetadataEdits {
    /// The chart's own version.
    pub(crate) version: Option<String>,
    /// The description.
    pub(crate) description: Option<TextEdit>,
    /// The version of the application inside.
    pub(crate) app_version: Option<TextEdit>,
    /// The icon.
    pub(crate) icon: Option<TextEdit>,
    /// Annotations by key.
    pub(crate) annotations: Vec<(String, TextEdit)>,
    /// Keywords that stand first, in this order.
    pub(crate) keywords_first: Vec<String>,
}

impl MetadataEdits {
    /// Makes the edits on `document`.
    ///
    /// # Errors
    /// The first [`EditError`]; edits before it are made.
    pub(crate) fn apply(&self, document: &mut Document) -> Result<(), EditError> {
        let version = self.version.clone().map(TextEdit::Set);
        let fields = [
            ("version", &version),
            ("description", &self.description),
            ("appVersion", &self.app_version),
            ("icon", &self.icon),
        ];
        for (key, edit) in fields {
            if let Some(edit) = edit {
                edit_text(document, None, key, edit)?;
            }
        }
        for (key, edit) in &self.annotations {
            edit_text(document, Some("annotations"), key, edit)?;
        }
        if !self.keywords_first.is_empty() {
            document.put_first("keywords", &self.keywords_first)?;
        }
        Ok(())
    }
}

fn edit_text(
    document: &mut Document,
    parent: Option<&str>,
    key: &str,
    edit: &TextEdit,
) -> Result<(), EditError> {
    match edit {
        TextEdit::Set(text) => {
            let keys: Vec<&str> = parent.into_iter().chain([key]).collect();
            document.set(&ValuePath::of_keys(&keys), &Value::String(text.clone()))
        }
        TextEdit::Remove => document.remove(parent, key),
    }
}
