//! Why an archive is refused. Every variant that concerns one entry names it.

use std::io;

use super::gzip::SourceFailure;
use super::path::IllegalPath;
use crate::dependency::InvalidLock;
use crate::metadata::InvalidMetadata;
use crate::yaml::InvalidValues;

/// Why bytes are not a chart archive that Helm would load.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The source could not be read: nothing is known of the archive.
    #[error("the archive could not be read: {0}")]
    Source(io::Error),
    /// The `.tgz` itself is larger than allowed.
    #[error("the archive has more than {limit} bytes; make the chart smaller")]
    CompressedTooLarge {
        /// Bytes allowed.
        limit: u64,
    },
    /// The bytes do not begin as gzip does.
    #[error("the archive is not gzip; upload the `.tgz` that `helm package` writes")]
    NotGzip,
    /// The gzip stream is broken, cut off or fails its checksum.
    #[error("the gzip stream is damaged or cut off ({reason}); upload the archive again")]
    DamagedGzip {
        /// What the decompressor said.
        reason: String,
    },
    /// The tar stream ends within an entry.
    #[error("the archive ends in the middle of an entry, at or after `{after}`; upload it again")]
    CutOff {
        /// The last entry whose name was read, or nothing.
        after: String,
    },
    /// A tar header or an extended header is malformed.
    #[error("the tar header after `{after}` is damaged; pack the chart again")]
    DamagedHeader {
        /// The last entry whose name was read, or nothing.
        after: String,
    },
    /// The archive has more entries than allowed.
    #[error("the archive has more than {limit} entries; leave files out with `.helmignore`")]
    TooManyEntries {
        /// Entries allowed.
        limit: u64,
    },
    /// The files together reach the limit.
    #[error("with `{entry}` the unpacked files reach {limit} bytes; Helm loads only smaller charts")]
    UnpackedTooLarge {
        /// The entry that goes over.
        entry: String,
        /// Bytes that all files together must stay below.
        limit: u64,
    },
    /// One file is larger than allowed.
    #[error("`{entry}` has {bytes} bytes, the largest file that Helm loads has {limit}")]
    FileTooLarge {
        /// The entry.
        entry: String,
        /// Its size.
        bytes: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// Extended headers take more room than names need.
    #[error("the archive's extended tar headers have more than {limit} bytes; pack the chart again")]
    ExtensionTooLarge {
        /// Bytes allowed.
        limit: u64,
    },
    /// A name is longer than any path.
    #[error("the entry after `{after}` has a name of more than {limit} bytes; shorten it")]
    NameTooLong {
        /// The last entry whose name was read, or nothing.
        after: String,
        /// Bytes allowed.
        limit: usize,
    },
    /// A name is not UTF-8.
    #[error("the name of `{entry}` is not UTF-8; rename the file")]
    NameNotText {
        /// The name with the bad bytes replaced.
        entry: String,
    },
    /// A sparse file.
    #[error("`{entry}` is stored as a sparse file; pack the chart again without `--sparse`")]
    Sparse {
        /// The entry.
        entry: String,
    },
    /// A link or device with a size: Helm reads no contents there and refuses.
    #[error("`{entry}` is a link or a device and yet has contents; replace it by the file itself")]
    LinkWithContents {
        /// The entry.
        entry: String,
    },
    /// The entry's name has no place in a chart.
    #[error("the entry `{entry}` is refused: {reason}")]
    IllegalPath {
        /// The entry.
        entry: String,
        /// The rule it breaks.
        reason: IllegalPath,
    },
    /// There is no file in the archive.
    #[error("the archive holds no files")]
    Empty,
    /// A chart without `Chart.yaml`.
    #[error("`{path}` is missing; every chart and every folder in `charts/` needs one")]
    MissingMetadata {
        /// Where it should be.
        path: String,
    },
    /// Two different files for one `Chart.yaml` or `requirements.yaml`.
    #[error("`{path}` is in the archive twice with different contents; keep one")]
    RepeatedMetadata {
        /// The path.
        path: String,
    },
    /// A `Chart.yaml` that Helm refuses.
    #[error("`{path}` is refused: {reason}")]
    InvalidMetadata {
        /// The path.
        path: String,
        /// The field and what is wrong with it.
        reason: InvalidMetadata,
    },
    /// A `values.yaml` that is not a YAML map.
    #[error("`{path}` is refused: {reason}")]
    InvalidValues {
        /// The path.
        path: String,
        /// What is wrong with it.
        reason: InvalidValues,
    },
    /// A lock file that Helm refuses.
    #[error("`{path}` is refused: {reason}")]
    InvalidLock {
        /// The path.
        path: String,
        /// What is wrong with it.
        reason: InvalidLock,
    },
    /// More YAML than a chart has use for.
    #[error(
        "with `{entry}` the chart has more than {limit} bytes of metadata and values files; shorten them"
    )]
    TooMuchYaml {
        /// The file that goes over.
        entry: String,
        /// Bytes allowed.
        limit: u64,
    },
    /// A file inside a folder that is named like a packed subchart.
    #[error("`{path}` is in a folder that is named like an archive; rename the folder")]
    MisnamedSubchart {
        /// The path.
        path: String,
    },
    /// A plain file in `charts/`.
    #[error("`{path}` is neither a subchart's folder nor its `.tgz`; move it out of `charts/`")]
    LooseFile {
        /// The path.
        path: String,
    },
    /// Subcharts within subcharts beyond the limit.
    #[error("`{path}` is more than {limit} subcharts deep")]
    TooDeep {
        /// The chart that is too deep.
        path: String,
        /// Levels allowed.
        limit: usize,
    },
    /// More subcharts than allowed.
    #[error("the archive has more than {limit} subcharts; split the chart")]
    TooManySubcharts {
        /// Subcharts allowed, at all levels together.
        limit: u64,
    },
    /// A packed subchart that is refused itself.
    #[error("the subchart `{path}` is refused: {reason}")]
    Subchart {
        /// Its path.
        path: String,
        /// Why.
        reason: Box<ArchiveError>,
    },
}

impl ArchiveError {
    /// Returns what an error of the unpacked stream means: the source's own failure, or damaged bytes.
    pub(super) fn of_stream(error: io::Error) -> Self {
        match error.downcast::<SourceFailure>() {
            Ok(SourceFailure::Read(error)) => Self::Source(error),
            Ok(SourceFailure::TooLarge { limit }) => Self::CompressedTooLarge { limit },
            Err(error) => Self::DamagedGzip { reason: error.to_string() },
        }
    }
}
