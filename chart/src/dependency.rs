//! Dependencies of a chart, and the lock that pins them.
//!
//! Both are kept as their author wrote them: a dependency's version is a constraint text, not yet a
//! constraint.

mod lock;

pub use lock::{DependencyLock, InvalidLock};

use serde::Serialize;
use serde::de::{DeserializeSeed, MapAccess};

use crate::fill::{Fill, Filling, Record, fill_record};

/// A chart upon which another chart depends. Serialises as Helm's `Dependency`; empty texts are absent
/// fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Dependency {
    /// The name the dependency has in its own `Chart.yaml`.
    pub name: String,
    /// The version wanted: a constraint in `Chart.yaml`, one version in a lock.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// The URL of its repository, `@name` or `alias:name` of a configured one, or `file://…`; empty when
    /// vendored.
    pub repository: String,
    /// Comma-separated value paths of which the first that is a boolean enables or disables it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub condition: String,
    /// Tags that enable or disable it together with others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Whether it is loaded; Helm sets this while it resolves conditions and tags.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub enabled: bool,
    /// Values taken over into the parent: a text, or an object with `child` and `parent`.
    #[serde(rename = "import-values", skip_serializing_if = "Vec::is_empty")]
    pub import_values: Vec<serde_json::Value>,
    /// The name it goes by in the parent chart.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub alias: String,
}

impl Dependency {
    /// Returns the name the parent chart's values use: the alias when there is one.
    pub fn effective_name(&self) -> &str {
        if self.alias.is_empty() { &self.name } else { &self.alias }
    }
}

impl Record for Dependency {
    const FIELDS: &'static [&'static str] =
        &["name", "version", "repository", "condition", "tags", "enabled", "import-values", "alias"];

    fn fill_field<'de, M: MapAccess<'de>>(&mut self, field: &str, map: &mut M) -> Result<(), M::Error> {
        match field {
            "name" => map.next_value_seed(Filling(&mut self.name)),
            "version" => map.next_value_seed(Filling(&mut self.version)),
            "repository" => map.next_value_seed(Filling(&mut self.repository)),
            "condition" => map.next_value_seed(Filling(&mut self.condition)),
            "tags" => map.next_value_seed(Filling(&mut self.tags)),
            "enabled" => map.next_value_seed(Filling(&mut self.enabled)),
            "import-values" => map.next_value_seed(Filling(&mut self.import_values)),
            _ => map.next_value_seed(Filling(&mut self.alias)),
        }
    }
}

impl Fill for Dependency {
    fn fill<'de, D: serde::Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        fill_record(self, deserializer)
    }
}

impl<'de> serde::Deserialize<'de> for Dependency {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut dependency = Self::default();
        Filling(&mut dependency).deserialize(deserializer)?;
        Ok(dependency)
    }
}
