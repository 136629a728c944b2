//! One pass over an archive: unpack, check names and sizes, judge, and keep what the caller wants.

use std::io::Read;

use super::ArchiveError;
use super::ArchiveFile;
use super::gzip::GzipStream;
use super::inspection::{Inspection, Need};
use super::limits::Usage;
use super::tar_reader::TarReader;
use crate::metadata::ChartMetadata;

/// Which files a pass keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// All, in the archive's order.
    Everything,
    /// None: each is dropped as soon as it is judged.
    Nothing,
}

/// Reads the archive that is `depth` charts deep in others; returns its metadata and the files kept.
pub(super) fn walk(
    source: impl Read,
    depth: usize,
    usage: &mut Usage,
    keep: Keep,
) -> Result<(ChartMetadata, Vec<ArchiveFile>), ArchiveError> {
    let opened = GzipStream::open(source, usage.limits.compressed_bytes);
    let stream = opened.map_err(ArchiveError::of_stream)?.ok_or(ArchiveError::NotGzip)?;
    let mut entries = TarReader::new(stream);
    let mut inspection = Inspection::new(depth);
    let mut files = Vec::new();
    let mut is_empty = true;
    while let Some(entry) = entries.next_file(usage)? {
        is_empty = false;
        let wanted = keep == Keep::Everything || Inspection::need(&entry.path) == Need::Contents;
        let bytes = if wanted { without_byte_order_mark(entries.read_contents()?) } else { Vec::new() };
        inspection.pass(&entry.path, &bytes, usage)?;
        if keep == Keep::Everything {
            files.push(ArchiveFile { path: entry.path, bytes });
        }
    }
    if is_empty {
        return Err(ArchiveError::Empty);
    }
    let ended = entries.into_stream().finish_member();
    ended.map_err(ArchiveError::of_stream)?;
    Ok((inspection.finish()?, files))
}

/// Returns a file's bytes without a UTF-8 byte order mark at their start, as Helm loads them.
pub(super) fn without_byte_order_mark(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    bytes
}
