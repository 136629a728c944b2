//! A chart and its subcharts, taken apart for packing.
//!
//! Packed subcharts are unpacked and every file gets the position that `helm package` gives it.

use std::collections::BTreeMap;

use super::layout::{Part, Place};
use super::pack::PackError;
use super::{ArchiveError, ArchiveFile, ChartArchive, Limits};
use crate::metadata::ChartMetadata;
use crate::name::ChartName;

/// One chart: its own files in the order they are written, and its subcharts by name.
#[derive(Debug)]
pub(super) struct ChartTree {
    pub(super) metadata: ChartMetadata,
    /// Paths are relative to this chart.
    pub(super) files: Vec<ArchiveFile>,
    pub(super) subcharts: BTreeMap<ChartName, ChartTree>,
}

impl ChartTree {
    /// Takes apart the files of the chart that stands at `location` (empty, or a path with a slash at its end).
    pub(super) fn of(files: Vec<ArchiveFile>, location: &str) -> Result<Self, PackError> {
        let mut own = Vec::new();
        let mut folders: BTreeMap<String, Vec<ArchiveFile>> = BTreeMap::new();
        for file in files {
            match Place::of(&file.path) {
                Place::Own(part) => own.push((position(part), file)),
                Place::Subchart { folder, below } => {
                    let below = ArchiveFile { path: below.to_owned(), bytes: file.bytes };
                    folders.entry(folder.to_owned()).or_default().push(below);
                }
                Place::Nested { file_name } => {
                    let unpacked = unpack(&format!("{location}{}", file.path), &file.bytes)?;
                    folders.insert(file_name.to_owned(), unpacked);
                }
                Place::InsideNested { .. } => {
                    let path = format!("{location}{}", file.path);
                    return Err(ArchiveError::MisnamedSubchart { path }.into());
                }
                Place::Loose { .. } => {
                    let path = format!("{location}{}", file.path);
                    return Err(ArchiveError::LooseFile { path }.into());
                }
                Place::Disregarded => {}
            }
        }
        // Stable: within one position files keep the order they came in.
        own.sort_by_key(|(position, _)| *position);
        let files: Vec<_> = own.into_iter().map(|(_, file)| file).collect();
        let metadata = read_metadata(&files, location)?;
        Ok(Self { metadata, files, subcharts: subcharts(folders, location)? })
    }
}

fn subcharts(
    folders: BTreeMap<String, Vec<ArchiveFile>>,
    location: &str,
) -> Result<BTreeMap<ChartName, ChartTree>, PackError> {
    let mut subcharts = BTreeMap::new();
    for (folder, files) in folders {
        let subchart = ChartTree::of(files, &format!("{location}charts/{folder}/"))?;
        let name = subchart.metadata.name.clone();
        if subcharts.insert(name.clone(), subchart).is_some() {
            return Err(PackError::RepeatedSubchart { path: format!("{location}charts/{name}") });
        }
    }
    Ok(subcharts)
}

fn unpack(path: &str, bytes: &[u8]) -> Result<Vec<ArchiveFile>, PackError> {
    let archive = ChartArchive::read(bytes, &Limits::default());
    archive.map(ChartArchive::into_files).map_err(|reason| {
        PackError::Chart(ArchiveError::Subchart { path: path.to_owned(), reason: Box::new(reason) })
    })
}

fn read_metadata(files: &[ArchiveFile], location: &str) -> Result<ChartMetadata, PackError> {
    let bytes_of = |path: &str| files.iter().find(|file| file.path == path).map(|file| file.bytes.as_slice());
    let path = format!("{location}Chart.yaml");
    let Some(metadata) = bytes_of("Chart.yaml") else {
        return Err(ArchiveError::MissingMetadata { path }.into());
    };
    let parsed = ChartMetadata::parse(metadata, bytes_of("requirements.yaml"));
    parsed.map_err(|reason| ArchiveError::InvalidMetadata { path, reason }.into())
}

/// Returns the position of a part in the archive. Helm writes the requirements files among the others.
fn position(part: Part) -> u8 {
    match part {
        Part::Metadata => 0,
        Part::Lock => 1,
        Part::Values => 2,
        Part::Schema => 3,
        Part::Template => 4,
        Part::Requirements | Part::RequirementsLock | Part::Other => 5,
    }
}
