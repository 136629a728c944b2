//! gzip bodies glued from pieces that were compressed one by one (RFC 1952, RFC 1951).
//!
//! A full flush ends each piece on a byte boundary and forgets the window, so that the pieces in a row are one deflate
//! stream and the body is one member: every decoder reads it, also those that stop after the first member.

use bytes::Bytes;
use crc32fast::Hasher;
use flate2::{Compress, CompressError, Compression, FlushCompress};

use super::fingerprint::{Fingerprint, tag_of_parts};

/// Magic, deflate, no flags, no time, no extra flags, unknown system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// An empty final block with the fixed code, which ends the stream.
const END_OF_STREAM: [u8; 2] = [3, 0];

/// The most bytes of a stored block (RFC 1951 §3.2.4).
const STORED_BLOCK_BYTES: usize = 0xffff;

/// A text as part of a deflate stream.
#[derive(Debug, Clone)]
pub(super) struct Fragment {
    bytes: Bytes,
    /// Of `bytes`, how many hold the lead: what the first segment of a body leaves out.
    lead_bytes: usize,
    /// Of the whole text.
    checksum: Hasher,
    /// Of the text without its lead.
    checksum_without_lead: Hasher,
    /// Of `bytes`.
    fingerprint: Fingerprint,
}

impl Fragment {
    /// Compresses `text` at level 6, the first `lead` bytes of it apart, so that they can be left out.
    pub(super) fn compress(text: &[u8], lead: usize) -> Self {
        let (lead, rest) = text.split_at(lead.min(text.len()));
        let mut bytes = Vec::with_capacity(text.len() / 8 + 64);
        store(lead, &mut bytes);
        let lead_bytes = bytes.len();
        if deflate(rest, &mut bytes).is_err() {
            // Uncompressed blocks hold any text: a stream is larger by this, never broken.
            bytes.truncate(lead_bytes);
            store(rest, &mut bytes);
        }
        bytes.shrink_to_fit();
        let mut checksum = checksum_of(lead);
        let checksum_without_lead = checksum_of(rest);
        checksum.combine(&checksum_without_lead);
        let fingerprint = Fingerprint::of_bytes(&bytes);
        Self { bytes: Bytes::from(bytes), lead_bytes, checksum, checksum_without_lead, fingerprint }
    }
}

/// A gzip member in the making.
pub(super) struct Member {
    pieces: Vec<Bytes>,
    checksum: Hasher,
    fingerprints: Vec<Fingerprint>,
}

impl Member {
    /// Begins a member of about `pieces` pieces.
    pub(super) fn new(pieces: usize) -> Self {
        let mut member = Self {
            pieces: Vec::with_capacity(pieces + 2),
            checksum: Hasher::new(),
            fingerprints: Vec::with_capacity(pieces),
        };
        member.pieces.push(Bytes::from_static(&HEADER));
        member
    }

    /// Adds a text.
    pub(super) fn push(&mut self, fragment: &Fragment) {
        self.pieces.push(fragment.bytes.clone());
        self.checksum.combine(&fragment.checksum);
        self.fingerprints.push(fragment.fingerprint);
    }

    /// Adds a text without its lead.
    pub(super) fn push_without_lead(&mut self, fragment: &Fragment) {
        self.pieces.push(fragment.bytes.slice(fragment.lead_bytes..));
        self.checksum.combine(&fragment.checksum_without_lead);
        self.fingerprints.push(fragment.fingerprint);
    }

    /// Returns the pieces of the whole member and its strong entity tag, which is made of the compressed bytes.
    pub(super) fn finish(mut self) -> (Vec<Bytes>, String) {
        let length = self.checksum.total_len();
        let mut trailer = Vec::with_capacity(10);
        trailer.extend_from_slice(&END_OF_STREAM);
        trailer.extend_from_slice(&self.checksum.finalize().to_le_bytes());
        // The length modulo 2^32: the low four of its bytes.
        trailer.extend(length.to_le_bytes().into_iter().take(4));
        self.pieces.push(Bytes::from(trailer));
        (self.pieces, tag_of_parts(&self.fingerprints))
    }
}

fn checksum_of(text: &[u8]) -> Hasher {
    let mut hasher = Hasher::new();
    hasher.update(text);
    hasher
}

fn store(text: &[u8], out: &mut Vec<u8>) {
    for block in text.chunks(STORED_BLOCK_BYTES) {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        out.push(0);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(block);
    }
}

fn deflate(text: &[u8], out: &mut Vec<u8>) -> Result<(), CompressError> {
    let mut stream = Compress::new(Compression::new(6), false);
    let mut rest = text;
    loop {
        out.reserve(64 << 10);
        let consumed = stream.total_in();
        stream.compress_vec(rest, out, FlushCompress::Full)?;
        let consumed = usize::try_from(stream.total_in() - consumed).unwrap_or(rest.len());
        rest = rest.get(consumed..).unwrap_or_default();
        // Room left over means that the flush is complete as well.
        if rest.is_empty() && out.len() < out.capacity() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn decoded(pieces: &[Bytes]) -> Vec<u8> {
        let mut text = Vec::new();
        let member = pieces.concat();
        let mut decoder = flate2::bufread::GzDecoder::new(&member[..]);
        decoder.read_to_end(&mut text).unwrap();
        assert!(decoder.into_inner().is_empty(), "one member is all there is");
        text
    }

    fn noise(length: u32) -> Vec<u8> {
        (0..length).map(|index| (index.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect()
    }

    #[test]
    fn a_member_decodes_to_its_texts_in_a_row() {
        let texts: [&[u8]; 5] = [b"{", b"", b"],\"a\":[1]", &noise(300_000), &vec![b'x'; 2_000_000]];
        let mut member = Member::new(texts.len());
        for text in texts {
            member.push(&Fragment::compress(text, 0));
        }
        assert_eq!(decoded(&member.finish().0), texts.concat());
    }

    #[test]
    fn a_lead_is_in_the_member_unless_it_is_left_out() {
        let fragment = Fragment::compress(b"],first", 2);
        let mut member = Member::new(2);
        member.push_without_lead(&fragment);
        member.push(&fragment);
        assert_eq!(decoded(&member.finish().0), b"first],first");
    }

    #[test]
    fn other_compressed_bytes_of_one_text_have_another_tag() {
        let tag = |texts: &[&[u8]]| {
            let mut member = Member::new(texts.len());
            for text in texts {
                member.push(&Fragment::compress(text, 0));
            }
            member.finish().1
        };
        assert_eq!(tag(&[b"abc"]), tag(&[b"abc"]));
        assert_ne!(tag(&[b"abc"]), tag(&[b"ab", b"c"]));
    }

    #[test]
    fn stored_blocks_hold_any_length() {
        for length in [0, 1, 0xffff, 0x1_0000, 200_000] {
            let text = noise(length);
            let mut bytes = Vec::new();
            store(&text, &mut bytes);
            bytes.extend_from_slice(&END_OF_STREAM);
            let mut back = Vec::new();
            flate2::read::DeflateDecoder::new(&bytes[..]).read_to_end(&mut back).unwrap();
            assert_eq!(back, text, "{length}");
        }
    }
}
