//! `index.json`: what a layout holds. Rule: a change touches its own entry; everything else stays as others wrote it.

use std::fs::{self, File};

use serde_json::{Value, json};

use super::error::LayoutError;
use super::{INDEX, Layout, MARKER, REFERENCE_NAME, durable};
use crate::descriptor::Descriptor;
use crate::media_type;

pub(super) fn write_empty(layout: &Layout) -> Result<(), LayoutError> {
    write(layout, &json!({"schemaVersion": 2, "mediaType": media_type::IMAGE_INDEX, "manifests": []}))
}

pub(super) fn entries(layout: &Layout) -> Result<Vec<Descriptor>, LayoutError> {
    let manifests = read(layout)?.get("manifests").cloned().unwrap_or_else(|| json!([]));
    serde_json::from_value(manifests).map_err(unreadable(layout))
}

pub(super) fn add(layout: &Layout, manifest: &Descriptor, name: Option<&str>) -> Result<(), LayoutError> {
    // Held until the file is closed. Without it, of two processes that add at once one would undo the other.
    let marker = layout.root().join(MARKER);
    let lock = File::open(&marker).map_err(LayoutError::file("read", &marker))?;
    lock.lock().map_err(LayoutError::file("lock", &marker))?;

    let mut index = read(layout)?;
    let mut entries = match index.get_mut("manifests").map(Value::take) {
        Some(Value::Array(entries)) => entries,
        Some(_) | None => Vec::new(),
    };
    if !merge(&mut entries, manifest, name).map_err(unreadable(layout))? {
        return Ok(());
    }
    if let Some(fields) = index.as_object_mut() {
        fields.insert("manifests".to_owned(), Value::Array(entries));
    }
    write(layout, &index)
}

/// Returns whether anything changed.
fn merge(
    entries: &mut Vec<Value>,
    manifest: &Descriptor,
    name: Option<&str>,
) -> Result<bool, serde_json::Error> {
    let is_it = |entry: &Value| entry["digest"] == manifest.digest.to_string();
    let name_of = |entry: &Value| entry["annotations"][REFERENCE_NAME].as_str().map(str::to_owned);
    let is_listed =
        entries.iter().any(|entry| is_it(entry) && (name.is_none() || name_of(entry).as_deref() == name));
    if is_listed {
        return Ok(false);
    }
    entries.retain(|entry| {
        let had_the_name = name.is_some() && name_of(entry).as_deref() == name;
        let is_it_without_name = is_it(entry) && name_of(entry).is_none();
        !had_the_name && !is_it_without_name
    });
    let mut entry = manifest.clone();
    let annotations = entry.annotations.get_or_insert_default();
    // The name in another layout is not the name in this one.
    annotations.remove(REFERENCE_NAME);
    annotations.extend(name.map(|name| (REFERENCE_NAME.to_owned(), name.to_owned())));
    entry.annotations = entry.annotations.filter(|annotations| !annotations.is_empty());
    entries.push(serde_json::to_value(entry)?);
    Ok(true)
}

fn read(layout: &Layout) -> Result<Value, LayoutError> {
    let path = layout.root().join(INDEX);
    let bytes = fs::read(&path).map_err(LayoutError::file("read", &path))?;
    serde_json::from_slice(&bytes).map_err(unreadable(layout))
}

fn write(layout: &Layout, index: &Value) -> Result<(), LayoutError> {
    let bytes = serde_json::to_vec(index).map_err(unreadable(layout))?;
    durable::write(&layout.root().join(INDEX), &bytes)
}

fn unreadable(layout: &Layout) -> impl Fn(serde_json::Error) -> LayoutError + use<> {
    let path = layout.root().join(INDEX);
    move |reason| LayoutError::Json { path: path.clone(), reason }
}
