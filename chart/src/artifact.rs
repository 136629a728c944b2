//! Charts as OCI artifacts: how Helm pushes them, and the manifest this project makes for a chart that came another way.
//!
//! A minted manifest is a pure function of archive and provenance, so that every data centre and every tool makes the same
//! bytes. What is minted once is kept: a later version of this function must not change what clients have pinned.

mod minted;
mod pushed;
mod tag;

pub use minted::Minted;
pub use pushed::{ChartArtifact, InvalidChartArtifact};
pub use tag::{tag_of, version_of};

/// The type of a chart's configuration, which is its metadata as JSON: by it a manifest is known as a chart's.
pub const CONFIG_TYPE: &str = "application/vnd.cncf.helm.config.v1+json";
/// The type of a chart's archive.
pub const ARCHIVE_TYPE: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
/// The type an archive had before, which Helm still pulls.
pub const LEGACY_ARCHIVE_TYPE: &str = "application/tar+gzip";
/// The type of a chart's provenance file.
pub const PROVENANCE_TYPE: &str = "application/vnd.cncf.helm.chart.provenance.v1.prov";
