//! The tables of the catalog as a copy of it sees them: rows of numbers, texts and bytes, whatever a migration added.

use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, Column as _, Executor as _, SqlSafeStr as _, Statement as _, TypeInfo as _};

use super::CatalogError;
use super::connection::{Connection, in_time};

/// A table that belongs to a copy of the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Table {
    /// Its name.
    pub(crate) name: &'static str,
    /// What its rows are ordered by, so that the same content always makes the same copy.
    pub(super) order: &'static str,
    /// Which rows are copied, as the end of a query.
    pub(super) filter: &'static str,
    /// Whether its ids are counted by the database.
    pub(super) has_identity: bool,
}

/// The tables in the order in which they can be filled: no row refers to one that comes later.
///
/// `server_state` stays out: whether writing is on is said of a server, not of what it holds. So do uploads, holds on blobs
/// and signing keys, which are for minutes and hours.
pub(crate) const TABLES: [Table; 12] = [
    Table::of("repository"),
    Table {
        order: "digest, id",
        // What nobody refers to may be collected at any moment.
        filter: "WHERE EXISTS (SELECT 1 FROM version v WHERE v.archive_blob_id = blob.id) \
                 OR EXISTS (SELECT 1 FROM version v WHERE v.provenance_blob_id = blob.id) \
                 OR EXISTS (SELECT 1 FROM removed_version r WHERE r.archive_blob_id = blob.id) \
                 OR EXISTS (SELECT 1 FROM removed_version r WHERE r.provenance_blob_id = blob.id) \
                 OR EXISTS (SELECT 1 FROM manifest_blob m WHERE m.blob_id = blob.id)",
        ..Table::of("blob")
    },
    Table::of("version"),
    Table::of("removed_version"),
    Table::keyed("event", "repository_id, revision"),
    Table::of("token"),
    Table::of("oci_name"),
    Table::of("manifest"),
    Table::keyed("manifest_blob", "manifest_id, blob_id"),
    Table::keyed("manifest_child", "manifest_id, digest"),
    Table::keyed("tag", "name_id, tag"),
    Table::keyed("registry_event", "repository_id, revision"),
];

impl Table {
    const fn of(name: &'static str) -> Self {
        Self { name, order: "id", filter: "", has_identity: true }
    }

    const fn keyed(name: &'static str, order: &'static str) -> Self {
        Self { order, has_identity: false, ..Self::of(name) }
    }
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    /// Its name.
    pub(crate) name: String,
    pub(super) kind: Kind,
}

/// What a column holds; the catalog has nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    Text,
    Bytes,
}

/// One value of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Cell {
    /// A number.
    Integer(i64),
    /// A text, or bytes that are one.
    Text(String),
    /// Other bytes.
    Bytes {
        /// In base64.
        base64: String,
    },
    /// NULL.
    Null(()),
}

/// Returns the columns of a table as its database has them.
pub(super) async fn columns(connection: &mut Connection, table: Table) -> Result<Vec<Column>, CatalogError> {
    // One of this module's own names.
    let query = AssertSqlSafe(format!("SELECT * FROM {} WHERE 1 = 0", table.name)).into_sql_str();
    let named: Vec<(String, String)> = in_time(async {
        super::connection::on!(connection, |database| database.prepare(query).await.map(|statement| {
            let columns = statement.columns().iter();
            columns.map(|column| (column.name().to_owned(), column.type_info().name().to_owned())).collect()
        }))
    })
    .await?;
    named.into_iter().map(|(name, kind)| Ok(Column { name, kind: Kind::of(&kind)? })).collect()
}

impl Kind {
    /// Reads what the databases call their types.
    fn of(name: &str) -> Result<Self, CatalogError> {
        match name {
            "INTEGER" | "BIGINT" | "INT8" => Ok(Self::Integer),
            "TEXT" => Ok(Self::Text),
            "BLOB" | "BYTEA" => Ok(Self::Bytes),
            _ => Err(CatalogError::Corrupt { what: "column type", value: name.to_owned() }),
        }
    }
}
