//! Imports what a source has into a repository, through the one way in, with the times of its first publication.
//!
//! It can be stopped and begun again at any moment: what is there with the same bytes is passed by. Nothing that is
//! published is replaced unless both the request and the repository say so.

mod report;
mod taking;

use std::num::NonZeroUsize;

use futures_util::{StreamExt, TryStreamExt};

use super::create_repository::CreateRepositoryError;
use super::publish::PublishError;
use crate::access::{Caller, Permission};
use crate::app::App;
use crate::catalog::CatalogError;
use crate::import_source::{ImportSource, ListError};
use crate::repository_path::RepositoryPath;
use report::Fate;
pub(crate) use report::{ImportReport, Remark};
use taking::{Taken, take};

/// After so many archives in a row that a source did not give, each tried several times, it is taken to be away.
const MOST_AWAY_IN_A_ROW: u32 = 20;

/// What is to be imported, and how.
pub(crate) struct Import<'a> {
    pub(crate) source: &'a ImportSource,
    /// The repository that gets it; tenants of the source become repositories below it.
    pub(crate) into: RepositoryPath,
    /// Whether other bytes take the place of published ones where the repository allows that at all.
    pub(crate) overwrite: bool,
    /// Whether to tell what would happen, and change nothing.
    pub(crate) dry_run: bool,
    /// How many archives are fetched and checked at the same time.
    pub(crate) at_once: NonZeroUsize,
    pub(crate) caller: Caller,
}

/// What an import tells while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ImportStep {
    /// The source has so many archives.
    Listed(u64),
    /// One more is done, whatever became of it.
    Done,
}

/// Why an import stopped before its end. What it took until then stays; importing again goes on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    /// The caller may not, or the repository cannot be had.
    #[error(transparent)]
    Repository(#[from] CreateRepositoryError),
    /// Replacing was asked for where it is never allowed.
    #[error(
        "the repository `{path}` never replaces what is published: allow it with `chartroom repository set {path} --overwrite forced`, or import without `--overwrite`"
    )]
    Immutable {
        /// The repository.
        path: RepositoryPath,
    },
    /// The source cannot be listed.
    #[error(transparent)]
    List(Box<ListError>),
    /// The source stopped answering.
    #[error("the source failed {MOST_AWAY_IN_A_ROW} times in a row, the last time so: {reason}")]
    SourceAway {
        /// The last failure.
        reason: String,
    },
    /// Our own stores failed, or nothing may be written.
    #[error(transparent)]
    Publish(Box<PublishError>),
}

impl From<ListError> for ImportError {
    fn from(error: ListError) -> Self {
        Self::List(Box::new(error))
    }
}

impl From<CatalogError> for ImportError {
    fn from(error: CatalogError) -> Self {
        Self::Repository(error.into())
    }
}

impl From<PublishError> for ImportError {
    fn from(error: PublishError) -> Self {
        Self::Publish(Box::new(error))
    }
}

/// Imports everything the source has, and returns what became of it; calls `tell` at every step.
///
/// # Errors
/// [`ImportError`] when it had to stop. That single archives are refused is no error but part of the report.
pub(crate) async fn import(
    app: &App,
    import: &Import<'_>,
    tell: &(dyn Fn(ImportStep) + Sync),
) -> Result<ImportReport, ImportError> {
    if !import.caller.has(Permission::Administer, &import.into) {
        return Err(
            CreateRepositoryError::denied(&import.caller, Permission::Administer, &import.into).into()
        );
    }
    refuse_immutable(app, import).await?;
    let listing = import.source.list().await?;
    tell(ImportStep::Listed(listing.offers.len() as u64));
    let mut report = ImportReport::new(import.dry_run);
    for unusable in listing.unusable {
        report.refused.push(Remark::of_unusable(&import.into, unusable));
    }
    let mut taken = futures_util::stream::iter(listing.offers)
        .map(|offer| take(app, import, offer))
        .buffer_unordered(import.at_once.get());
    let mut away_in_a_row = 0;
    while let Some(Taken { remark, fate }) = taken.try_next().await? {
        away_in_a_row = if fate == Fate::Unfetched { away_in_a_row + 1 } else { 0 };
        if let Some(last) = remark.as_ref().filter(|_| away_in_a_row == MOST_AWAY_IN_A_ROW) {
            return Err(ImportError::SourceAway { reason: last.reason.clone() });
        }
        report.add(remark, fate);
        tell(ImportStep::Done);
    }
    report.sort();
    Ok(report)
}

/// Refuses at once what every single archive would be refused for.
async fn refuse_immutable(app: &App, import: &Import<'_>) -> Result<(), ImportError> {
    if !import.overwrite {
        return Ok(());
    }
    let Some(repository) = app.repositories.find(&import.into).await? else { return Ok(()) };
    if repository.row().settings.overwrite.permits(true) {
        return Ok(());
    }
    Err(ImportError::Immutable { path: import.into.clone() })
}

#[cfg(test)]
mod tests;
