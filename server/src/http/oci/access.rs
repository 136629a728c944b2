//! Who may read and who may push to a name: what the repository it belongs to says, and within that what a token is for.
//!
//! Whether a private thing exists is not told to strangers: what is not there and what is not shown look alike to them.
//! Repositories lie within each other, so a stranger cannot be told of any name that it is not there: the same question
//! about a private name is answered in the same words.

use oci::{ErrorCode, OciName};

use super::super::Server;
use super::super::error::ErrorKind;
use super::super::request::Asked;
use super::error::OciFailure;
use crate::access::{Action, Caller, Permission};
use crate::operations::create_repository::CreateRepositoryError;
use crate::registry::{Owned, Standing, chart_of};

/// Returns the name's owner when the caller may read there. A name nobody pushed to is [`Standing::New`], and only for
/// those whose own right reaches it.
///
/// # Errors
/// 401 for a stranger, 404 for a known caller, when the name is not theirs to see; 401 for a token that is not for it.
pub(super) async fn readable(server: &Server, asked: &Asked, name: &OciName) -> Result<Owned, OciFailure> {
    let owned = readable_by_caller(server, asked, name).await?;
    within_token(asked, name, Action::Pull)?;
    Ok(owned)
}

/// Returns the name's owner when the caller's own right lets them read there, whatever the token that came is for: for
/// names that the server chose, for which no client can have asked for a token.
///
/// # Errors
/// As [`readable`], without the last.
pub(super) async fn readable_by_caller(
    server: &Server,
    asked: &Asked,
    name: &OciName,
) -> Result<Owned, OciFailure> {
    // Boxed: loading a repository for the first time is deep, and every handler of the registry stands below this.
    let owned = Box::pin(server.app.registry.find_owner(name)).await?.ok_or_else(|| unknown(name))?;
    let path = owned.repository.path();
    let is_shown = server.app.rules.anonymous_read.allows(&asked.caller)
        && asked.caller.may_read(owned.repository.row().settings.visibility, path);
    match (is_shown, &owned.standing) {
        (true, Standing::Pushed(_) | Standing::Chart) => {}
        (true, Standing::New) if reaches(&asked.caller, Permission::Read, &owned, name) => {}
        // Nothing can hide under the path of a repository that everybody sees.
        (true, Standing::New) if name.as_str() == path.as_str() => return Err(unknown(name)),
        (true, Standing::New) | (false, _) => return Err(hidden(asked, name)),
    }
    Ok(owned)
}

/// Returns the name's owner when the caller has `permission` there, or would have it in the repository that a chart's push
/// would create. The latter is [`Standing::New`] in a repository where the caller may do nothing: who is about to record
/// anything but a chart asks again for that repository itself.
///
/// # Errors
/// 401 for a stranger, 403 for a known caller; 401 for a token that is not for it.
pub(super) async fn permitted(
    server: &Server,
    asked: &Asked,
    name: &OciName,
    permission: Permission,
) -> Result<Owned, OciFailure> {
    let owned = Box::pin(server.app.registry.find_owner(name)).await?.ok_or_else(|| unknown(name))?;
    let may_create = permission == Permission::Publish
        && matches!(owned.standing, Standing::New)
        && reaches(&asked.caller, permission, &owned, name);
    if !asked.caller.has(permission, owned.repository.path()) && !may_create {
        return Err(denied(asked, name, permission));
    }
    let action = match permission {
        Permission::Read => Action::Pull,
        Permission::Publish => Action::Push,
        Permission::Delete | Permission::Administer => Action::Delete,
    };
    within_token(asked, name, action)?;
    Ok(owned)
}

/// Tells whether the caller's own right covers the name, in the repository it would belong to or in the one that a chart's
/// push would create for it.
fn reaches(caller: &Caller, permission: Permission, owned: &Owned, name: &OciName) -> bool {
    caller.has(permission, owned.repository.path())
        || chart_of(name).is_some_and(|(path, _)| caller.has(permission, &path))
}

/// Refuses what the registry's token that came is not for: the client asks for another one.
fn within_token(asked: &Asked, name: &OciName, action: Action) -> Result<(), OciFailure> {
    match &asked.grants {
        Some(grants) if !grants.allow(name, action) => Err(out_of_scope(&format!("`{name}`"), action.word())),
        Some(_) | None => Ok(()),
    }
}

/// Returns the refusal of a token that was made for something else.
pub(super) fn out_of_scope(what: &str, action: &str) -> OciFailure {
    let text = format!("the token is not for {what} with the action `{action}`: ask for one with this scope");
    OciFailure::new(ErrorCode::Unauthorized, text)
}

/// Returns what somebody hears who asked for a name they cannot see, whether it exists or not.
pub(super) fn hidden(asked: &Asked, name: &OciName) -> OciFailure {
    match asked.caller {
        Caller::Anonymous => CreateRepositoryError::Unauthenticated.into(),
        Caller::Everyone | Caller::Known { .. } => unknown(name),
    }
}

/// Returns the refusal of a permission. It names what was asked for, not the repository, which may be none of theirs.
fn denied(asked: &Asked, name: &OciName, permission: Permission) -> OciFailure {
    let action = match permission {
        Permission::Read => "read",
        Permission::Publish => "push to",
        Permission::Delete => "delete from",
        Permission::Administer => "change the settings of",
    };
    match &asked.caller {
        Caller::Anonymous => CreateRepositoryError::Unauthenticated.into(),
        caller @ (Caller::Everyone | Caller::Known { .. }) => {
            let (caller, role) = (caller.name(), permission.least_role());
            let text = format!(
                "`{caller}` may not {action} `{name}`: a token with the role `{role}` that covers it can"
            );
            OciFailure::with_kind(ErrorCode::Denied, ErrorKind::Denied, text)
        }
    }
}

/// Returns the refusal of a name that nobody pushed to.
pub(super) fn unknown(name: &OciName) -> OciFailure {
    OciFailure::new(ErrorCode::NameUnknown, format!("nothing is published under `{name}`"))
}

#[cfg(test)]
mod tests;
