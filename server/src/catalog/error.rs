//! Why the catalog did not answer, read from what the database said.

use sqlx::migrate::MigrateError;

/// Why the catalog did not answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CatalogError {
    /// The database is away, busy for too long, or broke off.
    #[error("the catalog database did not answer")]
    Unavailable(#[source] sqlx::Error),
    /// The database said nothing within the deadline.
    #[error("the catalog database did not answer in time")]
    TimedOut,
    /// Changes of others stood in the way every time.
    #[error("the catalog database was too busy with other changes")]
    Contended(#[source] sqlx::Error),
    /// The disk that holds the database is full; nothing was changed.
    #[error("the disk that holds the catalog database is full")]
    Full(#[source] sqlx::Error),
    /// The database was made by a newer or a foreign program.
    #[error("the catalog database has a schema this version does not know: use the version that made it")]
    UnknownSchema(#[source] MigrateError),
    /// The tables are those of an older version, or there are none.
    #[error("the catalog database lacks the tables of this version: run `chartroom migrate` once")]
    NotMigrated,
    /// The address of the database cannot be understood.
    #[error(
        "the address of the catalog database is not one: write `postgres://USER:PASSWORD@HOST:PORT/DATABASE`"
    )]
    Address(#[source] sqlx::Error),
    /// The transaction that several changes shared failed; the first of them has the cause.
    #[error("the transaction that this change shared with others failed: {0}")]
    Shared(String),
    /// The writer has stopped, which happens only while the server ends.
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

/// SQLITE_FULL (sqlite.org/rescode.html) and `disk_full` of Postgres (appendix A of its manual).
const FULL: [&str; 2] = ["13", "53100"];

/// What Postgres and its kin answer when transactions crossed and the same one may well succeed a moment later:
/// `serialization_failure`, `deadlock_detected`, and `foreign_key_violation`, which here means that the collector and a
/// publisher met at the same bytes.
const CROSSED: [&str; 3] = ["40001", "40P01", "23503"];

impl From<sqlx::Error> for CatalogError {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(|cause| cause.code()).unwrap_or_default();
        if FULL.contains(&&*code) {
            Self::Full(error)
        } else if CROSSED.contains(&&*code) {
            Self::Contended(error)
        } else {
            Self::Unavailable(error)
        }
    }
}

impl CatalogError {
    /// Tells whether the same transaction may succeed when run again at once.
    pub(super) fn is_worth_repeating(&self) -> bool {
        match self {
            Self::Contended(_) => true,
            Self::Unavailable(_)
            | Self::TimedOut
            | Self::Full(_)
            | Self::UnknownSchema(_)
            | Self::NotMigrated
            | Self::Address(_)
            | Self::Shared(_)
            | Self::Closed
            | Self::Corrupt { .. } => false,
        }
    }
}
