//! What differs between two charts: metadata, values, files, images, and what they render to.
//!
//! What is the same is not told, and the order never depends on the machine.

mod files;
mod images;
mod locks;
mod metadata;
mod rendered;
mod side;
mod values;

use chart::InvalidMetadata;
use chart::archive::ArchiveFile;
use serde::Serialize;
use serde_json::Map;

pub(crate) use self::files::{FileChange, FileChanges};
pub(crate) use self::images::{ImageChanges, NewTag, images_in_values};
pub(crate) use self::locks::{LockDiffRefusal, LockDifference, LockedChartDifference, compare_locks};
pub(crate) use self::metadata::FieldChange;
pub(crate) use self::rendered::{RenderBothError, RenderedChanges, ResourceChange, render_both};
pub(crate) use self::side::{Side, SideRefusal};
pub(crate) use self::values::{ValueChange, ValueChanges, ValueMove};
use crate::render::values_of;
use crate::vendor::read_metadata;

/// What differs between two charts.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChartDifference {
    /// Fields of `Chart.yaml`.
    pub(crate) metadata: Vec<FieldChange>,
    /// Values by path, those of subcharts below their names.
    pub(crate) values: ValueChanges,
    /// Files; `Chart.yaml` and `values.yaml` only when nothing that they say differs.
    pub(crate) files: FileChanges,
    /// Images.
    pub(crate) images: ImageChanges,
    /// What both render to, when that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rendered: Option<RenderedChanges>,
}

impl ChartDifference {
    /// Compares the files of two charts; images are those that values name.
    ///
    /// # Errors
    /// [`InvalidMetadata`] when either has no valid `Chart.yaml`.
    pub(crate) fn of(before: &[ArchiveFile], after: &[ArchiveFile]) -> Result<Self, InvalidMetadata> {
        let (old, new) = (read_metadata(before)?, read_metadata(after)?);
        let (old_values, new_values) = (values_of(before, &old), values_of(after, &new));
        let images = ImageChanges::between(
            &images_in_values(&old, &old_values),
            &images_in_values(&new, &new_values),
            true,
        );
        let metadata = metadata::changes(&old, &new);
        let values = ValueChanges::between(&old_values, &new_values);
        // What these two say is told by field and path; other comments alone are told as lines.
        let said = [("Chart.yaml", !metadata.is_empty()), ("values.yaml", !values.is_empty())];
        let said: Vec<&str> = said.iter().filter(|(_, is_told)| *is_told).map(|(file, _)| *file).collect();
        Ok(Self {
            metadata,
            values,
            files: FileChanges::between(before, after, &said),
            images,
            rendered: None,
        })
    }

    /// Returns whether nothing differs.
    pub(crate) fn is_empty(&self) -> bool {
        self.metadata.is_empty()
            && self.values.is_empty()
            && self.files.is_empty()
            && self.images.is_empty()
            && self.rendered.as_ref().is_none_or(RenderedChanges::is_empty)
    }
}

/// Returns the values of a chart by its files; none when its metadata cannot be read.
pub(crate) fn values_of_files(files: &[ArchiveFile]) -> Map<String, serde_json::Value> {
    read_metadata(files).map(|metadata| values_of(files, &metadata)).unwrap_or_default()
}
