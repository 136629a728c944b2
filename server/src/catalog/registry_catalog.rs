//! The names of the registry in byte order, page by page: those somebody pushed to, and those of charts.

use super::connection::read;
use super::{Catalog, CatalogError};
use crate::repository_path::RepositoryPath;

/// Whose names are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Readable {
    /// Those of every repository.
    All,
    /// Those of public repositories.
    Public,
    /// Those of public repositories, and of the one at this path with all below it.
    PublicAndWithin(RepositoryPath),
}

/// Which names are asked for.
#[derive(Debug, Clone)]
pub(crate) struct NamesPage<'p> {
    /// Whose.
    pub(crate) readable: &'p Readable,
    /// Only names behind this one; empty for all.
    pub(crate) after: &'p str,
    /// At most so many.
    pub(crate) limit: u32,
}

impl Catalog {
    /// Returns a page of names. A chart's name is its repository's path and its own, and may break the grammar of names.
    ///
    /// Each chart is found from the one before it in the index of versions, so that it costs one look however many
    /// versions it has.
    pub(crate) async fn list_registry_names(&self, page: NamesPage<'_>) -> Result<Vec<String>, CatalogError> {
        let (everything, scope) = match page.readable {
            Readable::All => (1_i64, ""),
            Readable::Public => (0, ""),
            Readable::PublicAndWithin(path) => (i64::from(path.is_root()), path.as_str()),
        };
        read!(self, |database| {
            sqlx::query_scalar(
            "WITH RECURSIVE readable AS (SELECT id, path FROM repository WHERE $1 = 1 OR visibility = 'public' \
             OR ($2 <> '' AND (path = $2 OR substr(path, 1, length($2) + 1) = $2 || '/'))), \
             chart AS (\
             SELECT id, path, (SELECT MIN(v.chart) FROM version v \
             WHERE v.repository_id = readable.id) AS name FROM readable \
             UNION ALL SELECT id, path, (SELECT MIN(v.chart) FROM version v \
             WHERE v.repository_id = chart.id AND v.chart > chart.name) FROM chart WHERE name IS NOT NULL) \
             SELECT name FROM (\
             SELECT n.name AS name FROM oci_name n JOIN readable r ON r.id = n.repository_id \
             WHERE EXISTS (SELECT 1 FROM manifest m WHERE m.name_id = n.id AND m.removed_at IS NULL) \
             UNION SELECT CASE WHEN path = '' THEN name ELSE path || '/' || name END AS name FROM chart \
             WHERE EXISTS (SELECT 1 FROM version v WHERE v.repository_id = chart.id AND v.chart = chart.name \
             AND v.state IN ('approved', 'deprecated'))\
             ) AS names WHERE name > $3 ORDER BY name LIMIT $4"
        )
        .bind(everything)
        .bind(scope)
        .bind(page.after)
        .bind(i64::from(page.limit))
        .fetch_all(database)
        .await
        })
    }

    /// Tells whether there is a repository that anybody may read.
    pub(crate) async fn has_public_repository(&self) -> Result<bool, CatalogError> {
        let found: Option<i64> = read!(self, |database| sqlx::query_scalar(
            "SELECT id FROM repository WHERE visibility = 'public' LIMIT 1"
        )
        .fetch_optional(database)
        .await)?;
        Ok(found.is_some())
    }
}
