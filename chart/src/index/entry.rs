//! One chart version as the index lists it.
//!
//! Its JSON has the fields of Helm's `ChartVersion` and no others: one unknown field makes strict clients drop the
//! whole index.

use std::borrow::Cow;
use std::cmp::Ordering;

use oci::Digest;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::json::to_json;
use crate::archive::file_name;
use crate::metadata::ChartMetadata;
use crate::timestamp::Timestamp;

/// The longest map key an entry carries, in bytes of JSON. YAML 1.1 allows an implicit key 1,024 characters up to
/// its colon: one longer key, and no YAML client can read the index any more.
const LONGEST_KEY: usize = 1_000;

/// A chart version in an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexEntry {
    /// What its `Chart.yaml` says.
    pub metadata: ChartMetadata,
    /// Where its archive is: relative to the index or absolute. Clients use the first only.
    pub urls: Vec<String>,
    /// When it was published.
    pub created: Option<Timestamp>,
    /// Whether it was taken back; clients ignore this.
    pub removed: bool,
    /// The SHA-256 of its archive.
    pub digest: Option<Digest>,
}

/// Why a value is not an index entry.
#[derive(Debug, thiserror::Error)]
pub enum InvalidEntry {
    /// The element is null, on which some clients crash.
    #[error("the entry is null")]
    Null,
    /// The chart's metadata would not pass Helm's checks, or a field has the wrong type.
    #[error("{0}")]
    Fields(#[from] serde_json::Error),
}

#[derive(Serialize)]
struct Fields<'e> {
    #[serde(flatten)]
    metadata: Cow<'e, ChartMetadata>,
    urls: &'e [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<Timestamp>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    removed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<&'e str>,
}

/// The fields that an entry has beside the chart's metadata.
#[derive(Default, Deserialize)]
#[serde(default)]
struct OwnFields {
    urls: Option<Vec<String>>,
    created: Option<Timestamp>,
    removed: Option<bool>,
    digest: Option<String>,
}

impl IndexEntry {
    /// Returns the entry of an archive that lies at `charts/<name>-<version>.tgz` beside the index. The path is
    /// relative, so that it holds behind any proxy and on any copy; a `+` stays literal.
    pub fn new(metadata: ChartMetadata, created: Option<Timestamp>, digest: Option<Digest>) -> Self {
        let url = format!("charts/{}", file_name(&metadata.name, &metadata.version));
        Self { metadata, urls: vec![url], created, removed: false, digest }
    }

    /// Returns the entry as compact JSON in Helm's field order: no nulls, no empty fields, `created` in RFC 3339,
    /// `digest` as bare hex. Map keys of over 1,000 bytes are left out, since YAML clients could not read on.
    pub fn to_json(&self) -> Vec<u8> {
        let fields = Fields {
            metadata: without_long_keys(&self.metadata),
            urls: &self.urls,
            created: self.created,
            removed: self.removed,
            digest: self.digest.as_ref().map(Digest::hex),
        };
        // Fails for no value: all keys are texts, and a time always has its text.
        to_json(&fields).unwrap_or_default()
    }

    /// Reads an entry from JSON with Helm's checks. A digest that is not a SHA-256 is left out: clients before
    /// Helm 4 never looked at it.
    ///
    /// # Errors
    /// [`InvalidEntry`] for what makes Helm skip the entry, and for a field of a wrong type.
    pub fn from_json(value: &Value) -> Result<Self, InvalidEntry> {
        if value.is_null() {
            return Err(InvalidEntry::Null);
        }
        let metadata = ChartMetadata::deserialize(value)?;
        let own = OwnFields::deserialize(value)?;
        Ok(Self {
            metadata,
            urls: own.urls.unwrap_or_default(),
            created: own.created,
            removed: own.removed.unwrap_or_default(),
            digest: own.digest.and_then(|digest| Digest::from_sha256_hex(&digest).ok()),
        })
    }

    /// Compares so that sorting puts the newest version first; of equal precedence, the one created later. Clients
    /// that do not sort take the first.
    pub fn newest_first(&self, other: &Self) -> Ordering {
        let (ours, theirs) = (&self.metadata.version, &other.metadata.version);
        let by_precedence = theirs.precedence(ours);
        by_precedence
            .then_with(|| other.created.cmp(&self.created))
            .then_with(|| theirs.as_str().cmp(ours.as_str()))
    }
}

/// Returns the metadata without map keys that are too long for YAML.
pub(crate) fn without_long_keys(metadata: &ChartMetadata) -> Cow<'_, ChartMetadata> {
    let imported = || metadata.dependencies.iter().flat_map(|dependency| &dependency.import_values);
    if metadata.annotations.keys().all(|key| is_short(key)) && imported().all(has_short_keys) {
        return Cow::Borrowed(metadata);
    }
    let mut metadata = metadata.clone();
    metadata.annotations.retain(|key, _| is_short(key));
    for dependency in &mut metadata.dependencies {
        dependency.import_values.retain(has_short_keys);
    }
    Cow::Owned(metadata)
}

fn is_short(key: &str) -> bool {
    to_json(key).is_ok_and(|quoted| quoted.len() <= LONGEST_KEY)
}

fn has_short_keys(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.iter().all(|(key, value)| is_short(key) && has_short_keys(value)),
        Value::Array(items) => items.iter().all(has_short_keys),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

#[cfg(test)]
mod tests;
