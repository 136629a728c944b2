//! One connection to whichever database the catalog stands on, and the macros that run one SQL text on either.

use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{Postgres, Sqlite};

use super::CatalogError;

/// How long one statement may take before its connection is given up: a broken network says nothing for minutes.
pub(super) const DEADLINE: Duration = Duration::from_secs(10);

/// A connection taken from its pool; it goes back there when dropped.
pub(super) enum Connection {
    /// The embedded database.
    Sqlite(PoolConnection<Sqlite>),
    /// The database that replicas share.
    Postgres(PoolConnection<Postgres>),
}

/// Runs one statement on the connection's database: `on!(connection, |database| query.fetch_one(database).await)`.
///
/// The statement is written once and compiled for both, so it may hold only what both understand.
macro_rules! on {
    ($connection:expr, |$database:ident| $statement:expr) => {{
        let result: ::sqlx::Result<_> = match $connection {
            $crate::catalog::connection::Connection::Sqlite(connection) => {
                let $database = &mut **connection;
                $statement
            }
            $crate::catalog::connection::Connection::Postgres(connection) => {
                let $database = &mut **connection;
                $statement
            }
        };
        result.map_err($crate::catalog::CatalogError::from)
    }};
}

/// Runs one statement on a connection of the catalog's readers, within the deadline.
macro_rules! read {
    ($catalog:expr, |$database:ident| $statement:expr) => {{
        let mut connection = $catalog.reader().await?;
        let answer = $crate::catalog::connection::in_time(async {
            $crate::catalog::connection::on!(&mut connection, |$database| $statement)
        })
        .await;
        connection.settle(&answer);
        answer
    }};
}

pub(super) use {on, read};

/// Waits for an answer, but not for ever.
pub(super) async fn in_time<T>(
    answer: impl Future<Output = Result<T, CatalogError>>,
) -> Result<T, CatalogError> {
    tokio::time::timeout(DEADLINE, answer).await.unwrap_or(Err(CatalogError::TimedOut))
}

impl Connection {
    /// Gives the connection up when it did not answer: in its pool it would wait for the network and take a place.
    pub(super) fn settle<T>(self, answer: &Result<T, CatalogError>) {
        if matches!(answer, Err(CatalogError::TimedOut)) {
            self.give_up();
        }
    }

    /// Closes the connection without another word to the database.
    pub(super) fn give_up(self) {
        match self {
            Self::Sqlite(connection) => drop(connection.detach()),
            Self::Postgres(connection) => drop(connection.detach()),
        }
    }
}
