//! The rules of Helm's `LoadFiles`, applied to one file after the other.
//!
//! Only `Chart.yaml` and `requirements.yaml` are held until the end, since either may come first; all else is
//! judged when it passes.

use std::collections::BTreeMap;

use super::ArchiveError;
use super::layout::{Part, Place};
use super::limits::Usage;
use super::walk::{Keep, walk};
use crate::dependency::DependencyLock;
use crate::metadata::ChartMetadata;
use crate::yaml::{Budget, parse_values};

/// A chart whose files pass one by one.
pub(super) struct Inspection {
    /// The charts met so far by the path of their folder, with a slash at its end; the chart itself is `""`.
    charts: BTreeMap<String, Seen>,
    /// How many charts are around this one.
    depth: usize,
}

/// What is known of one chart.
#[derive(Default)]
struct Seen {
    metadata: Option<Vec<u8>>,
    requirements: Option<Vec<u8>>,
    /// The packed subcharts seen: Helm reads the first of a name only.
    nested: Vec<String>,
}

/// What the inspection needs of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// Its contents.
    Contents,
    /// Nothing.
    Nothing,
}

impl Inspection {
    pub(super) fn new(depth: usize) -> Self {
        Self { charts: BTreeMap::from([(String::new(), Seen::default())]), depth }
    }

    /// Returns whether the file at `path` decides anything by its contents.
    pub(super) fn need(path: &str) -> Need {
        match innermost(path).1 {
            Place::Own(
                Part::Metadata | Part::Lock | Part::Values | Part::Requirements | Part::RequirementsLock,
            )
            | Place::Nested { .. } => Need::Contents,
            Place::Own(Part::Schema | Part::Template | Part::Other)
            | Place::Subchart { .. }
            | Place::InsideNested { .. }
            | Place::Loose { .. }
            | Place::Disregarded => Need::Nothing,
        }
    }

    /// Judges the file at `path`; `bytes` may be empty when [`Self::need`] says that they decide nothing.
    pub(super) fn pass(&mut self, path: &str, bytes: &[u8], usage: &mut Usage) -> Result<(), ArchiveError> {
        let depth = self.enter_charts(path, usage)?;
        let (folder, place) = innermost(path);
        let seen = self.charts.entry(folder.to_owned()).or_default();
        match place {
            Place::Own(part) => seen.pass_own(part, path, bytes, usage),
            Place::Nested { file_name } => {
                if seen.nested.iter().any(|name| name == file_name) {
                    return Ok(());
                }
                seen.nested.push(file_name.to_owned());
                usage.add_subchart(path, depth + 1)?;
                inspect_nested(path, bytes, depth + 1, usage)
            }
            Place::InsideNested { file_name } if seen.nested.iter().any(|name| name == file_name) => Ok(()),
            Place::InsideNested { .. } => Err(ArchiveError::MisnamedSubchart { path: path.to_owned() }),
            Place::Loose { .. } => Err(ArchiveError::LooseFile { path: path.to_owned() }),
            Place::Subchart { .. } | Place::Disregarded => Ok(()),
        }
    }

    /// Judges what could only be judged with all files seen; returns the chart's metadata.
    pub(super) fn finish(self) -> Result<ChartMetadata, ArchiveError> {
        let mut own = Err(ArchiveError::MissingMetadata { path: "Chart.yaml".to_owned() });
        for (folder, seen) in self.charts {
            let path = format!("{folder}Chart.yaml");
            let Some(metadata) = seen.metadata else { return Err(ArchiveError::MissingMetadata { path }) };
            let parsed = ChartMetadata::parse(&metadata, seen.requirements.as_deref());
            match parsed {
                Ok(parsed) if folder.is_empty() => own = Ok(parsed),
                Ok(_) => {}
                Err(reason) => return Err(ArchiveError::InvalidMetadata { path, reason }),
            }
        }
        own
    }

    /// Notes every chart whose folder `path` lies in, since each needs its own `Chart.yaml`; returns how many
    /// charts are around the innermost.
    fn enter_charts(&mut self, path: &str, usage: &mut Usage) -> Result<usize, ArchiveError> {
        let mut start = 0;
        let mut depth = self.depth;
        while let Some(Place::Subchart { below, .. }) = path.get(start..).map(Place::of) {
            start = path.len() - below.len();
            depth += 1;
            let folder = path.get(..start).unwrap_or_default();
            if !self.charts.contains_key(folder) {
                usage.add_subchart(folder, depth)?;
                self.charts.insert(folder.to_owned(), Seen::default());
            }
        }
        Ok(depth)
    }
}

impl Seen {
    fn pass_own(
        &mut self,
        part: Part,
        path: &str,
        bytes: &[u8],
        usage: &mut Usage,
    ) -> Result<(), ArchiveError> {
        match part {
            Part::Metadata => keep(&mut self.metadata, path, bytes, usage),
            Part::Requirements => keep(&mut self.requirements, path, bytes, usage),
            Part::Lock | Part::RequirementsLock => {
                usage.add_yaml(path, bytes.len())?;
                match DependencyLock::parse(bytes) {
                    Ok(_) => Ok(()),
                    Err(reason) => Err(ArchiveError::InvalidLock { path: path.to_owned(), reason }),
                }
            }
            Part::Values => check_values(path, bytes, usage),
            Part::Schema | Part::Template | Part::Other => Ok(()),
        }
    }
}

/// Keeps the one file of its kind. Helm decodes a second `Chart.yaml` over the first, so that what the chart
/// is called depends on the order; only a repetition of the same bytes has one meaning.
fn keep(slot: &mut Option<Vec<u8>>, path: &str, bytes: &[u8], usage: &mut Usage) -> Result<(), ArchiveError> {
    match slot {
        Some(kept) if kept == bytes => Ok(()),
        Some(_) => Err(ArchiveError::RepeatedMetadata { path: path.to_owned() }),
        None => {
            usage.add_yaml(path, bytes.len())?;
            *slot = Some(bytes.to_vec());
            Ok(())
        }
    }
}

fn check_values(path: &str, bytes: &[u8], usage: &mut Usage) -> Result<(), ArchiveError> {
    usage.add_yaml(path, bytes.len())?;
    match parse_values(bytes, &Budget::for_values()) {
        Ok(_) => Ok(()),
        Err(reason) => Err(ArchiveError::InvalidValues { path: path.to_owned(), reason }),
    }
}

fn inspect_nested(path: &str, bytes: &[u8], depth: usize, usage: &mut Usage) -> Result<(), ArchiveError> {
    let nested = walk(bytes, depth, usage, Keep::Nothing);
    nested
        .map(|_| ())
        .map_err(|reason| ArchiveError::Subchart { path: path.to_owned(), reason: Box::new(reason) })
}

/// Splits a path into the folder of the innermost chart it lies in, and its place there.
fn innermost(path: &str) -> (&str, Place<'_>) {
    let mut start = 0;
    loop {
        let place = Place::of(path.get(start..).unwrap_or_default());
        match place {
            Place::Subchart { below, .. } => start = path.len() - below.len(),
            Place::Own(_)
            | Place::Nested { .. }
            | Place::InsideNested { .. }
            | Place::Loose { .. }
            | Place::Disregarded => return (path.get(..start).unwrap_or_default(), place),
        }
    }
}
