//! What holds for every server on this catalog: whether anything may be written.

use super::connection::{Connection, on, read};
use super::writer::{Change, Outcome};
use super::{Catalog, CatalogError};

impl Catalog {
    /// Returns why nothing may be written at the moment, or `None` when writing is on: the operator's reason, or that a
    /// shared database takes no writes, as one does that stands by for another.
    pub(crate) async fn read_only_reason(&self) -> Result<Option<String>, CatalogError> {
        let question = self.store.read_only_question();
        read!(self, |database| sqlx::query_scalar(question).fetch_one(database).await)
    }

    /// Stops all writing of content with a reason that callers hear, or lets it go on.
    pub(crate) async fn set_read_only(&self, reason: Option<String>) -> Result<(), CatalogError> {
        self.make(SetReadOnly { reason }).await
    }
}

struct SetReadOnly {
    reason: Option<String>,
}

impl Change for SetReadOnly {
    type Answer = ();

    fn repository_id(&self) -> Option<i64> {
        None
    }

    async fn make(&self, connection: &mut Connection) -> Result<Outcome<()>, CatalogError> {
        on!(connection, |database| sqlx::query("UPDATE server_state SET read_only_reason = $1")
            .bind(self.reason.as_deref())
            .execute(database)
            .await
            .map(drop))?;
        Ok(Outcome::Commit(()))
    }
}
