//! Brings the catalog in step with a folder that ChartMuseum wrote or somebody copies files into.
//!
//! The files are the truth: what is new or newer is read and recorded with its own time, what is gone is removed.
//! A file that Helm would not load is passed over with a line in the log.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chart::archive::{self, ArchiveError, ChartArchive, Limits};
use chart::index::IndexEntry;
use chart::{ChartMetadata, Timestamp};
use oci::{Algorithm, Digest, Digester};

use crate::app::App;
use crate::blobs::{BlobKey, time_of};
use crate::catalog::{
    BlobToRecord, CatalogError, FlatFile, NewVersion, Recorded, Removal, RepositoryRow, VersionLimits,
};
use crate::http::Tenancy;
use crate::repository_path::RepositoryPath;

/// The name under which events of a scan are recorded.
const ACTOR: &str = "folder scan";

/// Which folders hold repositories, and how exact their times are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ScanRules {
    pub(crate) tenancy: Tenancy,
    /// Times that differ by no more than this are the same.
    pub(crate) timestamp_tolerance: Duration,
}

/// What a scan changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Scanned {
    pub(crate) recorded: u64,
    pub(crate) removed: u64,
    pub(crate) passed_over: u64,
}

/// Why a scan stopped before its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScanError {
    /// The folder cannot be read.
    #[error("the folder `{path}` cannot be read")]
    Folder {
        /// Which one.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The catalog did not answer.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

/// An archive or provenance file as the folder lists it.
struct Listed {
    path: PathBuf,
    modified: Timestamp,
    size_bytes: u64,
}

/// A repository's folder: file name to file.
type Folder = HashMap<String, Listed>;

/// Scans the whole folder once.
///
/// # Errors
/// [`ScanError`]; what was recorded until then stays.
pub(crate) async fn scan_folder(app: &App, rules: ScanRules) -> Result<Scanned, ScanError> {
    let root = app.blobs.root().to_owned();
    let folders = tokio::task::spawn_blocking(move || list_folders(&root, rules.tenancy))
        .await
        .map_err(|_| CatalogError::Closed)??;
    let mut scanned = Scanned::default();
    for (path, folder) in folders {
        if folder.is_empty() && app.catalog.find_repository(&path).await?.is_none() {
            continue;
        }
        let settings = app.rules.new_repository.clone();
        let (repository, _) = app.catalog.create_repository(&path, settings, app.clock.now()).await?;
        reconcile(app, rules, &repository, folder, &mut scanned).await?;
    }
    app.repositories.follow().await?;
    Ok(scanned)
}

async fn reconcile(
    app: &App,
    rules: ScanRules,
    repository: &RepositoryRow,
    folder: Folder,
    scanned: &mut Scanned,
) -> Result<(), ScanError> {
    let known: HashMap<String, FlatFile> = app
        .catalog
        .list_flat_files(repository.id)
        .await?
        .into_iter()
        .map(|file| (file.file_name.clone(), file))
        .collect();
    for (name, file) in &known {
        if !folder.contains_key(name) {
            let removal = Removal {
                repository_id: repository.id,
                chart: file.chart.clone(),
                version: file.version.clone(),
                actor: ACTOR.to_owned(),
                may_return: false,
            };
            app.catalog.remove_version(removal, app.clock.now()).await?;
            scanned.removed += 1;
        }
    }
    for (name, listed) in folder.iter().filter(|(name, _)| name.ends_with(".tgz")) {
        let provenance = folder.get(&format!("{name}.prov"));
        if known.get(name).is_some_and(|file| is_same(file, listed, provenance, rules.timestamp_tolerance)) {
            continue;
        }
        match record(app, repository, name, listed, provenance).await? {
            true => scanned.recorded += 1,
            false => scanned.passed_over += 1,
        }
    }
    Ok(())
}

fn is_same(known: &FlatFile, listed: &Listed, provenance: Option<&Listed>, tolerance: Duration) -> bool {
    let apart = known.modified.micros().abs_diff(listed.modified.micros());
    apart <= u64::try_from(tolerance.as_micros()).unwrap_or(u64::MAX)
        && known.size_bytes == listed.size_bytes
        && known.has_provenance == provenance.is_some()
}

/// Records one file; returns false when it is no chart that can be served.
async fn record(
    app: &App,
    repository: &RepositoryRow,
    name: &str,
    listed: &Listed,
    provenance: Option<&Listed>,
) -> Result<bool, ScanError> {
    let _one_at_a_time = app.repositories.claim(&repository.path, name).await;
    let path = listed.path.clone();
    let read =
        tokio::task::spawn_blocking(move || read_archive(&path)).await.map_err(|_| CatalogError::Closed)?;
    let (metadata, digest) = match read {
        Ok(read) => read,
        Err(error) => {
            tracing::warn!(file = %listed.path.display(), %error, "passed over a file that is no chart");
            return Ok(false);
        }
    };
    let proper = archive::file_name(&metadata.name, &metadata.version);
    if proper != name {
        let file = listed.path.display();
        tracing::warn!(%file, "passed over an archive under a wrong name: rename it to `{proper}`");
        return Ok(false);
    }
    let provenance = match provenance {
        None => None,
        Some(file) => digest_file(app, repository, &format!("{name}.prov"), file).await?,
    };
    let archive = kept(repository, name, digest.clone(), listed);
    let created = listed.modified;
    let new = NewVersion {
        repository_id: repository.id,
        chart: metadata.name.clone(),
        version: metadata.version.clone(),
        file_name: name.to_owned(),
        archive,
        provenance,
        entry: Arc::new(move |_| {
            IndexEntry::new(metadata.clone(), Some(created), Some(digest.clone())).to_json()
        }),
        may_overwrite: true,
        must_exist: false,
        created_at: Some(created),
        actor: ACTOR.to_owned(),
        limits: VersionLimits::default(),
        keeps_replaced: false,
    };
    Ok(matches!(
        app.catalog.record_version(new, app.clock.now()).await?,
        Recorded::Done { .. } | Recorded::Unchanged { .. }
    ))
}

fn kept(repository: &RepositoryRow, name: &str, digest: Digest, listed: &Listed) -> BlobToRecord {
    BlobToRecord::Kept { digest, size_bytes: listed.size_bytes, key: BlobKey::flat(&repository.path, name) }
}

async fn digest_file(
    app: &App,
    repository: &RepositoryRow,
    name: &str,
    file: &Listed,
) -> Result<Option<BlobToRecord>, ScanError> {
    let path = file.path.clone();
    let bytes =
        tokio::task::spawn_blocking(move || fs::read(path)).await.map_err(|_| CatalogError::Closed)?;
    match bytes {
        Ok(bytes) if bytes.len() as u64 <= app.rules.upload_bytes => {
            Ok(Some(kept(repository, name, Digest::sha256(&bytes), file)))
        }
        Ok(_) | Err(_) => Ok(None),
    }
}

/// Why a file is passed over.
#[derive(Debug, thiserror::Error)]
enum UnreadableFile {
    /// Helm would not load it.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// It cannot be read, or is gone already.
    #[error(transparent)]
    File(#[from] io::Error),
}

fn read_archive(path: &Path) -> Result<(ChartMetadata, Digest), UnreadableFile> {
    let metadata = ChartArchive::inspect(io::BufReader::new(fs::File::open(path)?), &Limits::default())?;
    let mut digester = Digester::new(Algorithm::Sha256);
    let mut file = fs::File::open(path)?;
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let count = io::Read::read(&mut file, &mut buffer)?;
        let Some(read) = buffer.get(..count).filter(|read| !read.is_empty()) else { break };
        digester.update(read);
    }
    Ok((metadata, digester.finish()))
}

/// Lists the repositories' folders: those at the depth of the tenancy, hidden ones left out.
fn list_folders(root: &Path, tenancy: Tenancy) -> Result<Vec<(RepositoryPath, Folder)>, ScanError> {
    let mut found = Vec::new();
    let mut waiting = vec![(root.to_owned(), Vec::<String>::new())];
    while let Some((folder, segments)) = waiting.pop() {
        let fail = |cause| ScanError::Folder { path: folder.clone(), cause };
        let is_repository = match tenancy {
            Tenancy::Depth(depth) => segments.len() == depth,
            Tenancy::Paths | Tenancy::Dynamic => true,
        };
        let goes_deeper = match tenancy {
            Tenancy::Depth(depth) => segments.len() < depth,
            Tenancy::Paths | Tenancy::Dynamic => true,
        };
        let mut files = Folder::new();
        for entry in fs::read_dir(&folder).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let metadata = fs::metadata(entry.path()).map_err(fail)?;
            if metadata.is_dir() && goes_deeper && !name.starts_with('.') {
                waiting.push((entry.path(), segments.iter().cloned().chain([name]).collect()));
            } else if metadata.is_file() && (name.ends_with(".tgz") || name.ends_with(".tgz.prov")) {
                let modified = time_of(&metadata).map_err(fail)?;
                files.insert(name, Listed { path: entry.path(), modified, size_bytes: metadata.len() });
            }
        }
        if is_repository && let Ok(path) = RepositoryPath::from_tenant_segments(&segments) {
            found.push((path, files));
        }
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(found)
}
