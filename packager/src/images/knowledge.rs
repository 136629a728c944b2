//! What is known about well-known charts and no rendering shows; every statement has its source.
//!
//! The statements are data (`packager/knowledge/charts.yaml`), compiled in, overruled by what a recipe says.

use std::collections::BTreeMap;

use chart::yaml::{self, Budget};
use chart::{ChartMetadata, InvalidConstraint, VersionConstraint};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::ImageName;
use crate::edit::{InvalidPath, ValuePath};
use crate::profile::{ExtraImage, KnownView, Substitution};
use crate::recipe::ValueEdit;
use crate::toggle::set_over;

const TEXT: &str = include_str!("../../knowledge/charts.yaml");

/// What is known about one chart.
#[derive(Debug, Clone, Default)]
pub(crate) struct Knowledge {
    /// Values without which it does not render.
    pub(crate) probe_values: Vec<ValueEdit>,
    /// Images that it fetches when it runs.
    pub(crate) extra_images: Vec<ExtraImage>,
    /// Where its images really are.
    pub(crate) substitutions: Vec<Substitution>,
    /// Ways to use it that turning on one switch does not reach.
    pub(crate) views: Vec<KnownView>,
    /// Other things that it fetches when it runs.
    pub(crate) fetches: Vec<Fetch>,
}

/// Something besides images that a chart fetches when it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fetch {
    /// What is fetched, and from where.
    pub(crate) what: String,
    /// How it is avoided or carried.
    pub(crate) remedy: String,
    /// Where this is written.
    pub(crate) source: String,
}

/// Why the statements cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidKnowledge {
    /// The text is not what it must be.
    #[error("the knowledge of charts is malformed: {0}")]
    Malformed(String),
    /// A constraint on versions is none.
    #[error("the knowledge of charts has a bad version constraint: {0}")]
    Constraint(#[from] InvalidConstraint),
    /// A values path is none.
    #[error("the knowledge of charts has a bad path: {0}")]
    Path(#[from] InvalidPath),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Statement {
    chart: String,
    #[serde(default)]
    versions: Option<String>,
    #[serde(default)]
    probe_values: BTreeMap<String, Value>,
    #[serde(default)]
    extra_images: Vec<ExtraStatement>,
    #[serde(default)]
    substitutions: Vec<SubstitutionStatement>,
    #[serde(default)]
    views: Vec<ViewStatement>,
    #[serde(default)]
    fetches: Vec<Fetch>,
    #[serde(default)]
    #[allow(dead_code, reason = "read by people; that it is there is tested")]
    source: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ExtraStatement {
    image: String,
    #[serde(default)]
    when: Option<String>,
    reason: String,
    source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SubstitutionStatement {
    from: String,
    to: String,
    #[allow(dead_code, reason = "read by people")]
    source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ViewStatement {
    values: BTreeMap<String, Value>,
    source: String,
}

impl Knowledge {
    /// Returns what is known about a chart whose values are given.
    ///
    /// # Errors
    /// [`InvalidKnowledge`] when the compiled statements are malformed.
    pub(crate) fn of(
        metadata: &ChartMetadata,
        values: &Map<String, Value>,
    ) -> Result<Self, InvalidKnowledge> {
        let mut known = Self::default();
        for statement in statements()? {
            if statement.chart == metadata.name.as_str() && statement.covers(metadata)? {
                known.add(statement, metadata, values)?;
            }
        }
        Ok(known)
    }

    fn add(
        &mut self,
        statement: Statement,
        metadata: &ChartMetadata,
        values: &Map<String, Value>,
    ) -> Result<(), InvalidKnowledge> {
        for (path, value) in statement.probe_values {
            self.probe_values.push(ValueEdit { path: path.parse()?, value, at: None });
        }
        for extra in statement.extra_images {
            let is_used = extra.when.as_deref().is_none_or(|path| lookup(values, path) == "true");
            let image = filled(&extra.image, metadata, values).parse::<ImageName>();
            if let (true, Ok(image)) = (is_used, image) {
                let reason = format!("{} ({})", extra.reason, extra.source);
                self.extra_images.push(ExtraImage { image, reason });
            }
        }
        for view in statement.views {
            let mut over = Map::new();
            for (path, value) in view.values {
                set_over(&mut over, values, &path.parse::<ValuePath>()?, value);
            }
            self.views.push(KnownView { values: over, source: view.source });
        }
        let substitutions = statement.substitutions.into_iter();
        self.substitutions.extend(substitutions.map(|one| Substitution { from: one.from, to: one.to }));
        self.fetches.extend(statement.fetches);
        Ok(())
    }
}

impl Statement {
    fn covers(&self, metadata: &ChartMetadata) -> Result<bool, InvalidKnowledge> {
        let Some(versions) = &self.versions else { return Ok(true) };
        Ok(versions.parse::<VersionConstraint>()?.matches(&metadata.version))
    }
}

fn statements() -> Result<Vec<Statement>, InvalidKnowledge> {
    let malformed = |problem: &dyn std::fmt::Display| InvalidKnowledge::Malformed(problem.to_string());
    let value = yaml::parse(TEXT.as_bytes(), &Budget::for_values()).map_err(|problem| malformed(&problem))?;
    Vec::<Statement>::deserialize(&value).map_err(|problem| malformed(&problem))
}

/// Fills `${path}` and `${path|other.path}` from the values; `${appVersion}` is the chart's.
fn filled(template: &str, metadata: &ChartMetadata, values: &Map<String, Value>) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((paths, after)) = after.split_once('}') else { break };
        text.push_str(before);
        let found = paths.split('|').map(|path| match path {
            "appVersion" => metadata.app_version.clone(),
            path => lookup(values, path),
        });
        text.push_str(&found.into_iter().find(|found| !found.is_empty()).unwrap_or_default());
        rest = after;
    }
    text.push_str(rest);
    text
}

fn lookup(values: &Map<String, Value>, path: &str) -> String {
    let mut keys = path.split('.');
    let first = keys.next().and_then(|key| values.get(key));
    let found = keys.try_fold(first, |value, key| Some(value?.get(key))).flatten();
    match found {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(switch)) => switch.to_string(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Null | Value::Array(_) | Value::Object(_)) | None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_statement_is_well_formed_and_has_a_source() {
        for statement in statements().unwrap() {
            let has_values = !statement.probe_values.is_empty();
            assert!(!has_values || statement.source.is_some(), "{}", statement.chart);
            for path in statement.probe_values.keys() {
                path.parse::<ValuePath>().unwrap();
            }
            if let Some(versions) = &statement.versions {
                versions.parse::<VersionConstraint>().unwrap();
            }
            assert!(statement.extra_images.iter().all(|extra| !extra.source.is_empty()));
        }
    }

    #[test]
    fn split_keys_are_filled_from_the_values() {
        let metadata = "apiVersion: v2\nname: linkerd2\nversion: 2.11.1\nappVersion: stable-2.11.1\n";
        let metadata = ChartMetadata::parse(metadata.as_bytes(), None).unwrap();
        let values = json!({"debugContainer": {"image": {"name": "cr.l5d.io/linkerd/debug", "version": ""}}, "linkerdVersion": "stable-2.11.1"});
        let known = Knowledge::of(&metadata, values.as_object().unwrap()).unwrap();
        let images: Vec<_> = known.extra_images.iter().map(|extra| extra.image.to_string()).collect();
        assert_eq!(images, ["cr.l5d.io/linkerd/debug:stable-2.11.1"]);
    }
}
