//! The server's settings: read once at start from a TOML file, the environment and flags, in rising order.
//!
//! One rule: a setting is declared once, in the file of its subject; its variable is `CHARTROOM_` and its key in
//! capitals with `.` as `_`. Who holds a `Config` never checks a setting again.

mod access;
mod byte_size;
mod chartmuseum;
mod duration;
mod effective;
mod environment;
mod error;
mod file;
mod http_url;
mod limits;
mod listening;
mod nearest;
mod observation;
mod proxies;
mod public_address;
mod s3;
mod secret;
mod setting;
mod sources;
mod storage;
mod upkeep;
mod value;

use std::collections::BTreeMap;

pub(crate) use access::Access;
pub(crate) use byte_size::ByteSize;
pub(crate) use chartmuseum::{
    ChartMuseumSettings, DropIn, DropInCommand, DropInError, Login, OverwriteRule, TenantDepth, load_drop_in,
};
pub(crate) use duration::parse_duration;
pub(crate) use environment::{process_arguments, process_environment};
pub(crate) use error::{Combination, ConfigError};
pub(crate) use http_url::HttpUrl;
pub(crate) use limits::Limits;
pub(crate) use listening::{Listener, Listening, Scheme, TlsFiles};
pub(crate) use observation::{Log, LogFilter, LogFormat, MetricsAccess};
pub(crate) use proxies::{ForwardedHeaders, Proxies, ProxyHeaders, RequestOrigin, valid_host};
pub(crate) use public_address::{ContextPath, HeaderText, PublicAddress};
pub(crate) use s3::{ClientCertificate, Encryption, S3Service};
pub(crate) use secret::Secret;
pub(crate) use sources::Flags;
pub(crate) use storage::{BlobsUrl, CatalogUrl, Storage};
pub(crate) use upkeep::Upkeep;

use sources::Settings;

/// Everything that is decided before the server starts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Config {
    /// Where and how it listens.
    pub(crate) listening: Listening,
    /// Where it keeps what it knows.
    pub(crate) storage: Storage,
    /// Who may write from the start.
    pub(crate) access: Access,
    /// How others see it.
    pub(crate) public: PublicAddress,
    /// Which proxies are believed about a request.
    pub(crate) proxies: Proxies,
    /// How much it takes.
    pub(crate) limits: Limits,
    /// What it logs.
    pub(crate) log: Log,
    /// Whether and to whom it serves metrics.
    pub(crate) metrics: MetricsAccess,
    /// The clocks of its own work.
    pub(crate) upkeep: Upkeep,
}

/// Returns the configuration that file, environment and flags make together.
///
/// # Errors
/// [`ConfigError`]; wrong settings are reported all at once, each with where it was written.
pub(crate) fn load(flags: &Flags, environment: &BTreeMap<String, String>) -> Result<Config, ConfigError> {
    Config::read(&Settings::collect(flags, environment)?)
}

/// Returns the same configuration as TOML for people, each value with where it came from, without secrets.
///
/// # Errors
/// As [`load`]: what it prints would also start.
pub(crate) fn describe(flags: &Flags, environment: &BTreeMap<String, String>) -> Result<String, ConfigError> {
    let settings = Settings::collect(flags, environment)?;
    Config::read(&settings)?;
    Ok(settings.to_toml())
}

/// Returns every setting with its default and meaning, as a file to start from.
pub(crate) fn describe_defaults() -> String {
    effective::defaults_to_toml()
}

impl Config {
    fn read(settings: &Settings) -> Result<Self, ConfigError> {
        Ok(Self {
            listening: Listening::read(settings)?,
            storage: Storage::read(settings)?,
            access: Access::read(settings)?,
            public: PublicAddress::read(settings)?,
            proxies: Proxies::read(settings)?,
            limits: Limits::read(settings)?,
            log: Log::read(settings)?,
            metrics: MetricsAccess::read(settings)?,
            upkeep: Upkeep::read(settings)?,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests;
