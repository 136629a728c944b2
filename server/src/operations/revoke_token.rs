//! Revokes a token: every replica refuses it within five seconds.

use chart::Timestamp;

use crate::catalog::{Catalog, CatalogError};

/// Why no token was revoked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RevokeTokenError {
    /// No live token has this name.
    #[error("no token is named `{0}`: `chartroom token list` shows those there are")]
    Unknown(String),
    /// The catalog did not answer.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

/// Revokes the token of that name.
///
/// # Errors
/// [`RevokeTokenError`].
pub(crate) async fn revoke_token(
    catalog: &Catalog,
    name: &str,
    now: Timestamp,
) -> Result<(), RevokeTokenError> {
    if catalog.revoke_tokens(name, now).await? == 0 {
        return Err(RevokeTokenError::Unknown(name.to_owned()));
    }
    Ok(())
}
