//! One table as a file: gzip of JSON lines, the first naming table and columns, each other one a row.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use oci::{Algorithm, Digester};
use serde::{Deserialize, Serialize};

use super::{Part, Row, TranscriptError, file_name};
use crate::catalog::{Cell, Table};

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Heading {
    table: String,
    columns: Vec<String>,
}

/// A part being written.
pub(super) struct PartWriter {
    table: Table,
    rows: u64,
    out: GzEncoder<Counted>,
}

impl PartWriter {
    pub(super) fn create<'a>(
        folder: &Path,
        table: Table,
        columns: impl Iterator<Item = &'a str>,
    ) -> io::Result<Self> {
        let file = BufWriter::new(File::create(folder.join(file_name(table.name)))?);
        let counted = Counted { file, digester: Digester::new(Algorithm::Sha256), size_bytes: 0 };
        let mut part = Self { table, rows: 0, out: GzEncoder::new(counted, Compression::default()) };
        part.line(&Heading { table: table.name.to_owned(), columns: columns.map(str::to_owned).collect() })?;
        Ok(part)
    }

    fn line(&mut self, line: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, line)?;
        self.out.write_all(b"\n")
    }

    pub(super) fn push(&mut self, cells: &[Cell]) -> io::Result<()> {
        self.rows += 1;
        self.line(&cells)
    }

    pub(super) fn finish(self) -> io::Result<Part> {
        let mut counted = self.out.finish()?;
        counted.file.flush()?;
        Ok(Part {
            table: self.table.name.to_owned(),
            rows: self.rows,
            size_bytes: counted.size_bytes,
            digest: counted.digester.finish(),
        })
    }
}

/// A file that knows what was written to it.
struct Counted {
    file: BufWriter<File>,
    digester: Digester,
    size_bytes: u64,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_all(bytes)?;
        self.digester.update(bytes);
        self.size_bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A part being read, row by row.
pub(super) struct PartReader {
    lines: io::Lines<BufReader<MultiGzDecoder<BufReader<File>>>>,
    columns: Vec<String>,
    file: String,
    line: u64,
}

impl PartReader {
    pub(super) fn open(path: &Path) -> Result<Self, TranscriptError> {
        let file = File::open(path).map_err(|error| TranscriptError::Disk(path.to_owned(), error))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut lines = BufReader::new(MultiGzDecoder::new(BufReader::new(file))).lines();
        let unreadable = |reason: String| TranscriptError::Unreadable { file: name.clone(), line: 1, reason };
        let first = lines.next().unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()));
        let first = first.map_err(|error| unreadable(error.to_string()))?;
        let heading: Heading = serde_json::from_str(&first).map_err(|error| unreadable(error.to_string()))?;
        if file_name(&heading.table) != name {
            return Err(unreadable(format!("it is the table `{}`", heading.table)));
        }
        Ok(Self { lines, columns: heading.columns, file: name, line: 1 })
    }

    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Returns where a column stands.
    pub(super) fn column(&self, name: &str) -> Result<usize, TranscriptError> {
        let found = self.columns.iter().position(|column| column == name);
        found.ok_or_else(|| self.unreadable(format!("there is no column `{name}`")))
    }

    fn unreadable(&self, reason: String) -> TranscriptError {
        TranscriptError::Unreadable { file: self.file.clone(), line: self.line, reason }
    }
}

impl Iterator for PartReader {
    type Item = Result<Row, TranscriptError>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.lines.next()?;
        self.line += 1;
        let cells = line.map_err(|error| error.to_string());
        let cells = cells.and_then(|line| serde_json::from_str(&line).map_err(|error| error.to_string()));
        Some(match cells {
            Ok(cells) => Ok(Row { cells, file: self.file.clone(), line: self.line }),
            Err(reason) => Err(self.unreadable(reason)),
        })
    }
}
