//! Makes an access token; its secret is returned once and never kept.

use chart::Timestamp;

use crate::access::{Role, Secret};
use crate::app;
use crate::catalog::{Catalog, CatalogError, NewToken};
use crate::repository_path::RepositoryPath;

/// What a new token is to be.
#[derive(Debug, Clone)]
pub(crate) struct TokenRequest {
    pub(crate) name: String,
    pub(crate) role: Role,
    /// The path it covers with all below it; `None` for all.
    pub(crate) repository: Option<RepositoryPath>,
    pub(crate) expires_at: Option<Timestamp>,
}

/// Why no token was made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CreateTokenError {
    /// A live token has this name.
    #[error("a token named `{0}` exists already: revoke it first or choose another name")]
    NameTaken(String),
    /// The name would be unreadable in a table or a log.
    #[error("`{0}` is not a token name: use 1 to 100 letters, digits, `.`, `_`, `-`, `@` or `/`")]
    InvalidName(String),
    /// The catalog did not answer.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

/// Makes a token and returns its secret.
///
/// # Errors
/// [`CreateTokenError`].
pub(crate) async fn create_token(
    catalog: &Catalog,
    request: TokenRequest,
    now: Timestamp,
) -> Result<Secret, CreateTokenError> {
    let secret = Secret::from_random(app::random_secret());
    keep_token(catalog, request, &secret, now).await?;
    Ok(secret)
}

/// Keeps a token whose secret somebody else chose: the operator's admin token.
///
/// # Errors
/// [`CreateTokenError`].
pub(crate) async fn keep_token(
    catalog: &Catalog,
    request: TokenRequest,
    secret: &Secret,
    now: Timestamp,
) -> Result<(), CreateTokenError> {
    let is_readable = |text: &str| {
        (1..=100).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-@/".contains(&byte))
    };
    if !is_readable(&request.name) {
        return Err(CreateTokenError::InvalidName(request.name));
    }
    let token = NewToken {
        name: request.name.clone(),
        secret_digest: secret.digest(),
        role: request.role,
        repository: request.repository,
        expires_at: request.expires_at,
    };
    if catalog.create_token(token, now).await? {
        Ok(())
    } else {
        Err(CreateTokenError::NameTaken(request.name))
    }
}
