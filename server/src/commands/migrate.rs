//! `chartroom migrate`: brings the catalog's tables up to date and makes the admin token where there is none.

use crate::app::Clock;
use crate::config::Config;
use crate::start;

/// Opens the catalog, which migrates it, and prepares what a first start prepares.
pub(super) async fn run(config: Config) -> anyhow::Result<()> {
    let catalog = start::migrate_catalog(&config.storage).await?;
    start::prepare_repository(&catalog, &Clock::System).await?;
    start::prepare_admin_token(&catalog, &config, &Clock::System).await?;
    catalog.close().await;
    super::print_line("the catalog is up to date")
}
