//! `chartroom restore`: brings a backup back into empty stores, after every byte of it was checked.

use anyhow::bail;

use crate::cli::{Output, RestoreFlags};
use crate::config::Config;
use crate::safekeeping::progress::Progress;
use crate::safekeeping::restore::{RestoredBackup, check_backup};
use crate::start;

/// Checks a backup, restores it unless it was only to be checked, and prints what is in it.
pub(super) async fn run(config: Config, flags: &RestoreFlags) -> anyhow::Result<()> {
    let storage = &config.storage;
    let _no_server = if flags.dry_run { None } else { start::lock_embedded(storage)? };
    // Before hours of reading.
    if let Some(content) = start::find_existing_content(storage).await?.filter(|_| !flags.dry_run) {
        bail!(
            "the catalog to restore into holds {content} already: name an empty place with `--data` or `--config`"
        );
    }
    let place = start::open_backup_place(&flags.from, storage, false).await?;
    let progress = Progress::new();
    let checked = check_backup(&place, flags.backup.as_deref(), &storage.data, &progress).await;
    progress.finish();
    let checked = checked?;
    if !flags.dry_run {
        let held = start::open_empty_stores(storage).await?;
        let restored = checked.restore(&place, &held.stores, &progress).await;
        progress.finish();
        held.stores.catalog.close().await;
        restored?;
    }
    print(&checked.report(), flags)
}

fn print(backup: &RestoredBackup, flags: &RestoreFlags) -> anyhow::Result<()> {
    let done = if flags.dry_run { "found whole, and written nowhere" } else { "restored" };
    match flags.output {
        Output::Json => super::print_line(&serde_json::to_string_pretty(backup)?),
        Output::Table => super::print_line(&format!(
            "backup `{}` {done}: {} repositories, {} blobs of {} bytes",
            backup.name,
            backup.repositories.len(),
            backup.blobs.count,
            backup.blobs.bytes
        )),
    }
}
