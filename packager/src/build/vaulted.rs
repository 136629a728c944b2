//! The inputs of a locked chart, read back from the vault.

use std::path::Path;

use chart::archive::ArchiveFile;

use super::{Additions, BuildRefusal, DeliverRefusal, Draft, Icon, Overrides, Packed, Vendored};
use crate::lock::{LockedChart, LockedFile};
use crate::recipe::{IconSource, Recipe};
use crate::source::RecipeFiles;
use crate::vault::{Vault, read_chart};
use crate::vendor;

/// A chart that was built, and what it was built from.
#[derive(Debug)]
pub(super) struct Built {
    /// The archive.
    pub(super) packed: Packed,
    /// The recipe.
    pub(super) recipe: Recipe,
    /// The upstream's files with the dependencies that were vendored, without any edit.
    pub(super) original: Vec<ArchiveFile>,
}

/// Builds one chart from the lock and the vault, and checks that the bytes are the locked ones.
///
/// # Errors
/// [`DeliverRefusal`].
pub(super) fn build(
    name: &str,
    chart: &LockedChart,
    vault: &Vault,
    modified_seconds: u64,
) -> Result<Built, DeliverRefusal> {
    let source = Path::new(&chart.recipe.path);
    let overlay = chart.overlay.iter().map(|file| kept_file(vault, file)).collect::<Result<_, _>>()?;
    let named = chart.files.iter().map(|file| Ok((file.path.clone(), vault.get(&file.digest)?)));
    let named = named.collect::<Result<_, DeliverRefusal>>()?;
    let recipe = RecipeFiles::of_kept(source, vault.get(&chart.recipe.digest)?, named, overlay)?;
    let kept = |problem| BuildRefusal::Kept { chart: source.to_owned(), problem: Box::new(problem) };
    let files = read_chart(&vault.get(&chart.upstream.digest)?).map_err(kept)?;
    let mut original = files.clone();
    let mut dependencies = Vec::new();
    for dependency in &chart.dependencies {
        let files = read_chart(&vault.get(&dependency.source.digest)?).map_err(kept)?;
        let (folder, version) = (dependency.folder.clone(), dependency.version.clone());
        let refuse =
            |problem| BuildRefusal::Subchart { chart: source.to_owned(), problem: Box::new(problem) };
        vendor::place(&mut original, &folder, files.clone()).map_err(refuse)?;
        dependencies.push(Vendored { folder, version, files });
    }
    let icon = icon_of(&recipe, chart, vault)?;
    let refuse_icon = |problem| BuildRefusal::Icon { chart: source.to_owned(), problem };
    let icon = icon.map(Icon::of).transpose().map_err(refuse_icon)?;
    let draft = Draft::make(source, Some(&recipe.recipe), recipe.ingredients(files), &Overrides::default())?;
    let additions = Additions { dependencies, icon, relocation: chart.relocation.clone() };
    let packed = draft.finish(additions, modified_seconds)?;
    let actual = oci::Digest::sha256(&packed.chart.bytes);
    if actual != chart.archive.digest {
        let (name, expected) = (name.to_owned(), chart.archive.digest.clone());
        return Err(DeliverRefusal::OtherArchive { name, expected, actual });
    }
    Ok(Built { packed, recipe: recipe.recipe, original })
}

fn kept_file(vault: &Vault, file: &LockedFile) -> Result<ArchiveFile, DeliverRefusal> {
    Ok(ArchiveFile { path: file.path.clone(), bytes: vault.get(&file.digest)? })
}

fn icon_of(
    recipe: &RecipeFiles,
    chart: &LockedChart,
    vault: &Vault,
) -> Result<Option<Vec<u8>>, DeliverRefusal> {
    match (&recipe.recipe.icon, &chart.icon) {
        (Some(IconSource::File(_)), _) => Ok(recipe.icon().map(<[u8]>::to_vec)),
        (Some(IconSource::Upstream | IconSource::Url(_)), Some(icon)) => Ok(Some(vault.get(&icon.digest)?)),
        (Some(IconSource::Upstream | IconSource::Url(_)) | None, _) => Ok(None),
    }
}
