//! The catalog written down: one compressed part per table, taken at one moment, kept in a folder that goes away.
//!
//! A backup sends these files away, a restore fetches them, moving house only carries them across.

mod part;

use std::path::{Path, PathBuf};

use oci::Digest;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use self::part::{PartReader, PartWriter};
use crate::blobs::BlobKey;
use crate::catalog::{Catalog, CatalogError, Cell, DumpError, Dumped, LoadError, TABLES, Table};

/// The catalog as files.
#[derive(Debug)]
pub(crate) struct Transcript {
    folder: TempDir,
    parts: Vec<Part>,
}

/// One table as a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Part {
    /// The table.
    pub(crate) table: String,
    /// How many rows it has.
    pub(crate) rows: u64,
    /// How long the file is.
    pub(crate) size_bytes: u64,
    /// The file's digest.
    pub(crate) digest: Digest,
}

impl Part {
    /// Returns the file's name.
    pub(crate) fn file_name(&self) -> String {
        file_name(&self.table)
    }
}

fn file_name(table: &str) -> String {
    format!("{table}.jsonl.gz")
}

/// Stored bytes that the catalog refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KnownBlob {
    pub(crate) key: BlobKey,
    pub(crate) digest: Digest,
    pub(crate) size_bytes: u64,
}

/// How far a repository was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RepositoryRevision {
    /// Its path; empty for the default repository.
    pub(crate) path: String,
    /// Its last change.
    pub(crate) revision: i64,
}

/// How many blobs there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct BlobTotals {
    /// Blobs.
    pub(crate) count: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
}

/// Why the catalog was not written down, read back or filled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TranscriptError {
    /// The catalog to read does not answer.
    #[error("cannot read the catalog")]
    Catalog(#[source] CatalogError),
    /// The local disk did not take or give the files.
    #[error("cannot use the folder for intermediate files `{}`", .0.display())]
    Disk(PathBuf, #[source] std::io::Error),
    /// A file holds something else than rows.
    #[error("the part `{file}` is unreadable at line {line}: {reason}")]
    Unreadable {
        /// Its name.
        file: String,
        /// Where.
        line: u64,
        /// Why.
        reason: String,
    },
    /// A blob has a key that no Chartroom gives.
    #[error(
        "the blob {digest} lies at `{key}`: only a catalog of Chartroom's own layout is copied, a ChartMuseum folder is a \
         copy of itself"
    )]
    ForeignKey {
        /// The blob.
        digest: Digest,
        /// Its key.
        key: String,
    },
    /// The catalog to fill refused.
    #[error("cannot fill the catalog")]
    Load(#[source] LoadError),
}

impl Transcript {
    /// Makes an empty folder for parts in `spool`.
    ///
    /// # Errors
    /// [`TranscriptError::Disk`].
    pub(super) fn folder(spool: &Path) -> Result<TempDir, TranscriptError> {
        let made = std::fs::create_dir_all(spool)
            .and_then(|()| tempfile::Builder::new().prefix("transcript-").tempdir_in(spool));
        made.map_err(|error| TranscriptError::Disk(spool.to_owned(), error))
    }

    /// Takes parts that were put into a folder of [`Self::folder`] under their names.
    pub(super) fn of_parts(folder: TempDir, parts: Vec<Part>) -> Self {
        Self { folder, parts }
    }

    /// Writes the catalog down as it is at one moment, into a folder below `spool`.
    ///
    /// # Errors
    /// [`TranscriptError`] when the catalog does not answer or the disk does not take it.
    pub(super) async fn write(catalog: &Catalog, spool: &Path) -> Result<Self, TranscriptError> {
        let folder = Self::folder(spool)?;
        let mut parts = Vec::new();
        let mut open: Option<PartWriter> = None;
        let dumped = catalog.dump(|item| match item {
            Dumped::Table(table, columns) => {
                parts.extend(open.take().map(PartWriter::finish).transpose()?);
                let names = columns.iter().map(|column| column.name.as_str());
                open = Some(PartWriter::create(folder.path(), table, names)?);
                Ok(())
            }
            Dumped::Row(cells) => open.as_mut().map_or(Ok(()), |part| part.push(&cells)),
        });
        let disk = |error| TranscriptError::Disk(folder.path().to_owned(), error);
        dumped.await.map_err(|error| match error {
            DumpError::Catalog(error) => TranscriptError::Catalog(error),
            DumpError::Taker(error) => disk(error),
        })?;
        parts.extend(open.map(PartWriter::finish).transpose().map_err(disk)?);
        Ok(Self { folder, parts })
    }

    /// Returns the parts in the order in which they are to be loaded.
    pub(super) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Returns the file of a part.
    pub(super) fn path_of(&self, part: &Part) -> PathBuf {
        self.folder.path().join(part.file_name())
    }

    fn read(&self, table: &str) -> Result<PartReader, TranscriptError> {
        PartReader::open(&self.folder.path().join(file_name(table)))
    }

    /// Returns every blob in the order of its digest.
    ///
    /// # Errors
    /// [`TranscriptError`] when the part cannot be read; each blob may be an error too.
    pub(super) fn blobs(
        &self,
    ) -> Result<impl Iterator<Item = Result<KnownBlob, TranscriptError>> + use<>, TranscriptError> {
        let rows = self.read("blob")?;
        let (digest, size, key) =
            (rows.column("digest")?, rows.column("size_bytes")?, rows.column("storage_key")?);
        Ok(rows.map(move |row| {
            let row = row?;
            let digest: Digest = row.text(digest)?.parse().map_err(|_| row.odd("a digest"))?;
            let text = row.text(key)?;
            let key = BlobKey::addressed(text, &digest).ok_or_else(|| TranscriptError::ForeignKey {
                digest: digest.clone(),
                key: text.to_owned(),
            })?;
            Ok(KnownBlob { key, digest, size_bytes: row.number(size)?.unsigned_abs() })
        }))
    }

    /// Returns how many blobs there are, after a look at each.
    ///
    /// # Errors
    /// As [`Self::blobs`].
    pub(super) fn count_blobs(&self) -> Result<BlobTotals, TranscriptError> {
        self.blobs()?.try_fold(BlobTotals::default(), |totals, blob| {
            Ok(BlobTotals { count: totals.count + 1, bytes: totals.bytes + blob?.size_bytes })
        })
    }

    /// Returns each repository with its revision.
    ///
    /// # Errors
    /// [`TranscriptError`] when the part cannot be read.
    pub(super) fn repositories(&self) -> Result<Vec<RepositoryRevision>, TranscriptError> {
        let rows = self.read("repository")?;
        let (path, revision) = (rows.column("path")?, rows.column("revision")?);
        rows.map(|row| {
            let row = row?;
            Ok(RepositoryRevision { path: row.text(path)?.to_owned(), revision: row.number(revision)? })
        })
        .collect()
    }

    /// Fills an empty catalog with all rows, or with none.
    ///
    /// # Errors
    /// [`TranscriptError`]; the catalog is as it was then.
    pub(super) async fn load(&self, catalog: &Catalog) -> Result<(), TranscriptError> {
        let mut load = catalog.begin_load().await.map_err(TranscriptError::Load)?;
        for table in TABLES {
            let rows = self.read(table.name)?;
            let mut loading = load.table(table, rows.columns()).await.map_err(TranscriptError::Load)?;
            for row in rows {
                loading.push(row?.cells).await.map_err(TranscriptError::Load)?;
            }
            loading.finish().await.map_err(TranscriptError::Load)?;
        }
        load.commit().await.map_err(|error| TranscriptError::Load(error.into()))
    }
}

/// One row of a part.
struct Row {
    cells: Vec<Cell>,
    file: String,
    line: u64,
}

impl Row {
    fn text(&self, column: usize) -> Result<&str, TranscriptError> {
        match self.cells.get(column) {
            Some(Cell::Text(text)) => Ok(text),
            Some(Cell::Integer(_) | Cell::Bytes { .. } | Cell::Null(())) | None => Err(self.odd("a text")),
        }
    }

    fn number(&self, column: usize) -> Result<i64, TranscriptError> {
        match self.cells.get(column) {
            Some(Cell::Integer(number)) => Ok(*number),
            Some(Cell::Text(_) | Cell::Bytes { .. } | Cell::Null(())) | None => Err(self.odd("a number")),
        }
    }

    fn odd(&self, wanted: &str) -> TranscriptError {
        let (file, line) = (self.file.clone(), self.line);
        TranscriptError::Unreadable {
            file,
            line,
            reason: format!("there is no {wanted} where one should be"),
        }
    }
}

/// Returns the tables whose parts a whole transcript has, in its order.
pub(super) fn tables() -> impl Iterator<Item = &'static str> {
    TABLES.iter().map(|table: &Table| table.name)
}
