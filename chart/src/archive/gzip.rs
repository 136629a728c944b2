//! The compressed side of an archive: a counted source, and gzip members read one after the other.
//!
//! As Go's gzip reader, several members are one stream; a failing source is told apart from damaged bytes.

use std::fmt;
use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};

use flate2::bufread::GzDecoder;

/// How many bytes behind the tar's end are still unpacked to reach the gzip checksum. Real padding is under 10 KiB.
const TRAILING_BYTES: u64 = 1024 * 1024;

/// An error of the source itself, carried through the decompressor inside an [`io::Error`].
#[derive(Debug)]
pub(super) enum SourceFailure {
    /// Reading failed.
    Read(io::Error),
    /// The source has more bytes than allowed.
    TooLarge {
        /// Bytes allowed.
        limit: u64,
    },
}

impl fmt::Display for SourceFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => error.fmt(formatter),
            Self::TooLarge { limit } => write!(formatter, "the source has more than {limit} bytes"),
        }
    }
}

impl std::error::Error for SourceFailure {}

/// A reader that fails once more than `limit` bytes come out of it.
struct Source<R> {
    reader: R,
    remaining: u64,
    limit: u64,
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match self.reader.read(buffer) {
            Ok(count) => count,
            // The decompressor retries these by itself.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => return Err(io::Error::other(SourceFailure::Read(error))),
        };
        self.remaining = self
            .remaining
            .checked_sub(count as u64)
            .ok_or_else(|| io::Error::other(SourceFailure::TooLarge { limit: self.limit }))?;
        Ok(count)
    }
}

type Compressed<R> = BufReader<Chain<Cursor<Vec<u8>>, Source<R>>>;

/// The unpacked bytes of all gzip members of a source.
pub(super) struct GzipStream<R: Read> {
    /// The member being read; none when the source is used up.
    member: Option<GzDecoder<Compressed<R>>>,
}

impl<R: Read> GzipStream<R> {
    /// Opens `source`, of which at most `limit` bytes are read; returns `None` when it does not begin with
    /// gzip's magic number and the deflate method.
    pub(super) fn open(source: R, limit: u64) -> io::Result<Option<Self>> {
        let mut source = Source { reader: source, remaining: limit, limit };
        let mut magic = Vec::with_capacity(3);
        source.by_ref().take(3).read_to_end(&mut magic)?;
        if magic != [0x1f, 0x8b, 0x08] {
            return Ok(None);
        }
        let compressed = BufReader::new(Cursor::new(magic).chain(source));
        Ok(Some(Self { member: Some(GzDecoder::new(compressed)) }))
    }

    /// Reads the current member to its end, which checks its length and checksum. What comes after the member
    /// is left alone: Helm does not look at it either.
    pub(super) fn finish_member(&mut self) -> io::Result<()> {
        if let Some(member) = &mut self.member {
            io::copy(&mut member.take(TRAILING_BYTES), &mut io::sink())?;
        }
        Ok(())
    }
}

impl<R: Read> Read for GzipStream<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        while let Some(member) = &mut self.member {
            let count = member.read(buffer)?;
            if count > 0 {
                return Ok(count);
            }
            let Some(finished) = self.member.take() else { break };
            let mut compressed = finished.into_inner();
            if !compressed.fill_buf()?.is_empty() {
                self.member = Some(GzDecoder::new(compressed));
            }
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn unpack(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut unpacked = Vec::new();
        GzipStream::open(bytes, 1 << 20)?.expect("gzip").read_to_end(&mut unpacked)?;
        Ok(unpacked)
    }

    #[test]
    fn members_are_one_stream() {
        let joined = [gzip(b"one "), gzip(b""), gzip(b"two")].concat();
        assert_eq!(unpack(&joined).unwrap(), b"one two");
    }

    #[test]
    fn other_bytes_are_not_gzip() {
        for bytes in [&b""[..], b"\x1f", b"\x1f\x8b", b"\x1f\x8b\x07", b"PK\x03\x04"] {
            assert!(GzipStream::open(bytes, 100).unwrap().is_none());
        }
    }

    #[test]
    fn every_cut_is_an_error() {
        let whole = gzip(b"some text that is compressed");
        for length in 3..whole.len() {
            assert!(unpack(&whole[..length]).is_err(), "cut to {length} bytes");
        }
    }

    #[test]
    fn a_wrong_checksum_is_an_error() {
        let mut bytes = gzip(b"text");
        let position = bytes.len() - 5;
        bytes[position] ^= 1;
        assert!(unpack(&bytes).is_err());
    }

    #[test]
    fn garbage_behind_the_last_member_is_seen_only_by_who_reads_on() {
        let bytes = [gzip(b"text"), b"garbage behind".to_vec()].concat();
        assert!(unpack(&bytes).is_err());
        let mut stream = GzipStream::open(&bytes[..], 1 << 20).unwrap().unwrap();
        stream.read_exact(&mut [0; 2]).unwrap();
        stream.finish_member().unwrap();
    }

    #[test]
    fn source_failures_keep_their_kind() {
        let error = unpack_limited(&gzip(&[7; 4000]), 5).unwrap_err();
        let failure = error.get_ref().and_then(|inner| inner.downcast_ref::<SourceFailure>());
        assert!(matches!(failure, Some(SourceFailure::TooLarge { limit: 5 })), "{error:?}");
    }

    fn unpack_limited(bytes: &[u8], limit: u64) -> io::Result<Vec<u8>> {
        let mut unpacked = Vec::new();
        GzipStream::open(bytes, limit)?.expect("gzip").read_to_end(&mut unpacked)?;
        Ok(unpacked)
    }
}
