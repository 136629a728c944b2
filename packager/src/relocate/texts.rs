//! Moves what stands inside longer texts of the values, such as the configuration of a program.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::candidate::split_version;
use super::patch::replaced;
use super::search::{Edit, Search};
use crate::edit::ValuePath;
use crate::images::ImageName;
use crate::render::HelmError;

/// Tries, for each reference that is left, every text of the values that holds its name; keeps what moves it.
pub(super) fn move_texts(search: &mut Search<'_>) -> Result<(), HelmError> {
    let moved = search.judge.moved(&search.rendered()?);
    let left = search.judge.foreign().filter(|(view, slot, _)| !moved.contains(&(*view, (*slot).clone())));
    let left: BTreeMap<String, ImageName> =
        left.map(|(_, _, reference)| (reference.written.clone(), reference.image.clone())).collect();
    let texts = texts_in(&search.values);
    for (written, image) in left {
        let (name, _) = split_version(&written);
        let bare = ImageName { tag: None, digest: None, ..search.judge.site.name_of(&image) }.to_string();
        for (path, text) in &texts {
            let key = path.to_string();
            let was = search.edits.get(&key).map_or(text, |edit| &edit.value).clone();
            let Some(value) = replaced(&was, name, &bare) else { continue };
            let moved_before = search.judge.moved(&search.rendered()?).len();
            let before = search.edits.clone();
            search.edits.insert(key, Edit { path: path.clone(), value, weight: 1, is_kept: true });
            let after = search.rendered()?;
            let is_better = search.judge.moved(&after).len() > moved_before
                && search.judge.wrong(&after).is_empty()
                && after.iter().all(Option::is_some);
            if !is_better {
                search.edits = before;
            }
        }
    }
    Ok(())
}

/// Returns the values that are texts of several lines, outside lists.
fn texts_in(values: &Map<String, Value>) -> Vec<(ValuePath, String)> {
    fn collect<'values>(
        values: &'values Map<String, Value>,
        above: &mut Vec<&'values str>,
        found: &mut Vec<(ValuePath, String)>,
    ) {
        for (key, value) in values {
            above.push(key);
            match value {
                Value::Object(below) => collect(below, above, found),
                Value::String(text) if text.trim_end().contains('\n') => {
                    found.push((ValuePath::of_keys(above), text.clone()));
                }
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {}
            }
            above.pop();
        }
    }
    let mut found = Vec::new();
    collect(values, &mut Vec::new(), &mut found);
    found
}
