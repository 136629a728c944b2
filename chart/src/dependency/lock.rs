//! `Chart.lock` and `requirements.lock`: which version each dependency resolved to.

use serde::Serialize;
use serde::de::{Deserialize, Deserializer, MapAccess};

use super::Dependency;
use crate::fill::{Fill, Filling, Record, fill_record};
use crate::timestamp::Timestamp;
use crate::yaml::{self, Budget, DecodeError, Value, YamlError};

/// The versions a chart's dependencies resolved to, as `helm dependency update` writes them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DependencyLock {
    /// When the lock was made; nothing when the file does not say.
    pub generated: Option<Timestamp>,
    /// A digest of the dependencies as `Chart.yaml` asks for them, `sha256:` and hex; not checked here.
    pub digest: String,
    /// Each dependency with the one version chosen.
    pub dependencies: Vec<Dependency>,
}

/// Why bytes are not a dependency lock.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLock {
    /// The file is not YAML, or asks for more than the budget.
    #[error("the lock file is not valid YAML: {0}")]
    Yaml(#[from] YamlError),
    /// A field has another type than it must have.
    #[error("the lock file has a wrong field: {0}")]
    Field(#[from] DecodeError),
}

impl DependencyLock {
    /// Parses the bytes of a `Chart.lock` or `requirements.lock`. An empty file is an empty lock, as in Helm.
    ///
    /// # Errors
    /// [`InvalidLock`] when the bytes are not YAML or a field has a wrong type.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidLock> {
        let mut draft = Draft::default();
        let value = yaml::parse(bytes, &Budget::default())?;
        if value != Value::Null {
            fill_record(&mut draft, &value)?;
        }
        Ok(draft.into())
    }
}

#[derive(Default)]
struct Draft {
    generated: Option<Timestamp>,
    digest: String,
    dependencies: Vec<Option<Dependency>>,
}

impl Record for Draft {
    const FIELDS: &'static [&'static str] = &["generated", "digest", "dependencies"];

    fn fill_field<'de, M: MapAccess<'de>>(&mut self, field: &str, map: &mut M) -> Result<(), M::Error> {
        match field {
            "generated" => map.next_value_seed(Filling(&mut self.generated)),
            "digest" => map.next_value_seed(Filling(&mut self.digest)),
            _ => map.next_value_seed(Filling(&mut self.dependencies)),
        }
    }
}

impl Fill for Draft {
    fn fill<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        fill_record(self, deserializer)
    }
}

impl From<Draft> for DependencyLock {
    fn from(draft: Draft) -> Self {
        // Helm keeps a null dependency of a lock and never looks at it.
        let dependencies = draft.dependencies.into_iter().flatten().collect();
        Self { generated: draft.generated, digest: draft.digest, dependencies }
    }
}

impl<'de> Deserialize<'de> for DependencyLock {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut draft = Draft::default();
        fill_record(&mut draft, deserializer)?;
        Ok(draft.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "dependencies:
- name: common
  repository: https://charts.example.com
  version: 1.14.1
digest: sha256:aeff42721b615c0387050b4bf03321c1a70b709501de3cd9b5a40c0ca47f81a9
generated: \"2022-05-21T18:02:22.807654275Z\"
";

    #[test]
    fn a_lock_as_helm_writes_it_is_read() {
        let lock = DependencyLock::parse(LOCK.as_bytes()).unwrap();
        assert_eq!(lock.generated.unwrap().to_string(), "2022-05-21T18:02:22.807654Z");
        assert_eq!(lock.digest, "sha256:aeff42721b615c0387050b4bf03321c1a70b709501de3cd9b5a40c0ca47f81a9");
        let expected = Dependency {
            name: "common".to_owned(),
            version: "1.14.1".to_owned(),
            repository: "https://charts.example.com".to_owned(),
            ..Dependency::default()
        };
        assert_eq!(lock.dependencies, [expected]);
        let json = serde_json::to_string(&lock).unwrap();
        assert_eq!(serde_json::from_str::<DependencyLock>(&json).unwrap(), lock);
    }

    #[test]
    fn what_helm_lets_pass_is_read() {
        assert_eq!(DependencyLock::parse(b"").unwrap(), DependencyLock::default());
        assert_eq!(
            DependencyLock::parse(b"dependencies: ~\ngenerated: ~\nother: 1\n").unwrap(),
            DependencyLock::default()
        );
        let lock = DependencyLock::parse(b"Dependencies: [~, {name: a, version: 1.10}]\n").unwrap();
        assert_eq!(lock.dependencies.len(), 1);
        assert_eq!(lock.dependencies[0].version, "1.1");
    }

    #[test]
    fn what_helm_refuses_is_refused() {
        for text in [
            "a",
            "[a]",
            "dependencies: a",
            "dependencies: [a]",
            "generated: yesterday",
            "generated: 2020-01-01",
            "generated: ''",
            "digest: [a]",
            "digest: '",
        ] {
            assert!(DependencyLock::parse(text.as_bytes()).is_err(), "{text}");
        }
        let error = DependencyLock::parse(b"dependencies: [{name: [a]}]").unwrap_err();
        let expected = "the lock file has a wrong field: `dependencies[0].name` is a list; it must be a text";
        assert_eq!(error.to_string(), expected);
    }
}
