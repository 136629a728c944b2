//! `chartroom serve`: the server itself.

use std::time::Duration;

use anyhow::Context;

use crate::app::App;
use crate::config::Config;
use crate::http::listen::{self, Listeners, Shutdown};
use crate::http::{Server, Surface};
use crate::telemetry::{self, MetricNames, Metrics};
use crate::{jobs, start};

/// How often the collector looks for what is older than its grace period.
const COLLECTION_INTERVAL: Duration = Duration::from_secs(3_600);

/// How often the signing keys are looked at, which is how long a replaced one may still be believed.
const KEY_INTERVAL: Duration = Duration::from_secs(60);

/// Serves until it is told to stop.
pub(super) async fn run(config: Config) -> anyhow::Result<()> {
    telemetry::start_log(&config.log)?;
    let _only_one = start::lock_data(&config.storage.data)?;
    let app = start::open(&config).await?;
    if config.access.is_open {
        tracing::warn!("running open: anybody may publish and delete without a credential");
    }
    let surface = start::surface(&config);
    serve(app, surface, &config, MetricNames::Chartroom, Vec::new()).await
}

/// Serves `app` under the given surface, with `more` jobs beside those every server has.
pub(super) async fn serve(
    app: App,
    surface: Surface,
    config: &Config,
    names: MetricNames,
    more: Vec<tokio::task::JoinHandle<()>>,
) -> anyhow::Result<()> {
    let shutdown = Shutdown::on_signals()?;
    let listeners = Listeners::bind(&config.listening, &config.limits).await?;
    let server = Server::new(app.clone(), surface, Metrics::new(names), config.limits.concurrent_requests);
    let minting = tokio::spawn(jobs::mint_manifests::mint_manifests(app.clone()));
    let keeping = tokio::spawn(jobs::keep_indexes::keep_indexes(app.clone()));
    let jobs: Vec<_> = start_jobs(&app, config).into_iter().chain(more).chain([minting, keeping]).collect();
    for address in listeners.addresses() {
        super::print_line(&format!("listening on {address}"))?;
    }
    let served = listen::serve(server.router(), listeners, shutdown).await;
    for job in jobs {
        job.abort();
    }
    jobs::keep_indexes::keep_at_stop(&app).await;
    app.catalog.close().await;
    served.context("the server stopped")
}

fn start_jobs(app: &App, config: &Config) -> [tokio::task::JoinHandle<()>; 4] {
    let grace = config.upkeep.collection_grace;
    let (following, collecting, signing) = (app.clone(), app.clone(), app.clone());
    [
        tokio::spawn(jobs::follow_catalog::follow_hints(app.clone(), config.upkeep.poll_interval)),
        jobs::every(config.upkeep.poll_interval, move || {
            let app = following.clone();
            async move { jobs::follow_catalog::follow_catalog(&app).await }
        }),
        jobs::every(KEY_INTERVAL, move || {
            let app = signing.clone();
            async move { jobs::rotate_keys::rotate_keys(&app).await }
        }),
        jobs::every(COLLECTION_INTERVAL, move || {
            let app = collecting.clone();
            async move {
                match jobs::collect_garbage::collect_garbage(&app, grace).await {
                    Ok(collected) => tracing::debug!(?collected, "collected garbage"),
                    Err(error) => tracing::warn!(%error, "the collector stopped: the next run goes on"),
                }
            }
        }),
    ]
}
