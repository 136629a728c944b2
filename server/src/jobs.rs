//! What the server does by itself, beside the requests. A job that fails says so in the log and tries again.

pub(crate) mod collect_garbage;
pub(crate) mod follow_catalog;
pub(crate) mod keep_indexes;
pub(crate) mod mint_manifests;
pub(crate) mod rotate_keys;
pub(crate) mod scan_folder;

use std::future::Future;
use std::time::Duration;

use tokio::task::JoinHandle;

/// Runs `job` every `interval`, the first time after one interval, until the returned handle is aborted.
pub(crate) fn every<F, W>(interval: Duration, job: F) -> JoinHandle<()>
where
    F: Fn() -> W + Send + 'static,
    W: Future<Output = ()> + Send,
{
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(interval).await;
            job().await;
        }
    })
}
