//! Reads what a layer's tar file holds: ustar with POSIX and GNU extensions, as Go, GNU tar and Perl write them.
//!
//! Extended records are read by their lengths: the value of a file capability may hold any byte.

use std::collections::BTreeMap;
use std::io::Read;

use tar::{Archive, EntryType, Header};

use super::entry::{LayerEntry, Substance};

/// How the names of records of extended attributes begin.
const ATTRIBUTE: &[u8] = b"SCHILY.xattr.";

/// What is said of an entry before it comes.
#[derive(Default)]
struct Ahead {
    records: BTreeMap<Vec<u8>, Vec<u8>>,
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
}

/// Reads all entries of an uncompressed tar stream.
///
/// # Errors
/// What is wrong, for people.
pub(in crate::image_build) fn read_entries(stream: &mut dyn Read) -> Result<Vec<LayerEntry>, String> {
    let mut archive = Archive::new(stream);
    let mut entries = Vec::new();
    let mut ahead = Ahead::default();
    for entry in archive.entries().map_err(told)?.raw(true) {
        let mut entry = entry.map_err(told)?;
        let kind = entry.header().entry_type();
        let mut content = Vec::new();
        if kind.is_pax_local_extensions() || kind.is_gnu_longname() || kind.is_gnu_longlink() {
            entry.read_to_end(&mut content).map_err(told)?;
        }
        match kind {
            EntryType::XHeader => ahead.records = read_records(&content)?,
            EntryType::GNULongName => ahead.path = Some(without_end(content)),
            EntryType::GNULongLink => ahead.link = Some(without_end(content)),
            // It says of all that follows what this program says of all itself.
            EntryType::XGlobalHeader => {}
            _ => entries.push(read_entry(
                entry.header(),
                entry.raw_file_position(),
                std::mem::take(&mut ahead),
            )?),
        }
    }
    Ok(entries)
}

fn read_entry(header: &Header, offset: u64, mut ahead: Ahead) -> Result<LayerEntry, String> {
    let own_path = || header.path_bytes().into_owned();
    let path = ahead.records.remove(b"path".as_slice()).or(ahead.path).unwrap_or_else(own_path);
    let own_link = || header.link_name_bytes().map(|link| link.into_owned());
    let link =
        ahead.records.remove(b"linkpath".as_slice()).or(ahead.link).or_else(own_link).unwrap_or_default();
    let substance = match header.entry_type() {
        EntryType::Directory => Substance::Folder,
        EntryType::Regular | EntryType::Continuous => {
            Substance::File { offset, size: header.entry_size().map_err(told)? }
        }
        EntryType::Symlink => Substance::Symlink(link),
        EntryType::Link => Substance::HardLink(plain(&link)),
        EntryType::Fifo => Substance::Pipe,
        EntryType::Char | EntryType::Block => Substance::Device,
        other => return Err(format!("`{}` is of the type `{other:?}`", String::from_utf8_lossy(&path))),
    };
    let number = |name: &[u8], own: std::io::Result<u64>| match ahead.records.get(name) {
        Some(text) => {
            str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or("a number is none".to_owned())
        }
        None => own.map_err(told),
    };
    if ahead.records.contains_key(b"size".as_slice()) {
        return Err(format!("`{}` is larger than 8 GiB", String::from_utf8_lossy(&path)));
    }
    let user = number(b"uid", header.uid())?;
    let group = number(b"gid", header.gid())?;
    let attributes = ahead
        .records
        .into_iter()
        .filter_map(|(name, value)| name.strip_prefix(ATTRIBUTE).map(|name| (name.to_vec(), value)));
    let mode = header.mode().map_err(told)? & 0o7777;
    Ok(LayerEntry { path: plain(&path), substance, mode, user, group, attributes: attributes.collect() })
}

/// Reads `LENGTH NAME=VALUE\n` records (POSIX pax, "Extended Header").
fn read_records(mut bytes: &[u8]) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, String> {
    let mut records = BTreeMap::new();
    while !bytes.is_empty() {
        let (record, rest) = split_record(bytes).ok_or("an extended record has a wrong length")?;
        let middle = record.iter().position(|byte| *byte == b'=').ok_or("an extended record has no value")?;
        let (name, value) = record.split_at(middle);
        records.insert(name.to_vec(), value.get(1..).unwrap_or_default().to_vec());
        bytes = rest;
    }
    Ok(records)
}

fn split_record(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = bytes.iter().position(|byte| *byte == b' ')?;
    let length: usize = str::from_utf8(bytes.get(..space)?).ok()?.parse().ok()?;
    let record = bytes.get(space + 1..length.checked_sub(1)?)?;
    Some((record, bytes.get(length..)?))
}

fn without_end(mut name: Vec<u8>) -> Vec<u8> {
    while name.last() == Some(&0) {
        name.pop();
    }
    name
}

/// Returns a path without `./` or `/` before it and `/` behind it.
fn plain(path: &[u8]) -> Vec<u8> {
    let parts = path.split(|byte| *byte == b'/').filter(|part| !part.is_empty() && *part != b".");
    parts.collect::<Vec<_>>().join(&b'/')
}

fn told(reason: std::io::Error) -> String {
    reason.to_string()
}
