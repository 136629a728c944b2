//! The tables: brought up to date by `migrate`, compared by every server that starts.
//!
//! Both databases have the same migrations by number, name and result; only their dialect differs.

use sqlx::migrate::{MigrateError, Migrator};

use super::CatalogError;
use super::connection::on;
use super::store::Store;

static EMBEDDED: Migrator = sqlx::migrate!("../migrations/sqlite");
static SHARED: Migrator = sqlx::migrate!("../migrations/postgres");

/// Makes the tables those of this version.
pub(super) async fn migrate(store: &Store) -> Result<(), CatalogError> {
    match store {
        Store::Embedded { writer, .. } => EMBEDDED.run(writer).await,
        Store::Postgres(pool) => SHARED.run(pool).await,
    }
    .map_err(|error| match error {
        MigrateError::Execute(cause) => CatalogError::from(cause),
        other => CatalogError::UnknownSchema(other),
    })
}

/// Returns the number of the last migration, equal for both databases.
pub(super) fn newest() -> i64 {
    EMBEDDED.iter().map(|migration| migration.version).max().unwrap_or_default()
}

/// Checks that the tables are those of this version, changing nothing.
pub(super) async fn check(store: &Store) -> Result<(), CatalogError> {
    let migrations = match store {
        Store::Embedded { .. } => &EMBEDDED,
        Store::Postgres(_) => &SHARED,
    };
    let applied = applied(store).await?;
    for (version, checksum) in &applied {
        let known = migrations.iter().find(|migration| migration.version == *version);
        let known = known.ok_or(CatalogError::UnknownSchema(MigrateError::VersionMissing(*version)))?;
        if *known.checksum != **checksum {
            return Err(CatalogError::UnknownSchema(MigrateError::VersionMismatch(*version)));
        }
    }
    let is_complete =
        migrations.iter().all(|migration| applied.iter().any(|(version, _)| *version == migration.version));
    if is_complete { Ok(()) } else { Err(CatalogError::NotMigrated) }
}

/// Returns the migrations the database has seen, by number and checksum.
async fn applied(store: &Store) -> Result<Vec<(i64, Vec<u8>)>, CatalogError> {
    let mut connection = store.reader().await?;
    // `to_regclass` instead of a query that may fail: a missing table and a missing database must not look alike.
    if let Store::Postgres(_) = store {
        let is_there: bool = on!(&mut connection, |database| sqlx::query_scalar(
            "SELECT to_regclass('_sqlx_migrations') IS NOT NULL"
        )
        .fetch_one(database)
        .await)?;
        if !is_there {
            return Ok(Vec::new());
        }
    }
    on!(&mut connection, |database| sqlx::query_as(
        "SELECT version, checksum FROM _sqlx_migrations WHERE success ORDER BY version"
    )
    .fetch_all(database)
    .await)
}
