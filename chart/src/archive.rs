//! Chart archives: the `.tgz` that Helm packs, loads and fetches.
//!
//! Reading applies the rules of Helm's loader under limits, without writing to disk; packing is reproducible.
//! What reads here is loaded by Helm, and what is packed here reads here.

mod directory;
mod error;
mod extension;
mod gzip;
mod ignore;
mod inspection;
mod layout;
mod limits;
mod pack;
mod path;
mod tar_header;
mod tar_reader;
mod tree;
mod walk;
mod writer;

use std::io::Read;

pub use directory::{pack_directory, read_directory};
pub use error::ArchiveError;
pub use ignore::{IgnoreRules, InvalidIgnoreRule, MalformedPattern};
pub use limits::Limits;
pub use pack::{PackError, PackOptions, PackedChart, pack_files};
pub use path::{IllegalPath, path_below_base};
#[cfg(any(test, feature = "testing"))]
pub(crate) use tar_header::encode as encode_header;
pub(crate) use writer::ArchiveWriter;

use crate::metadata::ChartMetadata;
use crate::name::ChartName;
use crate::version::ChartVersion;
use limits::Usage;
use walk::{Keep, walk};

/// Returns the file name that Helm gives an archive: `<name>-<version>.tgz`, a `+` in the version kept.
pub fn file_name(name: &ChartName, version: &ChartVersion) -> String {
    format!("{name}-{version}.tgz")
}

/// A chart as its archive holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartArchive {
    metadata: ChartMetadata,
    files: Vec<ArchiveFile>,
}

/// A file of a chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveFile {
    /// The path below the chart's base folder, with slashes.
    pub path: String,
    /// The contents, without a byte order mark at their start.
    pub bytes: Vec<u8>,
}

impl ChartArchive {
    /// Reads a whole archive into memory.
    ///
    /// # Errors
    /// [`ArchiveError`] for what Helm's loader would refuse and for what goes over `limits`.
    pub fn read(source: impl Read, limits: &Limits) -> Result<Self, ArchiveError> {
        let (metadata, files) = walk(source, 0, &mut Usage::new(limits), Keep::Everything)?;
        Ok(Self { metadata, files })
    }

    /// Returns the metadata of an archive after the same checks as [`Self::read`], while holding little more than
    /// one file at a time: the largest file, and the `Chart.yaml` of every subchart.
    ///
    /// # Errors
    /// [`ArchiveError`] in exactly the cases of [`Self::read`].
    pub fn inspect(source: impl Read, limits: &Limits) -> Result<ChartMetadata, ArchiveError> {
        let (metadata, _) = walk(source, 0, &mut Usage::new(limits), Keep::Nothing)?;
        Ok(metadata)
    }

    /// Returns what the chart's `Chart.yaml` says.
    pub fn metadata(&self) -> &ChartMetadata {
        &self.metadata
    }

    /// Returns all files in the archive's order, those of subcharts and packed subcharts included.
    pub fn files(&self) -> &[ArchiveFile] {
        &self.files
    }

    /// Returns the files of the chart, in the archive's order.
    pub fn into_files(self) -> Vec<ArchiveFile> {
        self.files
    }

    /// Returns the contents of the file at `path`; of several with one path the last, which is the one Helm renders.
    pub fn file(&self, path: &str) -> Option<&[u8]> {
        let file = self.files.iter().rev().find(|file| file.path == path);
        file.map(|file| file.bytes.as_slice())
    }

    /// Returns the chart's own templates (not its subcharts'), in the archive's order.
    pub fn templates(&self) -> impl Iterator<Item = &ArchiveFile> {
        self.files.iter().filter(|file| file.path.starts_with("templates/"))
    }

    /// Returns `values.yaml` as its author wrote it.
    pub fn values(&self) -> Option<&[u8]> {
        self.file("values.yaml")
    }
}

#[cfg(test)]
mod tests;
