//! Deletes a tag, or a manifest with its tags. What carries a published version takes the version with it: gone from one
//! surface, it is gone from all.

use chart::ChartVersion;
use chart::artifact::version_of;
use oci::{OciName, Reference};

use super::delete_version::{DeleteVersionError, delete_version};
use crate::access::Caller;
use crate::app::App;
use crate::catalog::{CatalogError, ManifestRemoval, RemovedManifest};
use crate::registry::{Owned, place_of};

/// Why a manifest or tag was not deleted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeleteManifestError {
    /// It is not there.
    #[error("`{reference}` is not under `{name}`")]
    Unknown {
        /// The name.
        name: OciName,
        /// The tag or digest.
        reference: Reference,
    },
    /// Nothing may be written at the moment.
    #[error("the server is read-only at the moment: {reason}")]
    ReadOnly {
        /// Why.
        reason: String,
    },
    /// The version it carries was not deleted.
    #[error(transparent)]
    Version(#[from] DeleteVersionError),
    /// The catalog did not answer.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

/// Deletes what `reference` names; the caller's right was asked for before.
///
/// # Errors
/// [`DeleteManifestError`]; nothing has changed then.
pub(crate) async fn delete_manifest(
    app: &App,
    name: &OciName,
    owned: &Owned,
    reference: &Reference,
    caller: &Caller,
) -> Result<(), DeleteManifestError> {
    if let Some(version) = version_carried(app, name, owned, reference).await? {
        let (chart, path) = (name.split_last().1, owned.repository.path());
        return Ok(delete_version(app, path, chart, version.as_str(), caller).await?);
    }
    let unknown = || DeleteManifestError::Unknown { name: name.clone(), reference: reference.clone() };
    let removal = ManifestRemoval {
        repository_id: owned.repository.id(),
        name_id: owned.standing.id().ok_or_else(unknown)?,
        name: name.clone(),
        reference: reference.clone(),
        unkept_since: None,
        actor: caller.name().to_owned(),
    };
    match app.catalog.delete_manifest(removal, app.clock.now()).await? {
        RemovedManifest::Done { revision } => {
            owned.repository.note_registry_revision(revision);
            Ok(())
        }
        RemovedManifest::Unknown => Err(unknown()),
        RemovedManifest::ReadOnly { reason } => Err(DeleteManifestError::ReadOnly { reason }),
    }
}

/// Returns the published version that goes with what `reference` names: that of the tag, or of the manifest.
async fn version_carried(
    app: &App,
    name: &OciName,
    owned: &Owned,
    reference: &Reference,
) -> Result<Option<ChartVersion>, CatalogError> {
    let place = place_of(name, owned);
    let Some((repository_id, chart)) = &place.chart else { return Ok(None) };
    match reference {
        Reference::Tag(tag) => {
            let Some(version) = version_of(tag) else { return Ok(None) };
            let row = app.catalog.find_version(*repository_id, chart.as_str(), version.as_str()).await?;
            Ok(row.map(|row| row.version))
        }
        Reference::Digest(digest) => {
            app.catalog.find_version_by_manifest(*repository_id, chart, place.name_id, digest).await
        }
    }
}
