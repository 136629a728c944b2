//! Where the body of an answer ends: after a length, or after its last chunk (RFC 9112, section 7.1).

use anyhow::{Context, Result, bail};

/// How much of a body is still to come.
#[derive(Debug)]
pub(crate) enum Framing {
    /// That many bytes.
    Length(u64),
    /// Chunks.
    Chunked(Chunk),
}

/// The place in a chunked body.
#[derive(Debug)]
pub(crate) enum Chunk {
    /// In a line with a size; what was read of it.
    Size(Vec<u8>),
    /// In a chunk with that many bytes left, its line end counted.
    Content(u64),
    /// In the lines after the last chunk; the length of the current one.
    Trailer(usize),
    /// Past the end.
    Ended,
}

/// A chunk ends with a line end of its own.
const LINE_END: u64 = 2;

impl Framing {
    /// Returns the framing of a body of known length.
    pub(crate) fn of_length(bytes: u64) -> Self {
        Self::Length(bytes)
    }

    /// Returns the framing of a chunked body at its beginning.
    pub(crate) fn chunked() -> Self {
        Self::Chunked(Chunk::Size(Vec::new()))
    }

    /// Returns whether the whole body was taken.
    pub(crate) fn is_complete(&self) -> bool {
        matches!(self, Self::Length(0) | Self::Chunked(Chunk::Ended))
    }

    /// Takes bytes of the connection and hands those of the body to `sink`.
    ///
    /// # Errors
    /// When there are more bytes than the body has, or a chunk has no size.
    pub(crate) fn take(&mut self, mut bytes: &[u8], sink: &mut impl FnMut(&[u8])) -> Result<()> {
        while !bytes.is_empty() {
            let used = match self {
                Self::Length(left) => take_content(left, 0, bytes, sink),
                Self::Chunked(chunk) => chunk.take(bytes, sink)?,
            };
            if used == 0 {
                bail!("the server sent more than its answer");
            }
            bytes = bytes.get(used..).unwrap_or_default();
        }
        Ok(())
    }
}

impl Chunk {
    /// Takes bytes up to the next change of state and returns how many.
    fn take(&mut self, bytes: &[u8], sink: &mut impl FnMut(&[u8])) -> Result<usize> {
        let first_line = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| end + 1);
        let is_line = bytes.get(..first_line).is_some_and(|line| line.ends_with(b"\n"));
        match self {
            Self::Size(line) => {
                line.extend_from_slice(bytes.get(..first_line).unwrap_or_default());
                if is_line {
                    *self = match parse_size(line)? {
                        0 => Self::Trailer(0),
                        size => Self::Content(size + LINE_END),
                    };
                }
                Ok(first_line)
            }
            Self::Content(left) => {
                let used = take_content(left, LINE_END, bytes, sink);
                if *left == 0 {
                    *self = Self::Size(Vec::new());
                }
                Ok(used)
            }
            Self::Trailer(length) => {
                *length += first_line;
                if is_line {
                    *self = if *length <= 2 { Self::Ended } else { Self::Trailer(0) };
                }
                Ok(first_line)
            }
            Self::Ended => Ok(0),
        }
    }
}

/// Takes what belongs to the body and to the `tail` bytes after it; returns how many bytes that was.
fn take_content(left: &mut u64, tail: u64, bytes: &[u8], sink: &mut impl FnMut(&[u8])) -> usize {
    let used = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
    let content = usize::try_from(left.saturating_sub(tail)).unwrap_or(usize::MAX).min(used);
    sink(bytes.get(..content).unwrap_or_default());
    *left -= used as u64;
    used
}

fn parse_size(line: &[u8]) -> Result<u64> {
    let text = String::from_utf8_lossy(line);
    let digits = text.split([';', '\r', '\n']).next().unwrap_or_default().trim();
    u64::from_str_radix(digits, 16).with_context(|| format!("`{digits}` is not the size of a chunk"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(mut framing: Framing, pieces: &[&[u8]]) -> Result<(Vec<u8>, bool)> {
        let mut body = Vec::new();
        for piece in pieces {
            framing.take(piece, &mut |bytes: &[u8]| body.extend_from_slice(bytes))?;
        }
        Ok((body, framing.is_complete()))
    }

    #[test]
    fn chunks_are_joined_wherever_the_connection_cuts_them() {
        let wire = b"5\r\nhello\r\n6;note=x\r\n world\r\n0\r\nTrailer: x\r\n\r\n";
        for size in 1..wire.len() {
            let pieces: Vec<&[u8]> = wire.chunks(size).collect();
            assert_eq!(
                taken(Framing::chunked(), &pieces).unwrap(),
                (b"hello world".to_vec(), true),
                "{size}"
            );
        }
    }

    #[test]
    fn a_length_is_counted_down() {
        assert_eq!(taken(Framing::of_length(4), &[b"ab", b"c"]).unwrap(), (b"abc".to_vec(), false));
        assert_eq!(taken(Framing::of_length(4), &[b"ab", b"cd"]).unwrap(), (b"abcd".to_vec(), true));
        assert!(Framing::of_length(0).is_complete());
    }

    #[test]
    fn more_than_the_body_is_refused() {
        assert!(taken(Framing::of_length(1), &[b"ab"]).is_err());
        assert!(taken(Framing::chunked(), &[b"x\r\n"]).is_err());
    }
}
