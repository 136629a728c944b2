//! The folder that indexes are kept in between two starts: one file for each repository, named after its id.
//!
//! Rule: nothing that goes wrong here is anybody's error but a line in the log: the catalog has everything, and the
//! folder may be removed at any time.

use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::index::{KeptIndex, RepositoryIndex, Terms, Unusable};

/// What the name of a file ends with while it is being written.
const UNFINISHED: &str = ".new";

/// What a file is written in, beside the texts of the segments, which are larger.
const BUFFER_BYTES: usize = 64 << 10;

/// The folder of kept indexes; clones share it.
#[derive(Clone)]
pub(crate) struct IndexFiles {
    folder: PathBuf,
    /// Held while a file is written, by the thread that writes: one whose task was given up goes on to its end.
    writing: Arc<Mutex<()>>,
    is_failing: Arc<AtomicBool>,
    /// Told when an index should be written.
    pub(super) due: Arc<Notify>,
}

/// A file of which only the head was read.
pub(super) struct IndexFile(KeptIndex<File>);

impl IndexFiles {
    /// Keeps indexes in `folder`, which the first one makes.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, writing: Arc::default(), is_failing: Arc::default(), due: Arc::default() }
    }

    /// Opens the file of a repository, when there is one.
    ///
    /// # Errors
    /// [`Unusable`] for one that cannot be read or was made otherwise.
    pub(super) async fn open(&self, id: i64, terms: Terms) -> Result<Option<IndexFile>, Unusable> {
        let path = self.folder.join(id.to_string());
        off_thread(move || {
            let file = match File::open(path) {
                Ok(file) => file,
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            let bytes = file.metadata()?.len();
            Ok(Some(IndexFile(KeptIndex::open(file, bytes, &terms)?)))
        })
        .await
    }

    /// Writes the file of a repository in place of the one before. It is not synced: its checksums tell whether all of
    /// it reached the disk.
    pub(super) async fn write(
        &self,
        id: i64,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()> + Send + 'static,
    ) {
        let (folder, writing) = (self.folder.clone(), Arc::clone(&self.writing));
        let written = off_thread(move || {
            let _one_at_a_time = writing.lock().unwrap_or_else(PoisonError::into_inner);
            fs::create_dir_all(&folder)?;
            let unfinished = folder.join(format!("{id}{UNFINISHED}"));
            let written = write_file(&unfinished, write);
            match written {
                Ok(()) => fs::rename(&unfinished, folder.join(id.to_string())),
                Err(error) => {
                    // Half a file on a full disk helps nobody; where it cannot be removed, the next start tries.
                    drop(fs::remove_file(&unfinished));
                    Err(error)
                }
            }
        })
        .await;
        self.note(&written);
    }

    /// Removes what belongs to none of these repositories, and what was never finished.
    pub(super) async fn remove_all_but(&self, ids: Vec<i64>) {
        let (folder, writing) = (self.folder.clone(), Arc::clone(&self.writing));
        let removed = off_thread(move || {
            let _one_at_a_time = writing.lock().unwrap_or_else(PoisonError::into_inner);
            let wanted: Vec<String> = ids.iter().map(i64::to_string).collect();
            let entries = match fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(error),
            };
            for entry in entries {
                let entry = entry?;
                if !wanted.iter().any(|name| entry.file_name() == **name) {
                    fs::remove_file(entry.path())?;
                }
            }
            Ok(())
        })
        .await;
        self.note(&removed);
    }

    fn note(&self, done: &io::Result<()>) {
        let was_failing = self.is_failing.swap(done.is_err(), Ordering::Relaxed);
        if let Err(error) = done
            && !was_failing
        {
            tracing::warn!(
                %error, folder = %self.folder.display(),
                "cannot keep indexes in files: the next start reads them from the catalog"
            );
        }
    }
}

impl IndexFile {
    /// Returns what was read of it.
    pub(super) fn head(&self) -> &KeptIndex<File> {
        &self.0
    }

    /// Reads the index.
    ///
    /// # Errors
    /// [`Unusable`].
    pub(super) async fn read(self) -> Result<RepositoryIndex, Unusable> {
        off_thread(move || self.0.read()).await
    }
}

fn write_file(path: &PathBuf, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(BUFFER_BYTES, File::create(path)?);
    write(&mut out)?;
    out.flush()
}

async fn off_thread<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, E>
where
    T: Send + 'static,
    E: From<io::Error> + Send + 'static,
{
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error).into()))
}
