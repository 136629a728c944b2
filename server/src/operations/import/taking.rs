//! Takes one offered archive: what is there is passed by, what comes is compared with what was said of it.

use chart::{ChartName, ChartVersion};

use super::super::publish::{self, ImportTerms, Offered, Publication, PublishError, Terms};
use super::report::{Fate, Remark};
use super::{Import, ImportError};
use crate::app::App;
use crate::blobs::StagedBlob;
use crate::import_source::{FetchError, Named, Offer, OfferedProvenance, Place};
use crate::index::Located;
use crate::repository_path::{InvalidRepositoryPath, RepositoryPath};

/// One archive's fate, with what is to be said of it.
pub(super) struct Taken {
    pub(super) remark: Option<Remark>,
    pub(super) fate: Fate,
}

/// Takes `offer`.
///
/// # Errors
/// [`ImportError`] when nothing can be taken any longer.
pub(super) async fn take(app: &App, import: &Import<'_>, offer: Offer) -> Result<Taken, ImportError> {
    let path = match below(&import.into, &offer.tenant) {
        Ok(path) => path,
        Err(refusal) => return Ok(refused(&import.into, &offer.named, refusal)),
    };
    let repository = app.repositories.find(&path).await?;
    let file_name = offer.named.file_name();
    let standing = repository.and_then(|repository| repository.index().find_archive(&file_name));
    if is_present(&offer, standing.as_ref(), offer.digest.as_ref()) {
        return Ok(Taken { remark: None, fate: Fate::Present });
    }
    if import.dry_run && !import.source.is_near() {
        return Ok(foretell(import, &path, &offer, standing.as_ref()));
    }
    let archive = match fetch(app, import, &offer.archive).await {
        Ok(archive) => archive,
        Err(error) => return unfetched(&path, &offer.named, error),
    };
    if let Some(said) = offer.digest.as_ref().filter(|said| *said != archive.digest()) {
        let reason = format!("the index gives the digest `{said}`, the archive has `{}`", archive.digest());
        return Ok(refused(&path, &offer.named, reason));
    }
    if is_present(&offer, standing.as_ref(), Some(archive.digest())) {
        return Ok(Taken { remark: None, fate: Fate::Present });
    }
    let (provenance, remark) = match fetch_provenance(app, import, &path, &offer, &archive).await? {
        Ok(provenance) => (provenance, None),
        Err(remark) => (None, Some(remark)),
    };
    let bytes = archive.size_bytes();
    let tried = match import.dry_run {
        true => try_out(app, import, &offer, standing.as_ref(), archive).await,
        false => {
            let terms = Terms::Import(ImportTerms {
                created: offer.created,
                overwrite: import.overwrite,
                named: entry_of(&offer.named),
            });
            let caller = import.caller.clone();
            let publication = Publication {
                repository: path.clone(),
                archive: archive.into(),
                provenance: provenance.map(Offered::from),
                terms,
                caller,
            };
            publish::publish(app, publication).await.map(|published| published.changed)
        }
    };
    match tried {
        Ok(true) => Ok(Taken { remark, fate: Fate::Imported { bytes } }),
        Ok(false) => Ok(Taken { remark, fate: Fate::Present }),
        Err(error) => conclude(&path, &offer.named, error),
    }
}

/// Returns the repository that a tenant of the source goes to.
fn below(into: &RepositoryPath, tenant: &RepositoryPath) -> Result<RepositoryPath, InvalidRepositoryPath> {
    format!("{}/{}", into.as_str(), tenant.as_str()).parse()
}

fn entry_of(named: &Named) -> Option<(ChartName, ChartVersion)> {
    match named {
        Named::File(_) => None,
        Named::Entry(chart, version) => Some((chart.clone(), version.clone())),
    }
}

/// Tells whether these bytes are published, with provenance where the source surely has some.
fn is_present(offer: &Offer, standing: Option<&Located>, digest: Option<&oci::Digest>) -> bool {
    let Some(standing) = standing.filter(|standing| digest.is_some() && standing.digest().as_ref() == digest)
    else {
        return false;
    };
    match offer.provenance {
        OfferedProvenance::Absent | OfferedProvenance::Perhaps(_) => true,
        OfferedProvenance::Listed(_) => standing.provenance.is_some(),
    }
}

/// Says what would become of an archive that is too far away to look at.
fn foretell(import: &Import<'_>, path: &RepositoryPath, offer: &Offer, standing: Option<&Located>) -> Taken {
    match standing {
        Some(standing) if !import.overwrite => {
            let (chart, version) = (&standing.chart, &standing.version);
            refused(path, &offer.named, format!("`{chart}` `{version}` is published with other bytes"))
        }
        Some(_) | None => Taken { remark: None, fate: Fate::Imported { bytes: 0 } },
    }
}

/// Checks an archive as publishing would, and changes nothing.
async fn try_out(
    app: &App,
    import: &Import<'_>,
    offer: &Offer,
    standing: Option<&Located>,
    archive: StagedBlob,
) -> Result<bool, PublishError> {
    let given = archive.digest().clone();
    let (_, metadata) = publish::inspect(app, archive.into()).await?;
    if let Some(named) = entry_of(&offer.named) {
        publish::expect_named(&named, &metadata)?;
    }
    match standing.and_then(Located::digest) {
        Some(existing) if existing != given && !import.overwrite => {
            Err(PublishError::taken(&metadata, existing, &given))
        }
        Some(_) | None => Ok(true),
    }
}

async fn fetch(app: &App, import: &Import<'_>, place: &Place) -> Result<StagedBlob, FetchError> {
    import.source.fetch(place, app.blobs.staging(), app.rules.upload_bytes).await
}

/// Fetches provenance that vouches for these bytes. What does not is left out with a remark: the archive is good without.
async fn fetch_provenance(
    app: &App,
    import: &Import<'_>,
    path: &RepositoryPath,
    offer: &Offer,
    archive: &StagedBlob,
) -> Result<Result<Option<StagedBlob>, Remark>, ImportError> {
    let left_out = |reason: &dyn std::fmt::Display| {
        Remark::new(path, &offer.named, format!("imported without its provenance: {reason}"))
    };
    let fetched = match &offer.provenance {
        OfferedProvenance::Absent => return Ok(Ok(None)),
        OfferedProvenance::Listed(place) => fetch(app, import, place).await,
        OfferedProvenance::Perhaps(place) => match fetch(app, import, place).await {
            // Stores that may not be listed answer 403 for what is not there.
            Err(FetchError::Absent | FetchError::Refused(_)) => return Ok(Ok(None)),
            fetched => fetched,
        },
    };
    let staged = match fetched {
        Ok(staged) => staged,
        Err(FetchError::Staging(error)) => return Err(PublishError::Keep(error.into()).into()),
        Err(error) => return Ok(Err(left_out(&error))),
    };
    let (file_name, digest) = (offer.named.file_name(), archive.digest().clone());
    let reader = staged.reader().map_err(PublishError::Interrupted)?;
    let checked = match publish::read_provenance(reader).await {
        Ok(provenance) => provenance.covers(&file_name, &digest).map(|()| staged).map_err(PublishError::from),
        Err(error) => Err(error),
    };
    Ok(match checked {
        Ok(staged) => Ok(Some(staged)),
        Err(refusal) => Err(left_out(&refusal)),
    })
}

fn refused(path: &RepositoryPath, named: &Named, reason: impl ToString) -> Taken {
    Taken { remark: Some(Remark::new(path, named, reason)), fate: Fate::Refused }
}

fn unfetched(path: &RepositoryPath, named: &Named, error: FetchError) -> Result<Taken, ImportError> {
    match error {
        FetchError::Absent | FetchError::Refused(_) | FetchError::TooLarge { .. } => {
            Ok(refused(path, named, error))
        }
        FetchError::Away(_) => {
            Ok(Taken { remark: Some(Remark::new(path, named, error)), fate: Fate::Unfetched })
        }
        FetchError::Staging(error) => Err(PublishError::Keep(error.into()).into()),
    }
}

/// Tells a refusal of one archive from a failure that would meet every other too.
fn conclude(path: &RepositoryPath, named: &Named, error: PublishError) -> Result<Taken, ImportError> {
    match error {
        PublishError::Archive(_)
        | PublishError::Provenance(_)
        | PublishError::Mismatch(_)
        | PublishError::OtherChart { .. }
        | PublishError::OtherName { .. }
        | PublishError::OtherTag { .. }
        | PublishError::NameHoldsImages { .. }
        | PublishError::Exists(_)
        | PublishError::Repeated
        | PublishError::ProvenanceExists { .. }
        | PublishError::FileNameTaken { .. }
        | PublishError::LimitReached { .. }
        | PublishError::TooManyVersions { .. }
        | PublishError::TooManyBytes { .. } => Ok(refused(path, named, error)),
        PublishError::Overtaken => {
            Ok(Taken { remark: Some(Remark::new(path, named, error)), fate: Fate::Unfetched })
        }
        PublishError::Repository(_)
        | PublishError::ReadOnly { .. }
        | PublishError::Keep(_)
        | PublishError::Catalog(_)
        | PublishError::Interrupted(_) => Err(error.into()),
    }
}
