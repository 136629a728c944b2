//! The two databases a catalog may stand on, and what differs between them besides their tables.

use std::path::Path;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection as _, PgPool, SqlitePool};

use super::CatalogError;
use super::connection::Connection;

/// How long a statement of the embedded catalog waits for another process that holds the database, and how long
/// anybody waits for a connection.
const PATIENCE: Duration = Duration::from_secs(10);
/// Connections for reading the embedded database.
const READERS: u32 = 4;
/// Rows read ahead of the one that is handled: each wake-up of the other thread costs more than many rows.
const ROWS_AHEAD: usize = 1_024;
/// Transactions that write to Postgres at the same time, each for other repositories.
const LANES: usize = 4;

/// A connection used less than this ago is taken to be sound: asking it first would double what a short query costs.
const RECENTLY: Duration = Duration::from_secs(1);

/// What every connection to Postgres begins with. The server ends a statement before this program gives up waiting,
/// and frees the locks of a replica that was paused in the middle of a transaction, for which others wait.
const SESSION: &str = "SET statement_timeout = '8s'; SET lock_timeout = '6s'; \
     SET idle_in_transaction_session_timeout = '2s'; SET client_min_messages = 'warning'";

/// The database of a catalog; clones share its connections.
#[derive(Clone)]
pub(super) enum Store {
    /// An SQLite file in write-ahead mode, synced with every commit.
    Embedded {
        /// For reading, beside the writer.
        readers: SqlitePool,
        /// One connection, for there is one writer.
        writer: SqlitePool,
    },
    /// Postgres, which replicas share.
    Postgres(PgPool),
}

impl Store {
    /// Opens the SQLite file at `path`, making it where needed.
    pub(super) async fn embedded(path: &Path) -> Result<Self, CatalogError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .row_buffer_size(ROWS_AHEAD)
            .busy_timeout(PATIENCE);
        // The connection is this process' own thread: asking it whether it is there answers nothing.
        let pool = SqlitePoolOptions::new().acquire_timeout(PATIENCE).test_before_acquire(false);
        let readers = pool.clone().max_connections(READERS).connect_with(options.clone()).await?;
        let writer = pool.max_connections(1).connect_with(options).await?;
        Ok(Self::Embedded { readers, writer })
    }

    /// Connects to the Postgres at `url` with at most so many connections.
    pub(super) async fn postgres(url: &str, connections: u32) -> Result<Self, CatalogError> {
        let options: PgConnectOptions = url.parse().map_err(CatalogError::Address)?;
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(PATIENCE)
            .test_before_acquire(false)
            .before_acquire(|connection, last| {
                Box::pin(async move {
                    if last.idle_for >= RECENTLY {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .after_connect(|connection, _| {
                Box::pin(async move { sqlx::raw_sql(SESSION).execute(connection).await.map(drop) })
            })
            .connect_with(options.application_name("chartroom"))
            .await?;
        Ok(Self::Postgres(pool))
    }

    /// Returns a connection for reading.
    pub(super) async fn reader(&self) -> Result<Connection, CatalogError> {
        Ok(match self {
            Self::Embedded { readers, .. } => Connection::Sqlite(readers.acquire().await?),
            Self::Postgres(pool) => Connection::Postgres(pool.acquire().await?),
        })
    }

    /// Returns a connection for writing.
    pub(super) async fn writer(&self) -> Result<Connection, CatalogError> {
        Ok(match self {
            Self::Embedded { writer, .. } => Connection::Sqlite(writer.acquire().await?),
            Self::Postgres(pool) => Connection::Postgres(pool.acquire().await?),
        })
    }

    /// Returns how many transactions may write at the same time.
    pub(super) fn lanes(&self) -> usize {
        match self {
            Self::Embedded { .. } => 1,
            Self::Postgres(_) => LANES,
        }
    }

    /// Returns the statement that begins a transaction which will write.
    pub(super) fn begin(&self) -> &'static str {
        match self {
            // Deferred, it would learn only at its first write that another process holds the database.
            Self::Embedded { .. } => "BEGIN IMMEDIATE",
            Self::Postgres(_) => "BEGIN",
        }
    }

    /// Returns the query for the reason why nothing may be written, NULL when there is none.
    pub(super) fn read_only_question(&self) -> &'static str {
        match self {
            Self::Embedded { .. } => "SELECT read_only_reason FROM server_state",
            Self::Postgres(_) => {
                "SELECT COALESCE(read_only_reason, CASE WHEN current_setting('transaction_read_only') = 'on' \
                 THEN 'the database takes no writes' END) FROM server_state"
            }
        }
    }

    /// Returns the statements that begin a transaction which reads one consistent view for as long as it takes.
    pub(super) fn begin_view(&self) -> &'static str {
        match self {
            Self::Embedded { .. } => "BEGIN",
            Self::Postgres(_) => {
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0"
            }
        }
    }

    /// Returns the statements that begin a transaction which fills an empty catalog for as long as it takes.
    pub(super) fn begin_load(&self) -> &'static str {
        match self {
            Self::Embedded { .. } => "BEGIN IMMEDIATE",
            Self::Postgres(_) => {
                "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = '1min'"
            }
        }
    }

    /// Returns the statement after which new ids of a table follow the highest there is; none is needed where the
    /// database looks for itself.
    pub(super) fn continue_identity(&self, table: &str) -> Option<String> {
        match self {
            Self::Embedded { .. } => None,
            Self::Postgres(_) => Some(format!(
                "SELECT setval(pg_get_serial_sequence('{table}', 'id'), COALESCE(MAX(id), 1), MAX(id) IS NOT NULL) \
                 FROM {table}"
            )),
        }
    }

    /// Returns how long a transaction may take in all before its connection is given up.
    pub(super) fn transaction_deadline(&self) -> Duration {
        match self {
            // A local disk may stall for long, and nobody else could take over.
            Self::Embedded { .. } => Duration::from_secs(60),
            Self::Postgres(_) => Duration::from_secs(15),
        }
    }

    /// Tells whether other servers may change the same catalog.
    pub(super) fn is_shared(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    pub(super) async fn close(&self) {
        match self {
            Self::Embedded { readers, writer } => {
                writer.close().await;
                readers.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}
