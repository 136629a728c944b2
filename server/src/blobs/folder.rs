//! The local folder: file synced, renamed into place, folder synced, in this order before anybody hears of a key.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use chart::Timestamp;

use super::staging::{StagedFile, sync_folder};
use super::{BlobError, BlobKey, StagedBlob, Staging};

/// How much is read at a time: nearly every chart in one piece, since a hop to a blocking thread costs more than the copy.
const CHUNK: usize = 1024 * 1024;

/// Stored bytes being read: the first piece is there, the rest comes as it is asked for.
pub(crate) struct BlobReader {
    first: Bytes,
    rest: Option<Remaining>,
    length: u64,
}

struct Remaining {
    file: File,
    left: u64,
}

impl BlobReader {
    /// Returns the range of bytes that are in memory already.
    ///
    /// # Errors
    /// [`BlobError::Missing`] when the range lies outside them.
    pub(super) fn in_memory(
        key: &BlobKey,
        content: &Bytes,
        range: Option<Range<u64>>,
    ) -> Result<Self, BlobError> {
        let size = content.len();
        let range = range.map_or(Some(0..size), |range| {
            Some(usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?)
        });
        let Some(range) = range.filter(|range| range.start <= range.end && range.end <= size) else {
            return Err(BlobError::Missing(key.clone()));
        };
        let length = range.len() as u64;
        Ok(Self { first: content.slice(range), rest: None, length })
    }

    /// Returns the bytes when all of them came in one piece.
    pub(super) fn whole(&self) -> Option<&Bytes> {
        self.rest.is_none().then_some(&self.first)
    }

    /// Returns how many bytes will come in all.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Returns the bytes as a stream of pieces; memory holds one piece at a time.
    pub(crate) fn into_stream(
        self,
    ) -> impl futures_util::Stream<Item = Result<Bytes, BlobError>> + Send + 'static {
        let start = (Some(self.first), self.rest);
        futures_util::stream::try_unfold(start, |(first, rest)| async move {
            if let Some(first) = first.filter(|piece| !piece.is_empty()) {
                return Ok(Some((first, (None, rest))));
            }
            let Some(rest) = rest else { return Ok(None) };
            let (piece, rest) = super::off_thread(move || read_piece(rest)).await?;
            Ok(Some((piece, (None, rest))))
        })
    }

    /// Reads all of it at once; blocks, and is for what is known to be small or is read off the async threads.
    ///
    /// # Errors
    /// [`BlobError`] when the store breaks off.
    pub(crate) fn into_blocking_reader(self) -> impl Read + Send {
        let rest = self.rest;
        io::Cursor::new(self.first).chain(OptionalReader(rest.map(|rest| rest.file.take(rest.left))))
    }
}

struct OptionalReader(Option<io::Take<File>>);

impl Read for OptionalReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.as_mut().map_or(Ok(0), |reader| reader.read(buffer))
    }
}

fn read_piece(mut rest: Remaining) -> Result<(Bytes, Option<Remaining>), BlobError> {
    let want = usize::try_from(rest.left).unwrap_or(CHUNK).min(CHUNK);
    let mut piece = vec![0; want];
    rest.file.read_exact(&mut piece)?;
    rest.left -= want as u64;
    Ok((piece.into(), (rest.left > 0).then_some(rest)))
}

/// Makes the folder and its 256 fans, so that keeping a blob never has to sync more than one folder.
pub(super) fn prepare(root: &Path) -> Result<(), BlobError> {
    let algorithm = root.join("blobs").join("sha256");
    std::fs::create_dir_all(&algorithm)?;
    for fan in 0..=255_u8 {
        let folder = algorithm.join(format!("{fan:02x}"));
        if !folder.exists() {
            std::fs::create_dir(&folder)?;
        }
    }
    for folder in [&algorithm, &root.join("blobs"), root] {
        sync_folder(folder)?;
    }
    Ok(())
}

pub(super) fn keep(
    root: &Path,
    staging: &Staging,
    staged: StagedBlob,
    key: &BlobKey,
) -> Result<(), BlobError> {
    let staged: StagedFile = staged.into_file(staging)?;
    let target = key.path_below(root);
    staged.file.sync_all()?;
    std::fs::rename(&staged.path, &target)?;
    if let Some(folder) = target.parent() {
        sync_folder(folder)?;
    }
    Ok(())
}

/// Makes the folder of a tenant in the flat layout; those of the addressed layout are there from the start.
pub(super) fn make_parents(root: &Path, key: &BlobKey) -> Result<(), BlobError> {
    let target = key.path_below(root);
    let Some(folder) = target.parent().filter(|folder| !folder.exists()) else { return Ok(()) };
    std::fs::create_dir_all(folder)?;
    for ancestor in folder.ancestors().take_while(|ancestor| ancestor.starts_with(root)) {
        sync_folder(ancestor)?;
    }
    Ok(())
}

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
    let length = range.end - range.start;
    let rest = Remaining { file, left: length };
    let (first, rest) = read_piece(rest)?;
    Ok(BlobReader { first, rest, length })
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
pub(crate) fn time_of(metadata: &std::fs::Metadata) -> io::Result<Timestamp> {
    let micros = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
    Ok(Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX)))
}

pub(super) fn list_older_than(root: &Path, older_than: Duration) -> Result<Vec<BlobKey>, BlobError> {
    let mut found = Vec::new();
    for fan in std::fs::read_dir(root.join("blobs").join("sha256"))? {
        let fan = fan?;
        for entry in std::fs::read_dir(fan.path())? {
            let entry = entry?;
            // A file from the future is young.
            let age = entry.metadata()?.modified()?.elapsed().unwrap_or_default();
            let (fan_name, file_name) = (fan.file_name(), entry.file_name());
            if age >= older_than
                && let (Some(fan_name), Some(file_name)) = (fan_name.to_str(), file_name.to_str())
            {
                found.push(BlobKey::from_listing(format!("blobs/sha256/{fan_name}/{file_name}")));
            }
        }
    }
    found.sort();
    Ok(found)
}

fn missing_or_away(key: &BlobKey, error: io::Error) -> BlobError {
    if error.kind() == io::ErrorKind::NotFound { BlobError::Missing(key.clone()) } else { error.into() }
}
