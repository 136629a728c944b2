//! A recipe with everything beside it that it names: patches, overlay, keys, icon.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chart::archive::{ArchiveFile, Limits, read_directory};

use super::{LocalChart, SourceError, is_same_place, read_bounded};
use crate::build::Ingredients;
use crate::recipe::{self, IconSource, Recipe};

/// The largest recipe, in bytes; one fits a page.
const LARGEST_RECIPE: u64 = 1024 * 1024;

/// A recipe and the bytes that it names.
#[derive(Debug)]
pub(crate) struct RecipeFiles {
    /// The recipe's file.
    pub(crate) path: PathBuf,
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
    /// What it says.
    pub(crate) recipe: Recipe,
    /// The patches, keys and icon that it names, by path as written.
    pub(crate) named: BTreeMap<String, Vec<u8>>,
    /// The overlay's files, relative to it.
    pub(crate) overlay: Vec<ArchiveFile>,
}

impl RecipeFiles {
    /// Reads the recipe at `path` and what it names.
    ///
    /// # Errors
    /// [`SourceError`] naming the file to look at.
    pub(crate) fn read(path: &Path) -> Result<Self, SourceError> {
        let bytes = read_bounded(path, LARGEST_RECIPE)?;
        let recipe = parse(path, &bytes)?;
        let folder = folder_of(path);
        let limit = Limits::default().file_bytes;
        let mut named = BTreeMap::new();
        for relative in recipe.named_files() {
            let bytes = read_bounded(&folder.join(relative), limit)?;
            named.insert(relative.to_string_lossy().into_owned(), bytes);
        }
        let overlay = match &recipe.overlay {
            Some(relative) => {
                let path = folder.join(relative);
                read_directory(&path)
                    .map_err(|problem| SourceError::Folder { path, problem: problem.into() })?
            }
            None => Vec::new(),
        };
        Ok(Self { path: path.to_owned(), bytes, recipe, named, overlay })
    }

    /// Puts a recipe together from kept bytes; `path` is for messages.
    ///
    /// # Errors
    /// [`SourceError`] when the bytes are no recipe.
    pub(crate) fn of_kept(
        path: &Path,
        bytes: Vec<u8>,
        named: BTreeMap<String, Vec<u8>>,
        overlay: Vec<ArchiveFile>,
    ) -> Result<Self, SourceError> {
        let recipe = parse(path, &bytes)?;
        Ok(Self { path: path.to_owned(), bytes, recipe, named, overlay })
    }

    /// Returns the folder that the recipe's paths are relative to.
    pub(crate) fn folder(&self) -> &Path {
        folder_of(&self.path)
    }

    /// Reads the chart that the recipe is of; nothing when it is not on this machine.
    ///
    /// # Errors
    /// [`SourceError`] naming the file to look at.
    pub(crate) fn local_chart(&self) -> Result<Option<LocalChart>, SourceError> {
        let mut chart = LocalChart::read(&self.recipe.upstream, self.folder())?;
        if let (Some(LocalChart::Folder(files)), recipe::Upstream::Path { path, .. }) =
            (&mut chart, &self.recipe.upstream)
            && is_same_place(&self.folder().join(path), self.folder())
        {
            // What lies beside Chart.yaml for the recipe's sake describes the chart; it is no part of it.
            files.retain(|file| !self.is_own(&file.path));
        }
        Ok(chart)
    }

    fn is_own(&self, path: &str) -> bool {
        let path = Path::new(path);
        let is_patch_or_key = || {
            let icon = matches!(&self.recipe.icon, Some(IconSource::File(icon)) if icon == path);
            !icon && self.recipe.named_files().any(|named| named == path)
        };
        Some(path.as_os_str()) == self.path.file_name()
            || is_patch_or_key()
            || self.recipe.overlay.as_ref().is_some_and(|overlay| path.starts_with(overlay))
    }

    /// Returns what the recipe's edits are made on and with.
    pub(crate) fn ingredients(&self, files: Vec<ArchiveFile>) -> Ingredients {
        let patches = self.recipe.patches.iter().map(|path| {
            let name = path.to_string_lossy().into_owned();
            let bytes = self.named.get(&name).cloned().unwrap_or_default();
            (name, bytes)
        });
        Ingredients { files, patches: patches.collect(), overlay: self.overlay.clone() }
    }

    /// Returns the bytes of the icon beside the recipe, if it names one.
    pub(crate) fn icon(&self) -> Option<&[u8]> {
        match &self.recipe.icon {
            Some(IconSource::File(path)) => self.named.get(path.to_str()?).map(Vec::as_slice),
            Some(IconSource::Upstream | IconSource::Url(_)) | None => None,
        }
    }
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Recipe, SourceError> {
    let text = str::from_utf8(bytes).map_err(|_| SourceError::NotText(path.to_owned()))?;
    Recipe::parse(text)
        .map_err(|problem| SourceError::Recipe { path: path.to_owned(), problem: Box::new(problem) })
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}
