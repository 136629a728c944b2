//! Writes an archive as `helm package` does, byte for byte the same on every run.
//!
//! What Helm leaves to chance is fixed: one time for all entries, and one compression level.

use std::io::{self, Write};

use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};

use super::extension::record;
use super::tar_header::{BLOCK_BYTES, LARGEST_OCTAL, encode};

/// The extra field of Helm 4's gzip header: a subfield `rr` of 40 bytes.
const GZIP_EXTRA: &[u8] = b"rr\x28\x00aHR0cHM6Ly95b3V0dS5iZS96OVV6MWljandyTQo=";

/// What Go's `compress/gzip` writes for an unknown system.
const UNKNOWN_SYSTEM: u8 = 255;

/// zlib's default. A constant, so that the same chart packs to the same digest tomorrow.
const LEVEL: u32 = 6;

/// The longest name and prefix of a USTAR header.
const NAME_BYTES: usize = 100;
const PREFIX_BYTES: usize = 155;

/// An archive being written into memory.
pub(crate) struct ArchiveWriter {
    gzip: GzEncoder<Vec<u8>>,
    modified_seconds: u64,
}

impl ArchiveWriter {
    /// Begins an archive whose entries all have one modification time, in seconds since 1970.
    pub(crate) fn new(modified_seconds: u64) -> Self {
        let header = GzBuilder::new().extra(GZIP_EXTRA).comment("Helm").operating_system(UNKNOWN_SYSTEM);
        let gzip = header.write(Vec::new(), Compression::new(LEVEL));
        // Later than the year 2242 the header cannot say.
        Self { gzip, modified_seconds: modified_seconds.min(LARGEST_OCTAL) }
    }

    /// Appends a file. A name that no USTAR header can hold gets PAX records in front, as Go writes them.
    pub(crate) fn add_file(&mut self, name: &str, contents: &[u8]) -> io::Result<()> {
        self.add_entry(b'0', name, contents)
    }

    /// Appends an entry of any type, under any name.
    pub(crate) fn add_entry(&mut self, type_byte: u8, name: &str, contents: &[u8]) -> io::Result<()> {
        let size = contents.len() as u64;
        let (prefix, short) = match split_name(name) {
            Some(parts) => parts,
            None => {
                self.add_records(name)?;
                ("", name)
            }
        };
        self.gzip.write_all(&encode(type_byte, prefix, &header_name(short), size, self.modified_seconds))?;
        self.write_padded(contents)
    }

    /// Appends bytes as they are: for archives that break the rules.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn add_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.gzip.write_all(bytes)
    }

    /// Ends the archive with two zero blocks; returns its bytes.
    pub(crate) fn finish(mut self) -> io::Result<Vec<u8>> {
        self.gzip.write_all(&[0; 2 * BLOCK_BYTES])?;
        self.gzip.finish()
    }

    fn add_records(&mut self, name: &str) -> io::Result<()> {
        let (folder, base) = name.rsplit_once('/').map_or(("", name), |(folder, base)| (folder, base));
        let separator = if folder.is_empty() { "" } else { "/" };
        let records_name = header_name(&format!("{folder}{separator}PaxHeaders.0/{base}"));
        let records_name = records_name.trim_end_matches('/');
        let records = record("path", name);
        self.gzip.write_all(&encode(b'x', "", records_name, records.len() as u64, 0))?;
        self.write_padded(records.as_bytes())
    }

    fn write_padded(&mut self, contents: &[u8]) -> io::Result<()> {
        self.gzip.write_all(contents)?;
        let padding = contents.len().next_multiple_of(BLOCK_BYTES) - contents.len();
        self.gzip.write_all(&vec![0; padding])
    }
}

/// Splits a name into prefix and name of a USTAR header; `None` when it does not fit there.
fn split_name(name: &str) -> Option<(&str, &str)> {
    if !name.is_ascii() || name.contains('\0') {
        return None;
    }
    if name.len() <= NAME_BYTES {
        return Some(("", name));
    }
    let slash = name.get(..PREFIX_BYTES + 1).unwrap_or(name).rfind('/')?;
    let (prefix, base) = (name.get(..slash)?, name.get(slash + 1..)?);
    (!prefix.is_empty() && !base.is_empty() && base.len() <= NAME_BYTES).then_some((prefix, base))
}

/// Returns the part of a name that a header's name field shows beside PAX records: its ASCII characters, cut.
fn header_name(name: &str) -> String {
    let mut shown: String =
        name.chars().filter(|character| character.is_ascii() && *character != '\0').collect();
    if shown.len() > NAME_BYTES {
        shown.truncate(NAME_BYTES);
        // Old readers take a trailing slash for a directory.
        shown.truncate(shown.trim_end_matches('/').len());
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gzip_header_is_helm_4s() {
        let bytes = ArchiveWriter::new(0).finish().unwrap();
        let header = [&b"\x1f\x8b\x08\x14\0\0\0\0\0\xff\x2c\0"[..], GZIP_EXTRA, b"Helm\0"].concat();
        assert_eq!(bytes[..header.len()], header);
    }

    #[test]
    fn names_are_split_at_the_last_slash_that_fits() {
        let folder = "f".repeat(60);
        for (name, split) in [
            ("chart/Chart.yaml".to_owned(), Some(0)),
            (format!("{}/x", "f".repeat(98)), Some(0)),
            (format!("{}/x", "f".repeat(99)), Some(99)),
            (format!("{}/x", "f".repeat(155)), Some(155)),
            (format!("{}/x", "f".repeat(156)), None),
            (format!("{folder}/{folder}/{folder}"), Some(121)),
            (format!("{folder}/{}", "n".repeat(101)), None),
            ("chart/ü".to_owned(), None),
        ] {
            let prefix = split_name(&name).map(|(prefix, _)| prefix.len());
            assert_eq!(prefix, split, "{name}");
        }
    }
}
