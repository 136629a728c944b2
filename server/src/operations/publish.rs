//! Publishes a version: the one way in for every surface.
//!
//! Validate, keep the bytes, record them in one transaction, bring the index along, then answer. A failure at any
//! point leaves at most bytes that nobody knows.

use std::sync::Arc;

use chart::archive::{self, ArchiveError, ChartArchive, Limits};
use chart::index::IndexEntry;
use chart::{
    ChartMetadata, ChartName, ChartVersion, InvalidProvenance, Provenance, ProvenanceMismatch, Timestamp,
};
use oci::Digest;

use super::create_repository::{self, CreateRepositoryError};
pub(crate) use super::keep_blob::KeepError;
use super::keep_blob::{discard, find_known, keep_blob, release};
use crate::access::{Caller, Permission};
use crate::app::App;
use crate::blobs::{Layout, StagedBlob};
use crate::catalog::{BlobRow, BlobToRecord, CatalogError, IndexChange, NewVersion, Overwrite, Recorded};
use crate::faults::{self, Step};
use crate::repositories::OpenRepository;
use crate::repository_path::RepositoryPath;

/// What is to be published where, and who says so.
pub(crate) struct Publication {
    pub(crate) repository: RepositoryPath,
    pub(crate) archive: StagedBlob,
    pub(crate) provenance: Option<StagedBlob>,
    pub(crate) terms: Terms,
    pub(crate) caller: Caller,
}

/// On whose terms a version comes in.
pub(crate) enum Terms {
    /// A client's: published now, with `force` in the place of other bytes where the repository allows that.
    Upload { force: bool },
    /// An administrator's, who brings what was published elsewhere.
    Import(ImportTerms),
}

/// What an import knows of a version.
pub(crate) struct ImportTerms {
    /// When it was published, if that is known.
    pub(crate) created: Option<Timestamp>,
    /// Whether it takes the place of other bytes where the repository allows that at all.
    pub(crate) overwrite: bool,
    /// The chart and version it was listed as.
    pub(crate) named: Option<(ChartName, ChartVersion)>,
}

impl Terms {
    /// An import replaces nothing unasked, not even where uploads may.
    fn may_overwrite(&self, policy: Overwrite) -> bool {
        match self {
            Self::Upload { force } => policy.permits(*force),
            Self::Import(import) => import.overwrite && policy.permits(true),
        }
    }
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

/// Other bytes are published under a name and version.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{chart}` `{version}` is already published with other bytes ({existing}, these are {given}): publish a new version"
)]
pub(crate) struct VersionTaken {
    chart: ChartName,
    version: ChartVersion,
    existing: Digest,
    given: Digest,
}

/// Why a version was not published.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PublishError {
    /// The caller lacks the right, or the repository is not there and not theirs to create.
    #[error(transparent)]
    Repository(#[from] CreateRepositoryError),
    /// Helm would not load the archive.
    #[error("{0}")]
    Archive(Box<ArchiveError>),
    /// The provenance file is not one.
    #[error("{0}")]
    Provenance(Box<InvalidProvenance>),
    /// The provenance file speaks of another archive.
    #[error(transparent)]
    Mismatch(#[from] ProvenanceMismatch),
    /// The archive is another chart or version than it was listed as.
    #[error("the archive is `{chart}` `{version}`, but was listed as `{listed}`")]
    OtherChart {
        /// What it was listed as.
        listed: String,
        /// The chart it is.
        chart: ChartName,
        /// The version it is.
        version: ChartVersion,
    },
    /// Other bytes are published under this name and version.
    #[error(transparent)]
    Exists(Box<VersionTaken>),
    /// The same bytes are published, and the server was told to call that a conflict.
    #[error("file already exists")]
    Repeated,
    /// Another provenance file is published for this version.
    #[error("`{chart}` `{version}` already has another provenance file: publish a new version")]
    ProvenanceExists {
        /// The chart.
        chart: ChartName,
        /// The version.
        version: ChartVersion,
    },
    /// Two versions would share one file name.
    #[error("`{file_name}` is already the archive of `{chart}` `{version}`: choose another version")]
    FileNameTaken {
        /// The file name.
        file_name: String,
        /// The chart that has it.
        chart: String,
        /// Its version.
        version: String,
    },
    /// The repository is full.
    #[error("repo has reached storage limit: it may hold {objects} objects")]
    LimitReached {
        /// How many objects it may hold.
        objects: u64,
    },
    /// The repository has as many versions as it may.
    #[error(
        "the repository is full: it may hold {most} version(s); delete some, or let an admin raise `mostVersions`"
    )]
    TooManyVersions {
        /// How many it may hold.
        most: u64,
    },
    /// The repository would have more bytes than it may.
    #[error(
        "the repository is full: it may hold {most} bytes and would have more; delete versions, or let an admin raise `mostBytes`"
    )]
    TooManyBytes {
        /// How many it may hold.
        most: u64,
    },
    /// Nothing may be written at the moment.
    #[error("the server is read-only at the moment: {reason}")]
    ReadOnly {
        /// Why.
        reason: String,
    },
    /// The bytes could not be kept.
    #[error(transparent)]
    Keep(#[from] KeepError),
    /// The catalog did not answer.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// What the version stands on was removed while it was being published.
    #[error("the repository changed at the same moment: try again")]
    Overtaken,
    /// The work was lost with its thread.
    #[error("the archive could not be checked")]
    Interrupted(#[source] std::io::Error),
}

impl PublishError {
    /// Returns the refusal of other bytes than the `existing` ones.
    pub(super) fn taken(metadata: &ChartMetadata, existing: Digest, given: &Digest) -> Self {
        let (chart, version) = (metadata.name.clone(), metadata.version.clone());
        Self::Exists(Box::new(VersionTaken { chart, version, existing, given: given.clone() }))
    }
}

impl From<ArchiveError> for PublishError {
    fn from(error: ArchiveError) -> Self {
        Self::Archive(Box::new(error))
    }
}

impl From<InvalidProvenance> for PublishError {
    fn from(error: InvalidProvenance) -> Self {
        Self::Provenance(Box::new(error))
    }
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
    if let Terms::Import(ImportTerms { named: Some(named), .. }) = &publication.terms {
        expect_named(named, &metadata)?;
    }
    let (archive, provenance) = check_provenance(archive, publication.provenance, &metadata).await?;
    faults::reach(Step::ArchiveChecked);
    let request = Request {
        may_overwrite: publication.terms.may_overwrite(repository.row().settings.overwrite),
        created,
        actor: publication.caller.name().to_owned(),
        metadata,
    };
    let recorded = record(app, &repository, &request, archive, known, provenance).await?;
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

/// Returns the time that a publication brings along, which is an administrator's to say: it orders the index.
fn permitted_time(publication: &Publication) -> Result<Option<Timestamp>, CreateRepositoryError> {
    let Publication { repository, terms, caller, .. } = publication;
    match terms {
        Terms::Upload { .. } => Ok(None),
        Terms::Import(import) if caller.has(Permission::Administer, repository) => Ok(import.created),
        Terms::Import(_) => Err(CreateRepositoryError::denied(caller, Permission::Administer, repository)),
    }
}

/// Refuses an archive that is another chart or version than it was listed as.
pub(super) fn expect_named(
    (chart, version): &(ChartName, ChartVersion),
    metadata: &ChartMetadata,
) -> Result<(), PublishError> {
    if *chart == metadata.name && *version == metadata.version {
        return Ok(());
    }
    let listed = archive::file_name(chart, version);
    Err(PublishError::OtherChart { listed, chart: metadata.name.clone(), version: metadata.version.clone() })
}

/// Reads the archive by Helm's rules, off the async threads.
pub(super) async fn inspect(
    app: &App,
    staged: StagedBlob,
) -> Result<(StagedBlob, ChartMetadata), PublishError> {
    let lost = |closed| PublishError::Interrupted(std::io::Error::other(closed));
    let turn = Arc::clone(&app.checking).acquire_owned().await.map_err(lost)?;
    off_thread(move || {
        let _held_while_checked = turn;
        let reader = staged.reader().map_err(PublishError::Interrupted)?;
        let metadata = ChartArchive::inspect(reader, &Limits::default())?;
        Ok((staged, metadata))
    })
    .await
}

/// Refuses provenance that speaks of another chart or other bytes: clients would trust what it cannot vouch for.
async fn check_provenance(
    archive: StagedBlob,
    provenance: Option<StagedBlob>,
    metadata: &ChartMetadata,
) -> Result<(StagedBlob, Option<StagedBlob>), PublishError> {
    let Some(staged) = provenance else { return Ok((archive, None)) };
    let file_name = archive::file_name(&metadata.name, &metadata.version);
    off_thread(move || {
        read_provenance(&staged)?.covers(&file_name, archive.digest())?;
        Ok((archive, Some(staged)))
    })
    .await
}

/// Reads a staged provenance file.
pub(super) fn read_provenance(staged: &StagedBlob) -> Result<Provenance, PublishError> {
    let mut text = Vec::new();
    let mut reader = staged.reader().map_err(PublishError::Interrupted)?;
    std::io::Read::read_to_end(&mut reader, &mut text).map_err(PublishError::Interrupted)?;
    Ok(Provenance::parse(&text)?)
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
    archive: StagedBlob,
    known: Option<BlobRow>,
    provenance: Option<StagedBlob>,
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
        Some(staged) => {
            let known = find_known(app, staged.digest()).await?;
            Some(keep_blob(app, repository.path(), &format!("{file_name}.prov"), staged, known).await?)
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
    NewVersion {
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

fn refusal(outcome: Recorded, metadata: &ChartMetadata, given: &Digest) -> PublishError {
    let (chart, version) = (metadata.name.clone(), metadata.version.clone());
    match outcome {
        Recorded::Exists { digest } => PublishError::taken(metadata, digest, given),
        Recorded::ProvenanceExists => PublishError::ProvenanceExists { chart, version },
        Recorded::FileNameTaken { chart: holder, version: held } => PublishError::FileNameTaken {
            file_name: archive::file_name(&chart, &version),
            chart: holder,
            version: held,
        },
        Recorded::Full { objects } => PublishError::LimitReached { objects },
        Recorded::TooManyVersions { most } => PublishError::TooManyVersions { most },
        Recorded::TooManyBytes { most } => PublishError::TooManyBytes { most },
        Recorded::ReadOnly { reason } => PublishError::ReadOnly { reason },
        Recorded::Done { .. } | Recorded::Unchanged { .. } => PublishError::Repeated,
        Recorded::BlobGone | Recorded::RepositoryGone | Recorded::VersionUnknown => PublishError::Overtaken,
    }
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
