//! Access tokens: only the digest of the secret is kept.

use chart::Timestamp;
use oci::Digest;
use sqlx::FromRow;

use super::writer::Outcome;
use super::{Catalog, CatalogError};
use crate::access::Role;
use crate::repository_path::RepositoryPath;

/// A token as the catalog holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenRow {
    pub(crate) name: String,
    pub(crate) role: Role,
    /// The path it is good for, with all below it; `None` for every repository.
    pub(crate) repository: Option<RepositoryPath>,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) revoked_at: Option<Timestamp>,
}

/// A token to be made.
#[derive(Debug, Clone)]
pub(crate) struct NewToken {
    pub(crate) name: String,
    pub(crate) secret_digest: Digest,
    pub(crate) role: Role,
    pub(crate) repository: Option<RepositoryPath>,
    pub(crate) expires_at: Option<Timestamp>,
}

#[derive(FromRow)]
struct RawToken {
    name: String,
    role: String,
    repository: Option<String>,
    created_at: i64,
    expires_at: Option<i64>,
    revoked_at: Option<i64>,
}

impl TryFrom<RawToken> for TokenRow {
    type Error = CatalogError;

    fn try_from(raw: RawToken) -> Result<Self, CatalogError> {
        let role = raw.role.parse().map_err(|_| CatalogError::Corrupt { what: "role", value: raw.role })?;
        Ok(Self {
            name: raw.name,
            role,
            repository: raw.repository.map(RepositoryPath::from_catalog),
            created_at: Timestamp::from_micros(raw.created_at),
            expires_at: raw.expires_at.map(Timestamp::from_micros),
            revoked_at: raw.revoked_at.map(Timestamp::from_micros),
        })
    }
}

impl Catalog {
    /// Keeps a new token; returns false when a live token of that name exists.
    pub(crate) async fn create_token(&self, token: NewToken, now: Timestamp) -> Result<bool, CatalogError> {
        self.writer
            .change(move |connection| {
                Box::pin(async move {
                    let inserted = sqlx::query(
                        "INSERT INTO token (name, secret_digest, role, repository, created_at, expires_at) \
                         SELECT $1, $2, $3, $4, $5, $6 WHERE NOT EXISTS (SELECT 1 FROM token WHERE name = $1 \
                         AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $5))",
                    )
                    .bind(&token.name)
                    .bind(token.secret_digest.to_string())
                    .bind(token.role.word())
                    .bind(token.repository.as_ref().map(RepositoryPath::as_str))
                    .bind(now.micros())
                    .bind(token.expires_at.map(Timestamp::micros))
                    .execute(connection)
                    .await?;
                    Ok(Outcome::Commit(inserted.rows_affected() == 1))
                })
            })
            .await
    }

    /// Returns the token whose secret has this digest, live or not.
    pub(crate) async fn find_token(&self, secret_digest: &Digest) -> Result<Option<TokenRow>, CatalogError> {
        let raw: Option<RawToken> = sqlx::query_as(
            "SELECT name, role, repository, created_at, expires_at, revoked_at FROM token WHERE secret_digest = $1",
        )
        .bind(secret_digest.to_string())
        .fetch_optional(&self.readers)
        .await?;
        raw.map(TokenRow::try_from).transpose()
    }

    /// Returns every token, oldest first.
    pub(crate) async fn list_tokens(&self) -> Result<Vec<TokenRow>, CatalogError> {
        let raw: Vec<RawToken> = sqlx::query_as(
            "SELECT name, role, repository, created_at, expires_at, revoked_at FROM token ORDER BY id",
        )
        .fetch_all(&self.readers)
        .await?;
        raw.into_iter().map(TokenRow::try_from).collect()
    }

    /// Revokes the live tokens of that name; returns how many there were.
    pub(crate) async fn revoke_tokens(&self, name: &str, now: Timestamp) -> Result<u64, CatalogError> {
        let name = name.to_owned();
        self.writer
            .change(move |connection| {
                Box::pin(async move {
                    let updated = sqlx::query(
                        "UPDATE token SET revoked_at = $2 WHERE name = $1 AND revoked_at IS NULL",
                    )
                    .bind(&name)
                    .bind(now.micros())
                    .execute(connection)
                    .await?;
                    Ok(Outcome::Commit(updated.rows_affected()))
                })
            })
            .await
    }
}
