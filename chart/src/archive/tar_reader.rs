//! The files of a tar stream, one after the other, with Helm's limits counted before anything is unpacked.
//!
//! Follows Go's `archive/tar` and the loop of Helm's `LoadArchiveFiles`; nothing is ever written to disk.

use std::io::{self, Read};

use super::ArchiveError;
use super::extension::{Extension, Records, long_name};
use super::limits::Usage;
use super::path::path_below_base;
use super::tar_header::{BLOCK_BYTES, Block, EntryKind, Header};

/// The longest extended header Go reads.
const LONGEST_EXTENSION: u64 = 1024 * 1024;

/// The longest name taken: Linux's own longest path. Go takes 1 MiB, which would make each error text as long.
const LONGEST_NAME: usize = 4096;

/// A file of the archive whose contents are next in the stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FileEntry {
    /// The path below the chart's base folder.
    pub(super) path: String,
    /// The contents' length.
    pub(super) size: u64,
}

/// Reads the entries of an unpacked stream.
pub(super) struct TarReader<R> {
    stream: R,
    /// Contents and padding of the current entry not read yet.
    contents: u64,
    padding: u64,
    /// The name of the entry read last, for errors.
    last: String,
}

impl<R: Read> TarReader<R> {
    pub(super) fn new(stream: R) -> Self {
        Self { stream, contents: 0, padding: 0, last: String::new() }
    }

    /// Returns the next file, or `None` at the archive's end. Directories and global headers are passed over.
    pub(super) fn next_file(&mut self, usage: &mut Usage) -> Result<Option<FileEntry>, ArchiveError> {
        let mut records = Vec::new();
        let mut gnu_name = None;
        while let Some(header) = self.next_header(usage)? {
            match header.kind {
                EntryKind::Records => records = self.read_records(&header, usage)?,
                EntryKind::LongName => gnu_name = long_name(&self.read_extension(&header, usage)?),
                EntryKind::LongLink => {
                    self.read_extension(&header, usage)?;
                }
                EntryKind::GlobalRecords => {
                    // Read for its form alone; then the headers before it are forgotten, as Go has it.
                    self.read_records(&header, usage)?;
                    (records, gnu_name) = (Vec::new(), None);
                }
                EntryKind::File
                | EntryKind::LegacyFile
                | EntryKind::Directory
                | EntryKind::Empty
                | EntryKind::Sparse => {
                    let extension = self.extension(&std::mem::take(&mut records))?;
                    let name = gnu_name.take().or_else(|| extension.name.clone());
                    if let Some(file) = self.begin_file(&header, name, &extension, usage)? {
                        return Ok(Some(file));
                    }
                }
            }
        }
        Ok(None)
    }

    /// Returns the contents of the current file.
    pub(super) fn read_contents(&mut self) -> Result<Vec<u8>, ArchiveError> {
        let size = self.contents;
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        let read = (&mut self.stream).take(size).read_to_end(&mut bytes);
        self.contents = 0;
        match read {
            Ok(count) if count as u64 == size => Ok(bytes),
            Ok(_) => Err(self.cut_off()),
            Err(error) => Err(ArchiveError::of_stream(error)),
        }
    }

    /// Returns the stream, for what comes behind the archive's end.
    pub(super) fn into_stream(self) -> R {
        self.stream
    }

    /// Decides what the entry is: a file to return, or a directory to pass over.
    fn begin_file(
        &mut self,
        header: &Header,
        name: Option<Vec<u8>>,
        extension: &Extension,
        usage: &mut Usage,
    ) -> Result<Option<FileEntry>, ArchiveError> {
        let name = self.checked_name(name.unwrap_or_else(|| header.name.clone()))?;
        self.last.clone_from(&name);
        let size = extension.size.unwrap_or(header.size);
        let has_contents = header.has_contents(&name);
        self.expect_contents(if has_contents { size } else { 0 });
        if extension.is_sparse || header.kind == EntryKind::Sparse {
            return Err(ArchiveError::Sparse { entry: name });
        }
        if header.is_directory(&name) {
            // A directory by its mode alone has contents, which Helm unpacks and drops, however many.
            usage.add_file(&name, self.contents)?;
            return Ok(None);
        }
        if !has_contents && size > 0 {
            return Err(ArchiveError::LinkWithContents { entry: name });
        }
        match path_below_base(&name) {
            Ok(path) => {
                usage.add_file(&name, size)?;
                Ok(Some(FileEntry { path, size }))
            }
            Err(reason) => Err(ArchiveError::IllegalPath { entry: name, reason }),
        }
    }

    fn checked_name(&self, name: Vec<u8>) -> Result<String, ArchiveError> {
        if name.len() > LONGEST_NAME {
            return Err(ArchiveError::NameTooLong { after: self.last.clone(), limit: LONGEST_NAME });
        }
        String::from_utf8(name).map_err(|error| ArchiveError::NameNotText {
            entry: String::from_utf8_lossy(error.as_bytes()).into_owned(),
        })
    }

    /// Returns the next header, or `None` at two zero blocks or the stream's end.
    fn next_header(&mut self, usage: &mut Usage) -> Result<Option<Header>, ArchiveError> {
        self.skip_contents()?;
        let Some(block) = self.read_block()? else { return Ok(None) };
        if is_zero(&block) {
            match self.read_block()? {
                Some(second) if !is_zero(&second) => return Err(self.damaged_header()),
                Some(_) | None => return Ok(None),
            }
        }
        usage.add_entry()?;
        let header = Header::decode(&block).ok_or_else(|| self.damaged_header())?;
        self.expect_contents(if header.kind.is_header_only() { 0 } else { header.size });
        Ok(Some(header))
    }

    /// Returns the bytes of PAX records whose form is right.
    fn read_records(&mut self, header: &Header, usage: &mut Usage) -> Result<Vec<u8>, ArchiveError> {
        let bytes = self.read_extension(header, usage)?;
        if Records::parse(&bytes).is_none() {
            return Err(self.damaged_header());
        }
        Ok(bytes)
    }

    fn extension(&self, records: &[u8]) -> Result<Extension, ArchiveError> {
        let extension = Records::parse(records).and_then(|records| records.extension());
        extension.ok_or_else(|| self.damaged_header())
    }

    /// Returns the contents of an extended header. They are held in memory, so their size is an attack:
    /// each is bounded, and all of an archive together.
    fn read_extension(&mut self, header: &Header, usage: &mut Usage) -> Result<Vec<u8>, ArchiveError> {
        if header.size > LONGEST_EXTENSION {
            return Err(ArchiveError::ExtensionTooLarge { limit: LONGEST_EXTENSION });
        }
        usage.add_extension(header.size)?;
        self.read_contents()
    }

    fn expect_contents(&mut self, size: u64) {
        self.contents = size;
        self.padding = size.next_multiple_of(BLOCK_BYTES as u64).saturating_sub(size);
    }

    fn skip_contents(&mut self) -> Result<(), ArchiveError> {
        let (contents, padding) = (self.contents, self.padding);
        self.expect_contents(0);
        let skipped = self.skip(contents)?;
        if skipped != contents {
            return Err(self.cut_off());
        }
        // Missing padding is the archive's end, as for Go.
        self.skip(padding)?;
        Ok(())
    }

    fn skip(&mut self, count: u64) -> Result<u64, ArchiveError> {
        let skipped = io::copy(&mut (&mut self.stream).take(count), &mut io::sink());
        skipped.map_err(ArchiveError::of_stream)
    }

    /// Returns the next block, or `None` when the stream ends before it.
    fn read_block(&mut self) -> Result<Option<Block>, ArchiveError> {
        let mut block = [0; BLOCK_BYTES];
        let mut rest = block.as_mut_slice();
        while !rest.is_empty() {
            match self.stream.read(rest) {
                Ok(0) if rest.len() == BLOCK_BYTES => return Ok(None),
                Ok(0) => return Err(self.cut_off()),
                Ok(count) => rest = rest.split_at_mut_checked(count).map_or(&mut [], |(_, rest)| rest),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(ArchiveError::of_stream(error)),
            }
        }
        Ok(Some(block))
    }

    fn damaged_header(&self) -> ArchiveError {
        ArchiveError::DamagedHeader { after: self.last.clone() }
    }

    fn cut_off(&self) -> ArchiveError {
        ArchiveError::CutOff { after: self.last.clone() }
    }
}

fn is_zero(block: &Block) -> bool {
    block.iter().all(|byte| *byte == 0)
}
