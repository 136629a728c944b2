//! Writes what commands make: a file appears whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What a file may be read by; the umask takes away from it.
#[cfg(unix)]
const MODE: u32 = 0o666;

/// Returns the path of `name` in `folder`, without a leading `./`.
pub(crate) fn path_in(folder: &Path, name: &str) -> PathBuf {
    if folder == Path::new(".") { PathBuf::from(name) } else { folder.join(name) }
}

/// A file that is written and has not got its name yet; without it, it goes when dropped.
#[derive(Debug)]
pub(crate) struct Staged(tempfile::NamedTempFile);

impl Staged {
    /// Writes `bytes` beside `path`, durably; nothing when `path` has these bytes already.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<Option<Self>> {
        if fs::read(path).is_ok_and(|old| old == bytes) {
            return Ok(None);
        }
        let mut builder = tempfile::Builder::new();
        builder.prefix(".chartpack-").suffix(".part");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(MODE));
        }
        let mut file = builder.tempfile_in(folder_of(path))?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        Ok(Some(Self(file)))
    }

    /// Gives the file its name, in place of what has it.
    ///
    /// # Errors
    /// The system's; what was at `path` before is there still.
    pub(crate) fn reveal(self, path: &Path) -> io::Result<()> {
        self.0.persist(path).map_err(|problem| problem.error)?;
        // The new name lasts only once the folder is written too.
        #[cfg(unix)]
        File::open(folder_of(path))?.sync_all()?;
        Ok(())
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes `bytes` to `path` by way of a temporary file beside it. A file with these bytes is left alone.
///
/// # Errors
/// The system's; what was at `path` before is there still.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    match Staged::write(path, bytes)? {
        Some(file) => file.reveal(path),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_replaces_another_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a-1.0.0.tgz");
        for bytes in [b"one".as_slice(), b"two", b"two"] {
            write_whole(&path, bytes).unwrap();
            assert_eq!(fs::read(&path).unwrap(), bytes);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        assert!(write_whole(Path::new("no/such/folder/a.tgz"), b"x").is_err());
    }
}
