//! What a site keeps its catalog and its blobs in, beside its data folder.
//! Rule: each site has a database and a bucket of its own, also where servers of stores are shared.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Result, bail};

use crate::backend::{Backend, Blobs, Catalog};
use crate::object_store::{self, ObjectStore};
use crate::postgres::{self, Postgres};

/// A database and a bucket, or the data folder in place of either.
#[derive(Debug, Clone, Default)]
pub struct Stores {
    database: Option<Database>,
    bucket: Option<Bucket>,
}

#[derive(Debug, Clone)]
struct Database {
    server: Arc<Postgres>,
    name: String,
    address: SocketAddr,
}

#[derive(Debug, Clone)]
struct Bucket {
    server: Arc<ObjectStore>,
    name: String,
    address: SocketAddr,
}

impl Stores {
    /// Makes an empty database and an empty bucket on the servers that are given.
    ///
    /// # Errors
    /// When one of them does not run.
    pub fn new(postgres: Option<&Arc<Postgres>>, minio: Option<&Arc<ObjectStore>>) -> Result<Self> {
        let mut stores = Self::default();
        if let Some(server) = postgres {
            let (name, address) = (server.create_database()?, server.address());
            stores.database = Some(Database { server: Arc::clone(server), name, address });
        }
        if let Some(server) = minio {
            let (name, address) = (server.create_bucket()?, server.address());
            stores.bucket = Some(Bucket { server: Arc::clone(server), name, address });
        }
        Ok(stores)
    }

    /// Makes stores on servers that stories share; nothing after saying that the story is skipped.
    ///
    /// # Errors
    /// When a server does not come up, or its program is missing and `CI=true`.
    pub fn of(backend: Backend) -> Result<Option<Self>> {
        let postgres = match backend.catalog {
            Catalog::Sqlite => None,
            Catalog::Postgres => match postgres::shared()? {
                Some(server) => Some(server),
                None => return Ok(None),
            },
        };
        let minio = match backend.blobs {
            Blobs::Folder => None,
            Blobs::Minio => match object_store::shared_minio()? {
                Some(server) => Some(server),
                None => return Ok(None),
            },
        };
        Self::new(postgres.as_ref(), minio.as_ref()).map(Some)
    }

    /// Makes other stores on the same servers.
    ///
    /// # Errors
    /// When one of them does not run.
    pub fn fresh(&self) -> Result<Self> {
        Self::new(
            self.database.as_ref().map(|database| &database.server),
            self.bucket.as_ref().map(|bucket| &bucket.server),
        )
    }

    /// Lets servers reach the database at another address, as through a proxy.
    #[must_use]
    pub fn catalog_at(mut self, address: SocketAddr) -> Self {
        self.database = self.database.map(|database| Database { address, ..database });
        self
    }

    /// Lets servers reach the bucket at another address, as through a proxy.
    #[must_use]
    pub fn blobs_at(mut self, address: SocketAddr) -> Self {
        self.bucket = self.bucket.map(|bucket| Bucket { address, ..bucket });
        self
    }

    /// Returns the variables that tell a server of its stores.
    pub fn environment(&self) -> Vec<(String, String)> {
        let mut variables = Vec::new();
        if let Some(Database { name, address, .. }) = &self.database {
            variables.push(("CHARTROOM_CATALOG_URL".to_owned(), postgres::url_at(*address, name)));
        }
        if let Some(Bucket { name, address, .. }) = &self.bucket {
            variables.push(("CHARTROOM_BLOBS_URL".to_owned(), format!("s3://{name}/kept")));
            variables.extend(object_store::environment_at(*address));
        }
        variables
    }

    /// Returns a place in the bucket beside the blobs; nothing where they are in the data folder.
    pub(crate) fn beside_blobs(&self, name: &str) -> Option<String> {
        self.bucket.as_ref().map(|bucket| format!("s3://{}/{name}", bucket.name))
    }

    /// Returns whether the catalog is in a database that has to be migrated before a server starts.
    pub(crate) fn needs_migration(&self) -> bool {
        self.database.is_some()
    }

    /// Returns whether bytes are kept in the data folder.
    pub(crate) fn has_no_bucket(&self) -> bool {
        self.bucket.is_none()
    }

    /// Refuses what only one server at a time can use.
    pub(crate) fn expect_shareable(&self) -> Result<()> {
        if self.database.is_none() || self.bucket.is_none() {
            bail!("replicas need Postgres and a bucket: a folder has one server");
        }
        Ok(())
    }

    /// Returns the keys in the bucket, sorted; nothing where blobs are in the data folder.
    pub(crate) fn keys(&self) -> Result<Option<Vec<String>>> {
        self.bucket.as_ref().map(|bucket| bucket.server.keys(&bucket.name)).transpose()
    }
}
