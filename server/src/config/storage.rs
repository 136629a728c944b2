//! Where the server keeps what it knows: the data folder, the catalog and the blobs.

use std::path::PathBuf;

use super::error::ConfigError;
use super::s3::S3Service;
use super::secret::Secret;
use super::setting::{AnySetting, Setting};
use super::sources::Settings;
use super::value::FromText;

const DATA: Setting<PathBuf> = Setting::with_default(
    "data",
    "chartroom-data",
    "folder of the embedded catalog, the blobs and the admin token",
);
const CATALOG_URL: Setting<Option<CatalogUrl>> = Setting::new(
    "catalog_url",
    "where the catalog is, `sqlite:PATH` or `postgres://…`; unless set, `catalog.db` in `data`",
);
const POSTGRES_CONNECTIONS: Setting<Connections> = Setting::with_default(
    "postgres.connections",
    "16",
    "most connections of one server to Postgres; four of them write",
);
const BLOBS_URL: Setting<Option<BlobsUrl>> = Setting::new(
    "blobs_url",
    "where the blobs are, `file:PATH` or `s3://BUCKET/PREFIX`; unless set, `data` itself",
);

pub(super) const SETTINGS: &[&dyn AnySetting] = &[&DATA, &CATALOG_URL, &POSTGRES_CONNECTIONS, &BLOBS_URL];

/// Where everything is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Storage {
    /// The data folder: `data`, `CHARTROOM_DATA`, `--data`; default `chartroom-data` in the working directory.
    pub(crate) data: PathBuf,
    /// The catalog: `catalog_url`, `CHARTROOM_CATALOG_URL`; default the file `catalog.db` in the data folder.
    pub(crate) catalog: CatalogUrl,
    /// How many connections a server keeps to Postgres: `postgres.connections`, `CHARTROOM_POSTGRES_CONNECTIONS`;
    /// default 16.
    pub(crate) postgres_connections: u32,
    /// The blobs: `blobs_url`, `CHARTROOM_BLOBS_URL`; default the data folder, below which keys begin with `blobs/`.
    pub(crate) blobs: BlobsUrl,
    /// How the S3 service is reached, if the blobs are there.
    pub(crate) s3: S3Service,
}

/// Where the catalog is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CatalogUrl {
    /// `sqlite:PATH`: an SQLite file in this process.
    Sqlite(PathBuf),
    /// `postgres://…`: a Postgres database; the whole URL, which may hold a password.
    Postgres(Secret),
}

/// Where the blobs are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BlobsUrl {
    /// `file:PATH`: a local folder.
    Folder(PathBuf),
    /// `s3://BUCKET/PREFIX`: a bucket of an S3 service.
    S3 {
        /// The bucket.
        bucket: String,
        /// What every key begins with, without slashes at its ends; may be empty.
        prefix: String,
    },
}

impl Storage {
    pub(super) fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let data = settings.value(&DATA)?;
        let catalog = match settings.value(&CATALOG_URL)? {
            None => CatalogUrl::Sqlite(data.join("catalog.db")),
            Some(url) => url,
        };
        let blobs = match settings.value(&BLOBS_URL)? {
            None => BlobsUrl::Folder(data.clone()),
            Some(given) => given,
        };
        let Connections(postgres_connections) = settings.value(&POSTGRES_CONNECTIONS)?;
        Ok(Self { data, catalog, postgres_connections, blobs, s3: S3Service::read(settings)? })
    }
}

/// How many connections a server keeps to Postgres.
struct Connections(u32);

/// Four write, each for other repositories, and one listens; with less than a few more, readers would wait for ever.
const FEWEST_CONNECTIONS: u32 = 8;

impl FromText for Connections {
    fn from_text(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(number) if number >= FEWEST_CONNECTIONS => Ok(Self(number)),
            Ok(_) | Err(_) => Err(format!("`{text}` is not a whole number of {FEWEST_CONNECTIONS} or more")),
        }
    }
}

impl BlobsUrl {
    /// Parses `file:PATH` or `s3://BUCKET/PREFIX`.
    ///
    /// # Errors
    /// What to write instead.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        Self::from_text(text)
    }

    /// Returns the place `name` within this one.
    pub(crate) fn below(&self, name: &str) -> Self {
        match self {
            Self::Folder(path) => Self::Folder(path.join(name)),
            Self::S3 { bucket, prefix } => {
                let prefix = format!("{prefix}/{name}").trim_matches('/').to_owned();
                Self::S3 { bucket: bucket.clone(), prefix }
            }
        }
    }
}

impl FromText for CatalogUrl {
    const MAY_BE_IN_A_FILE: bool = true;

    fn from_text(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("sqlite:").filter(|path| !path.is_empty()) {
            return Ok(Self::Sqlite(path.into()));
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(Secret::new(text)));
        }
        // The text itself stays out of the answer: it may hold a password.
        Err("begins with neither `sqlite:` and a path nor `postgres://`".to_owned())
    }

    fn shown(text: &str) -> Option<String> {
        text.starts_with("sqlite:").then(|| text.to_owned())
    }
}

impl FromText for BlobsUrl {
    fn from_text(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("file:").filter(|path| !path.is_empty()) {
            return Ok(Self::Folder(path.into()));
        }
        let (bucket, prefix) = text
            .strip_prefix("s3://")
            .map(|rest| rest.split_once('/').unwrap_or((rest, "")))
            .filter(|(bucket, _)| !bucket.is_empty())
            .ok_or_else(|| format!("`{text}` is neither `file:` and a path nor `s3://BUCKET/PREFIX`"))?;
        Ok(Self::S3 { bucket: bucket.to_owned(), prefix: prefix.trim_matches('/').to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::{config, refusal};

    #[test]
    fn catalog_and_blobs_follow_the_data_folder_unless_given() {
        let storage = config(&[]).storage;
        assert_eq!(storage.data, PathBuf::from("chartroom-data"));
        assert_eq!(storage.catalog, CatalogUrl::Sqlite("chartroom-data/catalog.db".into()));
        assert_eq!(storage.blobs, BlobsUrl::Folder("chartroom-data".into()));
        let storage =
            config(&[("CHARTROOM_CATALOG_URL", "sqlite:/a/b.db"), ("CHARTROOM_BLOBS_URL", "file:/c")])
                .storage;
        assert_eq!(storage.catalog, CatalogUrl::Sqlite("/a/b.db".into()));
        assert_eq!(storage.blobs, BlobsUrl::Folder("/c".into()));
    }

    #[test]
    fn a_server_has_connections_for_readers_beside_its_writers() {
        assert_eq!(config(&[]).storage.postgres_connections, 16);
        assert_eq!(config(&[("CHARTROOM_POSTGRES_CONNECTIONS", "8")]).storage.postgres_connections, 8);
        for few in ["7", "0", "many"] {
            let refused = refusal(&[("CHARTROOM_POSTGRES_CONNECTIONS", few)]);
            assert!(refused.contains("is not a whole number of 8 or more"), "{refused}");
        }
    }

    #[test]
    fn an_address_of_no_known_store_is_refused_without_its_password() {
        for (variable, text, expected) in [
            (
                "CHARTROOM_CATALOG_URL",
                "mysql://user:hunter2@db/x",
                "the variable `CHARTROOM_CATALOG_URL`: begins with neither `sqlite:` and a path nor `postgres://`",
            ),
            (
                "CHARTROOM_BLOBS_URL",
                "/srv/blobs",
                "the variable `CHARTROOM_BLOBS_URL`: `/srv/blobs` is neither `file:` and a path nor `s3://BUCKET/PREFIX`",
            ),
        ] {
            assert_eq!(refusal(&[(variable, text)]), expected);
        }
    }

    #[test]
    fn an_s3_url_is_a_bucket_and_a_prefix() {
        for (text, bucket, prefix) in [("s3://b", "b", ""), ("s3://b/", "b", ""), ("s3://b/a/c/", "b", "a/c")]
        {
            assert_eq!(
                BlobsUrl::from_text(text),
                Ok(BlobsUrl::S3 { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
            );
        }
    }
}
