//! Edits YAML in place: only the spans that an edit names change, and applying it twice changes nothing.
//!
//! Every edit is proven before it is kept: the new text must mean the old meaning with exactly that
//! change, as Helm reads it. What cannot be proven is refused, naming the line.

mod compose;
mod insert;
mod layout;
mod list;
mod meaning;
mod metadata;
mod path;
mod place;
mod position;
mod remove;
mod replace;
mod scalar;
mod splice;
mod tree;
mod writer;

use std::ops::Range;

use chart::yaml::YamlError;
use serde_json::Value;

use self::layout::Layout;
use self::place::Place;
use self::splice::Splice;
use self::writer::{Form, Written};

pub(crate) use self::compose::{InvalidTree, compose};
pub(crate) use self::meaning::{find, is_same, meaning_of};
pub(crate) use self::metadata::{MetadataEdits, TextEdit};
pub(crate) use self::path::{InvalidPath, Segment, ValuePath};
pub(crate) use self::position::Position;
pub(crate) use self::tree::{Kind, Node};

/// Why an edit is refused. The document stays as it was.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EditError {
    /// The text is not YAML, or too large or too deep to be read safely.
    #[error("{0}")]
    Unreadable(#[from] YamlError),
    /// The text has no tree.
    #[error("{0}")]
    NoTree(#[from] InvalidTree),
    /// The path goes below something that is not a mapping.
    #[error("`{path}` at {at} is not a mapping, so nothing can be set below it: replace it as a whole")]
    NotAMapping {
        /// The path as far as it exists.
        path: String,
        /// Where that stands.
        at: Position,
    },
    /// The path has an index where there is no list.
    #[error("`{path}` at {at} is not a list: leave the index out of the path, or set the whole list")]
    NotAList {
        /// The path as far as it exists.
        path: String,
        /// Where that stands.
        at: Position,
    },
    /// The list is shorter than the index.
    #[error("the list `{path}` at {at} has {length} items, so there is no [{index}]: set the whole list")]
    NoSuchItem {
        /// The path of the list.
        path: String,
        /// The index asked for, from 0.
        index: usize,
        /// How many items there are.
        length: usize,
        /// Where the list begins.
        at: Position,
    },
    /// The path goes through `*alias`.
    #[error("`{path}` at {at} is an alias of another place: set the value there, or set `{path}` as a whole")]
    ThroughAlias {
        /// The path of the alias.
        path: String,
        /// Where it stands.
        at: Position,
    },
    /// The path goes through an anchored node that an alias refers to.
    #[error(
        "`{path}` at {at} has an anchor that other places refer to, and these would change too: edit it with a patch"
    )]
    Shared {
        /// The path of the anchored node.
        path: String,
        /// Where it stands.
        at: Position,
    },
    /// The key is written as `? key`.
    #[error("`{path}` at {at} is written in the `? key` form, which is not edited: write it as `key: value`")]
    ExplicitKey {
        /// The path of the entry.
        path: String,
        /// Where its key stands.
        at: Position,
    },
    /// The edit would change more than it names, or not what it names.
    #[error(
        "`{path}` at {at} is written in a form that cannot be edited without touching other values: edit it with a patch"
    )]
    Unsafe {
        /// The path of the edit.
        path: String,
        /// Where its deepest existing part stands.
        at: Position,
    },
}

/// A YAML text that is being edited.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    text: String,
    meaning: Value,
}

impl Document {
    /// Takes a text to edit.
    ///
    /// # Errors
    /// [`EditError::Unreadable`] or [`EditError::NoTree`].
    pub(crate) fn parse(text: &str) -> Result<Self, EditError> {
        let meaning = meaning_of(text)?;
        compose(text)?;
        Ok(Self { text: text.to_owned(), meaning })
    }

    /// Returns the text with the edits made so far.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Sets the value at `path`, making what is missing on the way. A value that is there already, written
    /// in whatever way, stays as it is written.
    ///
    /// # Errors
    /// [`EditError`]; the document is unchanged then.
    pub(crate) fn set(&mut self, path: &ValuePath, value: &Value) -> Result<(), EditError> {
        if meaning::find(&self.meaning, path).is_some_and(|old| meaning::is_same(old, value)) {
            return Ok(());
        }
        let root = compose(&self.text)?;
        let layout = Layout::of(&self.text, &root);
        let place = Place::find(&root, path)?;
        let mut ways = Vec::new();
        for form in [Form::Lines, Form::OneLine] {
            ways.push(self.set_at(&place, path, value, &layout, form)?);
        }
        let mut expected = self.meaning.clone();
        let is_possible = meaning::put(&mut expected, path, value.clone()).is_some();
        let at = place.node.position;
        let ways = ways.into_iter().filter(|_| is_possible);
        self.keep(ways, expected, || EditError::Unsafe { path: path.to_string(), at })
    }

    fn set_at(
        &self,
        place: &Place<'_>,
        path: &ValuePath,
        value: &Value,
        layout: &Layout,
        form: Form,
    ) -> Result<Vec<Splice>, EditError> {
        let not_a_list = |count| EditError::NotAList { path: path.prefix(count), at: place.node.position };
        let Some((first, below)) = place.missing(path).split_first() else {
            return Ok(replace::replace(&self.text, place, value, layout, form));
        };
        let Segment::Key(key) = first else { return Err(not_a_list(place.found)) };
        let nested = nest(below, value).ok_or_else(|| not_a_list(place.found + 1))?;
        if let Kind::Mapping { entries, is_flow } = &place.node.kind
            && let Some(splice) =
                insert::add_entry(&self.text, entries, *is_flow, (key, &nested), layout, form)
        {
            return Ok(vec![splice]);
        }
        let mapping = Value::Object([(key.clone(), nested)].into_iter().collect());
        Ok(replace::replace(&self.text, place, &mapping, layout, form))
    }

    /// Removes the entry `key` at the top or below `parent`; a mapping left without entries becomes `{}`.
    ///
    /// # Errors
    /// [`EditError`]; the document is unchanged then.
    pub(crate) fn remove(&mut self, parent: Option<&str>, key: &str) -> Result<(), EditError> {
        let mut expected = self.meaning.clone();
        if meaning::take(&mut expected, parent, key).is_none() {
            return Ok(());
        }
        let keys: Vec<&str> = parent.into_iter().chain([key]).collect();
        let root = compose(&self.text)?;
        let layout = Layout::of(&self.text, &root);
        let place = Place::find(&root, &ValuePath::of_keys(&keys))?;
        let holder = match parent {
            Some(parent) => Place::find(&root, &ValuePath::of_keys(&[parent]))?,
            None => Place { node: &root, slot: place::Slot::Root, is_in_flow: false, found: 0 },
        };
        let splices = match &holder.node.kind {
            Kind::Mapping { entries, .. } if entries.len() == 1 => Some(replace::replace(
                &self.text,
                &holder,
                &Value::Object(serde_json::Map::new()),
                &layout,
                Form::OneLine,
            )),
            Kind::Mapping { entries, is_flow } => {
                let spans: Vec<Range<usize>> = entries.iter().map(tree::Entry::span).collect();
                let index = entries.iter().rposition(|entry| entry.key.scalar_text() == Some(key));
                index
                    .and_then(|index| remove::remove_element(&self.text, &spans, *is_flow, index))
                    .map(|one| vec![one])
            }
            Kind::Absent | Kind::Scalar { .. } | Kind::Alias(_) | Kind::Sequence { .. } => None,
        };
        let at = place.node.position;
        self.keep(splices, expected, || EditError::Unsafe { path: keys.join("."), at })
    }

    /// Puts `texts` first in the list `key` at the top, in this order; those that stand further down move.
    ///
    /// # Errors
    /// [`EditError`]; the document holds the texts before the refused one then.
    pub(crate) fn put_first(&mut self, key: &str, texts: &[String]) -> Result<(), EditError> {
        let path = ValuePath::of_keys(&[key]);
        match self.meaning.get(key) {
            Some(Value::Array(items)) if !items.is_empty() => {}
            Some(Value::Array(_) | Value::Null) | None => {
                let all = texts.iter().map(|text| Value::String(text.clone())).collect();
                return self.set(&path, &Value::Array(all));
            }
            Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => {
                let at = Place::find(&compose(&self.text)?, &path)?.node.position;
                return Err(EditError::NotAList { path: key.to_owned(), at });
            }
        }
        texts.iter().enumerate().try_for_each(|(index, text)| self.put_at(key, &path, index, text))
    }

    fn put_at(&mut self, key: &str, path: &ValuePath, index: usize, text: &str) -> Result<(), EditError> {
        let value = Value::String(text.to_owned());
        let mut expected = self.meaning.clone();
        let Some(list) = expected.get_mut(key).and_then(Value::as_array_mut) else { return Ok(()) };
        if list.get(index) == Some(&value) {
            return Ok(());
        }
        let moved_from = list.iter().skip(index).position(|item| *item == value).map(|after| index + after);
        if let Some(from) = moved_from {
            list.remove(from);
        }
        list.insert(index, value.clone());
        let root = compose(&self.text)?;
        let place = Place::find(&root, path)?;
        let layout = Layout::of(&self.text, &root);
        let splices = match &place.node.kind {
            Kind::Sequence { items, is_flow } => {
                list::put_at(&self.text, (items, *is_flow), index, &value, moved_from, &layout)
            }
            Kind::Absent | Kind::Scalar { .. } | Kind::Alias(_) | Kind::Mapping { .. } => None,
        };
        let at = place.node.position;
        self.keep(splices, expected, || EditError::Unsafe { path: key.to_owned(), at })
    }

    /// Keeps the first of the `ways` to edit whose text means `expected`.
    fn keep(
        &mut self,
        ways: impl IntoIterator<Item = Vec<Splice>>,
        expected: Value,
        refusal: impl FnOnce() -> EditError,
    ) -> Result<(), EditError> {
        let is_proven =
            |text: &String| meaning_of(text).is_ok_and(|meaning| meaning::is_same(&meaning, &expected));
        let edited =
            ways.into_iter().filter_map(|splices| splice::apply(&self.text, splices)).find(is_proven);
        self.text = edited.ok_or_else(refusal)?;
        self.meaning = expected;
        Ok(())
    }
}

/// Returns `value` as a whole document, laid out as the packager lays out what it makes.
pub(crate) fn write_document(value: &Value) -> String {
    let layout = Layout { step: 2, list_step: 0, line_end: "\n" };
    let Written { head, body, .. } = writer::write_value(value, None, &layout, Form::Lines);
    let lines = std::iter::once(head).filter(|head| !head.is_empty()).chain(body);
    lines.map(|line| line + "\n").collect()
}

/// Wraps `value` in a mapping for each key of `segments`; nothing when one of them is an index.
fn nest(segments: &[Segment], value: &Value) -> Option<Value> {
    segments.iter().rev().try_fold(value.clone(), |inner, segment| match segment {
        Segment::Key(key) => Some(Value::Object([(key.clone(), inner)].into_iter().collect())),
        Segment::Index(_) => None,
    })
}

#[cfg(test)]
mod tests;
