//! Writes entries of a layer: ustar, with extended records only where ustar has no room (POSIX pax).

use std::io::{self, Write};

use tar::{EntryType, Header};

use super::entry::{LayerEntry, Substance};

const BLOCK: u64 = 512;
/// What fits into the name fields of a header.
const NAME_BYTES: usize = 100;

/// Writes all of an entry but a file's bytes.
pub(super) fn write_head(sink: &mut dyn Write, entry: &LayerEntry, modified_seconds: u64) -> io::Result<()> {
    let mut path = entry.path.clone();
    if entry.substance == Substance::Folder {
        if path.is_empty() {
            path.push(b'.');
        }
        path.push(b'/');
    }
    let link = match &entry.substance {
        Substance::Symlink(target) | Substance::HardLink(target) => target.as_slice(),
        Substance::Folder | Substance::File { .. } | Substance::Pipe | Substance::Device => &[],
    };
    let records = records_of(entry, &path, link);
    if !records.is_empty() {
        let mut header = header_of(EntryType::XHeader, b"extended", &[], modified_seconds)?;
        header.set_size(records.len() as u64);
        header.set_cksum();
        sink.write_all(header.as_bytes())?;
        sink.write_all(&records)?;
        write_padding(sink, records.len() as u64)?;
    }
    let (kind, size) = match entry.substance {
        Substance::Folder => (EntryType::Directory, 0),
        Substance::File { size, .. } => (EntryType::Regular, size),
        Substance::Symlink(_) => (EntryType::Symlink, 0),
        Substance::HardLink(_) => (EntryType::Link, 0),
        Substance::Pipe => (EntryType::Fifo, 0),
        Substance::Device => return Err(io::Error::other("a device node has no place in a layer")),
    };
    let mut header = header_of(kind, &path, link, modified_seconds)?;
    header.set_mode(entry.mode);
    header.set_uid(entry.user);
    header.set_gid(entry.group);
    header.set_size(size);
    header.set_cksum();
    sink.write_all(header.as_bytes())
}

/// Fills the last block of some content.
pub(super) fn write_padding(sink: &mut dyn Write, size: u64) -> io::Result<()> {
    let rest = usize::try_from((BLOCK - size % BLOCK) % BLOCK).unwrap_or_default();
    sink.write_all([0; 512].get(..rest).unwrap_or_default())
}

/// Writes what ends an archive.
pub(super) fn write_end(sink: &mut dyn Write) -> io::Result<()> {
    sink.write_all(&[0; 1024])
}

fn header_of(kind: EntryType, path: &[u8], link: &[u8], modified_seconds: u64) -> io::Result<Header> {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(modified_seconds);
    let fields = header.as_ustar_mut().ok_or_else(|| io::Error::other("no ustar header"))?;
    // What is too long stands whole in a record before; readers without records get its beginning.
    for (field, text) in [(&mut fields.name, path), (&mut fields.linkname, link)] {
        field.iter_mut().zip(text.iter().take(NAME_BYTES)).for_each(|(place, byte)| *place = *byte);
    }
    Ok(header)
}

fn records_of(entry: &LayerEntry, path: &[u8], link: &[u8]) -> Vec<u8> {
    let mut records = Vec::new();
    for (name, value) in &entry.attributes {
        records.extend(record([b"SCHILY.xattr.", name.as_slice()].concat().as_slice(), value));
    }
    for (name, text) in [(b"linkpath".as_slice(), link), (b"path".as_slice(), path)] {
        if text.len() > NAME_BYTES || !text.is_ascii() {
            records.extend(record(name, text));
        }
    }
    records
}

/// Returns `LENGTH NAME=VALUE\n`, where the length counts its own digits.
fn record(name: &[u8], value: &[u8]) -> Vec<u8> {
    let rest = name.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    [length.to_string().as_bytes(), b" ", name, b"=", value, b"\n"].concat()
}
