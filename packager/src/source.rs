//! Charts on this machine: a folder or an archive, with or without a recipe and the files beside it.
//!
//! Every source ends as the same thing, the chart's files in memory; what was read from is never changed.

mod beside;
mod bounded;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chart::archive::{ArchiveError, ArchiveFile, ChartArchive, Limits, PackError, read_directory};
use oci::Digest;

pub(crate) use self::beside::RecipeFiles;
pub(crate) use self::bounded::read_bounded;
use crate::located::LocatedProblem;
use crate::recipe::{self, Upstream};

/// A chart to pack, and the recipe to pack it by.
#[derive(Debug)]
pub(crate) struct Source {
    /// The chart's files, as Helm would load them.
    pub(crate) files: Vec<ArchiveFile>,
    /// The recipe and what it names, if there is one.
    pub(crate) recipe: Option<RecipeFiles>,
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
    /// A file is larger than any of its kind.
    #[error("`{path}` has more than {limit} bytes, which nothing of its kind has: name another file")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Bytes allowed.
        limit: u64,
    },
    /// A file is not UTF-8.
    #[error("`{0}` is not UTF-8: save it as UTF-8")]
    NotText(PathBuf),
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
        problem: Box<LocatedProblem>,
    },
    /// The chart is not on this machine.
    #[error(
        "the chart of `{0}` is not on this machine: `chartpack lock` fetches it, and `chartpack build` packs it"
    )]
    Remote(PathBuf),
    /// A folder cannot be used.
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
        let files = files_of_archive(path, &read_archive(path, None)?)?;
        Ok(Self { files, recipe: None })
    }

    fn by_recipe(path: &Path) -> Result<Self, SourceError> {
        let recipe = RecipeFiles::read(path)?;
        let files = match recipe.local_chart()? {
            Some(LocalChart::Folder(files)) => files,
            Some(LocalChart::Archive { path, bytes }) => files_of_archive(&path, &bytes)?,
            None => return Err(SourceError::Remote(path.to_owned())),
        };
        Ok(Self { files, recipe: Some(recipe) })
    }
}

/// A chart on this machine.
#[derive(Debug)]
pub(crate) enum LocalChart {
    /// The files of a folder.
    Folder(Vec<ArchiveFile>),
    /// An archive.
    Archive {
        /// The file.
        path: PathBuf,
        /// Its bytes.
        bytes: Vec<u8>,
    },
}

impl LocalChart {
    /// Reads the folder or archive that `upstream` names, relative to `folder`; nothing when it is elsewhere.
    ///
    /// # Errors
    /// [`SourceError`] naming the file to look at.
    pub(crate) fn read(upstream: &Upstream, folder: &Path) -> Result<Option<Self>, SourceError> {
        let Upstream::Path { path, digest } = upstream else { return Ok(None) };
        let path = folder.join(path);
        Ok(Some(match (path.is_dir(), digest) {
            (true, None) => Self::Folder(read_folder(&path)?),
            (true, Some(_)) => return Err(SourceError::DigestOfFolder(path)),
            (false, digest) => {
                let bytes = read_archive(&path, digest.as_ref())?;
                Self::Archive { path, bytes }
            }
        }))
    }
}

fn read_folder(path: &Path) -> Result<Vec<ArchiveFile>, SourceError> {
    read_directory(path)
        .map_err(|problem| SourceError::Folder { path: path.to_owned(), problem: problem.into() })
}

fn read_archive(path: &Path, expected: Option<&Digest>) -> Result<Vec<u8>, SourceError> {
    let bytes = read_bounded(path, Limits::default().compressed_bytes)?;
    match expected {
        Some(expected) if *expected != Digest::sha256(&bytes) => {
            let actual = Digest::sha256(&bytes);
            Err(SourceError::OtherBytes { path: path.to_owned(), expected: expected.clone(), actual })
        }
        Some(_) | None => Ok(bytes),
    }
}

fn files_of_archive(path: &Path, bytes: &[u8]) -> Result<Vec<ArchiveFile>, SourceError> {
    let archive = ChartArchive::read(bytes, &Limits::default());
    let archive =
        archive.map_err(|problem| SourceError::Archive { path: path.to_owned(), problem: problem.into() })?;
    Ok(archive.into_files())
}

/// Returns whether both paths lead to one file or folder that exists.
fn is_same_place(left: &Path, right: &Path) -> bool {
    matches!((fs::canonicalize(left), fs::canonicalize(right)), (Ok(left), Ok(right)) if left == right)
}
