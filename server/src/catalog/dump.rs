//! Reads the whole catalog out, table by table, as one consistent view while others go on writing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::TryStreamExt;
use sqlx::{AssertSqlSafe, ColumnIndex, Database, Decode, Row, Type};

use super::changes::next_in_time;
use super::connection::{Connection, in_time, on};
use super::table::{Cell, Column, Kind, TABLES, Table, columns};
use super::{Catalog, CatalogError};

/// What a dump consists of, in its order.
pub(crate) enum Dumped<'a> {
    /// A table begins.
    Table(Table, &'a [Column]),
    /// One of its rows, in the order of the columns.
    Row(Vec<Cell>),
}

/// Why a dump ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DumpError<E> {
    /// The catalog did not answer.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// Whoever took the rows could not.
    #[error(transparent)]
    Taker(E),
}

impl Catalog {
    /// Gives `take` every row of every table that belongs to a copy, all as they were at one moment.
    ///
    /// The database keeps that moment alive meanwhile, so `take` should not wait for anything slow.
    ///
    /// # Errors
    /// [`DumpError`] when the catalog does not answer, or with what `take` said.
    pub(crate) async fn dump<E>(
        &self,
        mut take: impl FnMut(Dumped<'_>) -> Result<(), E>,
    ) -> Result<(), DumpError<E>> {
        let mut view = self.reader().await?;
        let dumped = dump_view(&mut view, self.store.begin_view(), &mut take).await;
        match &dumped {
            Ok(()) => {}
            // It may still be in the middle of the rows.
            Err(_) => view.give_up(),
        }
        dumped
    }
}

async fn dump_view<E>(
    view: &mut Connection,
    begin: &'static str,
    take: &mut impl FnMut(Dumped<'_>) -> Result<(), E>,
) -> Result<(), DumpError<E>> {
    in_time(async { on!(view, |database| sqlx::raw_sql(begin).execute(database).await.map(drop)) }).await?;
    for table in TABLES {
        let columns = columns(view, table).await?;
        take(Dumped::Table(table, &columns)).map_err(DumpError::Taker)?;
        dump_table(view, table, &columns, take).await?;
    }
    in_time(async { on!(view, |database| sqlx::query("COMMIT").execute(database).await.map(drop)) }).await?;
    Ok(())
}

async fn dump_table<E>(
    view: &mut Connection,
    table: Table,
    columns: &[Column],
    take: &mut impl FnMut(Dumped<'_>) -> Result<(), E>,
) -> Result<(), DumpError<E>> {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    // Names of the catalog's own tables and columns.
    let query = AssertSqlSafe(format!(
        "SELECT {} FROM {} {} ORDER BY {}",
        names.join(", "),
        table.name,
        table.filter,
        table.order
    ));
    let mut refused = None;
    on!(view, |database| async {
        let mut rows = sqlx::query(query).fetch(database);
        while let Some(row) = next_in_time(rows.try_next()).await? {
            if let Err(error) = take(Dumped::Row(cells(&row, columns)?)) {
                refused = Some(error);
                break;
            }
        }
        Ok(())
    }
    .await)?;
    refused.map_or(Ok(()), |error| Err(DumpError::Taker(error)))
}

fn cells<R>(row: &R, columns: &[Column]) -> sqlx::Result<Vec<Cell>>
where
    R: Row,
    usize: ColumnIndex<R>,
    i64: Type<R::Database> + for<'r> Decode<'r, R::Database>,
    String: Type<R::Database> + for<'r> Decode<'r, R::Database>,
    Vec<u8>: Type<R::Database> + for<'r> Decode<'r, R::Database>,
    R::Database: Database,
{
    let cell = |(index, column): (usize, &Column)| {
        Ok(match column.kind {
            Kind::Integer => row.try_get::<Option<i64>, _>(index)?.map(Cell::Integer),
            Kind::Text => row.try_get::<Option<String>, _>(index)?.map(Cell::Text),
            Kind::Bytes => row.try_get::<Option<Vec<u8>>, _>(index)?.map(of_bytes),
        }
        .unwrap_or(Cell::Null(())))
    };
    columns.iter().enumerate().map(cell).collect()
}

/// An index entry is JSON, which compresses several times better than base64 of it.
fn of_bytes(bytes: Vec<u8>) -> Cell {
    match String::from_utf8(bytes) {
        Ok(text) => Cell::Text(text),
        Err(error) => Cell::Bytes { base64: STANDARD.encode(error.as_bytes()) },
    }
}
