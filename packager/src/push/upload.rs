//! An archive on its way: read and checked here first, by the rules that the server has.

use std::fs::{self, File};
use std::io::{self, Seek};
use std::path::{Path, PathBuf};

use chart::archive::{ArchiveError, ChartArchive, Limits, file_name};
use chart::{ChartName, ChartVersion, InvalidProvenance, Provenance, ProvenanceMismatch};
use oci::{Algorithm, Digest, Digester};

/// An archive that may be sent.
#[derive(Debug, Clone)]
pub(crate) struct Upload {
    /// The file.
    pub(crate) path: PathBuf,
    /// The chart's name.
    pub(crate) name: ChartName,
    /// The chart's version.
    pub(crate) version: ChartVersion,
    /// The digest of the file.
    pub(crate) digest: Digest,
    /// The length of the file.
    pub(crate) size_bytes: u64,
    /// The provenance file beside it.
    pub(crate) provenance: Option<Vec<u8>>,
}

/// Why an archive is not sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidUpload {
    /// The file cannot be read.
    #[error("cannot read `{path}`: {reason}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        reason: io::Error,
    },
    /// The file is no chart archive.
    #[error("`{path}` is not a chart archive that Helm would load: {problem}")]
    Archive {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        problem: Box<ArchiveError>,
    },
    /// The file beside it is no provenance.
    #[error("`{path}` is not a provenance file: {problem}; sign the archive again or move the file away")]
    Provenance {
        /// The provenance file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        problem: InvalidProvenance,
    },
    /// The provenance is of other bytes.
    #[error(
        "`{path}` does not belong to this archive: {problem}; sign the archive again or move the file away"
    )]
    OtherProvenance {
        /// The provenance file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        problem: ProvenanceMismatch,
    },
}

impl Upload {
    /// Reads and checks the archive at `path` and the provenance beside it. The archive itself is not kept in
    /// memory.
    ///
    /// # Errors
    /// [`InvalidUpload`] naming the file.
    pub(crate) fn read(path: &Path) -> Result<Self, InvalidUpload> {
        let unreadable = |reason| InvalidUpload::Unreadable { path: path.to_owned(), reason };
        let mut file = File::open(path).map_err(unreadable)?;
        let mut digesting = Digesting { digester: Digester::new(Algorithm::Sha256) };
        let size_bytes = io::copy(&mut file, &mut digesting).map_err(unreadable)?;
        file.rewind().map_err(unreadable)?;
        let metadata = ChartArchive::inspect(io::BufReader::new(file), &Limits::default())
            .map_err(|problem| InvalidUpload::Archive { path: path.to_owned(), problem: problem.into() })?;
        let digest = digesting.digester.finish();
        let provenance = read_provenance(path, &file_name(&metadata.name, &metadata.version), &digest)?;
        Ok(Self {
            path: path.to_owned(),
            name: metadata.name,
            version: metadata.version,
            digest,
            size_bytes,
            provenance,
        })
    }
}

fn read_provenance(
    archive: &Path,
    file_name: &str,
    digest: &Digest,
) -> Result<Option<Vec<u8>>, InvalidUpload> {
    let mut path = archive.as_os_str().to_owned();
    path.push(".prov");
    let path = PathBuf::from(path);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(reason) if reason.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(reason) => return Err(InvalidUpload::Unreadable { path, reason }),
    };
    let provenance = match Provenance::parse(&bytes) {
        Ok(provenance) => provenance,
        Err(problem) => return Err(InvalidUpload::Provenance { path, problem }),
    };
    match provenance.covers(file_name, digest) {
        Ok(()) => Ok(Some(bytes)),
        Err(problem) => Err(InvalidUpload::OtherProvenance { path, problem }),
    }
}

struct Digesting {
    digester: Digester,
}

impl io::Write for Digesting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.digester.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use chart::testing::{ChartBuilder, provenance_text};

    use super::*;

    #[test]
    fn an_archive_is_read_with_the_provenance_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a-1.0.0.tgz");
        let bytes = ChartBuilder::new("a", "1.0.0").build();
        fs::write(&path, &bytes).unwrap();
        let upload = Upload::read(&path).unwrap();
        assert_eq!((upload.name.as_str(), upload.version.as_str()), ("a", "1.0.0"));
        assert_eq!((upload.digest, upload.size_bytes), (Digest::sha256(&bytes), bytes.len() as u64));
        assert_eq!(upload.provenance, None);
        let signed = provenance_text("a", "1.0.0", "a-1.0.0.tgz", &bytes);
        fs::write(folder.path().join("a-1.0.0.tgz.prov"), &signed).unwrap();
        assert_eq!(Upload::read(&path).unwrap().provenance, Some(signed.into_bytes()));
    }

    #[test]
    fn provenance_of_other_bytes_is_refused_before_anything_is_sent() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a-1.0.0.tgz");
        fs::write(&path, ChartBuilder::new("a", "1.0.0").build()).unwrap();
        let prov = folder.path().join("a-1.0.0.tgz.prov");
        fs::write(&prov, provenance_text("a", "1.0.0", "a-1.0.0.tgz", b"other")).unwrap();
        assert!(matches!(Upload::read(&path), Err(InvalidUpload::OtherProvenance { .. })));
        fs::write(&prov, "no provenance").unwrap();
        assert!(matches!(Upload::read(&path), Err(InvalidUpload::Provenance { .. })));
    }

    #[test]
    fn what_helm_would_not_load_is_refused_before_anything_is_sent() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tgz");
        fs::write(&path, "no archive").unwrap();
        assert!(matches!(Upload::read(&path), Err(InvalidUpload::Archive { .. })));
        assert!(matches!(
            Upload::read(folder.path().join("b.tgz").as_path()),
            Err(InvalidUpload::Unreadable { .. })
        ));
    }
}
