//! One thing that the gate finds: what it is about, where it stands, why it is one, and what to do.

use serde::Serialize;

use super::Check;

/// One thing that the gate finds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Finding {
    /// The check.
    pub(crate) check: Check,
    /// What it is about, as a waiver names it: a URL, a file, a value's path.
    pub(crate) subject: String,
    /// The file below the chart; empty when it is about the chart as a whole.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) file: String,
    /// The line in that file, from 1; none when it cannot be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<usize>,
    /// The rendering that shows it first; none for what no rendering is needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) view: Option<String>,
    /// What is wrong.
    pub(crate) cause: String,
    /// What to do.
    pub(crate) remedy: String,
}

impl Finding {
    /// Begins a finding about the chart as a whole.
    pub(crate) fn new(check: Check, subject: impl Into<String>, cause: impl Into<String>) -> Self {
        Self {
            check,
            subject: subject.into(),
            file: String::new(),
            line: None,
            view: None,
            cause: cause.into(),
            remedy: String::new(),
        }
    }

    /// Says where it stands.
    pub(crate) fn at(mut self, file: impl Into<String>, line: Option<usize>) -> Self {
        self.file = file.into();
        self.line = line;
        self
    }

    /// Says what to do.
    pub(crate) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }

    /// Says which rendering shows it.
    pub(crate) fn seen_in(mut self, view: impl Into<String>) -> Self {
        self.view = Some(view.into());
        self
    }

    /// Returns whether both are the same thing, seen twice.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.check == other.check && self.subject == other.subject && self.file == other.file
    }
}
