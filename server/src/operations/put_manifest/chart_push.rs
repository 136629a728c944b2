//! The push of a chart: under the tag of its version it is published like any other, and every surface lists it.
//!
//! Other tags are aliases of a version that is published. By digest alone it is only kept, as helm pushes it first.

use chart::ChartVersion;
use chart::artifact::{ChartArtifact, tag_of, version_of};
use oci::{Descriptor, Tag};

use super::{ManifestPush, ManifestTarget, PutManifestError};
use crate::app::App;
use crate::catalog::{BlobRow, Holds, ManifestOfChart};
use crate::operations::create_repository;
use crate::operations::publish::{Offered, Publication, PublishError, PushTerms, Terms, publish};
use crate::registry::{Owned, chart_of};

/// A chart's manifest on its way in.
pub(super) struct ChartPush<'p> {
    pub(super) push: &'p ManifestPush,
    pub(super) artifact: &'p ChartArtifact,
    pub(super) tags: &'p [Tag],
}

/// Publishes the chart where its tag is its version, and returns where its manifest goes.
pub(super) async fn place_chart(
    app: &App,
    ChartPush { push, artifact, tags }: ChartPush<'_>,
) -> Result<ManifestTarget, PutManifestError> {
    let Some((path, chart)) = chart_of(&push.name) else {
        return Err(PutManifestError::NoChartName { name: push.name.clone() });
    };
    let repository = create_repository::find_or_create(app, &path, &push.caller).await?;
    let published = app
        .catalog
        .find_version_by_archive(repository.id(), chart.as_str(), &artifact.archive.digest)
        .await?;
    let is_tag_of = |version: &ChartVersion| tags.iter().any(|tag| Some(tag) == tag_of(version).as_ref());
    let version = match published {
        Some(version) if !is_tag_of(&version) || artifact.provenance.is_none() => Some(version),
        // Of several tags one is the version, if any is.
        Some(_) | None => match tags.iter().find(|tag| version_of(tag).is_some()).or(tags.first()) {
            None => None,
            Some(tag) => {
                let archive = stored(app, push, &artifact.archive).await?;
                let provenance = match &artifact.provenance {
                    None => None,
                    Some(layer) => Some(Offered::Stored(stored(app, push, layer).await?)),
                };
                let publication = Publication {
                    repository: path,
                    archive: Offered::Stored(archive),
                    provenance,
                    terms: Terms::Push(PushTerms { chart: chart.clone(), tag: tag.clone() }),
                    caller: push.caller.clone(),
                };
                Some(publish(app, publication).await?.version)
            }
        },
    };
    refuse_other_versions(tags, version.as_ref())?;
    let standing = push.owned.standing.clone();
    Ok(ManifestTarget {
        owner: Owned { repository, standing },
        holds: Holds::Charts,
        chart: Some(ManifestOfChart { archive: artifact.archive.digest.clone(), version }),
        // The version's tag follows its archive, which is never another one; an alias may name another version.
        may_move_tags: true,
    })
}

/// Refuses a tag that reads as another version: who asks for that one must never get this.
fn refuse_other_versions(tags: &[Tag], version: Option<&ChartVersion>) -> Result<(), PutManifestError> {
    let Some(version) = version else { return Ok(()) };
    let own = tag_of(version);
    match tags.iter().find(|tag| version_of(tag).is_some() && own.as_ref() != Some(tag)) {
        None => Ok(()),
        Some(tag) => Err(PublishError::OtherTag { tag: tag.clone(), version: version.clone() }.into()),
    }
}

/// Returns the stored bytes of a layer, which must be under the name.
async fn stored(app: &App, push: &ManifestPush, layer: &Descriptor) -> Result<BlobRow, PutManifestError> {
    let unknown = || PutManifestError::BlobUnknown { name: push.name.clone(), digest: layer.digest.clone() };
    if layer.size > app.rules.upload_bytes {
        return Err(PutManifestError::TooLarge { limit: app.rules.upload_bytes });
    }
    let row = app.catalog.find_blob_of_name(&push.name, &layer.digest).await?.ok_or_else(unknown)?;
    if row.size_bytes != layer.size {
        return Err(PutManifestError::OtherSize {
            digest: layer.digest.clone(),
            said: layer.size,
            size: row.size_bytes,
        });
    }
    Ok(row)
}
