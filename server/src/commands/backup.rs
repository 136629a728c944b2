//! `chartroom backup`: copies catalog and bytes beside running servers.

use crate::app::Clock;
use crate::cli::{BackupFlags, Output};
use crate::config::Config;
use crate::safekeeping::backup::{BackedUp, back_up};
use crate::safekeeping::progress::Progress;
use crate::start;

/// Makes a backup and prints what is in it.
pub(super) async fn run(config: Config, flags: &BackupFlags) -> anyhow::Result<()> {
    let storage = &config.storage;
    let stores = start::open_stores_to_read(storage).await?;
    let place = start::open_backup_place(&flags.to, storage, true).await?;
    let progress = Progress::new();
    let made = back_up(&stores, &place, Clock::System.now(), &storage.data, &progress).await;
    progress.finish();
    stores.catalog.close().await;
    print(&made?, flags.output)
}

fn print(made: &BackedUp, output: Output) -> anyhow::Result<()> {
    match output {
        Output::Json => super::print_line(&serde_json::to_string_pretty(made)?),
        Output::Table => super::print_line(&format!(
            "backup `{}`: {} repositories, {} blobs of {} bytes, {} of them ({} bytes) new here",
            made.name,
            made.repositories.len(),
            made.blobs.count,
            made.blobs.bytes,
            made.copied.count,
            made.copied.bytes
        )),
    }
}
