//! Access tokens: only the digest of the secret is kept.

use chart::Timestamp;
use oci::Digest;
use sqlx::FromRow;

use super::connection::{Connection, on, read};
use super::writer::{Change, Outcome};
use super::{Catalog, CatalogError};
use crate::access::Role;
use crate::repository_path::RepositoryPath;

/// A token as the catalog holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenRow {
    pub(crate) id: i64,
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
    id: i64,
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
            id: raw.id,
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
        self.make(CreateToken { token, now }).await
    }

    /// Returns the token whose secret has this digest, live or not.
    pub(crate) async fn find_token(&self, secret_digest: &Digest) -> Result<Option<TokenRow>, CatalogError> {
        let raw: Option<RawToken> = read!(self, |database| {
            sqlx::query_as(
            "SELECT id, name, role, repository, created_at, expires_at, revoked_at FROM token WHERE secret_digest = $1",
        )
        .bind(secret_digest.to_string())
        .fetch_optional(database).await
        })?;
        raw.map(TokenRow::try_from).transpose()
    }

    /// Returns the token of this number, live or not.
    pub(crate) async fn find_token_by_id(&self, id: i64) -> Result<Option<TokenRow>, CatalogError> {
        let raw: Option<RawToken> = read!(self, |database| {
            sqlx::query_as(
            "SELECT id, name, role, repository, created_at, expires_at, revoked_at FROM token WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(database)
        .await
        })?;
        raw.map(TokenRow::try_from).transpose()
    }

    /// Returns every token, oldest first.
    pub(crate) async fn list_tokens(&self) -> Result<Vec<TokenRow>, CatalogError> {
        let raw: Vec<RawToken> = read!(self, |database| {
            sqlx::query_as(
            "SELECT id, name, role, repository, created_at, expires_at, revoked_at FROM token ORDER BY id",
        )
        .fetch_all(database)
        .await
        })?;
        raw.into_iter().map(TokenRow::try_from).collect()
    }

    /// Revokes the live tokens of that name; returns how many there were.
    pub(crate) async fn revoke_tokens(&self, name: &str, now: Timestamp) -> Result<u64, CatalogError> {
        self.make(RevokeTokens { name: name.to_owned(), now }).await
    }
}

struct CreateToken {
    token: NewToken,
    now: Timestamp,
}

impl Change for CreateToken {
    type Answer = bool;

    fn repository_id(&self) -> Option<i64> {
        None
    }

    async fn make(&self, connection: &mut Connection) -> Result<Outcome<bool>, CatalogError> {
        // Replicas that start together all bring the token their operator gave: one of them keeps it.
        let inserted = on!(connection, |database| {
            sqlx::query(
            "INSERT INTO token (name, secret_digest, role, repository, created_at, expires_at) \
             SELECT $1, $2, $3, $4, $5, $6 WHERE NOT EXISTS (SELECT 1 FROM token WHERE name = $1 \
             AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $5)) ON CONFLICT (secret_digest) DO NOTHING",
        )
        .bind(&self.token.name)
        .bind(self.token.secret_digest.to_string())
        .bind(self.token.role.word())
        .bind(self.token.repository.as_ref().map(RepositoryPath::as_str))
        .bind(self.now.micros())
        .bind(self.token.expires_at.map(Timestamp::micros))
        .execute(database)
        .await
        .map(|done| done.rows_affected())
        })?;
        Ok(Outcome::Commit(inserted == 1))
    }
}

struct RevokeTokens {
    name: String,
    now: Timestamp,
}

impl Change for RevokeTokens {
    type Answer = u64;

    fn repository_id(&self) -> Option<i64> {
        None
    }

    async fn make(&self, connection: &mut Connection) -> Result<Outcome<u64>, CatalogError> {
        let updated = on!(connection, |database| sqlx::query(
            "UPDATE token SET revoked_at = $2 WHERE name = $1 AND revoked_at IS NULL"
        )
        .bind(&self.name)
        .bind(self.now.micros())
        .execute(database)
        .await
        .map(|done| done.rows_affected()))?;
        Ok(Outcome::Commit(updated))
    }
}
