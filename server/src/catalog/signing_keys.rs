//! Keys that sign what servers hand out and take back. The newest one signs, all that are there verify.

use chart::Timestamp;

use super::connection::{Connection, on, read};
use super::writer::{Change, Outcome};
use super::{Catalog, CatalogError};

/// One key.
#[derive(Clone)]
pub(crate) struct SigningKeyRow {
    pub(crate) id: i64,
    pub(crate) secret: Vec<u8>,
    pub(crate) created_at: Timestamp,
}

impl Catalog {
    /// Returns every key, the newest first.
    pub(crate) async fn list_signing_keys(&self) -> Result<Vec<SigningKeyRow>, CatalogError> {
        let rows: Vec<(i64, Vec<u8>, i64)> = read!(self, |database| sqlx::query_as(
            "SELECT id, secret, created_at FROM signing_key ORDER BY id DESC"
        )
        .fetch_all(database)
        .await)?;
        let rows = rows.into_iter().map(|(id, secret, created_at)| SigningKeyRow {
            id,
            secret,
            created_at: Timestamp::from_micros(created_at),
        });
        Ok(rows.collect())
    }

    /// Keeps a new key, which signs from now on.
    pub(crate) async fn add_signing_key(&self, secret: [u8; 32], now: Timestamp) -> Result<(), CatalogError> {
        self.make(AddSigningKey { secret, now }).await
    }

    /// Keeps a new key unless the newest was made after `signing_since`, and forgets every key whose successor was made
    /// before `verifying_since`: until then it was the newest, and what it signed last may still be out.
    pub(crate) async fn rotate_signing_keys(
        &self,
        secret: [u8; 32],
        now: Timestamp,
        signing_since: Timestamp,
        verifying_since: Timestamp,
    ) -> Result<(), CatalogError> {
        self.make(RotateSigningKeys { secret, now, signing_since, verifying_since }).await
    }
}

struct AddSigningKey {
    secret: [u8; 32],
    now: Timestamp,
}

impl Change for AddSigningKey {
    type Answer = ();

    fn repository_id(&self) -> Option<i64> {
        None
    }

    async fn make(&self, connection: &mut Connection) -> Result<Outcome<()>, CatalogError> {
        on!(connection, |database| sqlx::query(
            "INSERT INTO signing_key (secret, created_at) VALUES ($1, $2)"
        )
        .bind(self.secret.as_slice())
        .bind(self.now.micros())
        .execute(database)
        .await
        .map(drop))?;
        Ok(Outcome::Commit(()))
    }
}

struct RotateSigningKeys {
    secret: [u8; 32],
    now: Timestamp,
    signing_since: Timestamp,
    verifying_since: Timestamp,
}

impl Change for RotateSigningKeys {
    type Answer = ();

    fn repository_id(&self) -> Option<i64> {
        None
    }

    async fn make(&self, connection: &mut Connection) -> Result<Outcome<()>, CatalogError> {
        on!(connection, |database| sqlx::query(
            "INSERT INTO signing_key (secret, created_at) SELECT $1, $2 \
             WHERE NOT EXISTS (SELECT 1 FROM signing_key WHERE created_at > $3)"
        )
        .bind(self.secret.as_slice())
        .bind(self.now.micros())
        .bind(self.signing_since.micros())
        .execute(database)
        .await
        .map(drop))?;
        on!(connection, |database| sqlx::query(
            "DELETE FROM signing_key WHERE EXISTS \
             (SELECT 1 FROM signing_key AS later WHERE later.id > signing_key.id AND later.created_at < $1)"
        )
        .bind(self.verifying_since.micros())
        .execute(database)
        .await
        .map(drop))?;
        Ok(Outcome::Commit(()))
    }
}
