//! A recipe that is resolved and built once, and whose images nobody has looked at yet.

use chart::archive::PackedChart;
use oci::Digest;

use super::{LockedArchive, LockedChart, LockedEdit, LockedForeign, LockedImage, RecipeRefusal};
use crate::build::{Additions, Draft};
use crate::recipe::Recipe;

/// The recipe with everything that its chart is made of.
pub(super) struct Prepared {
    /// The recipe.
    pub(super) recipe: Recipe,
    pub(super) draft: Draft,
    pub(super) additions: Additions,
    pub(super) modified_seconds: u64,
    /// The archive before its image references are moved.
    pub(super) packed: PackedChart,
    /// What is locked of it, without anything about images.
    pub(super) locked: LockedChart,
    /// What was found out about the same chart, made of the same by the same recipe.
    pub(super) known: Option<Known>,
    /// The edits that moved the references of the recipe's chart when it was locked before, perhaps another version.
    pub(super) recorded: Vec<LockedEdit>,
}

/// What looking at a chart brings.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    pub(super) images: Vec<LockedImage>,
    pub(super) relocation: Vec<LockedEdit>,
    pub(super) foreign: Vec<LockedForeign>,
}

impl Prepared {
    /// Builds the chart with its references moved.
    pub(super) fn finish(self, known: Known) -> Result<LockedChart, RecipeRefusal> {
        let Known { images, relocation, foreign } = known;
        let mut locked = LockedChart { images, relocation, foreign, ..self.locked };
        if !locked.relocation.is_empty() {
            let additions = Additions { relocation: locked.relocation.clone(), ..self.additions };
            locked.archive = archive_of(&self.draft.finish(additions, self.modified_seconds)?.chart);
        }
        Ok(locked)
    }
}

/// Returns what the lock says of an archive.
pub(super) fn archive_of(chart: &PackedChart) -> LockedArchive {
    LockedArchive { digest: Digest::sha256(&chart.bytes), size_bytes: chart.bytes.len() as u64 }
}
