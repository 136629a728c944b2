//! Files that people write, read with the lines that their values stand on: recipes and catalogue files.
//!
//! Nothing is guessed: every accessor either returns the typed value or says which line and column to look at.

mod suggestion;

use chart::yaml::YamlProblem;
use chart::{InvalidName, InvalidVersion};
use oci::InvalidDigest;
use serde_json::Value;

pub(crate) use self::suggestion::nearest;
use crate::edit::{InvalidPath, InvalidTree, Kind, Node, Position, compose, meaning_of};
use crate::scaffold::InvalidImage;

/// Why a written file is refused, and where to look.
#[derive(Debug, thiserror::Error)]
#[error("{at}: {problem}")]
pub(crate) struct LocatedProblem {
    /// The line and column.
    pub(crate) at: Position,
    /// What is wrong there.
    #[source]
    pub(crate) problem: Problem,
}

/// What is wrong with a written file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    /// The text is not YAML.
    #[error(transparent)]
    NotYaml(YamlProblem),
    /// The text has no tree, or more than one.
    #[error(transparent)]
    NoTree(#[from] InvalidTree),
    /// A key that does not exist there.
    #[error("unknown key `{key}`{}; the keys here are `{known}`", meant(*.suggestion))]
    UnknownKey {
        /// The key.
        key: String,
        /// The key that was probably meant.
        suggestion: Option<&'static str>,
        /// All keys of that place.
        known: String,
    },
    /// A key that must be there is missing.
    #[error("the key `{key}` is missing: {remedy}")]
    Missing {
        /// The key.
        key: &'static str,
        /// What to write.
        remedy: &'static str,
    },
    /// Keys that exclude each other, or none of several of which one must be there.
    #[error("write exactly one of `{0}` here")]
    NotExactlyOne(String),
    /// Something else where a mapping must stand.
    #[error("`{0}` must be a mapping of keys and values")]
    NotAMapping(String),
    /// Something else where a list must stand.
    #[error("`{0}` must be a list")]
    NotAList(String),
    /// Something else where a list of texts must stand.
    #[error("`{0}` must be a list of texts")]
    NotTexts(String),
    /// Something else where a text must stand.
    #[error("`{0}` must be a text")]
    NotAText(String),
    /// A number or boolean where a text must stand.
    #[error("`{name}` must be a text: write \"{written}\" in quotes")]
    NotQuoted {
        /// The key.
        name: String,
        /// The value as written.
        written: String,
    },
    /// A number outside its range, or none.
    #[error("`{name}` must be a whole number from 0 to {most}")]
    NotANumber {
        /// The key.
        name: String,
        /// The largest one.
        most: u64,
    },
    /// A text that is none of the words allowed.
    #[error("`{name}` is `{written}`; it must be one of `{allowed}`")]
    NotAllowed {
        /// The key.
        name: String,
        /// The text as written.
        written: String,
        /// The words.
        allowed: String,
    },
    /// A text that breaks the rule of its key.
    #[error("`{name}` is `{written}`; {rule}")]
    Rule {
        /// The key.
        name: String,
        /// The text as written.
        written: String,
        /// What it must be.
        rule: String,
    },
    /// One thing is named twice.
    #[error("`{0}` is named twice: keep one")]
    Twice(String),
    /// The path of a value is malformed.
    #[error(transparent)]
    Path(#[from] InvalidPath),
    /// The version is none.
    #[error(transparent)]
    Version(#[from] InvalidVersion),
    /// The name is none.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// The digest is none.
    #[error(transparent)]
    Digest(#[from] InvalidDigest),
    /// The reference is of no image.
    #[error(transparent)]
    Image(#[from] InvalidImage),
}

fn meant(suggestion: Option<&str>) -> String {
    suggestion.map(|word| format!(", did you mean `{word}`?")).unwrap_or_default()
}

/// Reads `text` as one YAML document and hands its root to `read`.
///
/// # Errors
/// [`LocatedProblem`] when the text is not YAML, and those of `read`.
pub(crate) fn read_document<T>(
    text: &str,
    read: impl FnOnce(Located<'_>) -> Result<T, LocatedProblem>,
) -> Result<T, LocatedProblem> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let meaning = meaning_of(text).map_err(|error| LocatedProblem {
        at: Position { line: error.line, column: error.column },
        problem: Problem::NotYaml(error.problem),
    })?;
    let tree = compose(text)
        .map_err(|problem| LocatedProblem { at: Position { line: 1, column: 1 }, problem: problem.into() })?;
    read(Located { node: &tree, value: &meaning })
}

/// One value and its place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Located<'file> {
    node: &'file Node,
    value: &'file Value,
}

/// One entry of a mapping.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field<'file> {
    /// The key as it stands.
    pub(crate) key: &'file str,
    /// Where the key stands.
    pub(crate) at: Position,
    /// The value.
    pub(crate) value: Located<'file>,
}

impl<'file> Located<'file> {
    /// Returns where the value stands.
    pub(crate) fn at(&self) -> Position {
        self.node.position
    }

    /// Returns the value as Helm would read it.
    pub(crate) fn json(&self) -> &'file Value {
        self.value
    }

    /// Returns the entries of a mapping in their order; null is an empty one.
    pub(crate) fn entries(&self, name: &str) -> Result<Vec<Field<'file>>, LocatedProblem> {
        let refuse = |at| LocatedProblem { at, problem: Problem::NotAMapping(name.to_owned()) };
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
    pub(crate) fn known_entries(
        &self,
        name: &str,
        known: &[&'static str],
    ) -> Result<Vec<Field<'file>>, LocatedProblem> {
        let fields = self.entries(name)?;
        match fields.iter().find(|field| !known.contains(&field.key)) {
            Some(field) => Err(LocatedProblem {
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
    pub(crate) fn text(&self, name: &str) -> Result<&'file str, LocatedProblem> {
        match self.value {
            Value::String(text) => Ok(text),
            Value::Bool(_) | Value::Number(_) => {
                let written = self.node.scalar_text().unwrap_or_default().to_owned();
                Err(LocatedProblem {
                    at: self.at(),
                    problem: Problem::NotQuoted { name: name.to_owned(), written },
                })
            }
            Value::Null | Value::Array(_) | Value::Object(_) => {
                Err(LocatedProblem { at: self.at(), problem: Problem::NotAText(name.to_owned()) })
            }
        }
    }

    /// Returns the texts of a list.
    pub(crate) fn texts(&self, name: &str) -> Result<Vec<String>, LocatedProblem> {
        let items = self.list(|| Problem::NotTexts(name.to_owned()))?;
        items.into_iter().map(|item| item.text(name).map(str::to_owned)).collect()
    }

    /// Returns the items of a list.
    pub(crate) fn items(&self, name: &str) -> Result<Vec<Self>, LocatedProblem> {
        self.list(|| Problem::NotAList(name.to_owned()))
    }

    fn list(&self, problem: impl Fn() -> Problem) -> Result<Vec<Self>, LocatedProblem> {
        let Kind::Sequence { items, .. } = &self.node.kind else { return Err(self.refuse(problem())) };
        let values = self.value.as_array().ok_or_else(|| self.refuse(problem()))?;
        Ok(items.iter().zip(values).map(|(item, value)| Located { node: &item.node, value }).collect())
    }

    /// Returns a whole number of at most `most`.
    pub(crate) fn number(&self, name: &str, most: u64) -> Result<u64, LocatedProblem> {
        let number = self.value.as_u64().filter(|number| *number <= most);
        number.ok_or_else(|| self.refuse(Problem::NotANumber { name: name.to_owned(), most }))
    }

    /// Returns a text parsed into its type.
    pub(crate) fn parsed<T>(&self, name: &str) -> Result<T, LocatedProblem>
    where
        T: std::str::FromStr,
        T::Err: Into<Problem>,
    {
        self.text(name)?.parse().map_err(|problem: T::Err| self.refuse(problem))
    }

    /// Returns what `choices` has for a word.
    pub(crate) fn choice<T: Copy>(&self, name: &str, choices: &[(&str, T)]) -> Result<T, LocatedProblem> {
        let written = self.text(name)?;
        let found = choices.iter().find(|(word, _)| *word == written);
        found.map(|(_, choice)| *choice).ok_or_else(|| {
            let allowed: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
            self.refuse(Problem::NotAllowed {
                name: name.to_owned(),
                written: written.to_owned(),
                allowed: allowed.join("`, `"),
            })
        })
    }

    /// Returns the refusal of this value for breaking a rule.
    pub(crate) fn breaks(&self, name: &str, rule: impl Into<String>) -> LocatedProblem {
        let written = self.value.as_str().map_or_else(|| self.value.to_string(), str::to_owned);
        self.refuse(Problem::Rule { name: name.to_owned(), written, rule: rule.into() })
    }

    /// Returns the refusal of this value.
    pub(crate) fn refuse(&self, problem: impl Into<Problem>) -> LocatedProblem {
        LocatedProblem { at: self.at(), problem: problem.into() }
    }
}
