//! `chartroom copy`: moves everything to other stores, from the embedded ones to Postgres and S3 or back.

use std::path::Path;

use anyhow::{Context, bail};

use crate::catalog::Catalog;
use crate::cli::{CopyFlags, Output};
use crate::config::{self, Config, Flags, Storage};
use crate::safekeeping::Stores;
use crate::safekeeping::copy::{Copied, copy_everything, rehearse_copy};
use crate::safekeeping::progress::Progress;
use crate::start::{self, DataLock};

/// Why nothing may be written to the source, as its publishers hear it.
const MOVING: &str = "everything moves to other stores";

/// Copies everything and prints how much that was.
pub(super) async fn run(config: Config, flags: &CopyFlags) -> anyhow::Result<()> {
    let from = storage_of(flags.from.as_deref(), &config)?;
    let to = storage_of(flags.to.as_deref(), &config)?;
    let source = start::open_stores_to_read(&from).await?;
    let copied = copy(&source, &from, &to, &config, flags).await;
    source.catalog.close().await;
    print(&copied?, flags)
}

async fn copy(
    source: &Stores,
    from: &Storage,
    to: &Storage,
    config: &Config,
    flags: &CopyFlags,
) -> anyhow::Result<Copied> {
    let (spool, progress) = (&config.storage.data, Progress::new());
    if flags.dry_run {
        return Ok(rehearse_copy(source, spool, &progress).await?);
    }
    if from.catalog == to.catalog {
        bail!("source and target are the same catalog: name another with `--from` or `--to`");
    }
    let _no_server = start::lock_embedded(to)?;
    if let Some(content) = start::find_existing_content(to).await? {
        bail!("the catalog to fill holds {content} already: name an empty one with `--to`");
    }
    let target = start::open_empty_stores(to).await?;
    let quiet = quieten(source, from, flags.read_only).await?;
    let copied = copy_everything(source, &target.stores, spool, &progress).await;
    progress.finish();
    target.stores.catalog.close().await;
    if copied.is_err() {
        quiet.undo(&source.catalog).await?;
    }
    Ok(copied?)
}

/// Returns the stores of a configuration file or of a data folder, or those of this configuration.
fn storage_of(place: Option<&Path>, config: &Config) -> anyhow::Result<Storage> {
    let Some(place) = place else { return Ok(config.storage.clone()) };
    // Variables are of this server, not of that one.
    let nothing = std::collections::BTreeMap::new();
    if !place.exists() && place.extension().is_some_and(|extension| extension == "toml") {
        bail!("there is no file `{}`", place.display());
    }
    let flags = if place.is_file() {
        Flags { config: Some(place.to_owned()), ..Flags::default() }
    } else {
        Flags { data: Some(place.to_owned()), ..Flags::default() }
    };
    let config = config::load(&flags, &nothing);
    Ok(config.with_context(|| format!("cannot use `{}`", place.display()))?.storage)
}

/// What keeps others from writing to the source.
enum Quiet {
    /// Its folder is ours.
    Locked(#[expect(dead_code, reason = "held for its lock, never read")] DataLock),
    /// It was told to be read-only before.
    Already,
    /// It was told so by us.
    Told,
}

async fn quieten(source: &Stores, from: &Storage, read_only: bool) -> anyhow::Result<Quiet> {
    if let Ok(Some(lock)) = start::lock_embedded(from) {
        return Ok(Quiet::Locked(lock));
    }
    if source.catalog.read_only_reason().await?.is_some() {
        return Ok(Quiet::Already);
    }
    if !read_only {
        bail!(
            "servers may be writing to the source: stop all of them, or stop their writing with `--read-only`"
        );
    }
    source.catalog.set_read_only(Some(MOVING.to_owned())).await?;
    Ok(Quiet::Told)
}

impl Quiet {
    /// Lets writing go on as before, when nothing has moved.
    async fn undo(&self, catalog: &Catalog) -> anyhow::Result<()> {
        match self {
            Self::Locked(_) | Self::Already => Ok(()),
            Self::Told => Ok(catalog.set_read_only(None).await?),
        }
    }
}

fn print(copied: &Copied, flags: &CopyFlags) -> anyhow::Result<()> {
    let done = if flags.dry_run { "would copy" } else { "copied" };
    match flags.output {
        Output::Json => super::print_line(&serde_json::to_string_pretty(copied)?),
        Output::Table => super::print_line(&format!(
            "{done} {} repositories and {} blobs of {} bytes",
            copied.repositories.len(),
            copied.blobs.count,
            copied.blobs.bytes
        )),
    }
}
