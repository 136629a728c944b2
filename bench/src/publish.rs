//! Publishing over a number of connections, each of which takes the next archive when it is done with one.

use std::cell::Cell;
use std::time::Instant;

use anyhow::{Context, Result};
use futures_util::future::try_join_all;

use crate::server::{Repository, Server};

/// Publishes all archives to the default repository and returns how many seconds it took.
///
/// # Errors
/// When the server refuses one.
pub(crate) async fn publish_all(server: &Server, archives: &[Vec<u8>], connections: usize) -> Result<f64> {
    publish_spread(std::slice::from_ref(server), &[Repository::Default], archives, connections).await
}

/// Publishes archives to repositories in turn, over connections to servers in turn, and returns how many seconds it
/// took.
///
/// # Errors
/// When a server refuses one, or there is no server or repository.
pub(crate) async fn publish_spread(
    servers: &[Server],
    repositories: &[Repository<'_>],
    archives: &[Vec<u8>],
    connections: usize,
) -> Result<f64> {
    let mut open = Vec::new();
    for server in servers.iter().cycle().take(connections) {
        open.push((server, server.connect().await?));
    }
    let next = Cell::new(0);
    let begun = Instant::now();
    try_join_all(open.into_iter().map(async |(server, mut connection)| {
        loop {
            let position = next.replace(next.get() + 1);
            let Some(archive) = archives.get(position) else { return anyhow::Ok(()) };
            let repository = repositories.get(position % repositories.len().max(1));
            let repository = *repository.context("no repository to publish to")?;
            server.publish_over(&mut connection, repository, archive).await?;
        }
    }))
    .await?;
    Ok(begun.elapsed().as_secs_f64())
}
