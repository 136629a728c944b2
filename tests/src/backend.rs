//! The pairs of stores that every story is told on: a test for each.
//! Rule: a story does not know which stores its site has.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, ensure};

use crate::environment;
use crate::site::Site;
use crate::skip::skip;

/// What keeps the record of everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Catalog {
    /// A file in the data folder.
    Sqlite,
    /// A database of its own on the shared Postgres.
    Postgres,
}

/// What keeps the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Blobs {
    /// The data folder.
    Folder,
    /// A bucket of its own on the shared MinIO.
    Minio,
}

/// A pair of stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Backend {
    /// What keeps the record of everything.
    pub catalog: Catalog,
    /// What keeps the bytes.
    pub blobs: Blobs,
}

/// The embedded default.
pub const SQLITE_FOLDER: Backend = Backend { catalog: Catalog::Sqlite, blobs: Blobs::Folder };
/// What replicas share.
pub const POSTGRES_MINIO: Backend = Backend { catalog: Catalog::Postgres, blobs: Blobs::Minio };
/// An embedded catalog with its bytes elsewhere.
pub const SQLITE_MINIO: Backend = Backend { catalog: Catalog::Sqlite, blobs: Blobs::Minio };
/// A database beside a disk.
pub const POSTGRES_FOLDER: Backend = Backend { catalog: Catalog::Postgres, blobs: Blobs::Folder };

/// Tells a story on an empty site with such stores, or says in sight that it is skipped.
///
/// # Errors
/// When the story fails, or its stores do not come up.
pub fn tell(backend: Backend, story: impl FnOnce(&Site) -> Result<()>) -> Result<()> {
    if ![SQLITE_FOLDER, POSTGRES_MINIO].contains(&backend) && !environment::wants_longest_stories() {
        skip_all_on(backend);
        return Ok(());
    }
    let Some(site) = Site::on(backend)? else { return Ok(()) };
    story(&site)?;
    // A story whose server kept its data elsewhere would prove nothing about these stores.
    let (embedded, files) = (site.data().join("catalog.db").exists(), !site.files_in("blobs")?.is_empty());
    ensure!(!embedded || backend.catalog == Catalog::Sqlite, "the catalog was kept in the data folder");
    ensure!(!files || backend.blobs == Blobs::Folder, "bytes were kept in the data folder");
    Ok(())
}

/// One line for all stories on a backend: dozens of the same would hide the other skips.
fn skip_all_on(backend: Backend) {
    static SAID: Mutex<BTreeSet<Backend>> = Mutex::new(BTreeSet::new());
    if SAID.lock().unwrap_or_else(PoisonError::into_inner).insert(backend) {
        let Backend { catalog, blobs } = backend;
        skip(&format!("with all others on {catalog:?} with {blobs:?}: run `make test-all`"));
    }
}

/// Makes of each named `fn(&Site) -> Result<()>` a test on each backend: `story::sqlite_folder` and so on.
#[macro_export]
macro_rules! on_each_backend {
    ($($story:ident),+ $(,)?) => {
        $(mod $story {
            use $crate::backend::{POSTGRES_FOLDER, POSTGRES_MINIO, SQLITE_FOLDER, SQLITE_MINIO, tell};

            #[test]
            fn sqlite_folder() -> anyhow::Result<()> {
                tell(SQLITE_FOLDER, super::$story)
            }

            #[test]
            fn postgres_minio() -> anyhow::Result<()> {
                tell(POSTGRES_MINIO, super::$story)
            }

            #[test]
            fn sqlite_minio() -> anyhow::Result<()> {
                tell(SQLITE_MINIO, super::$story)
            }

            #[test]
            fn postgres_folder() -> anyhow::Result<()> {
                tell(POSTGRES_FOLDER, super::$story)
            }
        })+
    };
}
