//! `chartroom collect-garbage`: one run of the collector, beside a running server or without one.

use crate::cli::{CollectGarbageFlags, Output};
use crate::config::Config;
use crate::jobs::collect_garbage::{Collected, Collection, collect};
use crate::start;

/// Removes what nobody refers to and prints how much that was.
pub(super) async fn run(config: Config, flags: &CollectGarbageFlags) -> anyhow::Result<()> {
    let mut collection = Collection::new(flags.grace.unwrap_or(config.upkeep.collection_grace));
    if flags.offline {
        collection = collection.while_nobody_publishes();
    }
    if flags.dry_run {
        collection = collection.dry_run();
    }
    let app = start::open_beside(&config).await?;
    let collected = collect(&app, collection).await;
    app.catalog.close().await;
    print(&collected?, flags.output)
}

fn print(collected: &Collected, output: Output) -> anyhow::Result<()> {
    match output {
        Output::Json => super::print_line(&serde_json::to_string(collected)?),
        Output::Table => super::print_line(&format!(
            "{} {} blobs nobody referred to and {} files the catalog did not know; {} deleted versions can no longer be brought back; {} manifests that nothing kept are gone",
            if collected.dry_run { "would remove" } else { "removed" },
            collected.unreferenced,
            collected.orphans,
            collected.removed_versions,
            collected.untagged_manifests,
        )),
    }
}
