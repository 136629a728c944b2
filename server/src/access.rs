//! Who asks, and what they may do. No HTTP: a credential comes in as text, a decision goes out.
//!
//! Reading a public repository needs nothing; writing always needs a credential unless the server runs open.

mod credential;
mod registry_token;
mod role;
mod scope;
mod secret;
mod signer;
mod verifier;
mod wrong_credentials;

pub(crate) use credential::Credential;
pub(crate) use registry_token::{Claims, RegistryToken, is_registry_token};
pub(crate) use role::{Permission, Role};
pub(crate) use scope::{Action, Grants, Scope};
pub(crate) use secret::Secret;
pub(crate) use signer::{Purpose, Signer};
pub(crate) use verifier::{AccessError, Holder, Identity, Verifier};
pub(crate) use wrong_credentials::WrongCredentials;

use crate::catalog::Visibility;
use crate::repository_path::RepositoryPath;

/// Who sends a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Nobody in particular: no credential came.
    Anonymous,
    /// Anybody, on a server whose operator opened it to all.
    Everyone,
    /// The holder of a token, or of the user and password a drop-in was started with.
    Known {
        /// The token's or user's name, for the record of who did what.
        name: String,
        /// What it may do.
        role: Role,
        /// Where; `None` for everywhere.
        repository: Option<RepositoryPath>,
    },
}

impl Caller {
    /// Tells whether the caller has `permission` on the repository at `path`, by their own right.
    pub(crate) fn has(&self, permission: Permission, path: &RepositoryPath) -> bool {
        match self {
            Self::Anonymous => false,
            Self::Everyone => true,
            Self::Known { role, repository, .. } => {
                role.grants(permission) && repository.as_ref().is_none_or(|scope| path.is_within(scope))
            }
        }
    }

    /// Tells whether the caller may read a repository of this visibility.
    pub(crate) fn may_read(&self, visibility: Visibility, path: &RepositoryPath) -> bool {
        match visibility {
            Visibility::Public => true,
            Visibility::Private => self.has(Permission::Read, path),
        }
    }

    /// Returns the name that events carry.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Everyone => "everyone",
            Self::Known { name, .. } => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(role: Role, scope: Option<&str>) -> Caller {
        Caller::Known { name: "ci".into(), role, repository: scope.map(|path| path.parse().unwrap()) }
    }

    #[test]
    fn a_token_reaches_its_role_and_its_part_of_the_tree() {
        let team: RepositoryPath = "team/prod".parse().unwrap();
        let publisher = known(Role::Publisher, Some("team"));
        assert!(publisher.has(Permission::Publish, &team));
        assert!(!publisher.has(Permission::Delete, &team));
        assert!(!publisher.has(Permission::Publish, &RepositoryPath::root()));
        assert!(known(Role::Admin, None).has(Permission::Administer, &RepositoryPath::root()));
    }

    #[test]
    fn strangers_read_what_is_public_and_nothing_else() {
        let path = RepositoryPath::root();
        assert!(Caller::Anonymous.may_read(Visibility::Public, &path));
        assert!(!Caller::Anonymous.may_read(Visibility::Private, &path));
        assert!(!Caller::Anonymous.has(Permission::Publish, &path));
        assert!(known(Role::Reader, None).may_read(Visibility::Private, &path));
    }
}
