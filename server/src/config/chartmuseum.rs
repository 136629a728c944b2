//! Starting in place of ChartMuseum: its flags, variables and file, turned into this server's configuration.
//!
//! One rule: what ChartMuseum has an option for, that option decides; the rest comes from `CHARTROOM_` variables. What
//! can't be served the same way stops the start, by name; what has no effect here is accepted with a warning.

mod arguments;
mod error;
mod file;
mod given;
mod help;
mod option_value;
mod options;
mod settings;
mod storage;

use std::collections::BTreeMap;
use std::path::Path;

use tracing_subscriber::filter::LevelFilter;

use super::{
    Config, Flags, Listener, Listening, Log, LogFilter, LogFormat, MetricsAccess, PublicAddress, Scheme, load,
};
use arguments::Line;
use given::GivenOptions;
use options::{OPTIONS, Support};
use storage::ArchiveStore;

pub(crate) use error::DropInError;
pub(crate) use settings::{ChartMuseumSettings, Login, OverwriteRule, TenantDepth};

/// The data folder inside ChartMuseum's, unless `CHARTROOM_DATA` names another. ChartMuseum reads no hidden folder, so
/// one can go back to it.
const DATA_FOLDER: &str = ".chartroom";

/// What a ChartMuseum command line asks for.
#[derive(Debug)]
pub(crate) enum DropInCommand {
    /// Serve; or print the index and end, if the settings say so.
    Serve(Box<DropIn>),
    /// Print this text.
    Help(String),
    /// Print the version.
    Version,
}

/// A start in place of ChartMuseum.
#[derive(Debug)]
pub(crate) struct DropIn {
    /// The configuration of the server: listeners, limits, log, metrics, addresses.
    pub(crate) config: Config,
    /// What only ChartMuseum has, or has otherwise.
    pub(crate) settings: ChartMuseumSettings,
    /// What the operator should know, one line each.
    pub(crate) warnings: Vec<String>,
}

/// Returns what the arguments (the program's name left out), the environment and the file named by `--config` ask for.
///
/// # Errors
/// [`DropInError`], with ChartMuseum's texts where it has one.
pub(crate) fn load_drop_in(
    arguments: &[String],
    environment: &BTreeMap<String, String>,
) -> Result<DropInCommand, DropInError> {
    let flags = match arguments::read(arguments)? {
        Line::Help => return Ok(DropInCommand::Help(help::text())),
        Line::Version => return Ok(DropInCommand::Version),
        Line::Serve(flags) => flags,
    };
    let mut options = GivenOptions::from_environment(environment)?;
    options.overlay(flags);
    if let Some(path) = options.some_text("config") {
        let mut lower = file::read(Path::new(&path))?;
        lower.overlay(options);
        options = lower;
    }
    let archives = ArchiveStore::read(&options)?;
    refuse_what_is_not_served(&options)?;
    let settings = ChartMuseumSettings::read(&options, archives)?;
    let base = load(&base_flags(&settings, environment), environment)?;
    let config = settings.configure(base);
    let mut warnings = options.warnings.clone();
    warnings.extend(idle_warnings(&options));
    warnings.extend(settings.open_warning());
    Ok(DropInCommand::Serve(Box::new(DropIn { config, settings, warnings })))
}

fn base_flags(settings: &ChartMuseumSettings, environment: &BTreeMap<String, String>) -> Flags {
    let is_given = environment.get("CHARTROOM_DATA").is_some_and(|path| !path.is_empty());
    let beside = match &settings.archives {
        ArchiveStore::Folder(root) => Some(root.join(DATA_FOLDER)),
        // A bucket has no place for a database: it is where any server's is.
        ArchiveStore::Bucket(_) => None,
    };
    Flags { data: beside.filter(|_| !is_given), ..Flags::default() }
}

fn refuse_what_is_not_served(options: &GivenOptions) -> Result<(), DropInError> {
    for option in &OPTIONS {
        if let Support::Refused(instead) = option.support
            && options.is_changed(option)
        {
            return Err(DropInError::NotServed {
                named: options.name(option.flag),
                instead: instead.to_owned(),
            });
        }
    }
    Ok(())
}

/// Returns a line for each option that was given and does nothing here.
fn idle_warnings(options: &GivenOptions) -> impl Iterator<Item = String> {
    OPTIONS.iter().filter(|option| options.is_changed(option)).filter_map(|option| {
        let named = options.name(option.flag);
        match option.support {
            Support::Idle(reason) => Some(format!("{named} has no effect: {reason}")),
            Support::OfBackend(backend) if backend == storage::backend(options) => None,
            Support::OfBackend(backend) => {
                Some(format!("{named} has no effect: it belongs to `--storage {backend}`"))
            }
            Support::Honoured | Support::Refused(_) => None,
        }
    })
}

impl ChartMuseumSettings {
    /// Returns `base` with everything these settings decide put in its place.
    pub(crate) fn configure(&self, base: Config) -> Config {
        let scheme = if self.tls.is_some() { Scheme::Https } else { Scheme::Http };
        let mut limits = base.limits;
        limits.max_chart_bytes = self.max_upload_bytes;
        limits.body_idle_timeout = self.read_timeout;
        limits.versions_per_chart = self.versions_per_chart;
        limits.objects_per_repository = self.objects_per_tenant;
        let mut storage = base.storage;
        self.archives.configure(&mut storage);
        let mut access = base.access;
        access.is_open = self.login == Login::Nobody;
        Config {
            listening: Listening {
                listeners: vec![Listener { scheme, host: self.listen_host.clone(), port: self.listen_port }],
                tls: self.tls.clone(),
                shutdown_grace: base.listening.shutdown_grace,
            },
            public: PublicAddress {
                url: base.public.url,
                context_path: self.context_path.clone(),
                chart_url: self.chart_url.clone(),
                cors_allow_origin: self.cors_allow_origin.clone(),
                artifact_hub: self.artifact_hub.clone(),
            },
            log: Log {
                format: if self.logs_json { LogFormat::Json } else { LogFormat::Text },
                filter: LogFilter::of_level(if self.logs_debug {
                    LevelFilter::DEBUG
                } else {
                    LevelFilter::INFO
                }),
                logs_health: self.logs_health,
            },
            metrics: if self.serves_metrics { MetricsAccess::Anyone } else { MetricsAccess::Nobody },
            storage,
            access,
            limits,
            proxies: base.proxies,
            upkeep: base.upkeep,
        }
    }
}

#[cfg(test)]
mod tests;
