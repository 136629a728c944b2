//! What else than image references two renderings of a chart differ in: nothing may, or the edits broke something.

use std::collections::BTreeSet;

use chart::yaml::Value;
use serde::Serialize;

use super::references::{References, Slot};
use crate::lock::LockedEdit;
use crate::render::{Document, Rendering};

/// One place that differs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Difference {
    /// The template.
    pub(crate) template: String,
    /// Kind and name of the document, and the path in it.
    pub(crate) place: String,
    /// What stood there.
    pub(crate) before: String,
    /// What stands there now.
    pub(crate) after: String,
}

/// What differs besides image references.
#[derive(Debug, Default)]
pub(super) struct Differences {
    /// Places that hold an edited value, and no image reference: a host alone, or a path.
    pub(super) carried: BTreeSet<Difference>,
    /// Everything else: documents or values that the edits broke.
    pub(super) broken: BTreeSet<Difference>,
}

/// A rendering with its references.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rendered<'run> {
    /// What came out.
    pub(super) rendering: &'run Rendering,
    /// The references in it.
    pub(super) references: &'run References,
}

impl Differences {
    /// Compares the renderings of a view before and after the edits.
    pub(super) fn add(&mut self, before: Rendered<'_>, after: Rendered<'_>, edits: &[LockedEdit]) {
        let (old, new) = (&before.rendering.documents, &after.rendering.documents);
        if old.len() != new.len() {
            let count = |documents: usize| format!("{documents} documents");
            self.broken.insert(Difference {
                template: String::new(),
                place: "the whole rendering".to_owned(),
                before: count(old.len()),
                after: count(new.len()),
            });
            return;
        }
        let moved = moved_names(before.references, after.references);
        for (old, new) in old.iter().zip(new) {
            if old.digest() == new.digest() {
                continue;
            }
            let mut pair = Pair { old, new, moved: &moved, edits, differences: self };
            if old.template == new.template && old.kind_and_name() == new.kind_and_name() {
                pair.compare(old.value(), new.value(), "");
            } else {
                pair.broke("", old.kind_and_name().1, new.kind_and_name().1);
            }
        }
    }
}

/// Returns the names that moved, from what stands there now to what stood there, the longest first.
fn moved_names(before: &References, after: &References) -> Vec<(String, String)> {
    let pairs = after.by_slot.iter().filter_map(|(slot, now): (&Slot, _)| {
        let was = before.by_slot.get(slot)?;
        (was.written != now.written).then(|| (now.written.clone(), was.written.clone()))
    });
    let mut pairs: Vec<_> = pairs.collect::<BTreeSet<_>>().into_iter().collect();
    pairs.sort_by_key(|(now, _)| std::cmp::Reverse(now.len()));
    pairs
}

/// A document before and after.
struct Pair<'run> {
    old: &'run Document,
    new: &'run Document,
    moved: &'run [(String, String)],
    edits: &'run [LockedEdit],
    differences: &'run mut Differences,
}

impl Pair<'_> {
    fn compare(&mut self, old: &Value, new: &Value, path: &str) {
        match (old, new) {
            (Value::Mapping(before), Value::Mapping(after)) => {
                let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
                for key in keys {
                    let path = format!("{path}.{key}");
                    match (before.get(key), after.get(key)) {
                        (Some(old), Some(new)) => self.compare(old, new, &path),
                        (old, new) => self.broke(&path, presence(old), presence(new)),
                    }
                }
            }
            (Value::Sequence(before), Value::Sequence(after)) if before.len() == after.len() => {
                for (index, (old, new)) in before.iter().zip(after).enumerate() {
                    self.compare(old, new, &format!("{path}[{index}]"));
                }
            }
            (Value::String(old), Value::String(new)) if old != new => self.compare_texts(old, new, path),
            (old, new) if old == new => {}
            (old, new) => self.broke(path, &format!("{old:?}"), &format!("{new:?}")),
        }
    }

    fn compare_texts(&mut self, old: &str, new: &str, path: &str) {
        let mut unmoved = new.to_owned();
        for (now, was) in self.moved {
            unmoved = unmoved.replace(now, was);
        }
        if unmoved == old || is_checksum(path, old, new) {
            return;
        }
        if takes_back(self.edits, &unmoved, old) {
            let difference = self.difference(path, old, new);
            self.differences.carried.insert(difference);
        } else {
            self.broke(path, old, new);
        }
    }

    fn broke(&mut self, path: &str, before: &str, after: &str) {
        let difference = self.difference(path, before, after);
        self.differences.broken.insert(difference);
    }

    fn difference(&self, path: &str, before: &str, after: &str) -> Difference {
        let (kind, name) = self.new.kind_and_name();
        Difference {
            template: self.old.template.clone(),
            place: format!("{kind}/{name} {}", path.trim_start_matches('.')),
            before: first_difference(before, after),
            after: first_difference(after, before),
        }
    }
}

/// Pods carry the digest of their configuration, so that they start anew when it changes.
fn is_checksum(path: &str, old: &str, new: &str) -> bool {
    let is_hex = |text: &str| text.len() >= 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let key = path.rsplit('.').next().unwrap_or(path).to_lowercase();
    old.len() == new.len()
        && is_hex(old)
        && is_hex(new)
        && (key.contains("checksum") || key.contains("hash") || key.contains("sha"))
}

/// Returns whether putting the values back as they were makes the old text.
fn takes_back(edits: &[LockedEdit], new: &str, old: &str) -> bool {
    let mut values: Vec<&str> = edits.iter().filter_map(|edit| edit.value.as_str()).collect();
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    // What stood there is not in the edit; whatever the text had between the same beginning and end is.
    values.into_iter().filter(|value| !value.is_empty()).any(|value| {
        let Some((before, after)) = new.split_once(value) else { return false };
        let rest = old.strip_prefix(before).unwrap_or("\0");
        rest.ends_with(after.trim_start_matches('/'))
    })
}

fn presence(value: Option<&Value>) -> &'static str {
    if value.is_some() { "there" } else { "not there" }
}

/// The first line that is not in the other text.
fn first_difference(text: &str, other: &str) -> String {
    let differs = text.lines().zip(other.lines()).find(|(one, another)| one != another);
    differs.map_or(text, |(line, _)| line).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::images::Finder;

    /// Returns how many places carry a value and how many are broken, between two documents.
    fn compared(before: &str, after: &str) -> (usize, usize) {
        let rendering = |text: &str| Rendering {
            documents: vec![Arc::new(Document::new(
                "templates/a.yaml".to_owned(),
                format!("kind: Pod\n{text}\n"),
            ))],
        };
        let (before, after) = (rendering(before), rendering(after));
        let finder = Finder::default();
        let references = [&before, &after].map(|one| References::of(one, &finder));
        let mut differences = Differences::default();
        let edits = [LockedEdit { path: "registry".to_owned(), value: json!("r.local/quay.io") }];
        differences.add(
            Rendered { rendering: &before, references: &references[0] },
            Rendered { rendering: &after, references: &references[1] },
            &edits,
        );
        (differences.carried.len(), differences.broken.len())
    }

    #[test]
    fn only_references_what_holds_them_and_their_checksums_may_differ() {
        let (one, other) = ("a".repeat(64), "b".repeat(64));
        let table = [
            ("image: quay.io/a/b:1".to_owned(), "image: r.local/quay.io/a/b:1".to_owned(), (0, 0)),
            (
                "image: quay.io/a/b:1\nnote: runs quay.io/a/b:1".to_owned(),
                "image: r.local/quay.io/a/b:1\nnote: runs r.local/quay.io/a/b:1".to_owned(),
                (0, 0),
            ),
            (format!("checksum/config: {one}"), format!("checksum/config: {other}"), (0, 0)),
            (format!("password: {one}"), format!("password: {other}"), (0, 1)),
            ("registry: quay.io".to_owned(), "registry: r.local/quay.io".to_owned(), (1, 0)),
            ("port: 80".to_owned(), "port: 81".to_owned(), (0, 1)),
            ("name: a".to_owned(), "other: a".to_owned(), (0, 2)),
            ("items: [a]".to_owned(), "items: [a, b]".to_owned(), (0, 1)),
        ];
        for (before, after, expected) in table {
            assert_eq!(compared(&before, &after), expected, "{before} -> {after}");
        }
    }
}
