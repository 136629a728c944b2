//! Reads what a file says of itself: its metadata and its digest, in one pass.

use std::io::{self, Read};

use chart::ChartMetadata;
use chart::archive::{ArchiveError, ChartArchive, Limits};
use oci::{Algorithm, Digest, Digester};

use super::ScanError;
use crate::app::App;
use crate::blobs::BlobError;
use crate::catalog::CatalogError;

use super::listing::Listed;

/// What an archive says of itself, or why Helm would not load it; `None` when it is gone again.
pub(super) type ReadArchive = Option<Result<(ChartMetadata, Digest), ArchiveError>>;

/// Reads an archive.
///
/// # Errors
/// [`ScanError`] when the store breaks off: that is no fault of the archive.
pub(super) async fn read_archive(app: &App, listed: &Listed) -> Result<ReadArchive, ScanError> {
    let reader = match app.blobs.open_reader(&listed.key, None).await {
        Ok(reader) => reader,
        Err(BlobError::Missing(_)) => return Ok(None),
        Err(error @ (BlobError::Unavailable(_) | BlobError::Full(_))) => return Err(error.into()),
    };
    let read = tokio::task::spawn_blocking(move || inspect(reader.into_blocking_reader()));
    Ok(Some(read.await.map_err(|_| CatalogError::Closed)?.map_err(BlobError::from)?))
}

/// Returns the digest of a provenance file; `None` when it is too large or gone again.
///
/// # Errors
/// [`ScanError`] when the store breaks off.
pub(super) async fn digest_of(app: &App, listed: &Listed) -> Result<Option<Digest>, ScanError> {
    if listed.size_bytes > app.rules.upload_bytes {
        return Ok(None);
    }
    let reader = match app.blobs.open_reader(&listed.key, None).await {
        Ok(reader) => reader,
        Err(BlobError::Missing(_)) => return Ok(None),
        Err(error @ (BlobError::Unavailable(_) | BlobError::Full(_))) => return Err(error.into()),
    };
    let read = tokio::task::spawn_blocking(move || Digesting::new(reader.into_blocking_reader()).finish());
    Ok(Some(read.await.map_err(|_| CatalogError::Closed)?.map_err(BlobError::from)?))
}

fn inspect(source: impl Read) -> io::Result<Result<(ChartMetadata, Digest), ArchiveError>> {
    let mut reader = Digesting::new(source);
    match ChartArchive::inspect(&mut reader, &Limits::default()) {
        Ok(metadata) => Ok(Ok((metadata, reader.finish()?))),
        Err(refusal) => match reader.failure.take() {
            Some(failure) => Err(failure),
            None => Ok(Err(refusal)),
        },
    }
}

/// A reader that takes the digest of what passes, and remembers whether its source failed.
struct Digesting<R> {
    source: R,
    digester: Digester,
    failure: Option<io::Error>,
}

impl<R: Read> Digesting<R> {
    fn new(source: R) -> Self {
        Self { source, digester: Digester::new(Algorithm::Sha256), failure: None }
    }

    /// Reads to the end and returns the digest of all of it.
    fn finish(mut self) -> io::Result<Digest> {
        io::copy(&mut self, &mut io::sink())?;
        Ok(self.digester.finish())
    }
}

impl<R: Read> Read for Digesting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.source.read(buffer) {
            Ok(count) => {
                self.digester.update(buffer.get(..count).unwrap_or_default());
                Ok(count)
            }
            Err(failure) => {
                let shown = io::Error::new(failure.kind(), failure.to_string());
                self.failure = Some(failure);
                Err(shown)
            }
        }
    }
}
