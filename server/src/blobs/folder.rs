//! The local folder: file synced, renamed into place, folder synced, in this order before anybody hears of a key.

use std::fs::{File, Metadata};
use std::io::{self, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use chart::Timestamp;

use super::hot::HotBlobs;
use super::key::RECEIVED;
use super::reader::{BlobReader, RestOfFile};
use super::staging::{StagedFile, sync_folder};
use super::{BlobError, BlobKey, Layout, StagedBlob, Staging};
use crate::faults::{self, Step};

/// Makes the root and, by digest, its 256 fans and the folder of what comes in pieces, so that keeping a blob never has to sync more than one folder.
pub(super) fn prepare(root: &Path, layout: Layout) -> Result<(), BlobError> {
    match layout {
        Layout::Flat => return Ok(std::fs::create_dir_all(root)?),
        Layout::Addressed => {}
    }
    let algorithm = root.join("blobs").join("sha256");
    std::fs::create_dir_all(&algorithm)?;
    for fan in 0..=255_u8 {
        let folder = fan_of(root, fan);
        if !folder.exists() {
            std::fs::create_dir(&folder)?;
        }
    }
    std::fs::create_dir_all(root.join(RECEIVED))?;
    for folder in [&algorithm, &root.join("blobs"), root] {
        sync_folder(folder)?;
    }
    Ok(())
}

fn fan_of(root: &Path, fan: u8) -> PathBuf {
    root.join("blobs").join("sha256").join(format!("{fan:02x}"))
}

pub(super) fn keep(
    root: &Path,
    layout: Layout,
    staging: &Staging,
    staged: StagedBlob,
    key: &BlobKey,
) -> Result<(), BlobError> {
    match layout {
        // The folders of digests are there from the start.
        Layout::Addressed => {}
        Layout::Flat => make_parents(root, key)?,
    }
    let mut staged: StagedFile = staged.into_file(staging)?;
    let target = key.path_below(root);
    staged.file.sync_all()?;
    faults::reach(Step::FileSynced);
    staged.move_to(&target)?;
    faults::reach(Step::FileRenamed);
    if let Some(folder) = target.parent() {
        sync_folder(folder)?;
    }
    Ok(())
}

/// Makes the folder of a tenant.
fn make_parents(root: &Path, key: &BlobKey) -> Result<(), BlobError> {
    let target = key.path_below(root);
    let Some(folder) = target.parent().filter(|folder| !folder.exists()) else { return Ok(()) };
    std::fs::create_dir_all(folder)?;
    for ancestor in folder.ancestors().take_while(|ancestor| ancestor.starts_with(root)) {
        sync_folder(ancestor)?;
    }
    Ok(())
}

/// Opens the file, and reads what may stay in memory in one piece: each hop to this thread costs.
pub(super) fn open(root: &Path, key: &BlobKey, range: Option<Range<u64>>) -> Result<BlobReader, BlobError> {
    let mut file = File::open(key.path_below(root)).map_err(|error| missing_or_away(key, error))?;
    let size = file.metadata()?.len();
    let range = range.unwrap_or(0..size);
    if range.end > size {
        return Err(BlobError::Missing(key.clone()));
    }
    if range.start > 0 {
        file.seek(SeekFrom::Start(range.start))?;
    }
    let length = range.end.saturating_sub(range.start);
    let rest = RestOfFile { file, left: length };
    let (first, rest) = if HotBlobs::takes(length) { rest.piece_of(length)? } else { rest.next_piece()? };
    Ok(BlobReader::of_pieces(first, rest, length))
}

pub(super) fn remove(root: &Path, key: &BlobKey) -> Result<(), BlobError> {
    match std::fs::remove_file(key.path_below(root)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

pub(super) fn modified(root: &Path, key: &BlobKey) -> Result<Timestamp, BlobError> {
    let metadata = std::fs::metadata(key.path_below(root)).map_err(|error| missing_or_away(key, error))?;
    Ok(time_of(&metadata)?)
}

/// Returns when a file was last written, as the catalog counts time.
pub(super) fn time_of(metadata: &Metadata) -> io::Result<Timestamp> {
    let micros = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
    Ok(Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX)))
}

/// Returns the folders that hold addressed blobs, each with a slash at its end.
pub(super) fn folders_of_blobs() -> impl Iterator<Item = String> {
    (0..=u8::MAX).map(|fan| format!("blobs/sha256/{fan:02x}/")).chain([RECEIVED.to_owned()])
}

/// Lists one of the folders.
pub(super) fn list_older_than(
    root: &Path,
    folder: &str,
    older_than: Duration,
) -> Result<Vec<BlobKey>, BlobError> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let Some(metadata) = unless_gone(entry.metadata())? else { continue };
        // A file from the future is young.
        let age = metadata.modified()?.elapsed().unwrap_or_default();
        if age >= older_than
            && let Some(file_name) = entry.file_name().to_str()
        {
            found.push(BlobKey::from_listing(format!("{folder}{file_name}")));
        }
    }
    found.sort();
    Ok(found)
}

/// Returns what was found, or nothing when it went away between being listed and being looked at.
pub(super) fn unless_gone<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn missing_or_away(key: &BlobKey, error: io::Error) -> BlobError {
    if error.kind() == io::ErrorKind::NotFound { BlobError::Missing(key.clone()) } else { error.into() }
}
