//! `GET /catalog/v1/repositories/{path}/changes`: every change of a repository in order, from any point on.
//!
//! What a mirror stands on: revisions have no gaps, and whoever has seen revision N asks for what comes after N.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use tokio::time::{Instant, sleep};

use super::super::Server;
use super::super::error::{ErrorKind, Failure};
use super::super::request::Asked;
use crate::catalog::ChangeRow;
use crate::repositories::OpenRepository;
use crate::repository_path::RepositoryPath;

/// How many changes an answer has unless the request says otherwise, and at most.
const USUAL: u32 = 100;
const MOST: u32 = 1_000;
/// How long an answer may wait for a change: less than a server has to stop, and than proxies wait for an answer.
const LONGEST_WAIT_SECONDS: u64 = 25;
/// How often a waiting answer looks at the index in memory, which follows the catalog by itself.
const LOOK: Duration = Duration::from_millis(100);

#[derive(serde::Serialize)]
struct ChangeView {
    revision: i64,
    at: String,
    kind: String,
    chart: String,
    version: String,
    digest: String,
    actor: String,
}

impl From<ChangeRow> for ChangeView {
    fn from(row: ChangeRow) -> Self {
        let ChangeRow { revision, kind, chart, version, digest, actor, at } = row;
        Self { revision, at: at.to_string(), kind, chart, version, digest, actor }
    }
}

#[derive(serde::Serialize)]
struct Changes {
    /// The revision the repository has.
    revision: i64,
    changes: Vec<ChangeView>,
    /// What to send as `after` for the changes that follow.
    next: i64,
}

/// Answers with the changes after `?after=`, waiting for one up to `?wait=` seconds when there is none.
pub(crate) async fn list(
    server: &Server,
    asked: &Asked,
    path: &RepositoryPath,
) -> Result<Response<Body>, Failure> {
    let after = super::number(asked, "after", 0, 0..=i64::MAX)?;
    let limit = super::number(asked, "limit", USUAL, 1..=MOST)?;
    let wait = super::number(asked, "wait", 0, 0..=LONGEST_WAIT_SECONDS)?;
    let Some(repository) = server.find_readable(asked, path).await? else {
        return Err(server.unknown_repository(asked, path));
    };
    let mut changes = read(server, &repository, after, limit).await?;
    if changes.changes.is_empty() && wait > 0 {
        wait_for_change(server, &repository, after, Duration::from_secs(wait)).await;
        changes = read(server, &repository, after, limit).await?;
    }
    super::respond(StatusCode::OK, &changes)
}

async fn read(
    server: &Server,
    repository: &OpenRepository,
    after: i64,
    limit: u32,
) -> Result<Changes, Failure> {
    let catalog = &server.app.catalog;
    let rows = catalog.list_changes(repository.id(), after, limit).await?;
    // Asked for after the changes, so that it is never behind them.
    let row = catalog.find_repository(repository.path()).await?;
    let revision = row.map_or(0, |row| row.revision);
    if after > revision {
        let text = format!(
            "`after` is {after}, but the repository is at revision {revision}: it was restored from an older state, begin again with `after=0`"
        );
        return Err(Failure::new(ErrorKind::Conflict, text));
    }
    let next = rows.last().map_or(after, |last| last.revision);
    Ok(Changes { revision, changes: rows.into_iter().map(ChangeView::from).collect(), next })
}

/// Returns when the index shows a change after `after`, or the time is over. With too many waiting already it returns at
/// once: those who wait hold places that other requests need.
async fn wait_for_change(server: &Server, repository: &OpenRepository, after: i64, time: Duration) {
    let Ok(_place) = server.waiting.try_acquire() else { return };
    let until = Instant::now() + time;
    while i64::try_from(repository.index().revision()).unwrap_or(i64::MAX) <= after && Instant::now() < until
    {
        sleep(LOOK).await;
    }
}
