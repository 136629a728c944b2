//! Files that differ, templates first.

use std::collections::BTreeMap;

use chart::archive::ArchiveFile;
use serde::Serialize;
use similar::{ChangeTag, TextDiff};

/// Lines around a change, as `diff -u` shows them.
const CONTEXT: usize = 3;

/// Files that differ.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct FileChanges {
    /// Files that are new.
    pub(crate) added: Vec<String>,
    /// Files that are gone.
    pub(crate) removed: Vec<String>,
    /// Files with other bytes.
    pub(crate) changed: Vec<FileChange>,
}

/// A file with other bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FileChange {
    /// Its path below the chart.
    pub(crate) path: String,
    /// How many lines are new; none in a file that is not text.
    pub(crate) lines_added: usize,
    /// How many lines are gone.
    pub(crate) lines_removed: usize,
    /// The unified diff; absent when a side is not text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) diff: Option<String>,
}

impl FileChanges {
    /// Compares two sets of files, but for those at the top whose difference is told already.
    pub(super) fn between(before: &[ArchiveFile], after: &[ArchiveFile], told: &[&str]) -> Self {
        let by_path = |files: &'_ [ArchiveFile]| -> BTreeMap<(bool, String), Vec<u8>> {
            let files = files.iter().filter(|file| !told.contains(&file.path.as_str()));
            files.map(|file| ((!is_template(&file.path), file.path.clone()), file.bytes.clone())).collect()
        };
        let (old, new) = (by_path(before), by_path(after));
        let only = |one: &BTreeMap<(bool, String), Vec<u8>>, other: &BTreeMap<(bool, String), Vec<u8>>| {
            one.keys().filter(|key| !other.contains_key(*key)).map(|(_, path)| path.clone()).collect()
        };
        let changed = old.iter().filter_map(|(key, old)| {
            let new = new.get(key).filter(|new| *new != old)?;
            Some(FileChange::of(&key.1, old, new))
        });
        Self { added: only(&new, &old), removed: only(&old, &new), changed: changed.collect() }
    }

    /// Returns whether nothing differs.
    pub(crate) fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

impl FileChange {
    fn of(path: &str, before: &[u8], after: &[u8]) -> Self {
        let path = path.to_owned();
        match (str::from_utf8(before), str::from_utf8(after)) {
            (Ok(before), Ok(after)) => {
                let (lines_added, lines_removed, diff) = compare_texts(&path, before, after);
                Self { path, lines_added, lines_removed, diff: Some(diff) }
            }
            (Ok(_) | Err(_), _) => Self { path, lines_added: 0, lines_removed: 0, diff: None },
        }
    }
}

/// Returns how many lines are new, how many are gone, and the unified diff.
pub(super) fn compare_texts(name: &str, before: &str, after: &str) -> (usize, usize, String) {
    let diff = TextDiff::from_lines(before, after);
    let count = |tag| diff.iter_all_changes().filter(|change| change.tag() == tag).count();
    let (added, removed) = (count(ChangeTag::Insert), count(ChangeTag::Delete));
    let header = (format!("a/{name}"), format!("b/{name}"));
    let text = diff.unified_diff().context_radius(CONTEXT).header(&header.0, &header.1).to_string();
    (added, removed, text)
}

/// Returns whether what a file says may reach a cluster.
pub(crate) fn is_template(path: &str) -> bool {
    path.split('/').any(|part| matches!(part, "templates" | "crds"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, bytes: &[u8]) -> ArchiveFile {
        ArchiveFile { path: path.to_owned(), bytes: bytes.to_vec() }
    }

    #[test]
    fn templates_come_first_and_lines_are_counted() {
        let before = [
            file("README.md", b"a\n"),
            file("templates/x.yaml", b"a\nb\n"),
            file("old", b""),
            file("values.yaml", b"a: 1\n"),
        ];
        let after = [
            file("README.md", b"b\n"),
            file("templates/x.yaml", b"a\nc\nd\n"),
            file("logo", &[0xff]),
            file("values.yaml", b"a: 2\n"),
        ];
        let changes = FileChanges::between(&before, &after, &["values.yaml"]);
        assert_eq!((changes.added, changes.removed), (vec!["logo".to_owned()], vec!["old".to_owned()]));
        let counts: Vec<_> = changes
            .changed
            .iter()
            .map(|one| (one.path.as_str(), one.lines_added, one.lines_removed))
            .collect();
        assert_eq!(counts, [("templates/x.yaml", 2, 1), ("README.md", 1, 1)]);
        let diff = changes.changed[0].diff.as_deref().unwrap();
        assert!(
            diff.starts_with("--- a/templates/x.yaml\n+++ b/templates/x.yaml\n")
                && diff.contains("-b\n+c\n+d\n"),
            "{diff}"
        );
    }
}
