//! `chartroom chartmuseum`: in place of ChartMuseum, with its flags, on its folder or bucket.
//!
//! The files stay where and as they are, so that one can go back; the catalog of a folder lies in a hidden one beside
//! them, that of a bucket in the data folder.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::bail;
use tokio::task::JoinHandle;

use crate::access::{Secret, Verifier};
use crate::app::{AnonymousRead, App, Rules};
use crate::blobs::Layout;
use crate::catalog::{IndexFormat, Overwrite, RepositorySettings, SettingsChange};
use crate::config::{
    ChartMuseumSettings, DropIn, DropInCommand, Login, OverwriteRule, TenantDepth, load_drop_in,
};
use crate::http::{Surface, Tenancy};
use crate::index::{Encoding, Format};
use crate::jobs::scan_folder::{ScanRules, scan_folder};
use crate::repository_path::RepositoryPath;
use crate::telemetry::{self, MetricNames};
use crate::{jobs, start};

/// Serves as ChartMuseum did, or prints what `--gen-index`, `--help` and `--version` ask for.
pub(super) fn run(arguments: &[String], environment: &BTreeMap<String, String>) -> anyhow::Result<()> {
    match load_drop_in(arguments, environment)? {
        DropInCommand::Help(text) => super::print_line(text.trim_end()),
        DropInCommand::Version => {
            super::print_line(concat!("ChartMuseum drop-in, chartroom ", env!("CARGO_PKG_VERSION")))
        }
        DropInCommand::Serve(drop_in) => super::wait_for(serve(*drop_in)),
    }
}

async fn serve(drop_in: DropIn) -> anyhow::Result<()> {
    let DropIn { config, settings, warnings } = drop_in;
    telemetry::start_log(&config.log)?;
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    let user = user_of(&settings)?;
    let _only_one = start::lock_data(&config.storage.data)?;
    let catalog = start::open_catalog(&config.storage).await?;
    let blobs = start::open_blobs(&config.storage, Layout::Flat).await?;
    let verifier = Verifier::new(catalog.clone(), config.access.is_open, user);
    let app = App {
        verifier,
        rules: Arc::new(rules(&settings, start::rules(&config))),
        ..start::assemble(catalog, blobs, &config, Some(start::index_files(&config)))
    };
    follow_flags(&app).await?;
    let scan =
        ScanRules { tenancy: tenancy(settings.depth), timestamp_tolerance: settings.timestamp_tolerance };
    let scanned = scan_folder(&app, scan).await?;
    tracing::info!(?scanned, "read the folder of charts");
    if settings.prints_index {
        return print_index(&app, &settings).await;
    }
    let surface = surface(&settings, start::surface(&config));
    let jobs =
        settings.rescan_interval.map(|interval| rescan_every(interval, &app, scan)).into_iter().collect();
    super::serve::serve(app, surface, &config, MetricNames::ChartMuseum, jobs).await
}

fn user_of(settings: &ChartMuseumSettings) -> anyhow::Result<Option<(String, Secret)>> {
    match &settings.login {
        Login::Nobody => Ok(None),
        Login::Basic { user, password } => Ok(Some((user.clone(), Secret::exactly(password.reveal())))),
        Login::Bearer { .. } => bail!(
            "`--bearer-auth` is not served: make tokens with `chartroom token create` and send them as bearer tokens"
        ),
    }
}

fn tenancy(depth: TenantDepth) -> Tenancy {
    match depth {
        TenantDepth::Fixed(depth) => Tenancy::Depth(depth),
        TenantDepth::Dynamic => Tenancy::Dynamic,
    }
}

fn rules(settings: &ChartMuseumSettings, base: Rules) -> Rules {
    let asks = match settings.login {
        Login::Nobody => false,
        Login::Basic { .. } | Login::Bearer { .. } => !settings.anonymous_get,
    };
    Rules {
        new_repository: RepositorySettings {
            overwrite: match settings.overwrite {
                OverwriteRule::Always => Overwrite::Allowed,
                OverwriteRule::WhenForced => Overwrite::Forced,
                OverwriteRule::Never => Overwrite::Refused,
            },
            index_format: if settings.json_index { IndexFormat::Json } else { IndexFormat::Yaml },
            ..RepositorySettings::default()
        },
        repeat_is_conflict: true,
        provenance_may_come_first: true,
        anonymous_read: if asks { AnonymousRead::Never } else { AnonymousRead::ByRepository },
        publishers_create_repositories: true,
        ..base
    }
}

fn surface(settings: &ChartMuseumSettings, base: Surface) -> Surface {
    Surface {
        tenancy: tenancy(settings.depth),
        // The folder is to stay one that ChartMuseum reads, which has no place for images.
        registry: false,
        unknown_is_empty: true,
        wrong_verb_is_unknown: true,
        api: settings.serves_api,
        deletes: settings.serves_delete,
        index_type: "application/x-yaml",
        archive_type: "application/x-tar",
        empty_format: if settings.json_index { Format::Json } else { Format::Yaml },
        chart_field: settings.chart_field.clone(),
        provenance_field: settings.provenance_field.clone(),
        ..base
    }
}

/// Brings repositories that an earlier start made to what the flags say now.
async fn follow_flags(app: &App) -> anyhow::Result<()> {
    let wanted = &app.rules.new_repository;
    let change = SettingsChange {
        overwrite: Some(wanted.overwrite),
        index_format: Some(wanted.index_format),
        ..SettingsChange::default()
    };
    for row in app.catalog.list_repositories().await? {
        if change.apply_to(&row.settings) != row.settings {
            app.catalog.change_settings(row.id, change.clone()).await?;
        }
    }
    Ok(())
}

fn rescan_every(interval: std::time::Duration, app: &App, rules: ScanRules) -> JoinHandle<()> {
    let app = app.clone();
    jobs::every(interval, move || {
        let app = app.clone();
        async move {
            match scan_folder(&app, rules).await {
                Ok(scanned) => tracing::debug!(?scanned, "read the folder of charts again"),
                Err(error) => {
                    tracing::warn!(%error, "cannot read the folder of charts: what was known stays")
                }
            }
        }
    })
}

/// Prints the index of the default repository, as `--gen-index` asks.
async fn print_index(app: &App, settings: &ChartMuseumSettings) -> anyhow::Result<()> {
    let format = if settings.json_index { Format::Json } else { Format::Yaml };
    let Some(repository) = app.repositories.find(&RepositoryPath::root()).await? else {
        bail!("the folder holds no charts at its root: `--gen-index` prints the index at depth 0");
    };
    let body = repository.index().snapshot().body(format, Encoding::Identity);
    let text: Vec<u8> = body.pieces.iter().flat_map(|piece| piece.iter().copied()).collect();
    super::print_line(&String::from_utf8_lossy(&text))
}
