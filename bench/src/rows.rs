//! The rows of the design's table of measurements, one module each.

mod archive_get;
mod helm;
mod hostile;
mod index_get;
mod index_latency;
mod lean;
mod listed;
mod memory;
mod publish;
mod registry_layer;
mod registry_requests;
mod registry_small;
mod replicas;
mod start;
mod store_requests;

use anyhow::{Result, bail};

use crate::bench::Bench;
use crate::cli::Work;
use crate::report::Section;

/// Measures one row.
///
/// # Errors
/// When a server does not do what is measured.
pub(crate) async fn measure(row: Work, bench: &Bench) -> Result<Section> {
    match row {
        Work::All | Work::Packager => bail!("that is not one row of the table"),
        Work::IndexGet => index_get::measure(bench).await,
        Work::IndexLatency => index_latency::measure(bench).await,
        Work::Publish => publish::measure(bench).await,
        Work::Listed => listed::measure(bench).await,
        Work::Start => start::measure(bench).await,
        Work::Memory => memory::measure(bench).await,
        Work::ArchiveGet => archive_get::measure(bench).await,
        Work::Hostile => hostile::measure(bench).await,
        Work::Helm => helm::measure(bench).await,
        Work::Lean => lean::measure(bench).await,
        Work::Replicas => replicas::measure(bench).await,
        Work::StoreRequests => store_requests::measure(bench).await,
        Work::RegistrySmall => registry_small::measure(bench).await,
        Work::RegistryLayer => registry_layer::measure(bench).await,
        Work::RegistryRequests => registry_requests::measure(bench).await,
    }
}
