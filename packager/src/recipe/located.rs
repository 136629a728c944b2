//! A recipe's values together with the lines they stand on.
//!
//! Every accessor either returns the typed value or says which line and column to look at.

use serde_json::Value;

use super::suggestion::nearest;
use super::{InvalidRecipe, Problem};
use crate::edit::{Kind, Node, Position};

/// One value of a recipe and its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Located<'recipe> {
    node: &'recipe Node,
    value: &'recipe Value,
}

/// One entry of a mapping.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'recipe> {
    /// The key as it stands.
    pub(super) key: &'recipe str,
    /// Where the key stands.
    pub(super) at: Position,
    /// The value.
    pub(super) value: Located<'recipe>,
}

impl<'recipe> Located<'recipe> {
    /// Joins a document's tree with its meaning.
    pub(super) fn new(node: &'recipe Node, value: &'recipe Value) -> Self {
        Self { node, value }
    }

    /// Returns where the value stands.
    pub(super) fn at(&self) -> Position {
        self.node.position
    }

    /// Returns the value as Helm would read it.
    pub(super) fn json(&self) -> &'recipe Value {
        self.value
    }

    /// Returns the entries of a mapping in their order; null is an empty one.
    pub(super) fn entries(&self, name: &str) -> Result<Vec<Field<'recipe>>, InvalidRecipe> {
        let refuse = |at| InvalidRecipe { at, problem: Problem::NotAMapping(name.to_owned()) };
        let Kind::Mapping { entries, .. } = &self.node.kind else {
            return if self.value.is_null() { Ok(Vec::new()) } else { Err(refuse(self.at())) };
        };
        let fields = entries.iter().map(|entry| {
            let key = entry.key.scalar_text().ok_or_else(|| refuse(entry.key.position))?;
            let value = self.value.get(key).ok_or_else(|| refuse(entry.key.position))?;
            Ok(Field { key, at: entry.key.position, value: Located { node: &entry.value, value } })
        });
        fields.collect()
    }

    /// Returns the entries of a mapping that may have only the `known` keys.
    pub(super) fn known_entries(
        &self,
        name: &str,
        known: &[&'static str],
    ) -> Result<Vec<Field<'recipe>>, InvalidRecipe> {
        let fields = self.entries(name)?;
        match fields.iter().find(|field| !known.contains(&field.key)) {
            Some(field) => Err(InvalidRecipe {
                at: field.at,
                problem: Problem::UnknownKey {
                    key: field.key.to_owned(),
                    suggestion: nearest(field.key, known),
                    known: known.join("`, `"),
                },
            }),
            None => Ok(fields),
        }
    }

    /// Returns a text. Numbers and booleans are refused: `1.10` would lose its zero.
    pub(super) fn text(&self, name: &str) -> Result<&'recipe str, InvalidRecipe> {
        match self.value {
            Value::String(text) => Ok(text),
            Value::Bool(_) | Value::Number(_) => {
                let written = self.node.scalar_text().unwrap_or_default().to_owned();
                Err(InvalidRecipe {
                    at: self.at(),
                    problem: Problem::NotQuoted { name: name.to_owned(), written },
                })
            }
            Value::Null | Value::Array(_) | Value::Object(_) => {
                Err(InvalidRecipe { at: self.at(), problem: Problem::NotAText(name.to_owned()) })
            }
        }
    }

    /// Returns the texts of a list.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<String>, InvalidRecipe> {
        let refuse = || InvalidRecipe { at: self.at(), problem: Problem::NotAList(name.to_owned()) };
        let Kind::Sequence { items, .. } = &self.node.kind else { return Err(refuse()) };
        let values = self.value.as_array().ok_or_else(refuse)?;
        let located = items.iter().zip(values).map(|(item, value)| Located { node: &item.node, value });
        located.map(|item| item.text(name).map(str::to_owned)).collect()
    }
}
