//! Where a chart comes from: a folder or an archive on this machine, with or without a recipe.
//!
//! Every source ends as the same thing, the chart's files in memory; what was read from is never changed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chart::archive::{
    ArchiveError, ArchiveFile, ChartArchive, Limits, PackError, PackOptions, pack_directory,
};
use oci::Digest;

use crate::recipe::{self, ChartLocation, InvalidRecipe, Recipe};

/// A chart to pack, and the recipe to pack it by.
#[derive(Debug)]
pub(crate) struct Source {
    /// The chart's files, as Helm would load them.
    pub(crate) files: Vec<ArchiveFile>,
    /// The recipe, if there is one.
    pub(crate) recipe: Option<Recipe>,
}

/// Why a source cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    /// A file cannot be read.
    #[error("cannot read `{path}`: {reason}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        reason: io::Error,
    },
    /// The folder is none of ours.
    #[error("`{0}` holds neither `recipe.yaml` nor `Chart.yaml`: name the folder of a chart")]
    NoChart(PathBuf),
    /// The recipe is malformed.
    #[error("`{path}`, {problem}")]
    Recipe {
        /// The recipe's file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        problem: InvalidRecipe,
    },
    /// The chart's folder cannot be packed.
    #[error("the chart in `{path}` cannot be packed: {problem}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What is wrong.
        #[source]
        problem: Box<PackError>,
    },
    /// The archive cannot be read.
    #[error("`{path}` is not a chart archive that Helm would load: {problem}")]
    Archive {
        /// The archive.
        path: PathBuf,
        /// What is wrong.
        #[source]
        problem: Box<ArchiveError>,
    },
    /// The archive is not the one the recipe names.
    #[error(
        "`{path}` has the digest {actual}, but the recipe names {expected}: fetch that archive, or correct `digest`"
    )]
    OtherBytes {
        /// The archive.
        path: PathBuf,
        /// The digest in the recipe.
        expected: Digest,
        /// The digest of the file.
        actual: Digest,
    },
    /// A digest is given for a folder.
    #[error("`{0}` is a folder, and only an archive has a digest: take `digest` out of the recipe")]
    DigestOfFolder(PathBuf),
}

impl Source {
    /// Reads the chart at `path`: a folder with a recipe or a chart, a recipe's file, or an archive.
    ///
    /// # Errors
    /// [`SourceError`] naming the file to look at.
    pub(crate) fn read(path: &Path) -> Result<Self, SourceError> {
        if path.is_dir() {
            let recipe = path.join(recipe::FILE_NAME);
            if recipe.is_file() {
                return Self::by_recipe(&recipe);
            }
            if !path.join("Chart.yaml").is_file() {
                return Err(SourceError::NoChart(path.to_owned()));
            }
            return Ok(Self { files: read_folder(path)?, recipe: None });
        }
        if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            return Self::by_recipe(path);
        }
        Ok(Self { files: read_archive(path, None)?, recipe: None })
    }

    fn by_recipe(path: &Path) -> Result<Self, SourceError> {
        let unreadable = |reason| SourceError::Unreadable { path: path.to_owned(), reason };
        let text = fs::read_to_string(path).map_err(unreadable)?;
        let recipe =
            Recipe::parse(&text).map_err(|problem| SourceError::Recipe { path: path.to_owned(), problem })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let ChartLocation { path: relative, digest } = &recipe.chart;
        let chart = folder.join(relative);
        let mut files = match (chart.is_dir(), digest) {
            (true, None) => read_folder(&chart)?,
            (true, Some(_)) => return Err(SourceError::DigestOfFolder(chart)),
            (false, digest) => read_archive(&chart, digest.as_ref())?,
        };
        // A recipe beside Chart.yaml describes the chart; it is no part of it.
        if is_same_file(&chart.join(recipe::FILE_NAME), path) {
            files.retain(|file| file.path != recipe::FILE_NAME);
        }
        Ok(Self { files, recipe: Some(recipe) })
    }
}

fn is_same_file(left: &Path, right: &Path) -> bool {
    matches!((left.canonicalize(), right.canonicalize()), (Ok(left), Ok(right)) if left == right)
}

fn read_folder(path: &Path) -> Result<Vec<ArchiveFile>, SourceError> {
    // The time is of no consequence here: the files are packed once more after the edits.
    let packed = pack_directory(path, &PackOptions { modified_seconds: 0 })
        .map_err(|problem| SourceError::Folder { path: path.to_owned(), problem: problem.into() })?;
    load(path, &packed.bytes)
}

fn read_archive(path: &Path, expected: Option<&Digest>) -> Result<Vec<ArchiveFile>, SourceError> {
    let bytes = fs::read(path).map_err(|reason| SourceError::Unreadable { path: path.to_owned(), reason })?;
    let actual = Digest::sha256(&bytes);
    match expected {
        Some(expected) if *expected != actual => {
            Err(SourceError::OtherBytes { path: path.to_owned(), expected: expected.clone(), actual })
        }
        Some(_) | None => load(path, &bytes),
    }
}

fn load(path: &Path, bytes: &[u8]) -> Result<Vec<ArchiveFile>, SourceError> {
    let archive = ChartArchive::read(bytes, &Limits::default());
    let archive =
        archive.map_err(|problem| SourceError::Archive { path: path.to_owned(), problem: problem.into() })?;
    Ok(archive.into_files())
}
