//! Creates a repository: by an administrator, or by the first publish of somebody who may.

use std::sync::Arc;

use crate::access::{Caller, Permission};
use crate::app::App;
use crate::catalog::{CatalogError, RepositoryRow, RepositorySettings};
use crate::repositories::OpenRepository;
use crate::repository_path::RepositoryPath;

/// Why a repository cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CreateRepositoryError {
    /// No credential came, and one is needed.
    #[error("authentication required: send a token as bearer token or as basic password")]
    Unauthenticated,
    /// The credential does not reach this far.
    #[error("`{caller}` may not {action} in `{path}`: a token with the role `{needed}` that covers it can")]
    Denied {
        /// Who asked.
        caller: String,
        /// What for.
        action: &'static str,
        /// The role that would do.
        needed: &'static str,
        /// Where.
        path: RepositoryPath,
    },
    /// The repository is not there, and the caller may not create it.
    #[error("the repository `{path}` does not exist: ask an administrator to create it")]
    Unknown {
        /// Where it would be.
        path: RepositoryPath,
    },
    /// It is there already.
    #[error("the repository `{path}` exists already")]
    Exists {
        /// Where it is.
        path: RepositoryPath,
    },
    /// Names of another repository lie where it would be.
    #[error(
        "the repository `{path}` cannot be made: `{name}` was pushed before and belongs to another; choose another path, or delete and push that name again"
    )]
    NamesThere {
        /// Where it would be.
        path: RepositoryPath,
        /// One of these names.
        name: String,
    },
    /// Nothing may be written at the moment.
    #[error("the server is read-only at the moment: {reason}")]
    ReadOnly {
        /// Why.
        reason: String,
    },
    /// The catalog did not answer.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

impl CreateRepositoryError {
    /// Returns the refusal of `permission` that `caller` should hear.
    pub(crate) fn denied(caller: &Caller, permission: Permission, path: &RepositoryPath) -> Self {
        let action = match permission {
            Permission::Read => "read",
            Permission::Publish => "publish",
            Permission::Delete => "delete",
            Permission::Administer => "change settings",
        };
        match caller {
            Caller::Anonymous => Self::Unauthenticated,
            Caller::Everyone | Caller::Known { .. } => Self::Denied {
                caller: caller.name().to_owned(),
                action,
                needed: permission.least_role().word(),
                path: path.clone(),
            },
        }
    }
}

/// Creates the repository at `path` with `settings`.
///
/// # Errors
/// [`CreateRepositoryError`]; `Exists` when it is there already, with whatever settings.
pub(crate) async fn create_repository(
    app: &App,
    path: &RepositoryPath,
    settings: RepositorySettings,
    caller: &Caller,
) -> Result<RepositoryRow, CreateRepositoryError> {
    if !caller.has(Permission::Administer, path) {
        return Err(CreateRepositoryError::denied(caller, Permission::Administer, path));
    }
    refuse_when_read_only(app).await?;
    refuse_over_names(app, path).await?;
    let (row, created) = app.catalog.create_repository(path, settings, app.clock.now()).await?;
    if created {
        tracing::info!(repository = %path, caller = caller.name(), "created a repository");
        Ok(row)
    } else {
        Err(CreateRepositoryError::Exists { path: path.clone() })
    }
}

/// Returns the repository at `path` for a caller who may publish there, creating it where they may do that too.
pub(super) async fn find_or_create(
    app: &App,
    path: &RepositoryPath,
    caller: &Caller,
) -> Result<Arc<OpenRepository>, CreateRepositoryError> {
    let absent = match super::publish::publishable(app, path, caller).await {
        Ok(repository) => return Ok(repository),
        Err(absent @ CreateRepositoryError::Unknown { .. }) => absent,
        Err(other) => return Err(other),
    };
    if !caller.has(Permission::Administer, path) && !app.rules.publishers_create_repositories {
        return Err(absent);
    }
    refuse_when_read_only(app).await?;
    refuse_over_names(app, path).await?;
    // Somebody else may create it at the same moment, which is just as good.
    app.catalog.create_repository(path, app.rules.new_repository.clone(), app.clock.now()).await?;
    match app.repositories.find(path).await? {
        Some(repository) => Ok(repository),
        None => Err(absent),
    }
}

/// Refuses a repository over names of another: they stay with it, and nobody could tell whose rules hold for them.
async fn refuse_over_names(app: &App, path: &RepositoryPath) -> Result<(), CreateRepositoryError> {
    if path.is_root() || app.catalog.find_repository(path).await?.is_some() {
        return Ok(());
    }
    match app.catalog.find_name_within(path).await? {
        None => Ok(()),
        Some(name) => Err(CreateRepositoryError::NamesThere { path: path.clone(), name }),
    }
}

/// Refuses a change of what is no content, whose transaction does not look at the switch itself.
pub(super) async fn refuse_when_read_only(app: &App) -> Result<(), CreateRepositoryError> {
    match app.catalog.read_only_reason().await? {
        None => Ok(()),
        Some(reason) => Err(CreateRepositoryError::ReadOnly { reason }),
    }
}
