//! A chart's folder as one file of the vault: a plain tar, sorted, without owners, times and modes.
//!
//! The same files give the same bytes; what reads back is exactly what was written.

use std::io::{self, Read};

use chart::archive::{ArchiveError, ArchiveFile, ChartArchive, Limits, path_below_base};
use tar::{EntryType, Header};

/// What a gzip member begins with: an archive, not a snapshot.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Why bytes of the vault are no chart.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidSnapshot {
    /// It is no archive that Helm would load.
    #[error("it is no chart archive that Helm would load: {0}")]
    Archive(#[from] Box<ArchiveError>),
    /// It is no tar.
    #[error("it is neither an archive nor a tar of a folder: {0}")]
    Tar(#[from] io::Error),
    /// A path that leads elsewhere.
    #[error("it holds `{0}`, which is no path inside a chart")]
    Path(String),
    /// It is larger than a chart may be.
    #[error("it has more than {limit} bytes, which no chart has")]
    TooLarge {
        /// Bytes allowed.
        limit: u64,
    },
}

/// Returns the snapshot of `files`.
///
/// # Errors
/// The system's; memory does not fail.
pub(crate) fn write_snapshot(files: &[ArchiveFile]) -> io::Result<Vec<u8>> {
    let mut sorted: Vec<&ArchiveFile> = files.iter().collect();
    sorted.sort_by(|one, other| one.path.cmp(&other.path));
    let mut builder = tar::Builder::new(Vec::new());
    for file in sorted {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_size(file.bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, &file.path, file.bytes.as_slice())?;
    }
    builder.into_inner()
}

/// Returns the files of a chart as the vault keeps it: the archive that was fetched, or the snapshot of a folder.
///
/// # Errors
/// [`InvalidSnapshot`].
pub(crate) fn read_chart(bytes: &[u8]) -> Result<Vec<ArchiveFile>, InvalidSnapshot> {
    if bytes.starts_with(&GZIP) {
        let archive = ChartArchive::read(bytes, &Limits::default()).map_err(Box::new)?;
        return Ok(archive.into_files());
    }
    let limit = Limits::default().unpacked_bytes;
    if bytes.len() as u64 > limit.saturating_mul(2) {
        return Err(InvalidSnapshot::TooLarge { limit });
    }
    let mut files = Vec::new();
    for entry in tar::Archive::new(bytes).entries()? {
        let mut entry = entry?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let is_clean = path_below_base(&format!("chart/{path}")).is_ok_and(|clean| clean == path);
        if !is_clean || entry.header().entry_type() != EntryType::Regular {
            return Err(InvalidSnapshot::Path(path));
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        files.push(ArchiveFile { path, bytes });
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use chart::testing::ChartBuilder;

    use super::*;

    fn file(path: &str, bytes: &[u8]) -> ArchiveFile {
        ArchiveFile { path: path.to_owned(), bytes: bytes.to_vec() }
    }

    #[test]
    fn order_does_not_matter_and_everything_comes_back() {
        let long = format!("templates/{}.yaml", "long/".repeat(40) + "x");
        let files =
            [file("Chart.yaml", b"name: a\n"), file(&long, b""), file("charts/b.tgz", &[0, 159, 146])];
        let mut turned = files.clone();
        turned.reverse();
        let snapshot = write_snapshot(&files).unwrap();
        assert_eq!(snapshot, write_snapshot(&turned).unwrap());
        let mut back = read_chart(&snapshot).unwrap();
        back.sort_by_key(|file| files.iter().position(|other| other.path == file.path));
        assert_eq!(back, files);
    }

    #[test]
    fn archives_are_read_and_other_bytes_refused() {
        let archive = ChartBuilder::new("a", "1.0.0").build();
        assert_eq!(read_chart(&archive).unwrap().first().unwrap().path, "Chart.yaml");
        assert!(matches!(read_chart(b"no tar at all"), Err(InvalidSnapshot::Tar(_))));
        assert!(matches!(read_chart(&[0x1f, 0x8b, 0]), Err(InvalidSnapshot::Archive(_))));
    }
}
