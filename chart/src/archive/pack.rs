//! Packing a chart's files into an archive: the same files always give the same bytes.
//!
//! The order of entries is that of `helm package`, subcharts sorted by name; unlike there, `Chart.yaml` and lock
//! files keep the bytes their author wrote.

use std::io;
use std::path::PathBuf;

use super::tree::ChartTree;
use super::walk::without_byte_order_mark;
use super::{
    ArchiveError, ArchiveFile, ArchiveWriter, ChartArchive, InvalidIgnoreRule, Limits, file_name,
    path_below_base,
};
use crate::metadata::ChartMetadata;

/// What is not decided by the chart's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackOptions {
    /// The modification time of every entry, in seconds since 1970: `SOURCE_DATE_EPOCH` or any constant.
    pub modified_seconds: u64,
}

/// A packed chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedChart {
    /// What its `Chart.yaml` says.
    pub metadata: ChartMetadata,
    /// `<name>-<version>.tgz`.
    pub file_name: String,
    /// The archive.
    pub bytes: Vec<u8>,
}

/// Why a chart cannot be packed.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// A file or folder could not be read.
    #[error("`{path}` could not be read: {reason}")]
    Read {
        /// The path as it was given or found.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// The compressor failed.
    #[error("the archive could not be written: {0}")]
    Write(io::Error),
    /// `.helmignore` has a line that is no rule.
    #[error(transparent)]
    Ignore(#[from] InvalidIgnoreRule),
    /// A socket, device or pipe.
    #[error("`{path}` is neither a file nor a folder; remove it or list it in `.helmignore`")]
    IrregularFile {
        /// Relative to the chart.
        path: String,
    },
    /// A file that Helm would not load.
    #[error("`{path}` has more than {limit} bytes, which Helm does not load; list it in `.helmignore`")]
    FileTooLarge {
        /// Relative to the chart.
        path: String,
        /// Bytes allowed.
        limit: u64,
    },
    /// A file name that is not UTF-8.
    #[error("the file name `{path}` is not UTF-8; rename it")]
    NameNotText {
        /// Relative to the chart, the bad bytes replaced.
        path: String,
    },
    /// A symbolic link that leads to a folder around itself.
    #[error("the link `{path}` leads back to a folder it is in; remove it")]
    LinkCycle {
        /// Relative to the chart.
        path: String,
    },
    /// A path that is absolute, empty or not clean.
    #[error("`{path}` is not a path inside a chart; use a relative path without `.` and `..`")]
    InvalidPath {
        /// The path as given.
        path: String,
    },
    /// The chart breaks a rule that its archive would break too.
    #[error(transparent)]
    Chart(#[from] ArchiveError),
    /// `values.schema.json` is not JSON.
    #[error("`{path}` is not valid JSON: {reason}")]
    InvalidSchema {
        /// Relative to the chart.
        path: String,
        /// The position and what is wrong there.
        reason: serde_json::Error,
    },
    /// Two files with one path.
    #[error("`{path}` is there twice; keep one")]
    RepeatedFile {
        /// Relative to the chart.
        path: String,
    },
    /// Two subcharts with one name, mostly a folder and a `.tgz`.
    #[error("`{path}` is there twice, as two subcharts of one name; remove one")]
    RepeatedSubchart {
        /// The folder that both would have.
        path: String,
    },
    /// Dependencies that are declared and not there.
    #[error("the dependencies {names} are missing in `charts/`; run `helm dependency update`")]
    MissingDependencies {
        /// Their names, each in backticks.
        names: String,
    },
}

/// Packs files, whose paths are relative to the chart, into an archive that [`ChartArchive::read`] reads.
///
/// Files that Helm's loader disregards (in `charts/`, with a name that begins with `_` or `.`) are left out, and
/// packed subcharts are unpacked under `charts/<name>/`.
///
/// # Errors
/// [`PackError`] for a chart that Helm would not pack, or whose archive it would not load.
pub fn pack_files(files: Vec<ArchiveFile>, options: &PackOptions) -> Result<PackedChart, PackError> {
    let files = files.into_iter().map(checked_file).collect::<Result<Vec<_>, _>>()?;
    let tree = ChartTree::of(files, "")?;
    check_dependencies(&tree)?;
    let mut writer = ArchiveWriter::new(options.modified_seconds);
    write_tree(&mut writer, &tree, tree.metadata.name.as_str())?;
    let bytes = writer.finish().map_err(PackError::Write)?;
    // What the tree does not look at, such as limits and values, is judged as a server would judge it.
    let metadata = ChartArchive::inspect(bytes.as_slice(), &Limits::default())?;
    Ok(PackedChart { file_name: file_name(&metadata.name, &metadata.version), metadata, bytes })
}

fn checked_file(file: ArchiveFile) -> Result<ArchiveFile, PackError> {
    let is_clean = path_below_base(&format!("chart/{}", file.path)).is_ok_and(|path| path == file.path);
    if !is_clean {
        return Err(PackError::InvalidPath { path: file.path });
    }
    Ok(ArchiveFile { path: file.path, bytes: without_byte_order_mark(file.bytes) })
}

/// Checks, as `helm package` does, that each dependency the chart itself declares is in `charts/`.
fn check_dependencies(tree: &ChartTree) -> Result<(), PackError> {
    let declared = tree.metadata.dependencies.iter();
    let is_missing = |name: &str| !tree.subcharts.keys().any(|subchart| subchart.as_str() == name);
    let missing: Vec<_> = declared
        .filter(|dependency| is_missing(&dependency.name))
        .map(|dependency| format!("`{}`", dependency.name))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(PackError::MissingDependencies { names: missing.join(", ") })
}

fn write_tree(writer: &mut ArchiveWriter, tree: &ChartTree, folder: &str) -> Result<(), PackError> {
    let mut written = std::collections::BTreeSet::new();
    for file in &tree.files {
        let path = format!("{folder}/{}", file.path);
        if !written.insert(&file.path) {
            return Err(PackError::RepeatedFile { path });
        }
        if file.path == "values.schema.json" {
            let parsed: Result<serde::de::IgnoredAny, _> = serde_json::from_slice(&file.bytes);
            parsed.map_err(|reason| PackError::InvalidSchema { path: path.clone(), reason })?;
        }
        writer.add_file(&path, &file.bytes).map_err(PackError::Write)?;
    }
    for (name, subchart) in &tree.subcharts {
        write_tree(writer, subchart, &format!("{folder}/charts/{name}"))?;
    }
    Ok(())
}
