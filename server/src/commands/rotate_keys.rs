//! `chartroom rotate-keys`: new signing keys, after somebody may have seen the old ones.

use crate::app::Clock;
use crate::config::Config;
use crate::operations::replace_signing_keys::replace_signing_keys;
use crate::start;

/// Replaces the keys and says so.
pub(super) async fn run(config: Config) -> anyhow::Result<()> {
    let catalog = start::open_catalog(&config.storage).await?;
    let replaced = replace_signing_keys(&catalog, Clock::System.now()).await;
    catalog.close().await;
    replaced?;
    super::print_line("replaced the signing keys: running servers follow within a minute")
}
