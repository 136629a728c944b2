//! The repository index: what `index.yaml` says of every chart version.
//!
//! Entries are compact JSON that every client can also read as YAML 1.1 (Helm before 3.13, Rancher and others do),
//! with the fields of Helm's schema only.

mod entry;
mod file;
mod json;
mod lean;
mod yaml_writer;

pub(crate) use entry::without_long_keys;
pub use entry::{IndexEntry, InvalidEntry};
pub use file::{IndexFile, InvalidIndex, SkippedEntry};
pub(crate) use json::to_json;
pub use lean::lean;
#[cfg(any(test, feature = "testing"))]
pub(crate) use yaml_writer::write_fields;
pub use yaml_writer::write_yaml_entry;
