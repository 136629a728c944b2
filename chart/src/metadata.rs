//! `Chart.yaml`: what a chart says about itself.
//!
//! A `ChartMetadata` has passed Helm's `Metadata.Validate`, with texts cleaned as Helm cleans them, so every
//! reader sees what `helm show chart` would print. Fields and JSON order are those of Helm's `Metadata`.

mod draft;
mod sanitize;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::dependency::Dependency;
use crate::fill::fill_record;
use crate::name::{ChartName, InvalidName};
use crate::version::{ChartVersion, InvalidVersion};
use crate::yaml::{self, Budget, DecodeError, Value, YamlError};
use draft::Draft;

/// What a chart says about itself. Empty texts and lists are absent fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChartMetadata {
    /// The name.
    pub name: ChartName,
    /// The URL of its home page.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub home: String,
    /// The URLs of its source code.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// The version, as it was written.
    pub version: ChartVersion,
    /// One sentence about the chart.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Words to search for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    /// The people who look after it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub maintainers: Vec<Maintainer>,
    /// The URL of an icon.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub icon: String,
    /// The version of the chart format.
    pub api_version: ApiVersion,
    /// The value path that enables it, when it is a dependency.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub condition: String,
    /// Tags that enable it, when it is a dependency; one text, unlike the tags of a [`Dependency`].
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tags: String,
    /// The version of the application inside; any text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub app_version: String,
    /// Whether its authors advise against it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub deprecated: bool,
    /// Notes for other programs.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The Kubernetes versions it runs on: a constraint text, which Helm checks only at install.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kube_version: String,
    /// The charts it depends on, those of `requirements.yaml` included.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<Dependency>,
    /// Whether it can be installed; nothing when `Chart.yaml` does not say, which means that it can.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub chart_type: Option<ChartType>,
}

/// One who looks after a chart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Maintainer {
    /// The name of a person or organisation.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The address to write to.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub email: String,
    /// The URL of a page.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub url: String,
}

/// The version of the chart format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ApiVersion {
    /// `v1`, of Helm 2: dependencies may stand in `requirements.yaml`. Also what an absent `apiVersion`
    /// means.
    V1,
    /// `v2`, of Helm 3 and 4.
    V2,
}

/// Whether a chart can be installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChartType {
    /// A chart that can be installed.
    Application,
    /// A chart that only offers templates to others.
    Library,
}

/// Why a chart's metadata is not valid. Each variant names the field and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMetadata {
    /// A file is not YAML, or asks for more than the budget.
    #[error("`{file}` is not valid YAML: {reason}")]
    Yaml {
        /// `Chart.yaml` or `requirements.yaml`.
        file: &'static str,
        /// What is wrong and where.
        reason: YamlError,
    },
    /// A field has another type than it must have.
    #[error("`{file}` has a wrong field: {reason}")]
    Field {
        /// `Chart.yaml` or `requirements.yaml`.
        file: &'static str,
        /// Which field and what it must be.
        reason: DecodeError,
    },
    /// The chart format is neither `v1` nor `v2`.
    #[error("field `apiVersion` is `{0}`; use `v1` or `v2`")]
    ApiVersion(String),
    /// There is no name.
    #[error("field `name` is missing; add the chart's name")]
    MissingName,
    /// The name cannot be used.
    #[error("field `name`: {0}")]
    Name(#[from] InvalidName),
    /// There is no version.
    #[error("field `version` is missing; add a semantic version such as `1.2.3`")]
    MissingVersion,
    /// The version is not a semantic version.
    #[error("field `version`: {0}")]
    Version(#[from] InvalidVersion),
    /// The type is neither `application` nor `library`.
    #[error("field `type` is `{0}`; use `application` or `library`, or leave it out")]
    Type(String),
    /// An element of the list of maintainers is null.
    #[error("field `maintainers` has an empty element at position {0}; fill it in or remove it")]
    NullMaintainer(usize),
    /// An element of the list of dependencies is null.
    #[error("field `dependencies` has an empty element at position {0}; fill it in or remove it")]
    NullDependency(usize),
    /// An alias holds more than letters, digits, `_` and `-`.
    #[error("dependency `{dependency}` has the alias `{alias}`; use only letters, digits, `_` and `-` in it")]
    Alias {
        /// The name of the dependency.
        dependency: String,
        /// The alias as written.
        alias: String,
    },
    /// Two dependencies go by one name.
    #[error("two dependencies have the name or alias `{0}`; give one of them an alias of its own")]
    DuplicateDependency(String),
}

impl ChartMetadata {
    /// Parses a `Chart.yaml` and, for charts of Helm 2, the `requirements.yaml` beside it, as Helm's
    /// `LoadFiles` does: types as Go decodes them, unknown fields ignored, both files decoded into one
    /// structure, `apiVersion` `v1` when there is none, then validated.
    ///
    /// # Errors
    /// [`InvalidMetadata`] for what Helm 4 would refuse too, and for a name that no URL and file name can
    /// carry.
    pub fn parse(chart_yaml: &[u8], requirements_yaml: Option<&[u8]>) -> Result<Self, InvalidMetadata> {
        let mut draft = Draft::default();
        fill_from_file(&mut draft, "Chart.yaml", chart_yaml)?;
        draft.assume_api_version();
        if let Some(requirements_yaml) = requirements_yaml {
            fill_from_file(&mut draft, "requirements.yaml", requirements_yaml)?;
        }
        let metadata = draft.validate()?;
        metadata.check_dependency_names()?;
        Ok(metadata)
    }

    fn check_dependency_names(&self) -> Result<(), InvalidMetadata> {
        let mut seen = std::collections::BTreeSet::new();
        match self.dependencies.iter().map(Dependency::effective_name).find(|name| !seen.insert(*name)) {
            Some(name) => Err(InvalidMetadata::DuplicateDependency(name.to_owned())),
            None => Ok(()),
        }
    }
}

fn fill_from_file(draft: &mut Draft, file: &'static str, bytes: &[u8]) -> Result<(), InvalidMetadata> {
    let value = yaml::parse(bytes, &Budget::default());
    let value = value.map_err(|reason| InvalidMetadata::Yaml { file, reason })?;
    if value == Value::Null {
        return Ok(());
    }
    fill_record(draft, &value).map_err(|reason| InvalidMetadata::Field { file, reason })
}

/// Reads an index entry or an OCI config. Two dependencies of one name are let pass, as Helm does in an index
/// (helm/helm#12748): such charts were published before archives were checked for it.
impl<'de> Deserialize<'de> for ChartMetadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut draft = Draft::default();
        fill_record(&mut draft, deserializer)?;
        draft.assume_api_version();
        draft.validate().map_err(serde::de::Error::custom)
    }
}

impl ApiVersion {
    /// Returns the text that `Chart.yaml` holds.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        }
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl ChartType {
    /// Returns the text that `Chart.yaml` holds.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Application => "application",
            Self::Library => "library",
        }
    }
}

impl fmt::Display for ChartType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHART: &str = "apiVersion: v2\nname: web\nversion: 1.2.3\n";

    fn parse(more: &str) -> Result<ChartMetadata, InvalidMetadata> {
        ChartMetadata::parse(format!("{CHART}{more}").as_bytes(), None)
    }

    #[test]
    fn an_error_names_the_field_and_what_to_do() {
        for (chart, message) in [
            ("name: web\n", "field `version` is missing; add a semantic version such as `1.2.3`"),
            ("version: 1.2.3\n", "field `name` is missing; add the chart's name"),
            ("", "field `name` is missing; add the chart's name"),
            (
                "name: a/b\nversion: 1.2.3\n",
                "field `name`: chart name `a/b` holds '/'; use only letters, digits, `.`, `_` and `-`",
            ),
            (
                "name: a\nversion: latest\n",
                "field `version`: version `latest` is not a semantic version; write it as `1.2.3` or \
                 `1.2.3-rc.1`",
            ),
            ("name: a\nversion: 1.2.3\napiVersion: v3\n", "field `apiVersion` is `v3`; use `v1` or `v2`"),
            (
                "name: a\nversion: 1.2.3\ntype: plugin\n",
                "field `type` is `plugin`; use `application` or `library`, or leave it out",
            ),
            (
                "name: a\nversion: 1.2.3\nmaintainers: [{}, ~]\n",
                "field `maintainers` has an empty element at position 1; fill it in or remove it",
            ),
            (
                "name: a\nversion: 1.2.3\ndependencies: [~]\n",
                "field `dependencies` has an empty element at position 0; fill it in or remove it",
            ),
            (
                "name: a\nversion: 1.2.3\ndependencies: [{name: b, alias: c d}]\n",
                "dependency `b` has the alias `c d`; use only letters, digits, `_` and `-` in it",
            ),
            (
                "name: a\nversion: 1.2.3\ndependencies: [{name: b}, {name: c, alias: b}]\n",
                "two dependencies have the name or alias `b`; give one of them an alias of its own",
            ),
            (
                "name: a\nversion: 1.2.3\nkeywords: b\n",
                "`Chart.yaml` has a wrong field: `keywords` is a text; it must be a list",
            ),
            (
                "name: a\nversion: 1.2.3\ndeprecated: 'yes'\n",
                "`Chart.yaml` has a wrong field: `deprecated` is a text; it must be true or false, \
                 without quotes",
            ),
            ("[a]", "`Chart.yaml` has a wrong field: the document is a list; it must be a map"),
            (
                "name: [\n",
                "`Chart.yaml` is not valid YAML: line 2, column 1: a value was expected here; add one, or \
                 quote the text",
            ),
        ] {
            assert_eq!(
                ChartMetadata::parse(chart.as_bytes(), None).unwrap_err().to_string(),
                message,
                "{chart}"
            );
        }
        let error = ChartMetadata::parse(CHART.as_bytes(), Some(b"dependencies: a")).unwrap_err();
        let message = "`requirements.yaml` has a wrong field: `dependencies` is a text; it must be a list";
        assert_eq!(error.to_string(), message);
    }

    #[test]
    fn texts_are_cleaned_where_helm_cleans_them() {
        let metadata = parse(
            "description: \"two\\nlines\\a\"\nhome: \"h\\u00a0\"\nkeywords: [\"k\\t\"]\n\
             annotations: {a: \"kept\\t\"}\nmaintainers: [{name: \"m\\r\"}]\n\
             dependencies: [{name: \"d\\u200b\", tags: [\"t\\n\"], alias: x}]\n",
        )
        .unwrap();
        assert_eq!((metadata.description.as_str(), metadata.home.as_str()), ("two lines", "h "));
        assert_eq!(metadata.keywords, ["k "]);
        assert_eq!(metadata.annotations["a"], "kept\t");
        assert_eq!(metadata.maintainers[0].name, "m ");
        assert_eq!(
            (metadata.dependencies[0].name.as_str(), metadata.dependencies[0].tags[0].as_str()),
            ("d", "t ")
        );
        assert_eq!(metadata.dependencies[0].effective_name(), "x");
    }

    #[test]
    fn a_chart_of_helm_2_takes_its_dependencies_from_requirements() {
        let chart = b"name: web\nversion: 1.2.3\nengine: gotpl\n";
        let requirements = b"dependencies:\n- name: redis\n  version: ~10.1\n  repository: https://x\n";
        let metadata = ChartMetadata::parse(chart, Some(requirements)).unwrap();
        assert_eq!(metadata.api_version, ApiVersion::V1);
        assert_eq!(metadata.dependencies[0].version, "~10.1");
    }

    #[test]
    fn an_index_entry_may_hold_nulls_and_unknown_fields_but_no_wrong_types() {
        let entry = r#"{"Name": "web", "version": "v1.2", "description": null, "keywords": null,
            "deprecated": null, "annotations": {"a": null}, "urls": ["x"], "digest": "y",
            "maintainers": null, "type": null}"#;
        let metadata: ChartMetadata = serde_json::from_str(entry).unwrap();
        assert_eq!((metadata.name.as_str(), metadata.version.as_str()), ("web", "v1.2"));
        assert_eq!(metadata.api_version, ApiVersion::V1);
        assert_eq!(metadata.annotations["a"], "");
        for wrong in [
            r#"{"name": "web", "version": "1.2.3", "appVersion": 1.1}"#,
            r#"{"name": "web", "version": "1.2.3", "annotations": {"a": true}}"#,
            r#"{"name": "web", "version": "1.2.3", "deprecated": "true"}"#,
            r#"{"name": "web", "version": "1.2.3", "maintainers": [null]}"#,
            r#"{"name": "web", "version": "1.2.3", "apiVersion": "v3"}"#,
            r#"{"name": "web", "version": "latest"}"#,
            r#"{"name": "../web", "version": "1.2.3"}"#,
            "null",
        ] {
            assert!(serde_json::from_str::<ChartMetadata>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_index_entry_may_name_a_dependency_twice() {
        let entry = r#"{"name": "web", "version": "1.2.3", "dependencies": [{"name": "a"}, {"name": "a"}]}"#;
        assert_eq!(serde_json::from_str::<ChartMetadata>(entry).unwrap().dependencies.len(), 2);
        assert!(parse("dependencies: [{name: a}, {name: a}]\n").is_err());
    }

    #[test]
    fn json_has_the_order_of_helms_structure() {
        let metadata = parse(
            "type: library\ndependencies: [{name: a}]\nkubeVersion: '>=1.20'\nannotations: {b: c, a: d}\n\
             deprecated: true\nappVersion: 1.10\ntags: x\ncondition: c\nicon: z\nkeywords: [k]\n\
             maintainers: [{url: u, name: m}]\ndescription: <d>\nsources: [s]\nhome: h\n",
        )
        .unwrap();
        let expected = [
            r#"{"name":"web","home":"h","sources":["s"],"version":"1.2.3","description":"<d>","#,
            r#""keywords":["k"],"maintainers":[{"name":"m","url":"u"}],"icon":"z","apiVersion":"v2","#,
            r#""condition":"c","tags":"x","appVersion":"1.1","deprecated":true,"#,
            r#""annotations":{"a":"d","b":"c"},"kubeVersion":">=1.20","#,
            r#""dependencies":[{"name":"a","repository":""}],"type":"library"}"#,
        ]
        .concat();
        assert_eq!(serde_json::to_string(&metadata).unwrap(), expected);
    }
}
