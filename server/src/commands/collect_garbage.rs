//! `chartroom collect-garbage`: one run of the collector, beside a running server or without one.

use std::time::Duration;

use crate::config::Config;
use crate::{jobs, start};

/// Removes what nobody refers to and prints how much that was.
pub(super) async fn run(config: Config, grace: Option<Duration>) -> anyhow::Result<()> {
    let grace = grace.unwrap_or(config.upkeep.collection_grace);
    let app = start::open_beside(&config).await?;
    let collected = jobs::collect_garbage::collect_garbage(&app, grace).await?;
    app.catalog.close().await;
    super::print_line(&format!(
        "removed {} blobs nobody referred to and {} files the catalog did not know",
        collected.unreferenced, collected.orphans
    ))
}
