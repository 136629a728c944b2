//! Which files belong to which repository, told from their paths alone.

use std::collections::{BTreeMap, HashMap};

use chart::Timestamp;
use futures_util::TryStreamExt;

use super::ScanError;
use crate::app::App;
use crate::blobs::{BlobKey, FlatEntry};
use crate::http::Tenancy;
use crate::repository_path::RepositoryPath;

/// An archive or provenance file as the store lists it.
pub(super) struct Listed {
    pub(super) key: BlobKey,
    pub(super) modified: Timestamp,
    pub(super) size_bytes: u64,
}

/// A repository's folder: file name to file.
pub(super) type Folder = HashMap<String, Listed>;

/// Lists every repository's folder: those with files in them, and those the catalog knows, whose files may be gone.
///
/// # Errors
/// [`ScanError`] when the store cannot be listed to its end or the catalog does not answer: half a listing would look
/// like files that are gone.
pub(super) async fn list_folders(
    app: &App,
    tenancy: Tenancy,
) -> Result<BTreeMap<RepositoryPath, Folder>, ScanError> {
    let deepest = match tenancy {
        Tenancy::Depth(depth) => Some(depth),
        Tenancy::Paths | Tenancy::Dynamic => None,
    };
    let mut folders = BTreeMap::<RepositoryPath, Folder>::new();
    for row in app.catalog.list_repositories().await? {
        if holds_charts(&segments(row.path.as_str()), tenancy) {
            folders.entry(row.path).or_default();
        }
    }
    let mut pages = app.blobs.list_flat(deepest);
    while let Some(page) = pages.try_next().await? {
        for entry in page {
            if let Some((path, name)) = place_of(&entry, tenancy) {
                let key = BlobKey::flat(&path, &name);
                let listed = Listed { key, modified: entry.modified, size_bytes: entry.size_bytes };
                folders.entry(path).or_default().insert(name, listed);
            }
        }
    }
    Ok(folders)
}

/// Returns the repository and the name of a file that is a chart's.
fn place_of(entry: &FlatEntry, tenancy: Tenancy) -> Option<(RepositoryPath, String)> {
    let (folders, name) = entry.path.rsplit_once('/').unwrap_or(("", entry.path.as_str()));
    let is_charts = name.ends_with(".tgz") || name.ends_with(".tgz.prov");
    let segments = segments(folders);
    if !is_charts || !holds_charts(&segments, tenancy) {
        return None;
    }
    Some((RepositoryPath::from_tenant_segments(&segments).ok()?, name.to_owned()))
}

fn segments(folders: &str) -> Vec<&str> {
    if folders.is_empty() { Vec::new() } else { folders.split('/').collect() }
}

fn holds_charts(segments: &[&str], tenancy: Tenancy) -> bool {
    match tenancy {
        Tenancy::Depth(depth) => segments.len() == depth,
        Tenancy::Paths | Tenancy::Dynamic => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(path: &str, tenancy: Tenancy) -> Option<(String, String)> {
        let entry = FlatEntry { path: path.to_owned(), modified: Timestamp::from_micros(0), size_bytes: 1 };
        place_of(&entry, tenancy).map(|(repository, name)| (repository.as_str().to_owned(), name))
    }

    #[test]
    fn a_file_belongs_to_the_folder_it_lies_in() {
        for (path, tenancy, expected) in [
            ("a-1.0.0.tgz", Tenancy::Depth(0), Some(("", "a-1.0.0.tgz"))),
            ("a-1.0.0.tgz.prov", Tenancy::Dynamic, Some(("", "a-1.0.0.tgz.prov"))),
            ("org/team/a-1.0.0.tgz", Tenancy::Depth(2), Some(("org/team", "a-1.0.0.tgz"))),
            ("org/a-1.0.0.tgz", Tenancy::Depth(2), None),
            ("org/a-1.0.0.tgz", Tenancy::Depth(0), None),
            ("org/a-1.0.0.tgz", Tenancy::Dynamic, Some(("org", "a-1.0.0.tgz"))),
            ("index-cache.yaml", Tenancy::Depth(0), None),
            ("org//a-1.0.0.tgz", Tenancy::Dynamic, None),
            ("../a-1.0.0.tgz", Tenancy::Dynamic, None),
        ] {
            let expected = expected.map(|(repository, name)| (repository.to_owned(), name.to_owned()));
            assert_eq!(place(path, tenancy), expected, "{path}");
        }
    }
}
