//! What the server does by itself: look for changes that others made, and collect what nobody refers to.

use std::time::Duration;

use super::error::ConfigError;
use super::setting::{AnySetting, Setting};
use super::sources::Settings;

const POLL_INTERVAL: Setting<Duration> = Setting::with_default(
    "index.poll_interval",
    "1s",
    "how often the server looks for changes made by other commands and replicas",
);
const COLLECTION_GRACE: Setting<Duration> = Setting::with_default(
    "collection.grace",
    "24h",
    "how long bytes that nobody refers to are kept; until then a deleted version can be brought back",
);

pub(super) const SETTINGS: &[&dyn AnySetting] = &[&POLL_INTERVAL, &COLLECTION_GRACE];

/// The clocks of the server's own work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Upkeep {
    /// How often the catalog is asked for changes: `index.poll_interval`, `CHARTROOM_INDEX_POLL_INTERVAL`; default 1 s.
    pub(crate) poll_interval: Duration,
    /// How long unreferenced bytes are kept: `collection.grace`, `CHARTROOM_COLLECTION_GRACE`; default 24 h.
    pub(crate) collection_grace: Duration,
}

impl Upkeep {
    pub(super) fn read(settings: &Settings) -> Result<Self, ConfigError> {
        Ok(Self {
            poll_interval: settings.value(&POLL_INTERVAL)?,
            collection_grace: settings.value(&COLLECTION_GRACE)?,
        })
    }
}
