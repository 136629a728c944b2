//! Collecting a vault: what no lock names goes. Only while nobody else uses the vault, or a lock in the making would
//! lose what it has just put there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use oci::Digest;

use super::presence::Presence;
use super::{Kept, Vault, VaultError, entries_of};

/// What a collection took away, or would.
#[derive(Debug)]
pub(crate) struct Collected {
    /// The files that no lock names.
    pub(crate) removed: Vec<Kept>,
    /// How many stay.
    pub(crate) kept: usize,
}

impl Vault {
    /// Returns those of the vault's files whose bytes are not what their names say.
    ///
    /// # Errors
    /// [`VaultError::File`] when a file cannot be read.
    pub(crate) fn damaged(&self) -> Result<Vec<Digest>, VaultError> {
        let mut damaged = Vec::new();
        for Kept { digest, .. } in self.list()? {
            match self.get(&digest) {
                Ok(_) => {}
                Err(VaultError::Damaged { .. }) => damaged.push(digest),
                Err(
                    other @ (VaultError::File { .. } | VaultError::Missing { .. } | VaultError::InUse(_)),
                ) => {
                    return Err(other);
                }
            }
        }
        Ok(damaged)
    }

    /// Removes from the vault in `folder` all but `keep`; with `dry_run` only says what would go.
    ///
    /// # Errors
    /// [`VaultError::InUse`], or [`VaultError::File`] at the first file that does not go.
    pub(crate) fn collect(
        folder: &Path,
        keep: &BTreeSet<Digest>,
        dry_run: bool,
    ) -> Result<Collected, VaultError> {
        let vault = Self { folder: folder.to_owned(), presence: Presence::alone(folder)? };
        let (kept, removed): (Vec<Kept>, Vec<Kept>) =
            vault.list()?.into_iter().partition(|one| keep.contains(&one.digest));
        if !dry_run {
            for Kept { digest, .. } in &removed {
                let path = vault.path_of(digest);
                fs::remove_file(&path).map_err(|reason| VaultError::File { path, reason })?;
            }
            vault.remove_remains()?;
        }
        drop(vault.presence);
        Ok(Collected { removed, kept: kept.len() })
    }

    /// Removes temporary files of writers that were killed; nobody else is here.
    fn remove_remains(&self) -> Result<(), VaultError> {
        for folder in entries_of(&self.folder.join("sha256"))? {
            for path in entries_of(&folder)? {
                if path.extension().is_some_and(|extension| extension == "part") {
                    fs::remove_file(&path).map_err(|reason| VaultError::File { path, reason })?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_lock_names_goes_and_only_when_nobody_works() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(folder.path()).unwrap();
        let (old, new) = (vault.put(b"old").unwrap(), vault.put(b"new").unwrap());
        let keep = BTreeSet::from([new.clone()]);
        let refusal = Vault::collect(folder.path(), &keep, false).unwrap_err();
        assert!(matches!(refusal, VaultError::InUse(_)), "{refusal}");
        let part = vault.path_of(&new).with_file_name(".chartpack-killed.part");
        fs::write(&part, "half").unwrap();
        drop(vault);
        assert_eq!(Vault::collect(folder.path(), &keep, true).unwrap().removed.len(), 1);
        assert!(Vault::open(folder.path()).unwrap().contains(&old), "a dry run removes nothing");
        let collected = Vault::collect(folder.path(), &keep, false).unwrap();
        assert_eq!((collected.removed.len(), collected.kept), (1, 1));
        let vault = Vault::open(folder.path()).unwrap();
        assert!(!vault.contains(&old) && vault.contains(&new) && !part.exists());
    }

    #[test]
    fn a_changed_file_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(folder.path()).unwrap();
        let digest = vault.put(b"chart").unwrap();
        vault.put(b"whole").unwrap();
        fs::write(vault.path_of(&digest), b"cHart").unwrap();
        assert_eq!(vault.damaged().unwrap(), [digest]);
    }
}
