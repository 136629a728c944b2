//! One 512-byte tar header, decoded and encoded as Go's `archive/tar` does it.
//!
//! Helm decides with Go's reader what a chart holds. A reader that takes one field differently, the size above
//! all, would see other files than Helm in the same bytes; hence own code and not a general tar library.

use std::ops::Range;

/// The length of a header and of the unit that contents are padded to.
pub(crate) const BLOCK_BYTES: usize = 512;

/// One header as it stands in the archive.
pub(crate) type Block = [u8; BLOCK_BYTES];

const NAME: Range<usize> = 0..100;
const MODE: Range<usize> = 100..108;
const USER: Range<usize> = 108..116;
const GROUP: Range<usize> = 116..124;
const SIZE: Range<usize> = 124..136;
const MODIFIED: Range<usize> = 136..148;
const CHECKSUM: Range<usize> = 148..156;
const TYPE: usize = 156;
const MAGIC: Range<usize> = 257..263;
const VERSION: Range<usize> = 263..265;
const DEVICE_MAJOR: Range<usize> = 329..337;
const DEVICE_MINOR: Range<usize> = 337..345;
const PREFIX: Range<usize> = 345..500;
/// The old `star` layout has a shorter prefix, and says so in its last bytes.
const STAR_PREFIX: Range<usize> = 345..476;
const STAR_ACCESSED: Range<usize> = 476..488;
const STAR_CHANGED: Range<usize> = 488..500;
const STAR_TRAILER: Range<usize> = 508..512;
const GNU_ACCESSED: Range<usize> = 345..357;
const GNU_CHANGED: Range<usize> = 357..369;

/// The file type bits of a mode, and the value that means a directory.
const FORMAT_MASK: i64 = !0o7777;
const FORMAT_DIRECTORY: i64 = 0o040_000;

/// What follows a header, by its type byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryKind {
    /// Contents. The bytes of unknown types are contents too, as Go has it.
    File,
    /// Written by tar versions before POSIX: a directory when its name ends in a slash.
    LegacyFile,
    /// Nothing: a directory.
    Directory,
    /// Nothing, whatever the size says: links and devices.
    Empty,
    /// PAX records for the next entry.
    Records,
    /// PAX records for all entries, which Helm skips.
    GlobalRecords,
    /// The name of the next entry.
    LongName,
    /// The link target of the next entry.
    LongLink,
    /// A file with holes.
    Sparse,
}

/// What Helm reads of a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) name: Vec<u8>,
    pub(super) size: u64,
    pub(super) kind: EntryKind,
    has_directory_mode: bool,
}

impl Header {
    /// Decodes a header; returns `None` when the checksum or any number in it is wrong.
    pub(super) fn decode(block: &Block) -> Option<Self> {
        let written = octal(&block[CHECKSUM])?;
        if written != unsigned_checksum(block) && written != signed_checksum(block) {
            return None;
        }
        let kind = EntryKind::of(block[TYPE]);
        let size = match u64::try_from(number(&block[SIZE])?) {
            Ok(size) => size,
            Err(_) if kind.is_header_only() => 0,
            Err(_) => return None,
        };
        let mode = number(&block[MODE])?;
        for field in [USER, GROUP, MODIFIED] {
            number(&block[field])?;
        }
        let mut name = text(&block[NAME]).to_vec();
        let prefix = prefix(block)?;
        if !prefix.is_empty() {
            name = [prefix, b"/", &name].concat();
        }
        let has_directory_mode = mode & FORMAT_MASK == FORMAT_DIRECTORY;
        Some(Self { name, size, kind, has_directory_mode })
    }

    /// Returns whether Helm takes the entry, under its final `name`, for a directory.
    pub(super) fn is_directory(&self, name: &str) -> bool {
        match self.kind {
            EntryKind::Directory => true,
            EntryKind::LegacyFile => name.ends_with('/') || self.has_directory_mode,
            EntryKind::File
            | EntryKind::Empty
            | EntryKind::Records
            | EntryKind::GlobalRecords
            | EntryKind::LongName
            | EntryKind::LongLink
            | EntryKind::Sparse => self.has_directory_mode,
        }
    }
}

impl Header {
    /// Returns whether contents follow the entry under its final `name`. A legacy directory has none, whatever its
    /// header says: taking them for some would hide the entries that Helm finds there.
    pub(super) fn has_contents(&self, name: &str) -> bool {
        let is_legacy_directory = self.kind == EntryKind::LegacyFile && name.ends_with('/');
        !is_legacy_directory && !self.kind.is_header_only()
    }
}

impl EntryKind {
    fn of(byte: u8) -> Self {
        match byte {
            0 => Self::LegacyFile,
            b'1' | b'2' | b'3' | b'4' | b'6' => Self::Empty,
            b'5' => Self::Directory,
            b'x' => Self::Records,
            b'g' => Self::GlobalRecords,
            b'L' => Self::LongName,
            b'K' => Self::LongLink,
            b'S' => Self::Sparse,
            _ => Self::File,
        }
    }

    /// Returns whether no contents follow, whatever size the header gives.
    pub(super) fn is_header_only(self) -> bool {
        match self {
            Self::Directory | Self::Empty => true,
            Self::File
            | Self::LegacyFile
            | Self::Records
            | Self::GlobalRecords
            | Self::LongName
            | Self::LongLink
            | Self::Sparse => false,
        }
    }
}

/// Returns the USTAR header of a file or, with type `x`, of the PAX records before one: mode 0644 (0 for
/// records, which have no device either), owner 0, no owner names. `name` is cut to 100 bytes, so a longer one needs `prefix` or records.
pub(crate) fn encode(type_byte: u8, prefix: &str, name: &str, size: u64, modified_seconds: u64) -> Block {
    let mut block = [0; BLOCK_BYTES];
    put_text(&mut block[NAME], name);
    put_octal(&mut block[MODE], if type_byte == b'0' { 0o644 } else { 0 });
    put_octal(&mut block[USER], 0);
    put_octal(&mut block[GROUP], 0);
    put_octal(&mut block[SIZE], size);
    put_octal(&mut block[MODIFIED], modified_seconds);
    block[TYPE] = type_byte;
    put_text(&mut block[MAGIC], "ustar");
    put_text(&mut block[VERSION], "00");
    if type_byte == b'0' {
        put_octal(&mut block[DEVICE_MAJOR], 0);
        put_octal(&mut block[DEVICE_MINOR], 0);
    }
    put_text(&mut block[PREFIX], prefix);
    let checksum = unsigned_checksum(&block).unsigned_abs();
    // Six digits, a NUL, a space: the checksum's own form.
    put_octal(&mut block[CHECKSUM.start..CHECKSUM.end - 1], checksum);
    block[CHECKSUM.end - 1] = b' ';
    block
}

/// The largest number that eleven octal digits hold: the bound of USTAR sizes and times.
pub(super) const LARGEST_OCTAL: u64 = 0o777_7777_7777;

/// Returns the part of the name kept in the prefix field, empty when the format has none; `None` when a
/// number of the format's own fields is wrong.
fn prefix(block: &Block) -> Option<&[u8]> {
    let is_ustar = &block[MAGIC] == b"ustar\0";
    let is_gnu = &block[MAGIC] == b"ustar " && &block[VERSION] == b" \0";
    if !is_ustar && !is_gnu {
        return Some(b"");
    }
    number(&block[DEVICE_MAJOR])?;
    number(&block[DEVICE_MINOR])?;
    if is_gnu {
        return Some(mistaken_gnu_prefix(block));
    }
    if &block[STAR_TRAILER] != b"tar\0" {
        return Some(text(&block[PREFIX]));
    }
    number(&block[STAR_ACCESSED])?;
    number(&block[STAR_CHANGED])?;
    Some(text(&block[STAR_PREFIX]))
}

/// Returns what Go before 1.8 wrote as a prefix over the GNU format's two times: recognised, as Go does today, by
/// one of them being no number.
fn mistaken_gnu_prefix(block: &Block) -> &[u8] {
    let is_number = |field: &[u8]| field.first() == Some(&0) || number(field).is_some();
    let prefix = text(&block[PREFIX]);
    if is_number(&block[GNU_ACCESSED]) && is_number(&block[GNU_CHANGED]) || !prefix.is_ascii() {
        return b"";
    }
    prefix
}

/// Returns a field up to its first NUL.
fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// Returns a numeric field: octal digits, or two's complement bytes when its first bit is set.
fn number(field: &[u8]) -> Option<i64> {
    let Some((first, rest)) = field.split_first() else { return Some(0) };
    if first & 0x80 == 0 {
        return octal(field);
    }
    let inversion = if first & 0x40 == 0 { 0x00 } else { 0xff };
    let mut value = u64::from((first ^ inversion) & 0x7f);
    for byte in rest {
        if value >> 56 != 0 {
            return None;
        }
        value = value << 8 | u64::from(byte ^ inversion);
    }
    let value = i64::try_from(value).ok()?;
    Some(if inversion == 0 { value } else { !value })
}

/// Returns an octal field, padded with spaces and NULs on either side; an empty one is zero.
fn octal(field: &[u8]) -> Option<i64> {
    let is_padding = |byte: &u8| matches!(byte, b' ' | 0);
    let Some(first) = field.iter().position(|byte| !is_padding(byte)) else { return Some(0) };
    let last = field.iter().rposition(|byte| !is_padding(byte))?;
    let digits = text(field.get(first..=last)?);
    if !digits.iter().all(|byte| matches!(byte, b'0'..=b'7')) {
        return None;
    }
    let value = u64::from_str_radix(str::from_utf8(digits).ok()?, 8).ok()?;
    i64::try_from(value).ok()
}

/// Returns the sum of all bytes, with the checksum field taken as spaces.
fn unsigned_checksum(block: &Block) -> i64 {
    checksum(block, i64::from)
}

/// Returns the sum that some old tars wrote, with bytes taken as signed.
fn signed_checksum(block: &Block) -> i64 {
    checksum(block, |byte| i64::from(byte as i8))
}

fn checksum(block: &Block, value: impl Fn(u8) -> i64) -> i64 {
    let bytes = block.iter().enumerate();
    bytes.map(|(position, byte)| if CHECKSUM.contains(&position) { value(b' ') } else { value(*byte) }).sum()
}

fn put_text(field: &mut [u8], text: &str) {
    for (slot, byte) in field.iter_mut().zip(text.bytes()) {
        *slot = byte;
    }
}

/// Fills a field with leading zeros and a closing NUL.
fn put_octal(field: &mut [u8], value: u64) {
    let width = field.len().saturating_sub(1);
    put_text(field, &format!("{value:0width$o}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes `bytes` over a field and corrects the checksum.
    fn patched(field: Range<usize>, bytes: &[u8]) -> Block {
        let mut block = encode(b'0', "", "chart/Chart.yaml", 5, 9);
        block[field.start..field.start + bytes.len()].copy_from_slice(bytes);
        let checksum = format!("{:06o}\0 ", unsigned_checksum(&block));
        block[CHECKSUM].copy_from_slice(checksum.as_bytes());
        block
    }

    #[test]
    fn an_encoded_header_decodes_to_itself() {
        let header =
            Header::decode(&encode(b'0', "chart/templates", "a.yaml", 12_345, 1_700_000_000)).unwrap();
        assert_eq!(header.name, b"chart/templates/a.yaml");
        assert_eq!(header.size, 12_345);
        assert_eq!(header.kind, EntryKind::File);
        assert!(!header.is_directory("chart/templates/a.yaml"));
    }

    #[test]
    fn sizes_are_octal_or_binary() {
        for (bytes, size) in [
            (&b"00000000012\0"[..], Some(10)),
            (b"         12 ", Some(10)),
            (b"12\0\0\0\0\0\0\0\0\0\0", Some(10)),
            (b"\0\0\0\0\0\0\0\0\0\0\0\0", Some(0)),
            (b"\x80\0\0\0\0\0\0\0\0\0\x01\0", Some(256)),
            (b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", Some(i64::MAX as u64)),
            (b"\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff", None),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", None),
            (b"0000000001x\0", None),
            (b"+0000000001\0", None),
            (b"-0000000001\0", None),
            (b"00000000009\0", None),
        ] {
            assert_eq!(Header::decode(&patched(SIZE, bytes)).map(|header| header.size), size, "{bytes:?}");
        }
    }

    #[test]
    fn a_wrong_checksum_or_number_is_no_header() {
        let mut block = encode(b'0', "", "a", 0, 0);
        block[3] = b'x';
        assert_eq!(Header::decode(&block), None);
        for field in [MODE, USER, GROUP, MODIFIED, DEVICE_MAJOR, DEVICE_MINOR] {
            assert_eq!(Header::decode(&patched(field.clone(), b"zz")), None, "{field:?}");
        }
    }

    #[test]
    fn directories_are_known_by_type_mode_or_legacy_slash() {
        let kind = |byte: u8| Header::decode(&patched(TYPE..TYPE + 1, &[byte])).unwrap();
        assert!(kind(b'5').is_directory("a"));
        assert!(kind(0).is_directory("a/"));
        assert!(!kind(0).is_directory("a"));
        assert!(!kind(b'0').is_directory("a/"));
        assert!(Header::decode(&patched(MODE, b"0040755\0")).unwrap().is_directory("a"));
    }

    #[test]
    fn prefixes_belong_to_ustar() {
        let mut block = patched(PREFIX, b"prefix");
        assert_eq!(Header::decode(&block).unwrap().name, b"prefix/chart/Chart.yaml");
        block = patched(PREFIX, b"");
        block[PREFIX.start..PREFIX.start + 6].copy_from_slice(b"prefix");
        block[MAGIC.start..VERSION.end].copy_from_slice(b"ustar  \0");
        let checksum = format!("{:06o}\0 ", unsigned_checksum(&block));
        block[CHECKSUM].copy_from_slice(checksum.as_bytes());
        assert_eq!(
            Header::decode(&block).unwrap().name,
            b"prefix/chart/Chart.yaml",
            "as Go before 1.8 wrote it"
        );
        block[PREFIX.start..PREFIX.start + 6].copy_from_slice(b"123456");
        let checksum = format!("{:06o}\0 ", unsigned_checksum(&block));
        block[CHECKSUM].copy_from_slice(checksum.as_bytes());
        assert_eq!(Header::decode(&block).unwrap().name, b"chart/Chart.yaml", "a time");
    }
}
