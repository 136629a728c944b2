//! The record of truth: repositories, versions, blobs, tokens and the order of every change.
//!
//! All SQL of the server lives below this module. A look-up that finds nothing is an `Option`; an error here
//! always means that the database did not do its work, never that something does not exist.

mod blobs;
mod changes;
mod events;
mod record_version;
mod remove_version;
mod repositories;
mod tokens;
mod versions;
mod writer;

use std::path::Path;
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

pub(crate) use blobs::{BlobRow, BlobToRecord};
pub(crate) use changes::{IndexChange, IndexRow};
pub(crate) use record_version::{NewVersion, Recorded, VersionLimits};
pub(crate) use remove_version::Removed;
pub(crate) use repositories::{
    IndexDetail, IndexFormat, Overwrite, RepositoryRow, RepositorySettings, SettingsChange, Visibility,
};
pub(crate) use tokens::{NewToken, TokenRow};
pub(crate) use versions::{FlatFile, VersionRow};
use writer::Writer;

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations/sqlite");

/// How long a statement waits for another process that holds the database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
const READERS: u32 = 4;

/// The embedded catalog: one SQLite database in write-ahead mode, synced with every commit.
#[derive(Clone)]
pub(crate) struct Catalog {
    readers: SqlitePool,
    writer: Writer,
}

/// Why the catalog did not answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CatalogError {
    /// The database is away, busy for too long, or broke off.
    #[error("the catalog database did not answer")]
    Unavailable(#[source] sqlx::Error),
    /// The disk that holds the database is full; nothing was changed.
    #[error("the disk that holds the catalog database is full")]
    Full(#[source] sqlx::Error),
    /// The database was made by a newer or a foreign program.
    #[error("the catalog database has a schema this version does not know: use the version that made it")]
    UnknownSchema(#[source] MigrateError),
    /// The single writer has stopped, which happens only while the server ends.
    #[error("the catalog is closing")]
    Closed,
    /// A row holds what no version of this program writes.
    #[error("the catalog holds an unreadable {what}: `{value}`")]
    Corrupt {
        /// Which column.
        what: &'static str,
        /// What stands there.
        value: String,
    },
}

impl From<sqlx::Error> for CatalogError {
    fn from(error: sqlx::Error) -> Self {
        // SQLITE_FULL is 13 (sqlite.org/rescode.html).
        let full = error.as_database_error().and_then(|cause| cause.code()).is_some_and(|code| code == "13");
        if full { Self::Full(error) } else { Self::Unavailable(error) }
    }
}

impl Catalog {
    /// Opens the database at `path`, making it and bringing its schema up to date where needed.
    ///
    /// # Errors
    /// [`CatalogError::UnknownSchema`] for a database of a newer program, else what SQLite says.
    pub(crate) async fn open(path: &Path) -> Result<Self, CatalogError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(BUSY_TIMEOUT)
            .connect_with(options.clone())
            .await?;
        MIGRATIONS.run(&readers).await.map_err(|error| match error {
            MigrateError::Execute(cause) => CatalogError::from(cause),
            other => CatalogError::UnknownSchema(other),
        })?;
        let writer = Writer::start(options).await?;
        Ok(Self { readers, writer })
    }

    /// Tells whether the database answers.
    pub(crate) async fn ping(&self) -> Result<(), CatalogError> {
        sqlx::query("SELECT 1").execute(&self.readers).await?;
        Ok(())
    }

    /// Waits for the last commit and folds the log into the database file.
    pub(crate) async fn close(&self) {
        self.writer.stop().await;
        self.readers.close().await;
    }
}

#[cfg(test)]
mod tests;
