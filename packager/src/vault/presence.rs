//! Who uses a vault: many at once, or one that collects. Held by a lock on a file, which ends with the process.

use std::fs::{self, File, TryLockError};
use std::path::Path;

use super::VaultError;

/// The file whose lock says who is there.
const FILE_NAME: &str = "in-use";

/// A lock on a vault; dropping it lets others in.
#[derive(Debug)]
pub(super) struct Presence {
    _file: File,
}

impl Presence {
    /// Joins those who use the vault in `folder`; waits while one collects.
    ///
    /// # Errors
    /// [`VaultError::File`].
    pub(super) fn shared(folder: &Path) -> Result<Self, VaultError> {
        let file = open(folder)?;
        file.lock_shared().map_err(|reason| VaultError::File { path: folder.to_owned(), reason })?;
        Ok(Self { _file: file })
    }

    /// Takes the vault in `folder` alone.
    ///
    /// # Errors
    /// [`VaultError::InUse`] or [`VaultError::File`].
    pub(super) fn alone(folder: &Path) -> Result<Self, VaultError> {
        let file = open(folder)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(VaultError::InUse(folder.to_owned())),
            Err(TryLockError::Error(reason)) => Err(VaultError::File { path: folder.to_owned(), reason }),
        }
    }
}

fn open(folder: &Path) -> Result<File, VaultError> {
    let failed = |reason| VaultError::File { path: folder.to_owned(), reason };
    fs::create_dir_all(folder).map_err(failed)?;
    File::options().create(true).truncate(false).write(true).open(folder.join(FILE_NAME)).map_err(failed)
}
