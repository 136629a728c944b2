//! Publishes a version: the one way in for every surface.
//!
//! Validate, keep the bytes, record them in one transaction, bring the index along, then answer. A failure at any
//! point leaves at most bytes that nobody knows.

mod error;
mod terms;

use std::sync::Arc;

use chart::archive::{self, ChartArchive, Limits};
use chart::artifact::Minted;
use chart::index::IndexEntry;
use chart::{ChartMetadata, ChartName, ChartVersion, Provenance, Timestamp};
use oci::Digest;

use super::create_repository::{self, CreateRepositoryError};
pub(crate) use super::keep_blob::KeepError;
use super::keep_blob::{discard, find_known, keep_blob, release};
pub(crate) use super::offered::Offered;
use crate::access::{Caller, Permission};
use crate::app::App;
use crate::blobs::Layout;
use crate::catalog::{BlobRow, BlobToRecord, IndexChange, NewVersion, Recorded};
use crate::faults::{self, Step};
use crate::registry;
use crate::repositories::OpenRepository;
use crate::repository_path::RepositoryPath;
pub(crate) use error::PublishError;
use error::refusal;
pub(super) use terms::expect_named;
use terms::permitted_time;
pub(crate) use terms::{ImportTerms, PushTerms, Terms};

/// What is to be published where, and who says so.
pub(crate) struct Publication {
    pub(crate) repository: RepositoryPath,
    pub(crate) archive: Offered,
    pub(crate) provenance: Option<Offered>,
    pub(crate) terms: Terms,
    pub(crate) caller: Caller,
}

/// A version that is listed and on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Published {
    pub(crate) chart: ChartName,
    pub(crate) version: ChartVersion,
    pub(crate) digest: Digest,
    /// False when the same bytes were there before.
    pub(crate) changed: bool,
}

/// Publishes a version and returns once it is on disk and in the index.
///
/// The same bytes again are accepted and change nothing; of two publishers of one version exactly one wins.
///
/// # Errors
/// [`PublishError`]; nothing is stored then.
pub(crate) async fn publish(app: &App, publication: Publication) -> Result<Published, PublishError> {
    let created = permitted_time(&publication)?;
    let repository =
        create_repository::find_or_create(app, &publication.repository, &publication.caller).await?;
    let digest = publication.archive.digest().clone();
    // Whether the catalog has these bytes is asked while they are checked.
    let (inspected, known) = tokio::join!(inspect(app, publication.archive), find_known(app, &digest));
    let ((archive, metadata), known) = (inspected?, known?);
    publication.terms.expect(&metadata)?;
    if let Some(provenance) = &publication.provenance {
        check_provenance(app, &archive, provenance, &metadata).await?;
    }
    faults::reach(Step::ArchiveChecked);
    let request = Request {
        may_overwrite: publication.terms.may_overwrite(repository.row().settings.overwrite),
        created,
        actor: publication.caller.name().to_owned(),
        metadata,
    };
    let recorded = record(app, &repository, &request, archive, known, publication.provenance).await?;
    let published = |changed| Published {
        chart: request.metadata.name.clone(),
        version: request.metadata.version.clone(),
        digest: recorded.digest.clone(),
        changed,
    };
    match recorded.outcome {
        Recorded::Done { revision, ref released, ref change } => {
            match change {
                Some(change) => app.repositories.show(&repository, IndexChange::clone(change)).await?,
                None => app.repositories.catch_up(&repository, revision).await?,
            }
            faults::reach(Step::ChangeListed);
            release(app, released).await;
            Ok(published(true))
        }
        Recorded::Unchanged { revision } if request.may_overwrite || !app.rules.repeat_is_conflict => {
            app.repositories.catch_up(&repository, revision).await?;
            Ok(published(false))
        }
        outcome => Err(refusal(outcome, &request.metadata, &recorded.digest)),
    }
}

struct Request {
    metadata: ChartMetadata,
    may_overwrite: bool,
    /// The time of publication when it is not now.
    created: Option<Timestamp>,
    actor: String,
}

struct Attempt {
    outcome: Recorded,
    digest: Digest,
}

/// Reads the archive by Helm's rules, off the async threads.
pub(super) async fn inspect(app: &App, archive: Offered) -> Result<(Offered, ChartMetadata), PublishError> {
    let lost = |closed| PublishError::Interrupted(std::io::Error::other(closed));
    let turn = Arc::clone(&app.checking).acquire_owned().await.map_err(lost)?;
    let reader = archive.open(app).await.map_err(KeepError::from)?;
    off_thread(move || {
        let _held_while_checked = turn;
        let metadata = ChartArchive::inspect(reader, &Limits::default())?;
        Ok((archive, metadata))
    })
    .await
}

/// Refuses provenance that speaks of another chart or other bytes: clients would trust what it cannot vouch for.
async fn check_provenance(
    app: &App,
    archive: &Offered,
    provenance: &Offered,
    metadata: &ChartMetadata,
) -> Result<(), PublishError> {
    let file_name = archive::file_name(&metadata.name, &metadata.version);
    let reader = provenance.open(app).await.map_err(KeepError::from)?;
    Ok(read_provenance(reader).await?.covers(&file_name, archive.digest())?)
}

/// Reads a provenance file, off the async threads.
pub(super) async fn read_provenance(
    mut reader: Box<dyn std::io::Read + Send>,
) -> Result<Provenance, PublishError> {
    off_thread(move || {
        let mut text = Vec::new();
        std::io::Read::read_to_end(&mut reader, &mut text).map_err(PublishError::Interrupted)?;
        Ok(Provenance::parse(&text)?)
    })
    .await
}

pub(super) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PublishError> + Send + 'static,
) -> Result<T, PublishError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(lost) => Err(PublishError::Interrupted(std::io::Error::other(lost))),
    }
}

/// Keeps the bytes and records the version. Refuses what is already decided before a byte is written.
async fn record(
    app: &App,
    repository: &OpenRepository,
    request: &Request,
    archive: Offered,
    known: Option<BlobRow>,
    provenance: Option<Offered>,
) -> Result<Attempt, PublishError> {
    let metadata = &request.metadata;
    let digest = archive.digest().clone();
    let file_name = archive::file_name(&metadata.name, &metadata.version);
    let _one_at_a_time = app.repositories.claim(repository.path(), &file_name).await;
    if let Some(outcome) = already_decided(repository, request, &file_name, &digest) {
        return Ok(Attempt { outcome, digest });
    }
    let archive = keep_blob(app, repository.path(), &file_name, archive, known).await?;
    let provenance = match provenance {
        None => None,
        Some(offered) => {
            let known = find_known(app, offered.digest()).await?;
            Some(keep_blob(app, repository.path(), &format!("{file_name}.prov"), offered, known).await?)
        }
    };
    faults::reach(Step::BytesKept);
    let created_at = match app.blobs.layout() {
        Layout::Addressed => request.created,
        // A flat file's own time is the only one that survives without the catalog.
        Layout::Flat => Some(app.blobs.modified(archive.key()).await.map_err(KeepError::from)?),
    };
    let new = NewVersion {
        created_at,
        ..new_version(app, repository, request, file_name, archive.clone(), provenance.clone())
    };
    let outcome = app.catalog.record_version(new, app.clock.now()).await?;
    if !matches!(outcome, Recorded::Done { .. }) {
        discard(app, &archive).await;
        if let Some(provenance) = &provenance {
            discard(app, provenance).await;
        }
    }
    Ok(Attempt { outcome, digest })
}

/// Looks at the index before anything is written, so that a refusal costs no disk; the transaction decides again.
fn already_decided(
    repository: &OpenRepository,
    request: &Request,
    file_name: &str,
    digest: &Digest,
) -> Option<Recorded> {
    let located = repository.index().find_archive(file_name)?;
    let metadata = &request.metadata;
    if located.chart != metadata.name || located.version != metadata.version {
        let (chart, version) = (located.chart.to_string(), located.version.to_string());
        return Some(Recorded::FileNameTaken { chart, version });
    }
    let existing = located.digest().filter(|existing| existing != digest && !request.may_overwrite)?;
    Some(Recorded::Exists { digest: existing })
}

fn new_version(
    app: &App,
    repository: &OpenRepository,
    request: &Request,
    file_name: String,
    archive: BlobToRecord,
    provenance: Option<BlobToRecord>,
) -> NewVersion {
    let (metadata, digest) = (request.metadata.clone(), archive.digest().clone());
    let minted = mint(&metadata, &archive, provenance.as_ref());
    NewVersion {
        minted: minted.into(),
        oci_name: registry::name_of(repository.path(), &metadata.name),
        repository_id: repository.id(),
        chart: metadata.name.clone(),
        version: metadata.version.clone(),
        file_name,
        archive,
        provenance,
        entry: Arc::new(move |created| {
            IndexEntry::new(metadata.clone(), Some(created), Some(digest.clone())).to_json()
        }),
        may_overwrite: request.may_overwrite,
        must_exist: false,
        created_at: None,
        actor: request.actor.clone(),
        limits: app.rules.limits,
        keeps_replaced: app.blobs.layout().keeps_replaced(),
    }
}

/// Returns the manifest that is served for the version where nobody pushed one.
pub(crate) fn mint(
    metadata: &ChartMetadata,
    archive: &BlobToRecord,
    provenance: Option<&BlobToRecord>,
) -> Minted {
    let provenance = provenance.map(|blob| (blob.digest(), blob.size_bytes()));
    Minted::new(metadata, (archive.digest(), archive.size_bytes()), provenance)
}

/// Returns the repository when the caller may publish to it.
pub(super) async fn publishable(
    app: &App,
    path: &RepositoryPath,
    caller: &Caller,
) -> Result<Arc<OpenRepository>, CreateRepositoryError> {
    if !caller.has(Permission::Publish, path) {
        return Err(CreateRepositoryError::denied(caller, Permission::Publish, path));
    }
    match app.repositories.find(path).await? {
        Some(repository) => Ok(repository),
        None => Err(CreateRepositoryError::Unknown { path: path.clone() }),
    }
}
