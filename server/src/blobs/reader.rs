//! Stored bytes on their way out: as many as were promised, or an error; never fewer without one.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use tokio::runtime::Handle;

use super::s3::RestOfObject;
use super::{BlobError, BlobKey, off_thread};

/// How much of a large file is read at a time: a hop to a blocking thread costs more than the copy.
const PIECE: u64 = 1024 * 1024;

/// Stored bytes being read: the first piece is there, the rest comes as it is asked for.
pub(crate) struct BlobReader {
    first: Bytes,
    rest: Option<Rest>,
    length: u64,
}

/// Where the bytes after the first piece come from.
pub(super) enum Rest {
    File(RestOfFile),
    Object(Box<RestOfObject>),
}

/// The part of a file that is yet to be read.
pub(super) struct RestOfFile {
    pub(super) file: File,
    pub(super) left: u64,
}

impl BlobReader {
    /// Returns a reader of bytes that are in memory.
    pub(super) fn of(content: Bytes) -> Self {
        Self { length: content.len() as u64, first: content, rest: None }
    }

    /// Returns a reader of `first` and then of `rest`, `length` bytes in all.
    pub(super) fn of_pieces(first: Bytes, rest: Option<Rest>, length: u64) -> Self {
        Self { first, rest, length }
    }

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
        Ok(Self::of(content.slice(range)))
    }

    /// Returns how many bytes will come in all.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Returns the bytes when all of them are in memory.
    pub(crate) fn whole(&self) -> Option<&Bytes> {
        self.rest.is_none().then_some(&self.first)
    }

    /// Reads all that is left into memory, for what is known to be small.
    ///
    /// # Errors
    /// [`BlobError`] when the store breaks off.
    pub(super) async fn into_whole(self) -> Result<Bytes, BlobError> {
        if self.rest.is_none() {
            return Ok(self.first);
        }
        let mut whole = BytesMut::with_capacity(usize::try_from(self.length).unwrap_or_default());
        let mut pieces = std::pin::pin!(self.into_stream());
        while let Some(piece) = pieces.next().await {
            whole.extend_from_slice(&piece?);
        }
        Ok(whole.freeze())
    }

    /// Returns the bytes as a stream of pieces; memory holds one piece at a time.
    pub(crate) fn into_stream(self) -> impl Stream<Item = Result<Bytes, BlobError>> + Send + 'static {
        let start = (Some(self.first), self.rest);
        futures_util::stream::try_unfold(start, |(first, rest)| async move {
            if let Some(first) = first.filter(|piece| !piece.is_empty()) {
                return Ok(Some((first, (None, rest))));
            }
            let (piece, rest) = match rest {
                None => return Ok(None),
                Some(Rest::File(file)) => off_thread(move || file.next_piece()).await?,
                Some(Rest::Object(object)) => object.next_piece().await?,
            };
            Ok(Some((piece, (None, rest))))
        })
    }

    /// Returns the bytes to read on a blocking thread of the running Tokio runtime.
    pub(crate) fn into_blocking_reader(self) -> Box<dyn Read + Send> {
        let first = io::Cursor::new(self.first);
        match self.rest {
            None => Box::new(first),
            Some(Rest::File(rest)) => Box::new(first.chain(rest)),
            Some(rest @ Rest::Object(_)) => {
                let left = Self { first: Bytes::new(), rest: Some(rest), length: self.length };
                Box::new(first.chain(BlockingReader {
                    pieces: Box::pin(left.into_stream()),
                    current: Bytes::new(),
                    runtime: Handle::current(),
                }))
            }
        }
    }
}

impl RestOfFile {
    /// Reads the next piece, and returns it with what is left then.
    ///
    /// # Errors
    /// [`BlobError`] when the file ends too early or cannot be read.
    pub(super) fn next_piece(self) -> Result<(Bytes, Option<Rest>), BlobError> {
        self.piece_of(PIECE)
    }

    /// As [`Self::next_piece`], of at most `most` bytes.
    pub(super) fn piece_of(mut self, most: u64) -> Result<(Bytes, Option<Rest>), BlobError> {
        let want = self.left.min(most);
        // Not zeroed before it is read into: that would cost as much as the read.
        let mut piece = Vec::with_capacity(usize::try_from(want).unwrap_or_default());
        if (&self.file).take(want).read_to_end(&mut piece)? as u64 != want {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        self.left -= want;
        Ok((piece.into(), (self.left > 0).then_some(Rest::File(self))))
    }
}

impl Read for RestOfFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = (&self.file).take(self.left).read(buffer)?;
        if count == 0 && self.left > 0 && !buffer.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= count as u64;
        Ok(count)
    }
}

/// A stream of pieces read by a thread that may block.
struct BlockingReader {
    pieces: Pin<Box<dyn Stream<Item = Result<Bytes, BlobError>> + Send>>,
    current: Bytes,
    runtime: Handle,
}

impl Read for BlockingReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.runtime.block_on(self.pieces.next()) {
                None => return Ok(0),
                Some(piece) => self.current = piece.map_err(io::Error::other)?,
            }
        }
        let count = self.current.len().min(buffer.len());
        let taken = self.current.split_to(count);
        if let Some(room) = buffer.get_mut(..count) {
            room.copy_from_slice(&taken);
        }
        Ok(count)
    }
}
