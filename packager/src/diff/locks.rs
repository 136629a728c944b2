//! What differs between two locks: the charts of each, built again from the vault where their archives differ.

use std::collections::{BTreeMap, BTreeSet};

use chart::InvalidMetadata;
use chart::archive::{ArchiveError, ArchiveFile, ChartArchive, Limits};
use serde::Serialize;

use super::{ChartDifference, ImageChanges};
use crate::build::{DeliverRefusal, DeliverSettings, deliver};
use crate::images::ImageName;
use crate::lock::{Lock, LockedChart};
use crate::progress::Progress;
use crate::vault::Vault;

/// What differs between two locks.
#[derive(Debug, Default, Serialize)]
pub(crate) struct LockDifference {
    /// Charts that are new, as `name version` by recipe.
    pub(crate) added: BTreeMap<String, String>,
    /// Charts that are gone.
    pub(crate) removed: BTreeMap<String, String>,
    /// Charts that differ.
    pub(crate) changed: BTreeMap<String, LockedChartDifference>,
}

/// How one chart differs.
#[derive(Debug, Serialize)]
pub(crate) struct LockedChartDifference {
    /// The version before.
    pub(crate) before: String,
    /// The version now.
    pub(crate) after: String,
    /// What differs.
    #[serde(flatten)]
    pub(crate) difference: ChartDifference,
    /// The files of both, to be rendered.
    #[serde(skip)]
    pub(crate) files: (Vec<ArchiveFile>, Vec<ArchiveFile>),
}

/// Why two locks cannot be compared.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LockDiffRefusal {
    /// A chart cannot be built from the vault.
    #[error(transparent)]
    Build(#[from] DeliverRefusal),
    /// What was built does not load.
    #[error("`{0}` is built to something that Helm would not load: {1}")]
    Built(String, #[source] Box<ArchiveError>),
    /// What was built has no valid metadata.
    #[error("`{0}` has no valid Chart.yaml: {1}")]
    Metadata(String, #[source] Box<InvalidMetadata>),
}

impl LockDifference {
    /// Returns whether nothing differs.
    pub(crate) fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

/// Compares two locks; what both name by the same digest is the same.
///
/// # Errors
/// [`LockDiffRefusal`] when a chart that differs cannot be built from the vault.
pub(crate) fn compare_locks(
    before: &Lock,
    after: &Lock,
    vault: &Vault,
    progress: &Progress,
) -> Result<LockDifference, LockDiffRefusal> {
    let mut found = LockDifference {
        added: only_in(after, before),
        removed: only_in(before, after),
        changed: BTreeMap::new(),
    };
    let differs = |name: &&String| match (before.charts.get(*name), after.charts.get(*name)) {
        (Some(old), Some(new)) => old.archive.digest != new.archive.digest || old.images != new.images,
        (Some(_) | None, _) => false,
    };
    let names: BTreeSet<String> = before.charts.keys().filter(differs).cloned().collect();
    if names.is_empty() {
        return Ok(found);
    }
    let (old, new) = (files_of(before, &names, vault, progress)?, files_of(after, &names, vault, progress)?);
    for (((name, old_chart), new_chart), (old, new)) in names
        .iter()
        .filter_map(|name| Some((name, before.charts.get(name)?)))
        .zip(names.iter().filter_map(|name| after.charts.get(name)))
        .zip(old.into_iter().zip(new))
    {
        let invalid = |problem| LockDiffRefusal::Metadata(name.clone(), Box::new(problem));
        let mut difference = ChartDifference::of(&old, &new).map_err(invalid)?;
        if !old_chart.images.is_empty() || !new_chart.images.is_empty() {
            difference.images = ImageChanges::between(&images_of(old_chart), &images_of(new_chart), false);
        }
        let (before, after) = (old_chart.version.to_string(), new_chart.version.to_string());
        let changed = LockedChartDifference { before, after, difference, files: (old, new) };
        found.changed.insert(name.clone(), changed);
    }
    Ok(found)
}

fn only_in(one: &Lock, other: &Lock) -> BTreeMap<String, String> {
    let charts = one.charts.iter().filter(|(name, _)| !other.charts.contains_key(*name));
    charts.map(|(recipe, chart)| (recipe.clone(), format!("{} {}", chart.name, chart.version))).collect()
}

/// Returns the files of the named charts, in the order of the names.
fn files_of(
    lock: &Lock,
    names: &BTreeSet<String>,
    vault: &Vault,
    progress: &Progress,
) -> Result<Vec<Vec<ArchiveFile>>, LockDiffRefusal> {
    let settings = DeliverSettings { lock, vault, only: names.clone(), jobs: 2 };
    let built = deliver(&settings, progress)?.into_iter().map(|one| {
        let archive = ChartArchive::read(one.packed.chart.bytes.as_slice(), &Limits::default());
        let archive = archive.map_err(|problem| LockDiffRefusal::Built(one.recipe, problem.into()))?;
        Ok(archive.into_files())
    });
    built.collect()
}

/// Images are locked under the names that the chart has them by.
fn images_of(chart: &LockedChart) -> BTreeSet<ImageName> {
    let named = chart.images.iter().filter_map(|image| {
        let name: ImageName = image.name.parse().ok()?;
        Some(ImageName { digest: image.digest.clone(), ..name })
    });
    named.collect()
}
