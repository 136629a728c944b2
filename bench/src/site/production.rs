//! Postgres and MinIO for the run, with a filled database and bucket of each size to copy from.
//! Rule: no two sites share a database or a bucket, so that none finds what another has published.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};
use stories::object_store::{ObjectStore, environment_at};
use stories::postgres::Postgres;

use super::Site;
use crate::corpus::Corpora;
use crate::place::Place;
use crate::progress::Progress;

/// What keys begin with.
const PREFIX: &str = "kept";
const REMEDY: &str = "is not on the machine: run `scripts/install-tools bench`";
/// Writes what is left of a copy now, and not while something is measured.
const SETTLE: &str = "CHECKPOINT";

/// The running servers of the stores.
#[derive(Debug)]
pub(crate) struct Production {
    postgres: Postgres,
    minio: ObjectStore,
    filled: RefCell<BTreeMap<usize, Stored>>,
}

/// A database, a bucket and the token that opens what they hold.
#[derive(Debug, Clone)]
struct Stored {
    database: String,
    bucket: String,
    admin_token: String,
}

impl Production {
    /// Starts Postgres, syncing its log at every commit, and MinIO.
    ///
    /// # Errors
    /// When one of them is not on the machine or does not come up.
    pub(crate) fn start() -> Result<Self> {
        let postgres = Postgres::durable()?.with_context(|| format!("Postgres {REMEDY}"))?;
        let minio = ObjectStore::minio()?.with_context(|| format!("MinIO {REMEDY}"))?;
        Ok(Self { postgres, minio, filled: RefCell::default() })
    }

    /// Returns what Postgres says of its version.
    ///
    /// # Errors
    /// When it does not run.
    pub(crate) fn postgres_version(&self) -> Result<String> {
        Ok(self.postgres.query("postgres", "SHOW server_version")?.trim().to_owned())
    }

    /// Returns `ADDRESS:PORT` of Postgres.
    pub(crate) fn database_address(&self) -> String {
        self.postgres.address().to_string()
    }

    /// Returns `ADDRESS:PORT` of MinIO.
    pub(crate) fn bucket_address(&self) -> String {
        self.minio.address().to_string()
    }

    /// Returns a site with an empty database and an empty bucket.
    ///
    /// # Errors
    /// When the database cannot be migrated.
    pub(crate) fn empty_site(&self) -> Result<Site> {
        let admin_token = fs::read_to_string("/proc/sys/kernel/random/uuid").context("no random token")?;
        let (database, bucket) = (self.postgres.create_database()?, self.minio.create_bucket()?);
        let site = self.site(&Stored { database, bucket, admin_token })?;
        site.run(&["migrate"])?;
        Ok(site)
    }

    /// Returns a site with a copy of a corpus.
    ///
    /// # Errors
    /// When there is no corpus of that size, or a store refuses.
    pub(crate) fn filled_site(
        &self,
        corpora: &Corpora,
        versions: usize,
        progress: &Progress,
    ) -> Result<Site> {
        let known = self.filled.borrow().get(&versions).cloned();
        let filled = match known {
            Some(filled) => filled,
            None => {
                progress.say(&format!("copying {versions} versions to Postgres and MinIO"));
                let filled = self.fill(corpora, versions)?;
                self.filled.borrow_mut().insert(versions, filled.clone());
                filled
            }
        };
        self.site(&self.copy_of(&filled)?)
    }

    /// Moves a filled data folder into stores of its own.
    fn fill(&self, corpora: &Corpora, versions: usize) -> Result<Stored> {
        let source = Place::new()?;
        corpora.copy_to(&source, versions)?;
        let (database, bucket) = (self.postgres.create_database()?, self.minio.create_bucket()?);
        let admin_token = Site::embedded(source.clone()).admin_token()?;
        let filled = Stored { database, bucket, admin_token };
        let from = source.data().display().to_string();
        self.site(&filled)?.run(&["copy", "--from", &from])?;
        Ok(filled)
    }

    /// Copies database and bucket as their servers' files: publishing them anew would take minutes.
    fn copy_of(&self, filled: &Stored) -> Result<Stored> {
        let (database, bucket) = (self.postgres.create_database()?, self.minio.create_bucket()?);
        let from = &filled.database;
        self.postgres.query("postgres", &format!("DROP DATABASE {database}"))?;
        self.postgres.query("postgres", &format!("CREATE DATABASE {database} TEMPLATE {from}"))?;
        self.postgres.query("postgres", SETTLE)?;
        // MinIO keeps an object as a folder of files that it replaces and never changes, so that second names do.
        let folder = self.minio.folder();
        let (from, to) = (folder.join(&filled.bucket).join(PREFIX), folder.join(&bucket).join(PREFIX));
        let status = Command::new("cp").arg("-al").arg(&from).arg(&to).status()?;
        if !status.success() {
            bail!("cannot copy `{}`: `cp` ended with {status}", from.display());
        }
        Ok(Stored { database, bucket, admin_token: filled.admin_token.clone() })
    }

    fn site(&self, stored: &Stored) -> Result<Site> {
        let place = Place::new()?;
        let data = place.data();
        let admin_token = place.folder().join("given-admin-token");
        fs::write(&admin_token, &stored.admin_token)?;
        let mut variables = environment_at(self.minio.address());
        variables.extend([
            ("CHARTROOM_CATALOG_URL".to_owned(), self.postgres.url(&stored.database)),
            ("CHARTROOM_BLOBS_URL".to_owned(), format!("s3://{}/{PREFIX}", stored.bucket)),
            ("CHARTROOM_ADMIN_TOKEN_FILE".to_owned(), admin_token.display().to_string()),
        ]);
        Ok(Site { place, data, admin_token, variables })
    }
}
