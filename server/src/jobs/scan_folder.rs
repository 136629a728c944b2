//! Brings the catalog in step with a folder or bucket that ChartMuseum wrote or somebody copies files into.
//!
//! The files are the truth: what is new or newer is read and recorded with its own time, what is gone is removed.
//! A file that Helm would not load is passed over with a line in the log.

mod listing;
mod reading;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chart::archive;
use chart::index::IndexEntry;
use oci::Digest;

use crate::app::App;
use crate::blobs::BlobError;
use crate::catalog::{
    BlobToRecord, CatalogError, FlatFile, NewVersion, Recorded, Removal, RepositoryRow, VersionLimits,
};
use crate::http::Tenancy;
use crate::operations::publish;
use crate::registry;
use listing::{Folder, Listed, list_folders};
use reading::{digest_of, read_archive};

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
    /// The files cannot be listed or read.
    #[error(transparent)]
    Blobs(#[from] BlobError),
    /// The catalog did not answer.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

/// Scans the whole folder once.
///
/// # Errors
/// [`ScanError`]; what was recorded until then stays.
pub(crate) async fn scan_folder(app: &App, rules: ScanRules) -> Result<Scanned, ScanError> {
    let folders = list_folders(app, rules.tenancy).await?;
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
    let file = &listed.key;
    let (metadata, digest) = match read_archive(app, listed).await? {
        Some(Ok(read)) => read,
        Some(Err(error)) => {
            tracing::warn!(%file, %error, "passed over a file that is no chart");
            return Ok(false);
        }
        None => return Ok(false),
    };
    let proper = archive::file_name(&metadata.name, &metadata.version);
    if proper != name {
        tracing::warn!(%file, "passed over an archive under a wrong name: rename it to `{proper}`");
        return Ok(false);
    }
    let provenance = match provenance {
        None => None,
        Some(file) => digest_of(app, file).await?.map(|digest| kept(digest, file)),
    };
    let archive = kept(digest.clone(), listed);
    let created = listed.modified;
    let minted = publish::mint(&metadata, &archive, provenance.as_ref());
    let new = NewVersion {
        repository_id: repository.id,
        chart: metadata.name.clone(),
        version: metadata.version.clone(),
        file_name: name.to_owned(),
        minted: minted.into(),
        oci_name: registry::name_of(&repository.path, &metadata.name),
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

fn kept(digest: Digest, listed: &Listed) -> BlobToRecord {
    BlobToRecord::Kept { digest, size_bytes: listed.size_bytes, key: listed.key.clone() }
}
