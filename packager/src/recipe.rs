//! Recipes: how one chart is made for delivery. A recipe names its chart and the edits made on it.
//!
//! Nothing is guessed: an unknown key, a wrong type or a bad path is refused with its line and column.

mod located;
mod suggestion;

use std::path::PathBuf;

use chart::yaml::YamlProblem;
use chart::{ChartVersion, InvalidVersion};
use oci::{Digest, InvalidDigest};
use serde_json::Value;

use self::located::{Field, Located};
use crate::edit::{
    InvalidPath, InvalidTree, MetadataEdits, Position, TextEdit, ValuePath, compose, meaning_of,
};

/// The name of a recipe's file in its folder.
pub(crate) const FILE_NAME: &str = "recipe.yaml";

/// One recipe.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Recipe {
    /// The chart to start from.
    pub(crate) chart: ChartLocation,
    /// The edits of its `Chart.yaml`.
    pub(crate) metadata: MetadataEdits,
    /// The edits of its `values.yaml`, in the recipe's order.
    pub(crate) values: Vec<ValueEdit>,
}

/// Where a recipe's chart is: a folder or an archive, relative to the recipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChartLocation {
    /// The folder or archive.
    pub(crate) path: PathBuf,
    /// The digest that an archive must have.
    pub(crate) digest: Option<Digest>,
}

/// One value to set.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ValueEdit {
    /// Where.
    pub(crate) path: ValuePath,
    /// What.
    pub(crate) value: Value,
}

/// Why a recipe is refused, and where to look.
#[derive(Debug, thiserror::Error)]
#[error("{at}: {problem}")]
pub(crate) struct InvalidRecipe {
    /// The line and column.
    pub(crate) at: Position,
    /// What is wrong there.
    #[source]
    pub(crate) problem: Problem,
}

/// What is wrong with a recipe.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    /// The text is not YAML.
    #[error(transparent)]
    NotYaml(YamlProblem),
    /// The text has no tree, or more than one.
    #[error(transparent)]
    NoTree(#[from] InvalidTree),
    /// A key that recipes do not have.
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
    #[error("the key `{0}` is missing: name the chart's folder or archive, for example `chart: .`")]
    Missing(&'static str),
    /// Something else where a mapping must stand.
    #[error("`{0}` must be a mapping of keys and values")]
    NotAMapping(String),
    /// Something else where a list must stand.
    #[error("`{0}` must be a list of texts")]
    NotAList(String),
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
    /// The path of a value is malformed.
    #[error(transparent)]
    Path(#[from] InvalidPath),
    /// The version is none.
    #[error(transparent)]
    Version(#[from] InvalidVersion),
    /// The digest is none.
    #[error(transparent)]
    Digest(#[from] InvalidDigest),
}

fn meant(suggestion: Option<&str>) -> String {
    suggestion.map(|word| format!(", did you mean `{word}`?")).unwrap_or_default()
}

impl Recipe {
    /// Reads a recipe from its YAML text.
    ///
    /// # Errors
    /// [`InvalidRecipe`] with the line and column of the first problem.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidRecipe> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let meaning = meaning_of(text).map_err(|error| InvalidRecipe {
            at: Position { line: error.line, column: error.column },
            problem: Problem::NotYaml(error.problem),
        })?;
        let tree = compose(text).map_err(|problem| InvalidRecipe {
            at: Position { line: 1, column: 1 },
            problem: problem.into(),
        })?;
        let root = Located::new(&tree, &meaning);
        let mut chart = None;
        let mut metadata = MetadataEdits::default();
        let mut version = None;
        let mut values = Vec::new();
        for field in root.known_entries("recipe", &["chart", "version", "metadata", "values"])? {
            match field.key {
                "chart" => chart = Some(read_chart(field.value)?),
                "version" => version = Some(read_version(field.value)?),
                "metadata" => metadata = read_metadata(field.value)?,
                _ => values = read_values(field.value)?,
            }
        }
        let chart = chart.ok_or(InvalidRecipe { at: root.at(), problem: Problem::Missing("chart") })?;
        Ok(Self { chart, metadata: MetadataEdits { version, ..metadata }, values })
    }
}

fn read_chart(value: Located<'_>) -> Result<ChartLocation, InvalidRecipe> {
    if value.json().is_string() {
        return Ok(ChartLocation { path: value.text("chart")?.into(), digest: None });
    }
    let (mut path, mut digest) = (None, None);
    for field in value.known_entries("chart", &["path", "digest"])? {
        let text = field.value.text(field.key)?;
        match field.key {
            "path" => path = Some(PathBuf::from(text)),
            _ => digest = Some(text.parse().map_err(|problem| refused(field.value, problem))?),
        }
    }
    let path = path.ok_or(InvalidRecipe { at: value.at(), problem: Problem::Missing("path") })?;
    Ok(ChartLocation { path, digest })
}

fn read_version(value: Located<'_>) -> Result<String, InvalidRecipe> {
    let text = value.text("version")?;
    let version: ChartVersion = text.parse().map_err(|problem: InvalidVersion| refused(value, problem))?;
    Ok(version.to_string())
}

fn read_metadata(value: Located<'_>) -> Result<MetadataEdits, InvalidRecipe> {
    let known = ["description", "appVersion", "icon", "annotations", "keywordsFirst"];
    let mut edits = MetadataEdits::default();
    for field in value.known_entries("metadata", &known)? {
        match field.key {
            "description" => edits.description = Some(read_text_edit(&field)?),
            "appVersion" => edits.app_version = Some(read_text_edit(&field)?),
            "icon" => edits.icon = Some(read_text_edit(&field)?),
            "annotations" => {
                for annotation in field.value.entries("annotations")? {
                    edits.annotations.push((annotation.key.to_owned(), read_text_edit(&annotation)?));
                }
            }
            _ => edits.keywords_first = field.value.texts("keywordsFirst")?,
        }
    }
    Ok(edits)
}

/// Null means that the field goes.
fn read_text_edit(field: &Field<'_>) -> Result<TextEdit, InvalidRecipe> {
    if field.value.json().is_null() {
        return Ok(TextEdit::Remove);
    }
    Ok(TextEdit::Set(field.value.text(field.key)?.to_owned()))
}

fn read_values(value: Located<'_>) -> Result<Vec<ValueEdit>, InvalidRecipe> {
    let edits = value.entries("values")?.into_iter().map(|field| {
        let path = field
            .key
            .parse()
            .map_err(|problem: InvalidPath| InvalidRecipe { at: field.at, problem: problem.into() })?;
        Ok(ValueEdit { path, value: field.value.json().clone() })
    });
    edits.collect()
}

fn refused(value: Located<'_>, problem: impl Into<Problem>) -> InvalidRecipe {
    InvalidRecipe { at: value.at(), problem: problem.into() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_key_is_read() {
        let text = "chart: {path: ../keepalived-0.1.0.tgz, digest: 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'}\n\
                    version: 0.1.1\n\
                    metadata:\n  description: 가상 IP\n  appVersion: 2.2.4\n  icon: null\n\
                    \x20 annotations:\n    catalog.cattle.io/certified: playcekube\n    artifacthub.io/signKey:\n\
                    \x20 keywordsFirst: [infrastructure]\n\
                    values:\n  image.tag: v2.2.4\n  vrouter_id: \"150\"\n  'a.\"b.c\"[0]': {d: 1}\n";
        let recipe = Recipe::parse(text).unwrap();
        assert_eq!(recipe.chart.path, PathBuf::from("../keepalived-0.1.0.tgz"));
        assert_eq!(recipe.chart.digest, Some(Digest::sha256(b"")));
        assert_eq!(recipe.metadata.version.as_deref(), Some("0.1.1"));
        assert_eq!(recipe.metadata.app_version, Some(TextEdit::Set("2.2.4".to_owned())));
        assert_eq!(recipe.metadata.icon, Some(TextEdit::Remove));
        assert_eq!(recipe.metadata.annotations.last().unwrap().1, TextEdit::Remove);
        assert_eq!(recipe.metadata.keywords_first, ["infrastructure"]);
        let values: Vec<_> =
            recipe.values.iter().map(|edit| (edit.path.to_string(), edit.value.clone())).collect();
        let expected =
            [("image.tag", json!("v2.2.4")), ("vrouter_id", json!("150")), ("a.\"b.c\"[0]", json!({"d": 1}))];
        assert_eq!(values, expected.map(|(path, value)| (path.to_owned(), value)));
    }

    #[test]
    fn refusals_name_line_column_and_remedy() {
        let table = [
            (
                "chart: .\nmetdata: {}\n",
                "line 2 column 1: unknown key `metdata`, did you mean `metadata`?; the keys",
            ),
            ("chart: .\nmetadata:\n  patches: x\n", "line 3 column 3: unknown key `patches`; the keys"),
            (
                "chart: .\nmetadata:\n  appVersion: 1.10\n",
                "line 3 column 15: `appVersion` must be a text: write \"1.10\"",
            ),
            ("chart: .\nversion: one\n", "line 2 column 10: "),
            ("chart: .\nmetadata: x\n", "line 2 column 11: `metadata` must be a mapping"),
            ("chart: .\nmetadata:\n  keywordsFirst: a\n", "line 3 column 18: `keywordsFirst` must be a list"),
            (
                "chart: .\nmetadata:\n  keywordsFirst:\n  - [a]\n",
                "line 4 column 5: `keywordsFirst` must be a text",
            ),
            ("chart: .\nvalues:\n  a..b: 1\n", "line 3 column 3: the path `a..b` has an empty key"),
            ("chart: {path: x, digest: y}\n", "line 1 column 26: "),
            ("chart: {digest: 'sha256:0'}\n", "line 1 column 17: "),
            ("values: {}\n", "line 1 column 1: the key `chart` is missing"),
            ("- chart\n", "line 1 column 1: `recipe` must be a mapping"),
            ("", "line 1 column 1: the key `chart` is missing"),
        ];
        for (text, expected) in table {
            let refusal = Recipe::parse(text).unwrap_err().to_string();
            assert!(refusal.starts_with(expected), "{text}{refusal}");
        }
    }
}
