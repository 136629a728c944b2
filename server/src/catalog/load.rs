//! Fills an empty catalog with rows of a dump: all of them in one transaction, or none.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sqlx::AssertSqlSafe;

use super::connection::{Connection, on, read};
use super::store::Store;
use super::table::{Cell, Column, Kind, TABLES, Table, columns};
use super::{Catalog, CatalogError};

/// The most parameters of one statement that SQLite takes (sqlite.org/limits.html §9); Postgres takes more.
const MOST_PARAMETERS: usize = 32_766;
/// The most rows of one statement: its text is parsed anew whenever their number changes.
const MOST_ROWS: usize = 256;

/// Returns one value for everything a catalog holds that no fresh one does.
const CONTENT: &str = "SELECT CASE \
     WHEN EXISTS (SELECT 1 FROM version) OR EXISTS (SELECT 1 FROM removed_version) THEN 'versions' \
     WHEN EXISTS (SELECT 1 FROM repository WHERE path <> '' OR revision > 0 OR settings_revision > 0) THEN 'repositories' \
     WHEN EXISTS (SELECT 1 FROM blob) THEN 'blobs' \
     WHEN EXISTS (SELECT 1 FROM token WHERE name <> 'admin') THEN 'tokens' \
     ELSE '' END";

/// Why rows were not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// The catalog did not answer, or the rows contradict each other.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// There is something that the rows would mix with.
    #[error("the catalog to fill holds {0} already: name one that is empty")]
    NotEmpty(String),
    /// The rows are those of other tables.
    #[error("the copy's table `{table}` has the columns `{given}`, the catalog's has `{known}`")]
    OtherColumns {
        /// The table.
        table: &'static str,
        /// The copy's columns.
        given: String,
        /// The catalog's.
        known: String,
    },
    /// A row has a value of another kind than its column, or another number of them.
    #[error("the copy's table `{table}` has a row that does not fit its columns")]
    OddRow {
        /// The table.
        table: &'static str,
    },
}

/// A transaction that fills the catalog; dropped before [`Load::commit`], it leaves nothing.
pub(crate) struct Load {
    store: Store,
    connection: Option<Connection>,
}

/// The table that is being filled.
pub(crate) struct LoadingTable<'a> {
    load: &'a mut Load,
    table: Table,
    columns: Vec<Column>,
    waiting: Vec<Vec<Cell>>,
}

impl Catalog {
    /// Returns what the catalog holds that a fresh one does not, as a word for people; `None` when it may be filled.
    pub(crate) async fn find_content(&self) -> Result<Option<String>, CatalogError> {
        let word: String = read!(self, |database| sqlx::query_scalar(CONTENT).fetch_one(database).await)?;
        Ok((!word.is_empty()).then_some(word))
    }

    /// Begins to fill the catalog, in place of what a first start or `migrate` put there.
    ///
    /// # Errors
    /// [`LoadError::NotEmpty`] when more than that is there, else why the catalog does not answer.
    pub(crate) async fn begin_load(&self) -> Result<Load, LoadError> {
        // Not the writer's, which keeps its one connection to the embedded database from its first change on.
        let connection = self.reader().await?;
        let mut load = Load { store: self.store.clone(), connection: Some(connection) };
        load.say(self.store.begin_load()).await?;
        // Of two that load at once the second waits here, and then finds what the first brought.
        load.say("UPDATE server_state SET read_only_reason = NULL").await?;
        let connection = load.connection()?;
        let word: String = on!(connection, |database| sqlx::query_scalar(CONTENT).fetch_one(database).await)?;
        if !word.is_empty() {
            return Err(LoadError::NotEmpty(word));
        }
        load.say("DELETE FROM token").await?;
        load.say("DELETE FROM repository").await?;
        Ok(load)
    }

    /// Returns the number of the tables' last migration.
    pub(crate) fn schema_number() -> i64 {
        super::schema::newest()
    }
}

impl Load {
    fn connection(&mut self) -> Result<&mut Connection, CatalogError> {
        self.connection.as_mut().ok_or(CatalogError::Closed)
    }

    async fn say(&mut self, statement: &'static str) -> Result<(), CatalogError> {
        let connection = self.connection()?;
        on!(connection, |database| sqlx::raw_sql(statement).execute(database).await.map(drop))
    }

    /// Begins with the rows of one table, whose columns the dump named so.
    ///
    /// # Errors
    /// [`LoadError::OtherColumns`] when the catalog's table has others.
    pub(crate) async fn table(
        &mut self,
        table: Table,
        given: &[String],
    ) -> Result<LoadingTable<'_>, LoadError> {
        let known = columns(self.connection()?, table).await?;
        let find = |name: &String| known.iter().find(|column| column.name == *name).cloned();
        let columns: Option<Vec<Column>> = given.iter().map(find).collect();
        match columns.filter(|columns| columns.len() == known.len()) {
            Some(columns) => Ok(LoadingTable { load: self, table, columns, waiting: Vec::new() }),
            None => Err(LoadError::OtherColumns {
                table: table.name,
                given: given.join(", "),
                known: known.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", "),
            }),
        }
    }

    /// Makes everything durable, with ids that go on after the highest.
    ///
    /// # Errors
    /// [`CatalogError`]; then nothing was kept, unless the database went away during the commit itself.
    pub(crate) async fn commit(mut self) -> Result<(), CatalogError> {
        for table in TABLES.iter().filter(|table| table.has_identity) {
            let Some(statement) = self.store.continue_identity(table.name) else { continue };
            let connection = self.connection()?;
            on!(connection, |database| sqlx::raw_sql(AssertSqlSafe(statement))
                .execute(database)
                .await
                .map(drop))?;
        }
        self.say("COMMIT").await?;
        // Back to its pool: nothing is open any more.
        drop(self.connection.take());
        Ok(())
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.give_up();
        }
    }
}

impl LoadingTable<'_> {
    /// Takes one row.
    ///
    /// # Errors
    /// [`LoadError`]; the whole load has failed then.
    pub(crate) async fn push(&mut self, row: Vec<Cell>) -> Result<(), LoadError> {
        if row.len() != self.columns.len() {
            return Err(LoadError::OddRow { table: self.table.name });
        }
        self.waiting.push(row);
        if self.waiting.len() < MOST_ROWS.min(MOST_PARAMETERS / self.columns.len().max(1)) {
            return Ok(());
        }
        self.write().await
    }

    /// Writes the rows that are still waiting.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub(crate) async fn finish(mut self) -> Result<(), LoadError> {
        self.write().await
    }

    async fn write(&mut self) -> Result<(), LoadError> {
        let rows = std::mem::take(&mut self.waiting);
        if rows.is_empty() {
            return Ok(());
        }
        let statement = self.statement(rows.len());
        let kinds: Vec<Kind> = self.columns.iter().map(|column| column.kind).collect();
        let odd = || LoadError::OddRow { table: self.table.name };
        let values = rows.into_iter().flat_map(|row| row.into_iter().zip(&kinds));
        let values: Option<Vec<Value>> = values.map(|(cell, kind)| Value::of(cell, *kind)).collect();
        let values = values.ok_or_else(odd)?;
        let connection = self.load.connection()?;
        on!(connection, |database| {
            let mut query = sqlx::query(AssertSqlSafe(statement));
            for value in values {
                query = match value {
                    Value::Integer(number) => query.bind(number),
                    Value::Text(text) => query.bind(text),
                    Value::Bytes(bytes) => query.bind(bytes),
                };
            }
            query.execute(database).await.map(drop)
        })?;
        Ok(())
    }

    /// Returns the statement that inserts so many rows. Its names are those of the catalog's own tables.
    fn statement(&self, rows: usize) -> String {
        let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        let width = names.len();
        let row = |number: usize| {
            let places = (1..=width).map(|place| format!("${}", number * width + place));
            format!("({})", places.collect::<Vec<_>>().join(", "))
        };
        let rows: Vec<String> = (0..rows).map(row).collect();
        format!("INSERT INTO {} ({}) VALUES {}", self.table.name, names.join(", "), rows.join(", "))
    }
}

/// A value as the type its column has: Postgres wants NULL typed too.
enum Value {
    Integer(Option<i64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
}

impl Value {
    fn of(cell: Cell, kind: Kind) -> Option<Self> {
        Some(match (kind, cell) {
            (Kind::Integer, Cell::Null(())) => Self::Integer(None),
            (Kind::Integer, Cell::Integer(number)) => Self::Integer(Some(number)),
            (Kind::Text, Cell::Null(())) => Self::Text(None),
            (Kind::Text, Cell::Text(text)) => Self::Text(Some(text)),
            (Kind::Bytes, Cell::Null(())) => Self::Bytes(None),
            (Kind::Bytes, Cell::Text(text)) => Self::Bytes(Some(text.into_bytes())),
            (Kind::Bytes, Cell::Bytes { base64 }) => Self::Bytes(Some(STANDARD.decode(base64).ok()?)),
            (Kind::Integer, Cell::Text(_) | Cell::Bytes { .. })
            | (Kind::Text, Cell::Integer(_) | Cell::Bytes { .. })
            | (Kind::Bytes, Cell::Integer(_)) => return None,
        })
    }
}
