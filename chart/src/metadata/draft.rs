//! Metadata as decoded, before it is checked.
//!
//! Validation follows Helm's `Metadata.Validate` field by field: the same texts are cleaned, the others are
//! not.

use std::collections::BTreeMap;

use serde::de::{Deserializer, MapAccess};

use super::sanitize::{sanitize, sanitize_all};
use super::{ApiVersion, ChartMetadata, ChartType, InvalidMetadata, Maintainer};
use crate::dependency::Dependency;
use crate::fill::{Fill, Filling, Record, fill_record};

/// What `Chart.yaml` and `requirements.yaml` said, unchecked.
#[derive(Default)]
pub(super) struct Draft {
    name: String,
    home: String,
    sources: Vec<String>,
    version: String,
    description: String,
    keywords: Vec<String>,
    maintainers: Vec<Option<Maintainer>>,
    icon: String,
    api_version: String,
    condition: String,
    tags: String,
    app_version: String,
    deprecated: bool,
    annotations: BTreeMap<String, String>,
    kube_version: String,
    dependencies: Vec<Option<Dependency>>,
    chart_type: String,
}

impl Draft {
    /// Fills in `v1` when no file named an `apiVersion`: Helm 2 did not ask for one.
    pub(super) fn assume_api_version(&mut self) {
        if self.api_version.is_empty() {
            ApiVersion::V1.as_str().clone_into(&mut self.api_version);
        }
    }

    /// Checks and cleans every field in Helm's order; the names of dependencies are not compared.
    pub(super) fn validate(self) -> Result<ChartMetadata, InvalidMetadata> {
        let api_version = match self.api_version.as_str() {
            "v1" => ApiVersion::V1,
            "v2" => ApiVersion::V2,
            _ => return Err(InvalidMetadata::ApiVersion(self.api_version)),
        };
        let name = sanitize(self.name);
        if name.is_empty() {
            return Err(InvalidMetadata::MissingName);
        }
        let name = name.parse()?;
        if self.version.is_empty() {
            return Err(InvalidMetadata::MissingVersion);
        }
        let version = self.version.parse()?;
        let chart_type = match self.chart_type.as_str() {
            "" => None,
            "application" => Some(ChartType::Application),
            "library" => Some(ChartType::Library),
            _ => return Err(InvalidMetadata::Type(self.chart_type)),
        };
        Ok(ChartMetadata {
            name,
            home: sanitize(self.home),
            sources: sanitize_all(self.sources),
            version,
            description: sanitize(self.description),
            keywords: sanitize_all(self.keywords),
            maintainers: validate_maintainers(self.maintainers)?,
            icon: sanitize(self.icon),
            api_version,
            condition: sanitize(self.condition),
            tags: sanitize(self.tags),
            app_version: sanitize(self.app_version),
            deprecated: self.deprecated,
            annotations: self.annotations,
            kube_version: sanitize(self.kube_version),
            dependencies: validate_dependencies(self.dependencies)?,
            chart_type,
        })
    }
}

fn validate_maintainers(maintainers: Vec<Option<Maintainer>>) -> Result<Vec<Maintainer>, InvalidMetadata> {
    let validate = |(position, maintainer): (usize, Option<Maintainer>)| {
        let maintainer = maintainer.ok_or(InvalidMetadata::NullMaintainer(position))?;
        Ok(Maintainer {
            name: sanitize(maintainer.name),
            email: sanitize(maintainer.email),
            url: sanitize(maintainer.url),
        })
    };
    maintainers.into_iter().enumerate().map(validate).collect()
}

fn validate_dependencies(dependencies: Vec<Option<Dependency>>) -> Result<Vec<Dependency>, InvalidMetadata> {
    let validate = |(position, dependency): (usize, Option<Dependency>)| {
        let dependency = dependency.ok_or(InvalidMetadata::NullDependency(position))?;
        let dependency = Dependency {
            name: sanitize(dependency.name),
            version: sanitize(dependency.version),
            repository: sanitize(dependency.repository),
            condition: sanitize(dependency.condition),
            tags: sanitize_all(dependency.tags),
            ..dependency
        };
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if !dependency.alias.bytes().all(is_allowed) {
            return Err(InvalidMetadata::Alias { dependency: dependency.name, alias: dependency.alias });
        }
        Ok(dependency)
    };
    dependencies.into_iter().enumerate().map(validate).collect()
}

impl Record for Draft {
    #[rustfmt::skip]
    const FIELDS: &'static [&'static str] = &[
        "name", "home", "sources", "version", "description", "keywords", "maintainers", "icon", "apiVersion",
        "condition", "tags", "appVersion", "deprecated", "annotations", "kubeVersion", "dependencies", "type",
    ];

    fn fill_field<'de, M: MapAccess<'de>>(&mut self, field: &str, map: &mut M) -> Result<(), M::Error> {
        match field {
            "name" => map.next_value_seed(Filling(&mut self.name)),
            "home" => map.next_value_seed(Filling(&mut self.home)),
            "sources" => map.next_value_seed(Filling(&mut self.sources)),
            "version" => map.next_value_seed(Filling(&mut self.version)),
            "description" => map.next_value_seed(Filling(&mut self.description)),
            "keywords" => map.next_value_seed(Filling(&mut self.keywords)),
            "maintainers" => map.next_value_seed(Filling(&mut self.maintainers)),
            "icon" => map.next_value_seed(Filling(&mut self.icon)),
            "apiVersion" => map.next_value_seed(Filling(&mut self.api_version)),
            "condition" => map.next_value_seed(Filling(&mut self.condition)),
            "tags" => map.next_value_seed(Filling(&mut self.tags)),
            "appVersion" => map.next_value_seed(Filling(&mut self.app_version)),
            "deprecated" => map.next_value_seed(Filling(&mut self.deprecated)),
            "annotations" => map.next_value_seed(Filling(&mut self.annotations)),
            "kubeVersion" => map.next_value_seed(Filling(&mut self.kube_version)),
            "dependencies" => map.next_value_seed(Filling(&mut self.dependencies)),
            _ => map.next_value_seed(Filling(&mut self.chart_type)),
        }
    }
}

impl Record for Maintainer {
    const FIELDS: &'static [&'static str] = &["name", "email", "url"];

    fn fill_field<'de, M: MapAccess<'de>>(&mut self, field: &str, map: &mut M) -> Result<(), M::Error> {
        match field {
            "name" => map.next_value_seed(Filling(&mut self.name)),
            "email" => map.next_value_seed(Filling(&mut self.email)),
            _ => map.next_value_seed(Filling(&mut self.url)),
        }
    }
}

impl Fill for Maintainer {
    fn fill<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        fill_record(self, deserializer)
    }
}
