//! Bodies on their way in: counted, hashed and held until somebody keeps them.
//!
//! Dropping a staged blob discards it. What a crash leaves in the folder is discarded at the next start.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use oci::{Algorithm, Digest, Digester};

use super::BlobError;

/// A body up to this size stays in memory until it is kept; most charts are far smaller.
const IN_MEMORY: usize = 1 << 20;

/// Why a body was not staged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StageError {
    /// The body is longer than it may be.
    #[error("the body is larger than {limit} bytes")]
    TooLarge {
        /// The limit it passed.
        limit: u64,
    },
    /// The client stopped in the middle.
    #[error("the body broke off")]
    Cut,
    /// The staging folder did not take it.
    #[error(transparent)]
    Store(#[from] BlobError),
}

/// The folder of incomplete files.
#[derive(Clone)]
pub(crate) struct Staging {
    folder: PathBuf,
    next: Arc<AtomicU64>,
}

/// A body received in full.
#[derive(Debug)]
pub(crate) struct StagedBlob {
    content: Content,
    digest: Digest,
    size_bytes: u64,
}

/// Where a staged body is.
#[derive(Debug)]
pub(super) enum Content {
    Memory(Bytes),
    File(StagedFile),
}

/// A file that goes away unless it is moved out.
#[derive(Debug)]
pub(super) struct StagedFile {
    pub(super) path: PathBuf,
    pub(super) file: File,
    is_moved: bool,
}

impl StagedFile {
    /// Gives the file its final name.
    pub(super) fn move_to(&mut self, target: &Path) -> io::Result<()> {
        std::fs::rename(&self.path, target)?;
        self.is_moved = true;
        Ok(())
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        // Once it is moved, its old name may be that of somebody else's file.
        if !self.is_moved {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl Staging {
    /// Opens the folder and discards what an earlier process left there.
    pub(super) fn open(folder: PathBuf) -> Result<Self, BlobError> {
        std::fs::create_dir_all(&folder)?;
        for entry in std::fs::read_dir(&folder)? {
            std::fs::remove_file(entry?.path())?;
        }
        Ok(Self::unopened(folder))
    }

    /// Names the folder without touching it.
    pub(super) fn unopened(folder: PathBuf) -> Self {
        Self { folder, next: Arc::default() }
    }

    /// Takes a body of at most `limit` bytes, computing its SHA-256 on the way.
    ///
    /// # Errors
    /// [`StageError`]; nothing of the body stays.
    pub(crate) async fn receive<S, E>(&self, body: S, limit: u64) -> Result<StagedBlob, StageError>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
    {
        self.receive_with(Algorithm::Sha256, body, limit).await
    }

    /// As [`Self::receive`], with the digest of another algorithm.
    ///
    /// # Errors
    /// [`StageError`]; nothing of the body stays.
    pub(crate) async fn receive_with<S, E>(
        &self,
        algorithm: Algorithm,
        mut body: S,
        limit: u64,
    ) -> Result<StagedBlob, StageError>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
    {
        let mut digester = Digester::new(algorithm);
        let mut size_bytes: u64 = 0;
        let mut buffered = BytesMut::new();
        let mut file = None;
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|_| StageError::Cut)?;
            size_bytes += chunk.len() as u64;
            if size_bytes > limit {
                return Err(StageError::TooLarge { limit });
            }
            digester.update(&chunk);
            buffered.extend_from_slice(&chunk);
            if buffered.len() > IN_MEMORY {
                file = Some(self.append(file, buffered.split().freeze()).await?);
            }
        }
        let content = match file {
            None => Content::Memory(buffered.freeze()),
            Some(file) => Content::File(self.append(Some(file), buffered.freeze()).await?),
        };
        Ok(StagedBlob { content, digest: digester.finish(), size_bytes })
    }

    async fn append(&self, file: Option<StagedFile>, bytes: Bytes) -> Result<StagedFile, BlobError> {
        let staging = self.clone();
        super::off_thread(move || {
            let mut staged = match file {
                Some(staged) => staged,
                None => staging.create()?,
            };
            staged.file.write_all(&bytes)?;
            Ok(staged)
        })
        .await
    }

    /// Creates an empty file of a name no other request has.
    pub(super) fn create(&self) -> Result<StagedFile, BlobError> {
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let path = self.folder.join(format!("{number}.part"));
            match File::options().read(true).write(true).create_new(true).open(&path) {
                Ok(file) => return Ok(StagedFile { path, file, is_moved: false }),
                // A command beside the server counts for itself in the same folder.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Writes and discards an empty file, which fails when the folder cannot be written.
    pub(super) fn probe(&self) -> Result<(), BlobError> {
        self.create().map(drop)
    }
}

impl StagedBlob {
    /// Returns the digest of the bytes.
    pub(crate) fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Returns how many bytes there are.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Opens the bytes from their beginning; reading blocks.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn reader(&self) -> io::Result<Box<dyn io::Read + Send>> {
        Ok(match &self.content {
            Content::Memory(bytes) => Box::new(io::Cursor::new(bytes.clone())),
            Content::File(staged) => Box::new(io::BufReader::new(File::open(&staged.path)?)),
        })
    }

    /// Returns where the bytes are.
    pub(super) fn content(&self) -> &Content {
        &self.content
    }

    /// Returns the bytes as a complete file in the staging folder.
    pub(super) fn into_file(self, staging: &Staging) -> Result<StagedFile, BlobError> {
        match self.content {
            Content::File(staged) => Ok(staged),
            Content::Memory(bytes) => {
                let mut staged = staging.create()?;
                staged.file.write_all(&bytes)?;
                Ok(staged)
            }
        }
    }
}

/// Makes the names in `folder` durable: a file whose folder was not synced may be gone after a power cut.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    fn staging() -> (tempfile::TempDir, Staging) {
        let folder = tempfile::tempdir().unwrap();
        let staging = Staging::open(folder.path().join("staging")).unwrap();
        (folder, staging)
    }

    fn body(sizes: &[usize]) -> impl Stream<Item = Result<Bytes, io::Error>> + Unpin {
        let chunks: Vec<_> = sizes.iter().map(|size| Ok(Bytes::from(vec![7; *size]))).collect();
        stream::iter(chunks)
    }

    fn files_in(staging: &Staging) -> usize {
        std::fs::read_dir(&staging.folder).unwrap().count()
    }

    #[tokio::test]
    async fn a_body_has_its_digest_and_size_wherever_it_is_held() {
        let (_folder, staging) = staging();
        for sizes in [vec![], vec![10], vec![IN_MEMORY, 1], vec![IN_MEMORY + 1, IN_MEMORY + 1, 5]] {
            let total: usize = sizes.iter().sum();
            let staged = staging.receive(body(&sizes), 1 << 30).await.unwrap();
            let mut read = Vec::new();
            io::Read::read_to_end(&mut staged.reader().unwrap(), &mut read).unwrap();
            assert_eq!(read.len(), total);
            assert_eq!(staged.size_bytes(), total as u64);
            assert_eq!(*staged.digest(), Digest::sha256(&read));
        }
        assert_eq!(files_in(&staging), 0, "dropped bodies leave nothing");
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_refused_and_leaves_nothing() {
        let (_folder, staging) = staging();
        let refused = staging.receive(body(&[IN_MEMORY, IN_MEMORY, 1]), 2 << 20).await;
        assert!(matches!(refused, Err(StageError::TooLarge { limit: 2_097_152 })));
        assert_eq!(files_in(&staging), 0);
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_refused_and_leaves_nothing() {
        let (_folder, staging) = staging();
        let chunks = vec![Ok(Bytes::from(vec![1; IN_MEMORY + 1])), Err(io::Error::other("gone"))];
        let refused = staging.receive(stream::iter(chunks), 1 << 30).await;
        assert!(matches!(refused, Err(StageError::Cut)));
        assert_eq!(files_in(&staging), 0);
    }

    #[test]
    fn two_processes_in_one_folder_do_not_take_each_other_s_files() {
        let (_folder, server) = staging();
        let command = Staging::unopened(server.folder.clone());
        let files = [server.create(), command.create(), server.create(), command.create()];
        let mut paths: Vec<_> = files.iter().map(|file| file.as_ref().unwrap().path.clone()).collect();
        paths.sort();
        paths.dedup();
        assert_eq!(paths.len(), 4);
    }

    #[test]
    fn opening_discards_what_a_crash_left() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("0.part"), b"half").unwrap();
        let staging = Staging::open(folder.path().to_owned()).unwrap();
        assert_eq!(files_in(&staging), 0);
    }

    #[test]
    fn a_moved_file_leaves_its_old_name_to_others() {
        let folder = tempfile::tempdir().unwrap();
        // A server and a command beside it count for themselves.
        let [server, command] = [(); 2].map(|()| Staging::unopened(folder.path().to_owned()));
        let mut moved = server.create().unwrap();
        moved.move_to(&folder.path().join("final")).unwrap();
        let other = command.create().unwrap();
        assert_eq!(other.path, moved.path);
        drop(moved);
        assert!(other.path.exists(), "the file of somebody else is gone");
        drop(other);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "what is not moved is discarded");
    }
}
