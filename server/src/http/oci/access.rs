//! Who may read and who may push to a name: what the repository it belongs to says.
//!
//! Whether a private thing exists is not told to strangers: without a credential, what is not there and what is not shown
//! look alike.

use oci::{ErrorCode, OciName};

use super::super::Server;
use super::super::request::Asked;
use super::error::OciFailure;
use crate::access::{Caller, Permission};
use crate::operations::create_repository::CreateRepositoryError;
use crate::registry::{Owned, Standing, chart_of};

/// Returns the name's owner when the caller may read there. A name nobody pushed to is [`Standing::New`].
///
/// # Errors
/// 401 for a stranger, 404 for a known caller, when the name is not theirs to see.
pub(super) async fn readable(server: &Server, asked: &Asked, name: &OciName) -> Result<Owned, OciFailure> {
    let owned = server.app.registry.find_owner(name).await?.ok_or_else(|| unknown(name))?;
    let visibility = owned.repository.row().settings.visibility;
    let is_shown = server.app.rules.anonymous_read.allows(&asked.caller)
        && asked.caller.may_read(visibility, owned.repository.path());
    // A stranger who heard "unknown" here would know that a name answered with 401 exists.
    let may_be_hidden = matches!(owned.standing, Standing::New)
        && owned.repository.path().is_root()
        && name.as_str().contains('/')
        && asked.caller == Caller::Anonymous;
    match (is_shown, may_be_hidden) {
        (true, false) => Ok(owned),
        (false, _) | (_, true) => Err(hidden(asked, name)),
    }
}

/// Returns the name's owner when the caller has `permission` there, or would have it in the repository that a chart's push
/// would create.
///
/// # Errors
/// 401 for a stranger, 403 for a known caller.
pub(super) async fn permitted(
    server: &Server,
    asked: &Asked,
    name: &OciName,
    permission: Permission,
) -> Result<Owned, OciFailure> {
    let owned = server.app.registry.find_owner(name).await?.ok_or_else(|| unknown(name))?;
    let path = owned.repository.path();
    let may_create = matches!(owned.standing, Standing::New)
        && permission == Permission::Publish
        && chart_of(name).is_some_and(|(path, _)| asked.caller.has(permission, &path));
    if asked.caller.has(permission, path) || may_create {
        return Ok(owned);
    }
    Err(CreateRepositoryError::denied(&asked.caller, permission, path).into())
}

/// Returns what somebody hears who asked for a name they cannot see, whether it exists or not.
fn hidden(asked: &Asked, name: &OciName) -> OciFailure {
    match asked.caller {
        Caller::Anonymous => CreateRepositoryError::Unauthenticated.into(),
        Caller::Everyone | Caller::Known { .. } => unknown(name),
    }
}

/// Returns the refusal of a name that nobody pushed to.
pub(super) fn unknown(name: &OciName) -> OciFailure {
    OciFailure::new(ErrorCode::NameUnknown, format!("nothing is published under `{name}`"))
}
