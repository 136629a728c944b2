//! Publishing over a number of connections, each of which takes the next archive when it is done with one.

use std::cell::Cell;
use std::time::Instant;

use anyhow::Result;
use futures_util::future::try_join_all;

use crate::server::Server;

/// Publishes all archives and returns how many seconds it took.
///
/// # Errors
/// When the server refuses one.
pub(crate) async fn publish_all(server: &Server, archives: &[Vec<u8>], connections: usize) -> Result<f64> {
    let mut open = Vec::new();
    for _ in 0..connections {
        open.push(server.connect().await?);
    }
    let next = Cell::new(0);
    let begun = Instant::now();
    try_join_all(open.into_iter().map(async |mut connection| {
        while let Some(archive) = archives.get(next.replace(next.get() + 1)) {
            server.publish_over(&mut connection, archive).await?;
        }
        anyhow::Ok(())
    }))
    .await?;
    Ok(begun.elapsed().as_secs_f64())
}
