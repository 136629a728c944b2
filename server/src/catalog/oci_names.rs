//! Names of the registry that somebody pushed a manifest to, and the repository each belongs to.

use oci::OciName;
use sqlx::FromRow;

use super::connection::read;
use super::{Catalog, CatalogError};
use crate::repository_path::RepositoryPath;

/// What the manifests of a name are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    /// Charts, each tag a version or an alias of one.
    Charts,
    /// Images.
    Images,
    /// Only what is attached to something, which goes with either.
    Attachments,
}

impl Holds {
    /// Returns the word that stands for it in the catalog; none for attachments alone.
    pub(super) const fn word(self) -> Option<&'static str> {
        match self {
            Self::Charts => Some("charts"),
            Self::Images => Some("images"),
            Self::Attachments => None,
        }
    }

    /// Tells whether nothing but what is pushed now may be pushed later.
    pub(crate) const fn is_settled(self) -> bool {
        match self {
            Self::Charts | Self::Images => true,
            Self::Attachments => false,
        }
    }

    /// Reads the word back.
    pub(super) fn from_word(word: Option<&str>) -> Result<Self, CatalogError> {
        match word {
            None => Ok(Self::Attachments),
            Some("charts") => Ok(Self::Charts),
            Some("images") => Ok(Self::Images),
            Some(other) => Err(CatalogError::Corrupt { what: "content of a name", value: other.to_owned() }),
        }
    }
}

/// A name somebody pushed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OciNameRow {
    pub(crate) id: i64,
    pub(crate) repository_id: i64,
    /// The path of the repository it belongs to.
    pub(crate) repository: RepositoryPath,
    pub(crate) holds: Holds,
}

#[derive(FromRow)]
struct RawName {
    id: i64,
    repository_id: i64,
    path: String,
    content: Option<String>,
}

impl Catalog {
    /// Returns the name's row when somebody pushed to it.
    pub(crate) async fn find_oci_name(&self, name: &OciName) -> Result<Option<OciNameRow>, CatalogError> {
        let raw: Option<RawName> = read!(self, |database| sqlx::query_as(
            "SELECT n.id, n.repository_id, r.path, n.content FROM oci_name n \
             JOIN repository r ON r.id = n.repository_id WHERE n.name = $1"
        )
        .bind(name.as_str())
        .fetch_optional(database)
        .await)?;
        raw.map(|raw| {
            Ok(OciNameRow {
                id: raw.id,
                repository_id: raw.repository_id,
                repository: RepositoryPath::from_catalog(raw.path),
                holds: Holds::from_word(raw.content.as_deref())?,
            })
        })
        .transpose()
    }

    /// Returns a name at or below `path`, which belongs to a repository above it while there is none at the path.
    pub(crate) async fn find_name_within(
        &self,
        path: &RepositoryPath,
    ) -> Result<Option<String>, CatalogError> {
        read!(self, |database| sqlx::query_scalar(
            "SELECT name FROM oci_name WHERE name = $1 OR substr(name, 1, length($1) + 1) = $1 || '/' \
             ORDER BY name LIMIT 1"
        )
        .bind(path.as_str())
        .fetch_optional(database)
        .await)
    }

    /// Returns the path of the repository that a new name would belong to: the longest one it begins with, else the
    /// default repository's.
    pub(crate) async fn find_repository_of_new_name(
        &self,
        name: &OciName,
    ) -> Result<RepositoryPath, CatalogError> {
        let path: Option<String> = read!(self, |database| sqlx::query_scalar(
            "SELECT path FROM repository WHERE path <> '' AND ($1 = path \
             OR substr($1, 1, length(path) + 1) = path || '/') ORDER BY length(path) DESC LIMIT 1"
        )
        .bind(name.as_str())
        .fetch_optional(database)
        .await)?;
        Ok(path.map_or_else(RepositoryPath::root, RepositoryPath::from_catalog))
    }
}
