//! The vault: a folder with everything that was ever locked, each file under its digest.
//!
//! A file appears whole or not at all, and what is read is believed by its digest only.

mod collect;
mod presence;
mod snapshot;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use oci::Digest;

pub(crate) use self::collect::Collected;
use self::presence::Presence;
pub(crate) use self::snapshot::{InvalidSnapshot, read_chart, write_snapshot};
use crate::target::write_whole;

/// A vault on disk, shared with whoever else uses it; nothing is collected meanwhile.
#[derive(Debug)]
pub(crate) struct Vault {
    folder: PathBuf,
    presence: Presence,
}

/// One file of a vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Its digest, by its name.
    pub(crate) digest: Digest,
    /// Its length.
    pub(crate) size_bytes: u64,
}

/// Why the vault cannot give or take.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VaultError {
    /// A file or folder cannot be used.
    #[error("cannot use `{path}` of the vault: {reason}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        reason: io::Error,
    },
    /// The vault does not hold the bytes.
    #[error(
        "the vault `{vault}` does not hold {digest}: run `chartpack lock` where the upstream can be reached, or name the vault it used with `--vault`"
    )]
    Missing {
        /// The vault.
        vault: PathBuf,
        /// What was asked for.
        digest: Digest,
    },
    /// The bytes are others than their name says.
    #[error("`{path}` holds {actual}, not what its name says: delete it and run `chartpack lock` again")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The digest of its bytes.
        actual: Digest,
    },
    /// Another program uses the vault.
    #[error("the vault `{0}` is in use by another chartpack: wait for its end and collect then")]
    InUse(PathBuf),
}

impl Vault {
    /// Opens the vault in `folder`, making it if need be.
    ///
    /// # Errors
    /// [`VaultError::File`].
    pub(crate) fn open(folder: &Path) -> Result<Self, VaultError> {
        let presence = Presence::shared(folder)?;
        Ok(Self { folder: folder.to_owned(), presence })
    }

    /// Keeps `bytes` and returns their digest. What is there already and whole is left alone.
    ///
    /// # Errors
    /// [`VaultError::File`]; nothing new is in the vault then.
    pub(crate) fn put(&self, bytes: &[u8]) -> Result<Digest, VaultError> {
        let digest = Digest::sha256(bytes);
        let path = self.path_of(&digest);
        let failed = |path: &Path, reason| VaultError::File { path: path.to_owned(), reason };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|reason| failed(folder, reason))?;
        }
        write_whole(&path, bytes).map_err(|reason| failed(&path, reason))?;
        Ok(digest)
    }

    /// Returns whether the vault has a file under `digest`; its bytes are not looked at.
    pub(crate) fn contains(&self, digest: &Digest) -> bool {
        self.path_of(digest).is_file()
    }

    /// Returns the bytes with this digest.
    ///
    /// # Errors
    /// [`VaultError::Missing`], [`VaultError::Damaged`] or [`VaultError::File`].
    pub(crate) fn get(&self, digest: &Digest) -> Result<Vec<u8>, VaultError> {
        let path = self.path_of(digest);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(reason) if reason.kind() == io::ErrorKind::NotFound => {
                return Err(VaultError::Missing { vault: self.folder.clone(), digest: digest.clone() });
            }
            Err(reason) => return Err(VaultError::File { path, reason }),
        };
        let actual = Digest::sha256(&bytes);
        if actual != *digest {
            return Err(VaultError::Damaged { path, actual });
        }
        Ok(bytes)
    }

    /// Returns what the vault holds, sorted by digest.
    ///
    /// # Errors
    /// [`VaultError::File`] when a folder cannot be read.
    pub(crate) fn list(&self) -> Result<Vec<Kept>, VaultError> {
        let root = self.folder.join("sha256");
        let mut kept = Vec::new();
        for folder in entries_of(&root)? {
            for path in entries_of(&folder)? {
                let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                // A temporary file of a writer that is at work, or was killed.
                let Ok(digest) = Digest::from_sha256_hex(name) else { continue };
                let metadata = fs::metadata(&path);
                let metadata = metadata.map_err(|reason| VaultError::File { path: path.clone(), reason })?;
                kept.push(Kept { digest, size_bytes: metadata.len() });
            }
        }
        kept.sort_by(|one, other| one.digest.cmp(&other.digest));
        Ok(kept)
    }

    fn path_of(&self, digest: &Digest) -> PathBuf {
        let hex = digest.hex();
        self.folder.join(digest.algorithm().name()).join(hex.get(..2).unwrap_or_default()).join(hex)
    }
}

/// Returns the paths in a folder; a folder that is not there has none.
fn entries_of(folder: &Path) -> Result<Vec<PathBuf>, VaultError> {
    let failed = |reason| VaultError::File { path: folder.to_owned(), reason };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(reason) if reason.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(reason) => return Err(failed(reason)),
    };
    entries.map(|entry| entry.map(|entry| entry.path()).map_err(failed)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_given_back_once_and_whole() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(&folder.path().join("deep/vault")).unwrap();
        let digest = vault.put(b"chart").unwrap();
        assert_eq!(vault.put(b"chart").unwrap(), digest);
        assert_eq!(vault.get(&digest).unwrap(), b"chart");
        assert_eq!(vault.list().unwrap(), [Kept { digest: digest.clone(), size_bytes: 5 }]);
        let absent = Digest::sha256(b"other");
        assert!(!vault.contains(&absent) && vault.contains(&digest));
        assert!(matches!(vault.get(&absent), Err(VaultError::Missing { .. })));
    }

    #[test]
    fn changed_bytes_are_never_given_out_and_are_mended_by_the_next_put() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(folder.path()).unwrap();
        let digest = vault.put(b"chart").unwrap();
        fs::write(vault.path_of(&digest), b"cHart").unwrap();
        assert!(matches!(vault.get(&digest), Err(VaultError::Damaged { .. })));
        vault.put(b"chart").unwrap();
        assert_eq!(vault.get(&digest).unwrap(), b"chart");
    }
}
