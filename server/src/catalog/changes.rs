//! What the index reads: everything at once when it loads, then the changes after its revision.

use bytes::Bytes;
use chart::{ChartName, ChartVersion, Timestamp};
use futures_util::TryStreamExt;
use sqlx::FromRow;

use super::connection::{Connection, DEADLINE, in_time, on, read};
use super::{Catalog, CatalogError, RepositoryRow};
use crate::blobs::BlobKey;

/// One version as the index shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IndexRow {
    pub(crate) chart: ChartName,
    pub(crate) version: ChartVersion,
    pub(crate) created_at: Timestamp,
    /// The full index entry as compact JSON.
    pub(crate) entry: Bytes,
    pub(crate) archive: BlobKey,
    pub(crate) archive_size_bytes: u64,
    pub(crate) provenance: Option<BlobKey>,
}

/// One change of a repository's content, in the order of its revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IndexChange {
    pub(crate) revision: i64,
    pub(crate) at: Timestamp,
    pub(crate) chart: ChartName,
    pub(crate) version: ChartVersion,
    /// The version as it now is; `None` when the index shows it no longer.
    pub(crate) shown: Option<IndexRow>,
}

#[derive(FromRow)]
struct RawIndexRow {
    chart: String,
    version: String,
    created_at: i64,
    entry: Vec<u8>,
    archive_key: String,
    archive_size_bytes: i64,
    provenance_key: Option<String>,
}

#[derive(FromRow)]
struct RawChange {
    revision: i64,
    at: i64,
    chart: String,
    version: String,
    created_at: Option<i64>,
    entry: Option<Vec<u8>>,
    archive_key: Option<String>,
    archive_size_bytes: Option<i64>,
    provenance_key: Option<String>,
}

pub(super) fn name_from_catalog(text: &str) -> Result<ChartName, CatalogError> {
    text.parse().map_err(|_| CatalogError::Corrupt { what: "chart name", value: text.to_owned() })
}

pub(super) fn version_from_catalog(text: &str) -> Result<ChartVersion, CatalogError> {
    text.parse().map_err(|_| CatalogError::Corrupt { what: "version", value: text.to_owned() })
}

impl TryFrom<RawIndexRow> for IndexRow {
    type Error = CatalogError;

    fn try_from(raw: RawIndexRow) -> Result<Self, CatalogError> {
        Ok(Self {
            chart: name_from_catalog(&raw.chart)?,
            version: version_from_catalog(&raw.version)?,
            created_at: Timestamp::from_micros(raw.created_at),
            entry: raw.entry.into(),
            archive: BlobKey::from_catalog(raw.archive_key),
            archive_size_bytes: raw.archive_size_bytes.unsigned_abs(),
            provenance: raw.provenance_key.map(BlobKey::from_catalog),
        })
    }
}

impl TryFrom<RawChange> for IndexChange {
    type Error = CatalogError;

    fn try_from(raw: RawChange) -> Result<Self, CatalogError> {
        let chart = name_from_catalog(&raw.chart)?;
        let version = version_from_catalog(&raw.version)?;
        let shown = match (raw.created_at, raw.entry, raw.archive_key, raw.archive_size_bytes) {
            (Some(created_at), Some(entry), Some(archive), Some(size)) => Some(IndexRow {
                chart: chart.clone(),
                version: version.clone(),
                created_at: Timestamp::from_micros(created_at),
                entry: entry.into(),
                archive: BlobKey::from_catalog(archive),
                archive_size_bytes: size.unsigned_abs(),
                provenance: raw.provenance_key.map(BlobKey::from_catalog),
            }),
            (_, _, _, _) => None,
        };
        Ok(Self { revision: raw.revision, at: Timestamp::from_micros(raw.at), chart, version, shown })
    }
}

/// The part of every query that returns [`IndexRow`]s of one repository.
macro_rules! select_index_rows {
    ($rest:literal) => {
        concat!(
            "SELECT v.chart, v.version, v.created_at, v.entry, a.storage_key AS archive_key, \
             a.size_bytes AS archive_size_bytes, p.storage_key AS provenance_key \
             FROM version v JOIN blob a ON a.id = v.archive_blob_id LEFT JOIN blob p ON p.id = v.provenance_blob_id \
             WHERE v.repository_id = $1 AND v.state IN ('approved', 'deprecated') ",
            $rest
        )
    };
}

impl Catalog {
    /// Gives `each` every version that the repository's index shows, grouped by chart in byte order of the names, and
    /// returns the repository as it then is: one consistent view, one row in memory at a time.
    pub(crate) async fn read_index(
        &self,
        repository_id: i64,
        each: impl FnMut(IndexRow),
    ) -> Result<Option<RepositoryRow>, CatalogError> {
        let mut view = self.reader().await?;
        let read = read_view(&mut view, self.store.begin_view(), repository_id, each).await;
        match &read {
            Ok(_) => {}
            // It may still be in the middle of the rows.
            Err(_) => view.give_up(),
        }
        read
    }

    /// Returns one version as the index shows it.
    pub(crate) async fn find_index_row(
        &self,
        repository_id: i64,
        chart: &ChartName,
        version: &ChartVersion,
    ) -> Result<Option<IndexRow>, CatalogError> {
        let raw: Option<RawIndexRow> = read!(self, |database| sqlx::query_as(select_index_rows!(
            "AND v.chart = $2 AND v.version = $3"
        ))
        .bind(repository_id)
        .bind(chart.as_str())
        .bind(version.as_str())
        .fetch_optional(database)
        .await)?;
        raw.map(IndexRow::try_from).transpose()
    }

    /// Returns the changes after `revision` in order, each with the version as it is now: one consistent view.
    pub(crate) async fn changes_after(
        &self,
        repository_id: i64,
        revision: i64,
    ) -> Result<Vec<IndexChange>, CatalogError> {
        let raw: Vec<RawChange> = read!(self, |database| {
            sqlx::query_as(
            "SELECT e.revision, e.at, e.chart, e.version, v.created_at, v.entry, a.storage_key AS archive_key, \
             a.size_bytes AS archive_size_bytes, p.storage_key AS provenance_key FROM event e \
             LEFT JOIN version v ON v.repository_id = e.repository_id AND v.chart = e.chart AND v.version = e.version \
             AND v.state IN ('approved', 'deprecated') LEFT JOIN blob a ON a.id = v.archive_blob_id \
             LEFT JOIN blob p ON p.id = v.provenance_blob_id \
             WHERE e.repository_id = $1 AND e.revision > $2 ORDER BY e.revision",
        )
        .bind(repository_id)
        .bind(revision)
        .fetch_all(database)
        .await
        })?;
        raw.into_iter().map(IndexChange::try_from).collect()
    }
}

async fn read_view(
    view: &mut Connection,
    begin: &'static str,
    repository_id: i64,
    mut each: impl FnMut(IndexRow),
) -> Result<Option<RepositoryRow>, CatalogError> {
    in_time(async { on!(view, |database| sqlx::raw_sql(begin).execute(database).await.map(drop)) }).await?;
    let repository = in_time(super::repositories::find_by_id(view, repository_id)).await?;
    let mut unreadable = None;
    if repository.is_some() {
        on!(view, |database| async {
            let mut rows =
                sqlx::query_as::<_, RawIndexRow>(select_index_rows!("ORDER BY v.chart, v.version"))
                    .bind(repository_id)
                    .fetch(database);
            while let Some(raw) = next_in_time(rows.try_next()).await? {
                match IndexRow::try_from(raw) {
                    Ok(row) => each(row),
                    Err(error) => unreadable = Some(error),
                }
            }
            Ok(())
        }
        .await)?;
    }
    in_time(async { on!(view, |database| sqlx::query("COMMIT").execute(database).await.map(drop)) }).await?;
    match unreadable {
        Some(error) => Err(error),
        None => Ok(repository),
    }
}

/// Waits for the next row: as long as rows come there is no limit on all of them together.
pub(super) async fn next_in_time<T>(row: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    tokio::time::timeout(DEADLINE, row).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}
