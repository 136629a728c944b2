//! Files that are whole or not there, also after a power cut: written beside their place, synced, renamed, and the
//! folder synced.

use std::fs::{File, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::NamedTempFile;

use super::error::LayoutError;

/// Temporary files of a process that was killed stay behind under this prefix; no digest begins so.
const UNFINISHED: &str = ".unfinished-";

/// Returns a new file beside `path`.
pub(super) fn begin(path: &Path) -> Result<NamedTempFile, LayoutError> {
    let folder = folder_of(path);
    tempfile::Builder::new()
        .prefix(UNFINISHED)
        // The process's umask takes away what it should; the library's own default is for secrets.
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)
        .map_err(LayoutError::file("write into", folder))
}

/// Puts a finished file in its place, durably.
pub(super) fn publish(file: NamedTempFile, path: &Path) -> Result<(), LayoutError> {
    file.as_file().sync_all().map_err(LayoutError::file("sync", path))?;
    file.persist(path).map_err(|failure| LayoutError::file("write", path)(failure.error))?;
    let folder = folder_of(path);
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(LayoutError::file("sync", folder))
}

/// Writes a small file.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), LayoutError> {
    let mut file = begin(path)?;
    file.write_all(bytes).map_err(LayoutError::file("write", path))?;
    publish(file, path)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}
