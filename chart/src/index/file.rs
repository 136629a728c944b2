//! A whole index: read from anywhere, written sorted.
//!
//! What Helm skips when it loads an index is skipped here, with the reason; an index that Helm cannot load is refused.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::IndexEntry;
use super::entry::InvalidEntry;
use super::json::write_string;
use super::yaml_writer::{write_field, write_text, write_yaml_entry};
use crate::timestamp::Timestamp;
use crate::yaml::{self, Budget, DecodeError, YamlError};

/// What a YAML index may cost: ten times the largest public ones.
const BUDGET: Budget =
    Budget { bytes: 256 << 20, nodes: 20_000_000, depth: 64, alias_nodes: 100_000, alias_bytes: 4 << 20 };

/// A repository's index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexFile {
    /// The version of the index format, `v1`.
    pub api_version: String,
    /// Each chart's versions, newest first.
    pub entries: BTreeMap<String, Vec<IndexEntry>>,
    /// When the index last changed.
    pub generated: Option<Timestamp>,
}

/// An entry that was not taken, as Helm would not.
#[derive(Debug, thiserror::Error)]
#[error("version `{version}` of chart `{chart}` is skipped: {reason}")]
pub struct SkippedEntry {
    /// The name it is listed under.
    pub chart: String,
    /// Its version as written, empty when it has none.
    pub version: String,
    /// What is wrong with it.
    pub reason: InvalidEntry,
}

/// Why bytes are not an index.
#[derive(Debug, thiserror::Error)]
pub enum InvalidIndex {
    /// There are no bytes.
    #[error("the index is empty")]
    Empty,
    /// The bytes are JSON of another shape.
    #[error("the index has a wrong field: {0}")]
    JsonFields(#[from] serde_json::Error),
    /// The bytes are YAML of another shape.
    #[error("the index has a wrong field: {0}")]
    YamlFields(#[from] DecodeError),
    /// The bytes are neither JSON nor YAML.
    #[error("the index is not valid YAML: {0}")]
    Yaml(#[from] YamlError),
    /// `apiVersion` is missing, as on a web page served in place of an index.
    #[error("the index has no `apiVersion`; check that the URL is a chart repository's")]
    NoApiVersion,
}

impl IndexFile {
    /// Reads an index in JSON or YAML. Versions come back sorted, newest first.
    ///
    /// # Errors
    /// [`InvalidIndex`] when nothing of it can be used.
    pub fn read(bytes: &[u8]) -> Result<(Self, Vec<SkippedEntry>), InvalidIndex> {
        if bytes.is_empty() {
            return Err(InvalidIndex::Empty);
        }
        let collected = match serde_json::from_slice::<Collected>(bytes) {
            Ok(collected) => collected,
            Err(error) if error.is_data() => return Err(error.into()),
            // Not JSON at all.
            Err(_) => Collected::deserialize(&yaml::parse(bytes, &BUDGET)?)?,
        };
        if collected.api_version.is_empty() {
            return Err(InvalidIndex::NoApiVersion);
        }
        let Entries { mut accepted, skipped } = collected.entries;
        accepted.values_mut().for_each(|versions| versions.sort_by(IndexEntry::newest_first));
        let index =
            Self { api_version: collected.api_version, entries: accepted, generated: collected.generated };
        Ok((index, skipped))
    }

    /// Appends the index as compact JSON, each chart's versions newest first.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"apiVersion\":");
        write_string(&self.api_version, out);
        if let Some(generated) = self.generated {
            out.extend_from_slice(b",\"generated\":");
            write_string(&generated.to_string(), out);
        }
        out.extend_from_slice(b",\"entries\":{");
        for (position, (name, versions)) in self.entries.iter().enumerate() {
            if position > 0 {
                out.push(b',');
            }
            write_string(name, out);
            out.extend_from_slice(b":[");
            let versions: Vec<_> = sorted(versions).into_iter().map(IndexEntry::to_json).collect();
            out.extend_from_slice(&versions.join(&b','));
            out.push(b']');
        }
        out.extend_from_slice(b"}}");
    }

    /// Appends the index as YAML in the form of `helm repo index`, each chart's versions newest first.
    pub fn write_yaml(&self, out: &mut Vec<u8>) {
        write_field("apiVersion", &Value::from(self.api_version.as_str()), 0, out);
        out.extend_from_slice(if self.entries.is_empty() { b"entries: {}\n" } else { b"entries:\n" });
        for (name, versions) in &self.entries {
            out.extend_from_slice(b"  ");
            write_text(name, out);
            out.extend_from_slice(if versions.is_empty() { b": []\n" } else { b":\n" });
            sorted(versions).into_iter().for_each(|entry| write_yaml_entry(&entry.to_json(), out));
        }
        if let Some(generated) = self.generated {
            write_field("generated", &Value::from(generated.to_string()), 0, out);
        }
    }
}

fn sorted(versions: &[IndexEntry]) -> Vec<&IndexEntry> {
    let mut versions: Vec<_> = versions.iter().collect();
    versions.sort_by(|one, other| one.newest_first(other));
    versions
}

/// The top level of an index as read.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Collected {
    api_version: String,
    generated: Option<Timestamp>,
    entries: Entries,
}

/// The entries as read. Each is judged on its own while it passes, so that a large index is never in memory twice.
#[derive(Default)]
struct Entries {
    accepted: BTreeMap<String, Vec<IndexEntry>>,
    skipped: Vec<SkippedEntry>,
}

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_option(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a map from chart names to lists of versions")
    }

    fn visit_none<E>(self) -> Result<Entries, E> {
        Ok(Entries::default())
    }

    fn visit_unit<E>(self) -> Result<Entries, E> {
        Ok(Entries::default())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Entries, D::Error> {
        deserializer.deserialize_map(self)
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Entries, M::Error> {
        let mut entries = Entries::default();
        while let Some(chart) = map.next_key::<String>()? {
            map.next_value_seed(Versions { entries: &mut entries, chart })?;
        }
        Ok(entries)
    }
}

/// The list of one chart's versions.
struct Versions<'e> {
    entries: &'e mut Entries,
    chart: String,
}

impl<'de> DeserializeSeed<'de> for Versions<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Versions<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of chart versions")
    }

    fn visit_none<E>(self) -> Result<(), E> {
        self.entries.accepted.insert(self.chart, Vec::new());
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut sequence: S) -> Result<(), S::Error> {
        let mut versions = Vec::new();
        while let Some(value) = sequence.next_element::<Value>()? {
            match IndexEntry::from_json(&value) {
                Ok(entry) => versions.push(entry),
                Err(reason) => {
                    let version = value.get("version").and_then(Value::as_str).unwrap_or_default().to_owned();
                    self.entries.skipped.push(SkippedEntry { chart: self.chart.clone(), version, reason });
                }
            }
        }
        self.entries.accepted.insert(self.chart, versions);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
