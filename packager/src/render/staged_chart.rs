//! A chart laid out for helm: written to a temporary folder when the first rendering needs it, rendered from there many
//! times.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use chart::ChartMetadata;
use chart::archive::{
    ArchiveError, ArchiveFile, ChartArchive, Limits, PackError, PackOptions, PackedChart, pack_files,
};
use oci::{Algorithm, Digest, Digester};
use serde_json::{Map, Value};
use tempfile::TempDir;

use super::chart_values::values_of;
use super::fixed_keys::with_fixed_keys;
use super::scope::Scopes;

/// A chart in memory, and on disk once helm has to read it.
#[derive(Debug)]
pub(crate) struct StagedChart {
    unpacked: Mutex<Option<TempDir>>,
    digest: Digest,
    metadata: ChartMetadata,
    files: Vec<ArchiveFile>,
    values: Map<String, Value>,
}

/// Why a chart cannot be laid out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StageError {
    /// A file cannot be written.
    #[error("cannot unpack the chart to `{path}`: {reason}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        reason: io::Error,
    },
    /// The files are no chart.
    #[error("the files are no chart that Helm would load: {0}")]
    Pack(#[from] Box<PackError>),
    /// The packed files do not load.
    #[error("the files are no chart that Helm would load: {0}")]
    Archive(#[from] Box<ArchiveError>),
}

impl StagedChart {
    /// Takes a chart's files, and takes packed subcharts among them apart.
    ///
    /// # Errors
    /// [`StageError`] for files that are no chart.
    pub(crate) fn new(files: Vec<ArchiveFile>) -> Result<Self, StageError> {
        // Packing takes packed subcharts apart and puts every file in one order, on which the digest rests.
        let packed = pack_files(files, &PackOptions { modified_seconds: 0 }).map_err(Box::new)?;
        let archive = ChartArchive::read(packed.bytes.as_slice(), &Limits::default()).map_err(Box::new)?;
        let metadata = archive.metadata().clone();
        let files = archive.into_files();
        let values = values_of(&files, &metadata);
        Ok(Self { unpacked: Mutex::default(), digest: digest_of(&files), metadata, files, values })
    }

    /// Takes the files of this chart with other templates, or fewer: no rule for charts looks into these, so nothing is
    /// packed and read again.
    fn with_templates_of(&self, files: Vec<ArchiveFile>) -> Self {
        Self {
            unpacked: Mutex::default(),
            digest: digest_of(&files),
            metadata: self.metadata.clone(),
            files,
            values: self.values.clone(),
        }
    }

    /// Lays out a chart that was packed.
    ///
    /// # Errors
    /// [`StageError`] as [`Self::new`].
    pub(crate) fn of_packed(packed: &PackedChart) -> Result<Self, StageError> {
        let archive = ChartArchive::read(packed.bytes.as_slice(), &Limits::default()).map_err(Box::new)?;
        Self::new(archive.into_files())
    }

    /// Returns the folder that holds `Chart.yaml`; the first call writes it. Making a thousand files takes seconds, which
    /// nobody has to wait for where every rendering is known from before.
    ///
    /// # Errors
    /// [`StageError::Write`] when it cannot be written.
    pub(crate) fn folder(&self) -> Result<PathBuf, StageError> {
        let mut unpacked = self.unpacked.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = match &mut *unpacked {
            Some(folder) => folder,
            none @ None => none.insert(self.unpack()?),
        };
        Ok(self.root_in(folder))
    }

    fn root_in(&self, folder: &TempDir) -> PathBuf {
        folder.path().join(self.metadata.name.as_str())
    }

    fn unpack(&self) -> Result<TempDir, StageError> {
        let failed = |path: &Path, reason| StageError::Write { path: path.to_owned(), reason };
        let folder =
            TempDir::with_prefix("chartpack-").map_err(|reason| failed(Path::new("/tmp"), reason))?;
        let root = self.root_in(&folder);
        for file in &self.files {
            let path = root.join(&file.path);
            let parent = path.parent().unwrap_or(&root);
            fs::create_dir_all(parent).map_err(|reason| failed(parent, reason))?;
            fs::write(&path, &file.bytes).map_err(|reason| failed(&path, reason))?;
        }
        Ok(folder)
    }

    /// Returns the digest of the files; it does not depend on how the chart was packed.
    pub(crate) fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Returns what `Chart.yaml` says.
    pub(crate) fn metadata(&self) -> &ChartMetadata {
        &self.metadata
    }

    /// Returns all files, those of subcharts included.
    pub(crate) fn files(&self) -> &[ArchiveFile] {
        &self.files
    }

    /// Returns a file's text; nothing when it is not there or not UTF-8.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        let file = self.files.iter().find(|file| file.path == path)?;
        str::from_utf8(&file.bytes).ok()
    }

    /// Returns the values of the chart with those of its subcharts below their names.
    pub(crate) fn values(&self) -> &Map<String, Value> {
        &self.values
    }

    /// Returns where the values of each of its charts stand.
    pub(crate) fn scopes(&self) -> Scopes {
        Scopes::of_chart(&self.files, &self.metadata)
    }

    /// Returns the chart with fixed texts in place of keys and certificates that its templates would make; nothing
    /// when they make none.
    pub(crate) fn with_fixed_keys(&self) -> Option<Self> {
        with_fixed_keys(&self.files).map(|files| self.with_templates_of(files))
    }

    /// Returns the chart without some of its templates.
    pub(crate) fn without(&self, templates: &[String]) -> Self {
        let files = self.files.iter().filter(|file| !templates.contains(&file.path));
        self.with_templates_of(files.cloned().collect())
    }
}

/// Returns a digest of files in their order, in which the length of each path and each file is told.
fn digest_of(files: &[ArchiveFile]) -> Digest {
    let mut digester = Digester::new(Algorithm::Sha256);
    for ArchiveFile { path, bytes } in files {
        for part in [path.as_bytes(), bytes] {
            digester.update(&part.len().to_le_bytes());
            digester.update(part);
        }
    }
    digester.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> ArchiveFile {
        ArchiveFile { path: path.to_owned(), bytes: text.as_bytes().to_vec() }
    }

    fn of(files: &[ArchiveFile]) -> StagedChart {
        StagedChart::new(files.to_vec()).unwrap()
    }

    #[test]
    fn a_chart_with_other_templates_is_the_one_that_is_made_of_these_files() {
        let common = [
            file("values.yaml", "a: 1\n"),
            file("Chart.yaml", "apiVersion: v2\nname: a\nversion: 1.0.0\n"),
            file("templates/a.yaml", "a: {{ .Values.a }}\n"),
        ];
        let chart_with = |template: &str| of(&[&common[..], &[file("templates/b.yaml", template)]].concat());
        let (chart, fixed) = (
            chart_with("b: {{ uuidv4 }}\n"),
            chart_with("b: {{ \"00000000-0000-4000-8000-000000000000\" }}\n"),
        );
        let made = [
            (chart.without(&["templates/b.yaml".to_owned()]), of(&common)),
            (chart.with_fixed_keys().unwrap(), fixed),
        ];
        for (made, expected) in &made {
            assert_eq!(made.digest(), expected.digest());
            assert_eq!((made.values(), made.files()), (expected.values(), expected.files()));
        }
        assert_ne!(made[0].0.digest(), chart.digest());
    }

    #[test]
    fn where_a_file_ends_counts() {
        let chart = |first: &str, second: &str| {
            of(&[
                file("Chart.yaml", "apiVersion: v2\nname: a\nversion: 1.0.0\n"),
                file("x", first),
                file("y", second),
            ])
        };
        assert_ne!(chart("ab", "c").digest(), chart("a", "bc").digest());
    }
}
