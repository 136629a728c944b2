//! Makes one archive of a chart on this machine: reads it, makes its recipe's edits, packs it.
//!
//! The result depends on the input alone: no clock, no folder order, no machine.

use std::path::{Path, PathBuf};

use crate::build::{Additions, BuildRefusal, Draft, Icon, Ingredients, Overrides, Packed};
use crate::recipe::IconSource;
use crate::source::{Source, SourceError};

/// What is asked for besides the recipe.
#[derive(Debug, Clone)]
pub(crate) struct PackSettings {
    /// What wins over the recipe.
    pub(crate) overrides: Overrides,
    /// The modification time of every entry, in seconds since 1970.
    pub(crate) modified_seconds: u64,
}

/// Why a chart is not packed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PackRefusal {
    /// The source cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The archive cannot be made.
    #[error(transparent)]
    Build(#[from] BuildRefusal),
    /// The icon has to be fetched.
    #[error(
        "the icon of `{0}` is not on this machine: use `chartpack lock` and `chartpack build`, or name a file with `icon: {{path: …}}`"
    )]
    RemoteIcon(PathBuf),
}

/// Packs the chart at `path` by its recipe and `settings`.
///
/// # Errors
/// [`PackRefusal`] naming the source, the file and the place to look at.
pub(crate) fn pack(path: &Path, settings: &PackSettings) -> Result<Packed, PackRefusal> {
    let Source { files, recipe } = Source::read(path)?;
    let (ingredients, icon) = match &recipe {
        Some(beside) => {
            let is_remote = matches!(beside.recipe.icon, Some(IconSource::Upstream | IconSource::Url(_)));
            if is_remote {
                return Err(PackRefusal::RemoteIcon(path.to_owned()));
            }
            let refuse = |problem| BuildRefusal::Icon { chart: path.to_owned(), problem };
            let icon = beside.icon().map(|bytes| Icon::of(bytes.to_vec())).transpose().map_err(refuse)?;
            (beside.ingredients(files), icon)
        }
        None => (Ingredients { files, ..Ingredients::default() }, None),
    };
    let recipe = recipe.as_ref().map(|beside| &beside.recipe);
    let draft = Draft::make(path, recipe, ingredients, &settings.overrides)?;
    let additions = Additions { icon, ..Additions::default() };
    Ok(draft.finish(additions, settings.modified_seconds)?)
}
