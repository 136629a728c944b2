//! Helm's formats and rules: names, versions, constraints, YAML, metadata, archives, index, provenance.
//!
//! No HTTP, no SQL, no async, no clock: what comes in is bytes, what goes out is a value that has been
//! checked.

pub mod archive;
pub mod artifact;
mod constraint;
mod dependency;
mod fill;
pub mod index;
mod metadata;
mod name;
mod provenance;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod timestamp;
mod version;
pub mod yaml;

pub use constraint::{InvalidConstraint, VersionConstraint};
pub use dependency::{Dependency, DependencyLock, InvalidLock};
pub use metadata::{ApiVersion, ChartMetadata, ChartType, InvalidMetadata, Maintainer};
pub use name::{ChartName, InvalidName};
pub use provenance::{InvalidProvenance, Provenance, ProvenanceMismatch};
pub use timestamp::{InvalidTimestamp, Timestamp};
pub use version::{ChartVersion, InvalidVersion};
