//! Why an archive is not made: each variant names the recipe or source, the file and what to do.

use std::path::PathBuf;

use chart::archive::PackError;
use chart::{ChartName, InvalidMetadata};

use super::icon::UnknownIcon;
use super::unknown_values::UnknownValue;
use crate::edit::{EditError, InvalidPath};
use crate::patch::PatchRefusal;
use crate::recipe::InvalidRevision;
use crate::vault::InvalidSnapshot;
use crate::vendor::InvalidSubchart;

/// Why an archive is not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BuildRefusal {
    /// A file to edit is missing.
    #[error(
        "the chart of `{chart}` has no `{file}`, which its recipe edits: add the file, or take the edits out"
    )]
    NoFile {
        /// The source.
        chart: PathBuf,
        /// The file.
        file: &'static str,
    },
    /// A file to edit is not UTF-8.
    #[error("`{file}` of `{chart}` is not UTF-8: save it as UTF-8")]
    NotText {
        /// The source.
        chart: PathBuf,
        /// The file.
        file: &'static str,
    },
    /// An edit cannot be made.
    #[error("cannot edit `{file}` of `{chart}`: {problem}")]
    Edit {
        /// The source.
        chart: PathBuf,
        /// The file.
        file: &'static str,
        /// What is wrong.
        #[source]
        problem: EditError,
    },
    /// Edits of `values` name what the chart does not have.
    #[error("`{chart}`, {}", listed(.unknown))]
    UnknownValues {
        /// The source.
        chart: PathBuf,
        /// The edits.
        unknown: Vec<UnknownValue>,
    },
    /// The path of an edit in the lock is none.
    #[error("the relocation of `{chart}` in the lock is malformed: {problem}")]
    Relocation {
        /// The source.
        chart: PathBuf,
        /// What is wrong.
        #[source]
        problem: InvalidPath,
    },
    /// `Chart.yaml` says nothing valid.
    #[error("the chart of `{chart}` is not valid: {problem}")]
    Metadata {
        /// The source.
        chart: PathBuf,
        /// What is wrong.
        #[source]
        problem: Box<InvalidMetadata>,
    },
    /// The version to deliver under cannot be made.
    #[error("the version of `{chart}` cannot be made: {problem}")]
    Revision {
        /// The source.
        chart: PathBuf,
        /// What is wrong.
        #[source]
        problem: Box<InvalidRevision>,
    },
    /// A patch does not apply.
    #[error("the patch `{patch}` of `{chart}` is refused: {problem}")]
    Patch {
        /// The source.
        chart: PathBuf,
        /// The patch.
        patch: String,
        /// What is wrong.
        #[source]
        problem: Box<PatchRefusal>,
    },
    /// An exclude names nothing.
    #[error(
        "`exclude` of `{chart}` names `{pattern}`, and the chart has no such file: take it out or correct it"
    )]
    NothingExcluded {
        /// The source.
        chart: PathBuf,
        /// The pattern.
        pattern: String,
    },
    /// A subchart cannot be read.
    #[error("the subcharts of `{chart}` cannot be used: {problem}")]
    Subchart {
        /// The source.
        chart: PathBuf,
        /// What is wrong.
        #[source]
        problem: Box<InvalidSubchart>,
    },
    /// A dependency that is to be replaced is none of the chart's.
    #[error(
        "`dependencies` of `{chart}` names `{name}`, which the chart does not depend on: take it out or correct it"
    )]
    NoSuchDependency {
        /// The source.
        chart: PathBuf,
        /// The name.
        name: ChartName,
    },
    /// The icon is no picture.
    #[error("the icon of `{chart}` is refused: {problem}")]
    Icon {
        /// The source.
        chart: PathBuf,
        /// What is wrong.
        #[source]
        problem: UnknownIcon,
    },
    /// What the vault holds is no chart.
    #[error("what is kept for `{chart}` cannot be used: {problem}")]
    Kept {
        /// The source.
        chart: PathBuf,
        /// What is wrong.
        #[source]
        problem: Box<InvalidSnapshot>,
    },
    /// What the edits made is no chart.
    #[error("`{chart}` cannot be packed: {problem}")]
    Pack {
        /// The source.
        chart: PathBuf,
        /// What is wrong.
        #[source]
        problem: Box<PackError>,
    },
}

fn listed(unknown: &[UnknownValue]) -> String {
    unknown.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
