//! `values.yaml` of a chart that is relocated: edits as the lock keeps them, one path and one value each.

use chart::archive::ArchiveFile;
use serde_json::{Map, Value};

use super::RelocationError;
use super::search::Edit;
use crate::edit::{Document, Segment, ValuePath};
use crate::lock::LockedEdit;
use crate::render::StagedChart;
use crate::toggle::set_over;

const FILE: &str = "values.yaml";

/// The file, with comments and all else.
#[derive(Debug)]
pub(super) struct ValuesFile(Document);

impl ValuesFile {
    /// Takes the file of a chart; an empty one where it has none.
    pub(super) fn of(chart: &StagedChart) -> Result<Self, RelocationError> {
        let file = chart.files().iter().find(|file| file.path == FILE);
        let bytes = file.map(|file| file.bytes.as_slice()).unwrap_or_default();
        let text = str::from_utf8(bytes).map_err(|_| RelocationError::NotText)?;
        let refused = |problem| RelocationError::Edit { path: String::new(), problem };
        Ok(Self(Document::parse(text).map_err(refused)?))
    }

    /// Returns the text.
    pub(super) fn text(&self) -> &str {
        self.0.text()
    }

    /// Makes edits of a lock.
    pub(super) fn make(&mut self, edits: &[LockedEdit]) -> Result<(), RelocationError> {
        for LockedEdit { path, value } in edits {
            let refused = |problem| RelocationError::Edit { path: path.clone(), problem };
            self.0.set(&path.parse()?, value).map_err(refused)?;
        }
        Ok(())
    }

    /// Returns the edits as a lock keeps them. An item of a list that only a subchart has becomes the whole list, since
    /// Helm replaces lists as a whole.
    pub(super) fn set_all(
        mut self,
        edits: &[Edit],
        values: &Map<String, Value>,
    ) -> Result<Vec<LockedEdit>, RelocationError> {
        let mut made: Vec<LockedEdit> = Vec::new();
        let mut over = Map::new();
        for Edit { path, value, .. } in edits {
            let value = Value::String(value.clone());
            set_over(&mut over, values, path, value.clone());
            let refused = |problem| RelocationError::Edit { path: path.to_string(), problem };
            let Err(problem) = self.0.set(path, &value) else {
                made.push(LockedEdit { path: path.to_string(), value });
                continue;
            };
            let Some((list, whole)) = list_around(path, &over) else { return Err(refused(problem)) };
            self.0.set(&list, &whole).map_err(refused)?;
            made.retain(|edit| edit.path != list.to_string());
            made.push(LockedEdit { path: list.to_string(), value: whole });
        }
        Ok(made)
    }

    /// Returns the files of a chart with this one in its place.
    pub(super) fn among(self, files: &[ArchiveFile]) -> Vec<ArchiveFile> {
        let mut files: Vec<ArchiveFile> = files.iter().filter(|file| file.path != FILE).cloned().collect();
        files.push(ArchiveFile { path: FILE.to_owned(), bytes: self.0.text().as_bytes().to_vec() });
        files
    }
}

/// Returns the outermost list on the way of a path, with what stands there in `values`; nothing for paths without one.
fn list_around(path: &ValuePath, values: &Map<String, Value>) -> Option<(ValuePath, Value)> {
    let segments = path.segments();
    let index = segments.iter().position(|segment| matches!(segment, Segment::Index(_)))?;
    let list = ValuePath::new(segments.get(..index)?.to_vec())?;
    let mut keys = list.segments().iter().filter_map(|segment| match segment {
        Segment::Key(key) => Some(key.as_str()),
        Segment::Index(_) => None,
    });
    let first = values.get(keys.next()?)?;
    let whole = keys.try_fold(first, |value, key| value.get(key))?.clone();
    Some((list, whole))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_that_only_a_subchart_has_is_set_whole_before_its_next_item() {
        let values = json!({"own": [{"image": "a", "name": "n"}], "sub": {"list": [{"image": "a"}, {"image": "b", "name": "m"}]}});
        let edit = |path: &str, value: &str| Edit {
            path: path.parse().unwrap(),
            value: value.to_owned(),
            weight: 1,
            is_kept: true,
        };
        let file = ValuesFile(Document::parse("own:\n- image: a # here\n  name: n\n").unwrap());
        let edits =
            [edit("own[0].image", "r/a"), edit("sub.list[0].image", "r/a"), edit("sub.list[1].image", "r/b")];
        let made = file.set_all(&edits, values.as_object().unwrap()).unwrap();
        let made: Vec<_> = made.into_iter().map(|LockedEdit { path, value }| (path, value)).collect();
        let whole = json!([{"image": "r/a"}, {"image": "b", "name": "m"}]);
        let expected =
            [("own[0].image", json!("r/a")), ("sub.list", whole), ("sub.list[1].image", json!("r/b"))];
        assert_eq!(made, expected.map(|(path, value)| (path.to_owned(), value)));
    }
}
