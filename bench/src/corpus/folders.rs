//! Filled data folders, kept from run to run: publishing tens of thousands of versions takes minutes, copying seconds.
//! Rule: a folder that is there is whole, and belongs to exactly these archives and this schema.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use oci::Digest;

use super::nth;
use crate::environment;
use crate::place::Place;
use crate::progress::{Counting, Progress};
use crate::publish::publish_all;
use crate::server::Server;
use crate::site::Site;

const PREFIX: &str = "bench-corpus-";
const CONNECTIONS: usize = 16;
const AT_A_TIME: usize = 500;

/// The kept folders.
#[derive(Debug)]
pub(crate) struct Corpora {
    folder: PathBuf,
}

impl Corpora {
    /// Finds the folders that fit the running program, and removes those of former archives and schemas: they take
    /// half a gigabyte.
    ///
    /// # Errors
    /// When the schema cannot be read, or what is outdated not be removed.
    pub(crate) fn find() -> Result<Self> {
        let mut content = Vec::new();
        for position in [0, 1, 99_999] {
            content.extend(nth(position).archive);
        }
        let migrations = environment::repository_root().join("migrations/sqlite");
        for file in sorted(&migrations)? {
            content.extend(fs::read(file)?);
        }
        let digest = Digest::sha256(&content);
        let name = format!("{PREFIX}{}", digest.hex().get(..12).unwrap_or_default());
        let target = environment::target_folder()?;
        remove_outdated(&target, &name)?;
        Ok(Self { folder: target.join(name) })
    }

    /// Makes those of the sizes, given in ascending order, that are not there yet, by publishing over HTTP.
    ///
    /// # Errors
    /// When the server refuses an archive.
    pub(crate) async fn fill(&self, sizes: &[usize], progress: &Progress) -> Result<()> {
        self.remove_unreadable(sizes)?;
        let mut former = None;
        for versions in sizes {
            if !self.of_size(*versions).exists() {
                self.extend(former, *versions, progress).await?;
            }
            former = Some(*versions);
        }
        Ok(())
    }

    /// Puts a copy of a filled data folder into a place. Blobs, which nobody ever changes, become second names of the
    /// same files.
    ///
    /// # Errors
    /// When there is none of that size, or no room.
    pub(crate) fn copy_to(&self, place: &Place, versions: usize) -> Result<()> {
        copy_folder(&self.of_size(versions), &place.data())
    }

    fn of_size(&self, versions: usize) -> PathBuf {
        self.folder.join(versions.to_string())
    }

    /// Removes everything when the server does not take what is there: it was filled by another build.
    fn remove_unreadable(&self, sizes: &[usize]) -> Result<()> {
        let Some(versions) = sizes.iter().find(|versions| self.of_size(**versions).exists()) else {
            return Ok(());
        };
        let place = Place::new()?;
        self.copy_to(&place, *versions)?;
        if Server::chartroom(&Site::embedded(place)).is_err() {
            fs::remove_dir_all(&self.folder)
                .context("cannot remove the filled data folders of another build")?;
        }
        Ok(())
    }

    async fn extend(&self, former: Option<usize>, versions: usize, progress: &Progress) -> Result<()> {
        let place = Place::new()?;
        if let Some(former) = former {
            self.copy_to(&place, former)?;
        }
        let first = former.unwrap_or(0);
        let what = format!("publishing {} versions for the corpus of {versions}", versions - first);
        let counting = progress.counting(&what, versions - first);
        publish(&place, first, versions, &counting).await?;
        fs::create_dir_all(&self.folder)?;
        let part = self.folder.join(format!("{versions}.part"));
        if part.exists() {
            fs::remove_dir_all(&part)?;
        }
        copy_folder(&place.data(), &part)?;
        fs::rename(&part, self.of_size(versions)).context("cannot keep the filled data folder")
    }
}

fn remove_outdated(target: &Path, current: &str) -> Result<()> {
    for path in sorted(target)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(PREFIX) && name != current {
            fs::remove_dir_all(&path).with_context(|| format!("cannot remove `{}`", path.display()))?;
        }
    }
    Ok(())
}

/// Publishes positions of the corpus and stops the server, so that its files are at rest.
async fn publish(place: &Place, first: usize, end: usize, counting: &Counting) -> Result<()> {
    let server = Server::chartroom(&Site::embedded(place.clone()))?;
    let mut position = first;
    while position < end {
        let next = (position + AT_A_TIME).min(end);
        let archives: Vec<_> = (position..next).map(|position| nth(position).archive).collect();
        publish_all(&server, &archives, CONNECTIONS).await?;
        archives.iter().for_each(|_| counting.step());
        position = next;
    }
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for source in sorted(from)? {
        let target = to.join(source.file_name().context("a file without a name")?);
        let is_blob = source.components().any(|part| part.as_os_str() == "blobs");
        if source.is_dir() {
            copy_folder(&source, &target)?;
        } else if is_blob {
            link_or_copy(&source, &target)?;
        } else {
            fs::copy(&source, &target).with_context(|| format!("cannot copy `{}`", source.display()))?;
        }
    }
    Ok(())
}

fn link_or_copy(source: &Path, target: &Path) -> Result<()> {
    match fs::hard_link(source, target) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::CrossesDevices || error.kind() == ErrorKind::Unsupported => {
            fs::copy(source, target)?;
            Ok(())
        }
        Err(error) => Err(error).with_context(|| format!("cannot link `{}`", source.display())),
    }
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read `{}`", folder.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}
