//! Opens stores for what is done with everything at once: none of it may make a store where it was to read one.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use tempfile::TempDir;

use super::{DataLock, lock_data, migrate_catalog, open_blobs_aside, open_blobs_beside, open_catalog};
use crate::blobs::{Blobs, Layout};
use crate::catalog::CatalogError;
use crate::config::{BlobsUrl, CatalogUrl, S3Service, Storage};
use crate::safekeeping::Stores;
use crate::safekeeping::backup_place::BackupPlace;

/// Stores with what must be held as long as they are written to.
pub(crate) struct HeldStores {
    pub(crate) stores: Stores,
    _staging: TempDir,
}

/// Opens the stores of a configuration to be read, beside servers or without one.
///
/// # Errors
/// When there are none, or they cannot be used.
pub(crate) async fn open_stores_to_read(storage: &Storage) -> anyhow::Result<Stores> {
    expect_existing(storage)?;
    Ok(Stores { catalog: open_catalog(storage).await?, blobs: open_blobs_beside(storage).await? })
}

/// Opens the stores of a configuration to be repaired, beside servers or without one.
///
/// # Errors
/// As [`open_stores_to_read`].
pub(crate) async fn open_existing_stores(storage: &Storage) -> anyhow::Result<HeldStores> {
    expect_existing(storage)?;
    let catalog = open_catalog(storage).await?;
    let (blobs, staging) = open_aside(&storage.blobs, storage, Layout::Addressed).await?;
    Ok(HeldStores { stores: Stores { catalog, blobs }, _staging: staging })
}

/// Opens the stores of a configuration to be filled, making them where needed; the caller has locked an embedded one.
///
/// # Errors
/// When they cannot be used.
pub(crate) async fn open_empty_stores(storage: &Storage) -> anyhow::Result<HeldStores> {
    let catalog = migrate_catalog(storage).await?;
    let (blobs, staging) = open_aside(&storage.blobs, storage, Layout::Addressed).await?;
    Ok(HeldStores { stores: Stores { catalog, blobs }, _staging: staging })
}

/// Returns what the catalog of a configuration holds already, writing nothing.
///
/// # Errors
/// When it cannot be read.
pub(crate) async fn find_existing_content(storage: &Storage) -> anyhow::Result<Option<String>> {
    match &storage.catalog {
        CatalogUrl::Sqlite(path) if !path.exists() => return Ok(None),
        CatalogUrl::Sqlite(_) | CatalogUrl::Postgres(_) => {}
    }
    let catalog = match open_catalog(storage).await {
        Ok(catalog) => catalog,
        // A database without tables, or with old ones, which are looked at once they are those of this version.
        Err(error) if matches!(error.downcast_ref(), Some(CatalogError::NotMigrated)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let content = catalog.find_content().await;
    catalog.close().await;
    Ok(content?)
}

/// Opens a place of backups to read one, or to write one, alone where that can be known.
///
/// # Errors
/// When there is none to read, somebody else writes there, or it cannot be used.
pub(crate) async fn open_backup_place(
    address: &BlobsUrl,
    storage: &Storage,
    writes: bool,
) -> anyhow::Result<BackupPlace> {
    let (blobs, backups) = (address.below("blobs"), address.below("backups"));
    match (address, writes) {
        (BlobsUrl::Folder(root), false) => {
            let named = root.join("backups");
            ensure!(named.is_dir(), "there are no backups in `{}`", root.display());
            let beside = |folder| Blobs::beside(root.join(folder), Layout::Flat);
            Ok(BackupPlace::new(beside("blobs")?, beside("backups")?, ()))
        }
        (BlobsUrl::Folder(root), true) => {
            let lock = lock_place(root)?;
            // What an earlier backup left unfinished goes with the next one.
            let staging = |name| root.join(".staging").join(name);
            let s3 = &storage.s3;
            let blobs = open_blobs_aside(&blobs, s3, staging("blobs"), Layout::Flat).await?;
            let backups = open_blobs_aside(&backups, s3, staging("backups"), Layout::Flat).await?;
            Ok(BackupPlace::new(blobs, backups, lock))
        }
        (BlobsUrl::S3 { .. }, _) => {
            let (blobs, first) = open_aside(&blobs, storage, Layout::Flat).await?;
            let (backups, second) = open_aside(&backups, storage, Layout::Flat).await?;
            Ok(BackupPlace::new(blobs, backups, (first, second)))
        }
    }
}

/// Takes the data folder of an embedded catalog; a shared one has no folder to take.
pub(crate) fn lock_embedded(storage: &Storage) -> anyhow::Result<Option<DataLock>> {
    match &storage.catalog {
        CatalogUrl::Sqlite(_) => lock_data(&storage.data).map(Some),
        CatalogUrl::Postgres(_) => Ok(None),
    }
}

/// Refuses stores that are not there: opened to be used, they would be made, and then found empty.
fn expect_existing(storage: &Storage) -> anyhow::Result<()> {
    if let CatalogUrl::Sqlite(path) = &storage.catalog {
        ensure!(
            path.exists(),
            "there is no catalog `{}`: name the folder with `--data`, or the file that configures it with `--config`",
            path.display()
        );
    }
    if let BlobsUrl::Folder(root) = &storage.blobs {
        let blobs = root.join("blobs");
        ensure!(blobs.is_dir(), "there are no blobs in `{}`: is the disk mounted?", root.display());
    }
    Ok(())
}

async fn open_aside(
    address: &BlobsUrl,
    storage: &Storage,
    layout: Layout,
) -> anyhow::Result<(Blobs, TempDir)> {
    let near: PathBuf = match address {
        BlobsUrl::Folder(root) => root.clone(),
        BlobsUrl::S3 { .. } => storage.data.clone(),
    };
    let staging = fs::create_dir_all(&near)
        .and_then(|()| tempfile::Builder::new().prefix(".staging-").tempdir_in(&near))
        .with_context(|| format!("cannot make a folder in `{}`", near.display()))?;
    let s3: &S3Service = &storage.s3;
    Ok((open_blobs_aside(address, s3, staging.path().to_owned(), layout).await?, staging))
}

fn lock_place(root: &Path) -> anyhow::Result<File> {
    fs::create_dir_all(root).with_context(|| format!("cannot make the folder `{}`", root.display()))?;
    let path = root.join(".lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.with_context(|| format!("cannot open `{}`", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!("another backup is being written into `{}`: wait until it is done", root.display())
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock `{}`", path.display()))
        }
    }
}
