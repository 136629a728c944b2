//! Blocks of a file: each its length, its checksum and its bytes.
//!
//! Rule: nothing of a block is believed before its checksum fits, and no length beyond what is left of the file. The
//! checksum knows the block's number too, so that blocks that changed places are noticed.

use std::io::{self, ErrorKind, Read, Write};

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::Unusable;
use crate::index::segment::capacity_for;

/// The most bytes of a block. A segment has 256 KiB, or one entry that is larger.
const MOST_BYTES: u64 = 64 << 20;

/// Writes blocks in a row.
pub(super) struct BlockWriter<W> {
    out: W,
    written: u64,
}

impl<W: Write> BlockWriter<W> {
    /// Begins with the bytes that tell what this is.
    pub(super) fn begin(mut out: W, magic: &[u8]) -> io::Result<Self> {
        out.write_all(magic)?;
        Ok(Self { out, written: 0 })
    }

    /// Writes the next block.
    pub(super) fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(&(bytes.len() as u64).to_le_bytes())?;
        self.out.write_all(&xxh3_64_with_seed(bytes, self.written).to_le_bytes())?;
        self.out.write_all(bytes)?;
        self.written += 1;
        Ok(())
    }

    /// Hands on what is still held back.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Reads blocks in a row.
pub(super) struct BlockReader<R> {
    source: R,
    /// How many bytes of the file are yet to be read.
    left: u64,
    read: u64,
}

impl<R: Read> BlockReader<R> {
    /// Begins with the bytes that tell what this is, in a file of so many bytes.
    pub(super) fn begin(source: R, bytes: u64, magic: &[u8; 20]) -> Result<Self, Unusable> {
        let mut reader = Self { source, left: bytes, read: 0 };
        if reader.array::<20>()? != *magic {
            return Err(Unusable::Form);
        }
        Ok(reader)
    }

    /// Reads the next block into `buffer`, whose content goes; an empty one gets the room that a segment's text has.
    pub(super) fn next(&mut self, mut buffer: Vec<u8>) -> Result<Vec<u8>, Unusable> {
        let length = u64::from_le_bytes(self.array()?);
        let checksum = u64::from_le_bytes(self.array()?);
        if length > self.left || length > MOST_BYTES {
            return Err(Unusable::Short);
        }
        let bytes = usize::try_from(length).map_err(|_| Unusable::Short)?;
        if buffer.capacity() < bytes {
            buffer = vec![0; capacity_for(bytes)];
        }
        buffer.resize(bytes, 0);
        self.fill(&mut buffer)?;
        if xxh3_64_with_seed(&buffer, self.read) != checksum {
            return Err(Unusable::Checksum);
        }
        self.read += 1;
        Ok(buffer)
    }

    /// Ends where the file does.
    pub(super) fn finish(self) -> Result<(), Unusable> {
        if self.left == 0 { Ok(()) } else { Err(Unusable::Long) }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Unusable> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Unusable> {
        self.left = self.left.checked_sub(bytes.len() as u64).ok_or(Unusable::Short)?;
        self.source.read_exact(bytes).map_err(|error| {
            let is_short = error.kind() == ErrorKind::UnexpectedEof;
            if is_short { Unusable::Short } else { Unusable::Read(error) }
        })
    }
}
