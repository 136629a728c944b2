//! `GET /catalog/v1/repositories/{path}/changes`: every change of a repository in order, from any point on; with
//! `/registry`, those of what its OCI names hold, which have an order of their own.
//!
//! What a mirror stands on: revisions have no gaps, and whoever has seen revision N asks for what comes after N.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use tokio::time::{Instant, sleep};

use super::super::Server;
use super::super::error::{ErrorKind, Failure};
use super::super::request::Asked;
use crate::catalog::{ChangeRow, RegistryChangeRow};
use crate::repositories::OpenRepository;
use crate::repository_path::RepositoryPath;

/// How many changes an answer has unless the request says otherwise, and at most.
const USUAL: u32 = 100;
const MOST: u32 = 1_000;
/// How long an answer may wait for a change: less than a server has to stop, and than proxies wait for an answer.
const LONGEST_WAIT_SECONDS: u64 = 25;
/// How often a waiting answer looks at the repository in memory, which follows the catalog by itself.
const LOOK: Duration = Duration::from_millis(100);

/// Which changes are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Feed {
    /// Those of the chart repository: what its index shows.
    Index,
    /// Those of the registry: manifests and tags.
    Registry,
}

#[derive(serde::Serialize)]
struct ChangeView {
    revision: i64,
    at: String,
    kind: String,
    #[serde(flatten)]
    subject: Subject,
    digest: String,
    actor: String,
}

/// What was changed.
#[derive(serde::Serialize)]
#[serde(untagged)]
enum Subject {
    Version {
        chart: String,
        version: String,
    },
    Manifest {
        name: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        tag: Option<String>,
    },
}

impl From<ChangeRow> for ChangeView {
    fn from(row: ChangeRow) -> Self {
        let ChangeRow { revision, kind, chart, version, digest, actor, at } = row;
        let subject = Subject::Version { chart, version };
        Self { revision, at: at.to_string(), kind, subject, digest, actor }
    }
}

impl From<RegistryChangeRow> for ChangeView {
    fn from(row: RegistryChangeRow) -> Self {
        let RegistryChangeRow { revision, kind, name, tag, digest, actor, at } = row;
        let subject = Subject::Manifest { name, tag };
        Self { revision, at: at.to_string(), kind, subject, digest, actor }
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
    feed: Feed,
) -> Result<Response<Body>, Failure> {
    let after = super::number(asked, "after", 0, 0..=i64::MAX)?;
    let limit = super::number(asked, "limit", USUAL, 1..=MOST)?;
    let wait = super::number(asked, "wait", 0, 0..=LONGEST_WAIT_SECONDS)?;
    let Some(repository) = server.find_readable(asked, path).await? else {
        return Err(server.unknown_repository(asked, path));
    };
    let mut changes = read(server, &repository, feed, after, limit).await?;
    if changes.changes.is_empty() && wait > 0 {
        wait_for_change(server, &repository, feed, after, Duration::from_secs(wait)).await;
        changes = read(server, &repository, feed, after, limit).await?;
    }
    super::respond(StatusCode::OK, &changes)
}

async fn read(
    server: &Server,
    repository: &OpenRepository,
    feed: Feed,
    after: i64,
    limit: u32,
) -> Result<Changes, Failure> {
    let (catalog, id) = (&server.app.catalog, repository.id());
    let changes: Vec<ChangeView> = match feed {
        Feed::Index => {
            catalog.list_changes(id, after, limit).await?.into_iter().map(ChangeView::from).collect()
        }
        Feed::Registry => {
            catalog.list_registry_changes(id, after, limit).await?.into_iter().map(ChangeView::from).collect()
        }
    };
    // Asked for after the changes, so that it is never behind them.
    let row = catalog.find_repository(repository.path()).await?;
    let revision = row.map_or(0, |row| match feed {
        Feed::Index => row.revision,
        Feed::Registry => row.registry_revision,
    });
    if after > revision {
        let text = format!(
            "`after` is {after}, but the repository is at revision {revision}: it was restored from an older state, begin again with `after=0`"
        );
        return Err(Failure::new(ErrorKind::Conflict, text));
    }
    let next = changes.last().map_or(after, |last| last.revision);
    Ok(Changes { revision, changes, next })
}

/// Returns when memory shows a change after `after`, or the time is over. With too many waiting already it returns at
/// once: those who wait hold places that other requests need.
async fn wait_for_change(
    server: &Server,
    repository: &OpenRepository,
    feed: Feed,
    after: i64,
    time: Duration,
) {
    let Ok(_place) = server.waiting.try_acquire() else { return };
    let until = Instant::now() + time;
    let seen = || match feed {
        Feed::Index => i64::try_from(repository.index().revision()).unwrap_or(i64::MAX),
        Feed::Registry => repository.registry_revision(),
    };
    while seen() <= after && Instant::now() < until {
        sleep(LOOK).await;
    }
}
