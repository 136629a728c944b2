//! On whose terms a version comes in: a client's now, or an administrator's who brings it from elsewhere.

use chart::{ChartMetadata, ChartName, ChartVersion, Timestamp};
use chart::{archive, artifact};
use oci::Tag;

use super::super::create_repository::CreateRepositoryError;
use super::{Publication, PublishError};
use crate::access::Permission;
use crate::catalog::Overwrite;

/// On whose terms a version comes in.
pub(crate) enum Terms {
    /// A client's: published now, with `force` in the place of other bytes where the repository allows that.
    Upload { force: bool },
    /// A registry client's, who pushed a manifest that names the archive.
    Push(PushTerms),
    /// An administrator's, who brings what was published elsewhere.
    Import(ImportTerms),
}

/// What a registry client said of a version.
pub(crate) struct PushTerms {
    /// The chart whose name it pushed to.
    pub(crate) chart: ChartName,
    /// The tag it pushed.
    pub(crate) tag: Tag,
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
    pub(super) fn may_overwrite(&self, policy: Overwrite) -> bool {
        match self {
            Self::Upload { force } => policy.permits(*force),
            // The protocol has no word for force.
            Self::Push(_) => policy.permits(false),
            Self::Import(import) => import.overwrite && policy.permits(true),
        }
    }

    /// Refuses an archive that is another chart or version than was said.
    pub(super) fn expect(&self, metadata: &ChartMetadata) -> Result<(), PublishError> {
        match self {
            Self::Upload { .. } => Ok(()),
            Self::Push(push) => push.expect(metadata),
            Self::Import(ImportTerms { named: None, .. }) => Ok(()),
            Self::Import(ImportTerms { named: Some(named), .. }) => expect_named(named, metadata),
        }
    }
}

impl PushTerms {
    fn expect(&self, metadata: &ChartMetadata) -> Result<(), PublishError> {
        if self.chart != metadata.name {
            let (pushed, chart) = (self.chart.clone(), metadata.name.clone());
            return Err(PublishError::OtherName { pushed, chart });
        }
        if artifact::tag_of(&metadata.version).as_ref() != Some(&self.tag) {
            let (tag, version) = (self.tag.clone(), metadata.version.clone());
            return Err(PublishError::OtherTag { tag, version });
        }
        Ok(())
    }
}

/// Returns the time that a publication brings along, which is an administrator's to say: it orders the index.
pub(super) fn permitted_time(publication: &Publication) -> Result<Option<Timestamp>, CreateRepositoryError> {
    let Publication { repository, terms, caller, .. } = publication;
    match terms {
        Terms::Upload { .. } | Terms::Push(_) => Ok(None),
        Terms::Import(import) if caller.has(Permission::Administer, repository) => Ok(import.created),
        Terms::Import(_) => Err(CreateRepositoryError::denied(caller, Permission::Administer, repository)),
    }
}

/// Refuses an archive that is another chart or version than it was listed as.
pub(in crate::operations) fn expect_named(
    (chart, version): &(ChartName, ChartVersion),
    metadata: &ChartMetadata,
) -> Result<(), PublishError> {
    if *chart == metadata.name && *version == metadata.version {
        return Ok(());
    }
    let listed = archive::file_name(chart, version);
    Err(PublishError::OtherChart { listed, chart: metadata.name.clone(), version: metadata.version.clone() })
}
