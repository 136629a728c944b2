//! Adds provenance to a version that is published: it must name that version's archive by its digest.

use std::sync::Arc;

use chart::Provenance;
use chart::archive;

use super::create_repository::CreateRepositoryError;
use super::keep_blob::{discard, find_known, keep_blob, release};
use super::publish::{self, PublishError};
use crate::access::Caller;
use crate::app::App;
use crate::blobs::{BlobKey, StagedBlob};
use crate::catalog::{BlobToRecord, CatalogError, NewVersion, Recorded, VersionRow};
use crate::registry;
use crate::repositories::OpenRepository;
use crate::repository_path::RepositoryPath;

/// Why provenance was not added.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AddProvenanceError {
    /// There is no such version to vouch for.
    #[error("`{chart}` `{version}` is not published: publish the chart first, or both together")]
    VersionUnknown {
        /// The chart it names.
        chart: String,
        /// The version it names.
        version: String,
    },
    /// The same reasons as for publishing.
    #[error(transparent)]
    Publish(#[from] PublishError),
}

impl From<CreateRepositoryError> for AddProvenanceError {
    fn from(error: CreateRepositoryError) -> Self {
        Self::Publish(error.into())
    }
}

impl From<CatalogError> for AddProvenanceError {
    fn from(error: CatalogError) -> Self {
        Self::Publish(error.into())
    }
}

/// Adds the staged provenance file to the version it names.
///
/// The same file again is accepted and changes nothing.
///
/// # Errors
/// [`AddProvenanceError`]; nothing is stored then.
pub(crate) async fn add_provenance(
    app: &App,
    path: &RepositoryPath,
    staged: StagedBlob,
    force: bool,
    caller: &Caller,
) -> Result<(), AddProvenanceError> {
    let repository = publish::publishable(app, path, caller).await?;
    let reader = staged.reader().map_err(PublishError::Interrupted)?;
    let provenance = publish::read_provenance(reader).await?;
    let file_name = archive::file_name(provenance.name(), provenance.version());
    let _one_at_a_time = app.repositories.claim(path, &file_name).await;
    let Some(version) = find(app, &repository, &provenance).await? else {
        return keep_for_later(app, path, staged, &file_name, &provenance).await;
    };
    provenance.covers(&file_name, &version.archive_digest).map_err(PublishError::from)?;
    let known = find_known(app, staged.digest()).await.map_err(PublishError::from)?;
    let blob = keep_blob(app, path, &format!("{file_name}.prov"), staged.into(), known)
        .await
        .map_err(PublishError::from)?;
    let may_overwrite = repository.row().settings.overwrite.permits(force);
    let archive = BlobToRecord::Known(version.archive_row());
    let entry = version.entry.clone();
    let new = NewVersion {
        repository_id: repository.id(),
        chart: version.chart.clone(),
        version: version.version.clone(),
        file_name,
        minted: publish::mint(&version.metadata()?, &archive, Some(&blob)).into(),
        oci_name: registry::name_of(path, &version.chart),
        archive,
        provenance: Some(blob.clone()),
        entry: Arc::new(move |_| entry.clone()),
        may_overwrite,
        must_exist: true,
        created_at: None,
        actor: caller.name().to_owned(),
        limits: crate::catalog::VersionLimits { versions_per_chart: None, ..app.rules.limits },
        keeps_replaced: app.blobs.layout().keeps_replaced(),
    };
    let outcome = app.catalog.record_version(new, app.clock.now()).await?;
    conclude(app, &repository, outcome, may_overwrite, &blob, &provenance).await
}

async fn find(
    app: &App,
    repository: &OpenRepository,
    provenance: &Provenance,
) -> Result<Option<VersionRow>, CatalogError> {
    app.catalog.find_version(repository.id(), provenance.name().as_str(), provenance.version().as_str()).await
}

/// Keeps provenance that came before its chart, where the server was told to take it as ChartMuseum does.
async fn keep_for_later(
    app: &App,
    path: &RepositoryPath,
    staged: StagedBlob,
    file_name: &str,
    provenance: &Provenance,
) -> Result<(), AddProvenanceError> {
    if !app.rules.provenance_may_come_first {
        return Err(AddProvenanceError::VersionUnknown {
            chart: provenance.name().to_string(),
            version: provenance.version().to_string(),
        });
    }
    let key = BlobKey::flat(path, &format!("{file_name}.prov"));
    app.blobs.keep(staged, key).await.map_err(|error| PublishError::Keep(error.into()))?;
    Ok(())
}

async fn conclude(
    app: &App,
    repository: &OpenRepository,
    outcome: Recorded,
    may_overwrite: bool,
    blob: &BlobToRecord,
    provenance: &Provenance,
) -> Result<(), AddProvenanceError> {
    let (chart, version) = (provenance.name(), provenance.version());
    match &outcome {
        Recorded::Done { revision, released, .. } => {
            app.repositories.catch_up(repository, *revision).await?;
            release(app, released).await;
            return Ok(());
        }
        Recorded::Unchanged { .. } if may_overwrite || !app.rules.repeat_is_conflict => return Ok(()),
        Recorded::Unchanged { .. }
        | Recorded::ProvenanceExists
        | Recorded::Full { .. }
        | Recorded::TooManyVersions { .. }
        | Recorded::TooManyBytes { .. }
        | Recorded::ReadOnly { .. }
        | Recorded::VersionUnknown
        | Recorded::Exists { .. }
        | Recorded::FileNameTaken { .. }
        | Recorded::NameHoldsImages { .. }
        | Recorded::BlobGone
        | Recorded::RepositoryGone => discard(app, blob).await,
    }
    Err(match outcome {
        Recorded::ProvenanceExists => {
            PublishError::ProvenanceExists { chart: chart.clone(), version: version.clone() }.into()
        }
        Recorded::Unchanged { .. } | Recorded::Done { .. } => PublishError::Repeated.into(),
        Recorded::Full { objects } => PublishError::LimitReached { objects }.into(),
        Recorded::TooManyVersions { most } => PublishError::TooManyVersions { most }.into(),
        Recorded::TooManyBytes { most } => PublishError::TooManyBytes { most }.into(),
        Recorded::ReadOnly { reason } => PublishError::ReadOnly { reason }.into(),
        // The version was removed or replaced between the look and the transaction.
        Recorded::VersionUnknown
        | Recorded::Exists { .. }
        | Recorded::FileNameTaken { .. }
        | Recorded::NameHoldsImages { .. }
        | Recorded::BlobGone
        | Recorded::RepositoryGone => {
            AddProvenanceError::VersionUnknown { chart: chart.to_string(), version: version.to_string() }
        }
    })
}
