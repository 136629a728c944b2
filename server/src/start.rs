//! Opens the stores and gathers the running server's parts from the configuration.

mod blob_store;
mod safekeeping;

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::num::NonZeroU64;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use tokio::sync::Semaphore;

use crate::access::{Role, Secret, Signer, Verifier};
use crate::app::{self, App, CHECKED_AT_ONCE, Clock, Rules};
use crate::blobs::{Blobs, Layout};
use crate::catalog::{Catalog, RepositorySettings, VersionLimits};
use crate::config::{CatalogUrl, Config, Storage};
use crate::http::Surface;
use crate::operations::create_token::{TokenRequest, keep_token};
use crate::registry::Registry;
use crate::repositories::{Addresses, IndexFiles, Repositories};
use crate::repository_path::RepositoryPath;

pub(crate) use blob_store::{open_blobs, open_foreign_files};
use blob_store::{open_blobs_aside, open_blobs_beside};
pub(crate) use safekeeping::{
    find_existing_content, lock_embedded, open_backup_place, open_empty_stores, open_existing_stores,
    open_stores_to_read,
};

/// The name of the token that the first start makes.
const ADMIN: &str = "admin";

/// Holds the data folder for one server; given back when dropped or when the process ends, however that happens.
pub(crate) struct DataLock(#[expect(dead_code, reason = "held for its lock, never read")] File);

/// Takes the data folder for this process.
///
/// # Errors
/// When another server has it, or the folder cannot be made.
pub(crate) fn lock_data(data: &Path) -> anyhow::Result<DataLock> {
    fs::create_dir_all(data).with_context(|| format!("cannot make the data folder `{}`", data.display()))?;
    let path = data.join("lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.with_context(|| format!("cannot open the lock file `{}`", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(DataLock(file)),
        Err(TryLockError::WouldBlock) => {
            bail!("another server runs on `{}`: stop it or choose another `--data`", data.display())
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock `{}`", path.display()))
        }
    }
}

/// Opens the catalog. The embedded one is brought up to date; a shared one must be, by `chartroom migrate`.
///
/// # Errors
/// When the folder or the database cannot be used, or its tables are not those of this version.
pub(crate) async fn open_catalog(storage: &Storage) -> anyhow::Result<Catalog> {
    match &storage.catalog {
        CatalogUrl::Sqlite(path) => open_embedded(path).await,
        CatalogUrl::Postgres(url) => Catalog::open_shared(url.reveal(), storage.postgres_connections)
            .await
            .context("cannot open the catalog in Postgres"),
    }
}

/// Opens the catalog and brings its tables up to date, a shared one's too.
///
/// # Errors
/// When the folder or the database cannot be used.
pub(crate) async fn migrate_catalog(storage: &Storage) -> anyhow::Result<Catalog> {
    match &storage.catalog {
        CatalogUrl::Sqlite(path) => open_embedded(path).await,
        CatalogUrl::Postgres(url) => Catalog::migrate_shared(url.reveal(), storage.postgres_connections)
            .await
            .context("cannot bring the catalog in Postgres up to date"),
    }
}

async fn open_embedded(path: &Path) -> anyhow::Result<Catalog> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
    }
    Catalog::open_embedded(path)
        .await
        .with_context(|| format!("cannot open the catalog `{}`", path.display()))
}

/// Makes the default repository where it is missing.
///
/// # Errors
/// When the catalog cannot be written.
pub(crate) async fn prepare_repository(catalog: &Catalog, clock: &Clock) -> anyhow::Result<()> {
    let root = RepositoryPath::root();
    if catalog.find_repository(&root).await?.is_none() {
        catalog.create_repository(&root, RepositorySettings::default(), clock.now()).await?;
    }
    Ok(())
}

/// Keeps the admin token that the operator gave, or makes one where there is no token at all.
///
/// # Errors
/// When the catalog or the data folder cannot be written.
pub(crate) async fn prepare_admin_token(
    catalog: &Catalog,
    config: &Config,
    clock: &Clock,
) -> anyhow::Result<()> {
    let request =
        TokenRequest { name: ADMIN.to_owned(), role: Role::Admin, repository: None, expires_at: None };
    if let Some(given) = &config.access.admin_token {
        let secret = Secret::from_text(given.reveal());
        if catalog.find_token(&secret.digest()).await?.is_none() {
            // The operator gave another one: it takes the place of the former.
            catalog.revoke_tokens(ADMIN, clock.now()).await?;
            keep_token(catalog, request, &secret, clock.now()).await?;
        }
        return Ok(());
    }
    if !catalog.list_tokens().await?.is_empty() {
        return Ok(());
    }
    let secret = Secret::from_random(app::random_secret());
    // The file first: a token whose secret nobody ever saw would lock the operator out.
    let path = config.storage.data.join("admin-token");
    write_secret(&path, &secret).with_context(|| format!("cannot write `{}`", path.display()))?;
    keep_token(catalog, request, &secret, clock.now()).await?;
    tracing::info!(file = %path.display(), "wrote the admin token");
    Ok(())
}

fn write_secret(path: &Path, secret: &Secret) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    writeln!(file, "{}", secret.reveal())?;
    file.sync_all()
}

/// Gathers the parts of a server that runs by Chartroom's own rules.
///
/// # Errors
/// When a store cannot be opened.
pub(crate) async fn open(config: &Config) -> anyhow::Result<App> {
    let catalog = open_catalog(&config.storage).await?;
    prepare_repository(&catalog, &Clock::System).await?;
    // Of replicas that start together each would make a token of its own: theirs is made by `migrate`.
    if !catalog.is_shared() || config.access.admin_token.is_some() {
        prepare_admin_token(&catalog, config, &Clock::System).await?;
    }
    let blobs = open_blobs(&config.storage, Layout::Addressed).await?;
    Ok(assemble(catalog, blobs, config, Some(index_files(config))))
}

/// Gathers the parts for a command that runs beside a server: it leaves the staging folder and the kept indexes alone.
///
/// # Errors
/// When a store cannot be opened.
pub(crate) async fn open_beside(config: &Config) -> anyhow::Result<App> {
    let catalog = open_catalog(&config.storage).await?;
    let blobs = open_blobs_beside(&config.storage).await?;
    Ok(assemble(catalog, blobs, config, None))
}

/// Returns the folder in which the server of a data folder keeps indexes between two starts.
pub(crate) fn index_files(config: &Config) -> IndexFiles {
    IndexFiles::new(config.storage.data.join("index"))
}

/// Gathers the parts around stores that are open, with the rules of the configuration.
pub(crate) fn assemble(catalog: Catalog, blobs: Blobs, config: &Config, files: Option<IndexFiles>) -> App {
    let repositories = Repositories::new(catalog.clone(), addresses(config));
    let repositories = match files {
        Some(files) => repositories.keeping_in(files),
        None => repositories,
    };
    App {
        registry: Registry::new(catalog.clone(), repositories.clone()),
        repositories,
        verifier: Verifier::new(catalog.clone(), config.access.is_open, None),
        signer: Signer::new(catalog.clone()),
        catalog,
        blobs,
        clock: Clock::System,
        rules: rules(config).into(),
        checking: Arc::new(Semaphore::new(CHECKED_AT_ONCE)),
    }
}

/// Returns the rules of the configuration.
pub(crate) fn rules(config: &Config) -> Rules {
    let versions_per_chart = config.limits.versions_per_chart;
    Rules {
        upload_bytes: config.limits.max_chart_bytes.bytes(),
        limits: VersionLimits {
            objects: config.limits.objects_per_repository.map(NonZeroU64::get),
            versions_per_chart: versions_per_chart
                .map(|limit| u32::try_from(limit.get()).unwrap_or(u32::MAX)),
        },
        publishers_create_repositories: config.access.is_open,
        grace: config.upkeep.collection_grace,
        ..Rules::default()
    }
}

fn addresses(config: &Config) -> Addresses {
    let context = config.public.context_path.as_str();
    Addresses {
        base: config.public.chart_url.as_ref().map(|url| url.as_str().to_owned()),
        context_path: (!context.is_empty()).then(|| context.to_owned()),
    }
}

/// Returns the surfaces of a server that runs by Chartroom's own rules.
pub(crate) fn surface(config: &Config) -> Surface {
    Surface {
        context_path: addresses(config).context_path,
        cors_allow_origin: config.public.cors_allow_origin.as_ref().map(|origin| origin.as_str().to_owned()),
        artifact_hub_ids: config.public.artifact_hub.clone(),
        metrics: config.metrics,
        logs_health: config.log.logs_health,
        proxies: config.proxies.clone(),
        public_url: config.public.url.as_ref().map(|url| url.as_str().to_owned()),
        body_idle_timeout: config.limits.body_idle_timeout,
        ..Surface::default()
    }
}
