//! What stands around the entries: the only part of a body that knows the settings and the time of the last change.

use bytes::Bytes;
use chart::Timestamp;

use super::IndexSettings;
use super::snapshot::Format;

/// What comes before and after the entries.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) prologue: Bytes,
    pub(super) epilogue: Bytes,
}

impl Frame {
    /// Returns the frame of an index with or without entries. Only fields that Helm's strict schema knows are in it.
    pub(super) fn new(
        format: Format,
        settings: &IndexSettings,
        changed_at: Timestamp,
        is_empty: bool,
    ) -> Self {
        let context_path =
            settings.context_path.as_deref().map(|path| serde_json::Value::from(path).to_string());
        match format {
            Format::Json => Self::json(context_path, changed_at, is_empty),
            Format::Yaml => Self::yaml(context_path, changed_at, is_empty),
        }
    }

    fn json(context_path: Option<String>, changed_at: Timestamp, is_empty: bool) -> Self {
        let server_info = context_path
            .map(|path| format!("\"serverInfo\":{{\"contextPath\":{path}}},"))
            .unwrap_or_default();
        let end_of_last_list = if is_empty { "" } else { "]" };
        Self {
            prologue: format!("{{\"apiVersion\":\"v1\",{server_info}\"entries\":{{").into(),
            epilogue: format!("{end_of_last_list}}},\"generated\":\"{changed_at}\"}}").into(),
        }
    }

    /// A JSON string is a double-quoted YAML scalar too, as long as it does not escape `/` or surrogates, which
    /// `serde_json` never does.
    fn yaml(context_path: Option<String>, changed_at: Timestamp, is_empty: bool) -> Self {
        let server_info =
            context_path.map(|path| format!("serverInfo:\n  contextPath: {path}\n")).unwrap_or_default();
        let entries = if is_empty { "entries: {}" } else { "entries:" };
        Self {
            prologue: format!("apiVersion: v1\n{server_info}{entries}\n").into(),
            epilogue: format!("generated: \"{changed_at}\"\n").into(),
        }
    }
}
