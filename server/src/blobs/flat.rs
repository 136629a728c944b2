//! Listing of the flat layout, one page at a time: the store is the truth there, and the catalog follows it.

use std::io;
use std::path::{Path, PathBuf};

use chart::Timestamp;
use futures_util::{Stream, stream};

use super::folder::{time_of, unless_gone};
use super::{BlobError, off_thread};

/// A file of the flat layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FlatEntry {
    /// Its path below the root, with slashes; no part of it but the last begins with a dot.
    pub(crate) path: String,
    /// When it was written.
    pub(crate) modified: Timestamp,
    /// Its length.
    pub(crate) size_bytes: u64,
}

/// A folder yet to be listed.
struct Waiting {
    folder: PathBuf,
    /// What the paths of its files begin with: nothing, or its own path and a slash.
    prefix: String,
    /// How many folders it is below the root.
    depth: usize,
}

/// Lists the files below `root` down to `deepest` folders below it, one folder a page.
pub(super) fn list_folder(
    root: PathBuf,
    deepest: Option<usize>,
) -> impl Stream<Item = Result<Vec<FlatEntry>, BlobError>> + Send {
    let waiting = vec![Waiting { folder: root, prefix: String::new(), depth: 0 }];
    stream::try_unfold(waiting, move |mut waiting| async move {
        let Some(next) = waiting.pop() else { return Ok(None) };
        let (page, below) = off_thread(move || Ok(list_one(&next)?)).await?;
        waiting.extend(below.into_iter().filter(|folder| deepest.is_none_or(|most| folder.depth <= most)));
        Ok(Some((page, waiting)))
    })
}

/// Returns the files in a folder, and the folders in it that are not hidden.
fn list_one(waiting: &Waiting) -> io::Result<(Vec<FlatEntry>, Vec<Waiting>)> {
    let named = |error: io::Error| naming(&waiting.folder, &error);
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(&waiting.folder).map_err(named)? {
        let entry = entry.map_err(named)?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        // Follows links, as ChartMuseum does; a link to nowhere is nobody's chart.
        let Some(metadata) = unless_gone(std::fs::metadata(entry.path())).map_err(named)? else { continue };
        let path = format!("{}{name}", waiting.prefix);
        if metadata.is_file() {
            let modified = time_of(&metadata).map_err(named)?;
            files.push(FlatEntry { path, modified, size_bytes: metadata.len() });
        } else if metadata.is_dir() && !name.starts_with('.') {
            folders.push(Waiting {
                folder: entry.path(),
                prefix: format!("{path}/"),
                depth: waiting.depth + 1,
            });
        }
    }
    Ok((files, folders))
}

fn naming(folder: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot list the folder `{}`: {error}", folder.display()))
}
