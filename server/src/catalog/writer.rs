//! The writers of the catalog: changes that arrive together share one transaction, and so one sync of the log.
//!
//! Each change runs in a savepoint of its own, so one that fails takes nothing with it; nobody is answered before
//! the commit that holds their change is on disk. The embedded database has one lane; Postgres has several, and all
//! changes of one repository take the same one, where they would wait for each other's row in any case.

mod lane;

use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::connection::Connection;
use super::store::Store;
use super::{Catalog, CatalogError};

/// How many changes may queue in a lane before callers wait to hand theirs over.
const QUEUE: usize = 256;

/// A change of the catalog. It may be made again from the start when transactions crossed, so it keeps what it needs.
pub(super) trait Change: Send + Sync + 'static {
    /// What the caller hears.
    type Answer: Send + 'static;

    /// Returns the repository whose row the change locks, when it is one.
    fn repository_id(&self) -> Option<i64>;

    /// Makes the change inside a transaction that others may share.
    fn make<'a>(
        &'a self,
        connection: &'a mut Connection,
    ) -> impl Future<Output = Result<Outcome<Self::Answer>, CatalogError>> + Send + 'a;
}

/// What a change decides besides its answer.
pub(super) enum Outcome<T> {
    /// Keep the rows written and give this back once they are on disk.
    Commit(T),
    /// Undo whatever was written; the answer stands by itself.
    Discard(T),
}

#[derive(Clone)]
pub(super) struct Writer(Arc<[mpsc::Sender<Message>]>);

enum Message {
    Change(Box<dyn Queued>),
    Stop(oneshot::Sender<()>),
}

/// One queued change: run inside the transaction, answered after it.
trait Queued: Send {
    fn run<'a>(
        &'a mut self,
        connection: &'a mut Connection,
    ) -> Pin<Box<dyn Future<Output = Result<Effect, CatalogError>> + Send + 'a>>;
    fn answer(self: Box<Self>, commit: Result<(), CatalogError>);
}

/// What a change left behind: rows to keep, or nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Effect {
    Keep,
    Undo,
}

struct Waiting<C: Change> {
    change: C,
    result: Option<Result<C::Answer, CatalogError>>,
    reply: oneshot::Sender<Result<C::Answer, CatalogError>>,
}

impl<C: Change> Queued for Waiting<C> {
    fn run<'a>(
        &'a mut self,
        connection: &'a mut Connection,
    ) -> Pin<Box<dyn Future<Output = Result<Effect, CatalogError>> + Send + 'a>> {
        Box::pin(async move {
            let (result, effect) = match self.change.make(connection).await {
                Ok(Outcome::Commit(value)) => (Ok(value), Effect::Keep),
                Ok(Outcome::Discard(value)) => (Ok(value), Effect::Undo),
                Err(error) if error.is_worth_repeating() => return Err(error),
                Err(error) => (Err(error), Effect::Undo),
            };
            self.result = Some(result);
            Ok(effect)
        })
    }

    fn answer(self: Box<Self>, commit: Result<(), CatalogError>) {
        let result = match (self.result, commit) {
            (Some(Ok(value)), Ok(())) => Ok(value),
            (Some(Err(error)), Ok(()) | Err(_)) | (Some(Ok(_)) | None, Err(error)) => Err(error),
            (None, Ok(())) => Err(CatalogError::Closed),
        };
        // A caller that hung up does not need its answer; the change stands.
        let _ = self.reply.send(result);
    }
}

impl Writer {
    /// Starts the lanes over `store`; none of them takes a connection before its first change.
    pub(super) fn start(store: &Store) -> Self {
        let lanes = (0..store.lanes()).map(|_| {
            let (sender, receiver) = mpsc::channel(QUEUE);
            tokio::spawn(lane::run(store.clone(), receiver));
            sender
        });
        Self(lanes.collect())
    }

    fn lane(&self, repository_id: Option<i64>) -> Result<&mpsc::Sender<Message>, CatalogError> {
        let number = repository_id.unwrap_or_default().unsigned_abs() % self.0.len().max(1) as u64;
        usize::try_from(number).ok().and_then(|number| self.0.get(number)).ok_or(CatalogError::Closed)
    }

    /// Lets the changes already queued finish and gives the connections back.
    pub(super) async fn stop(&self) {
        for lane in &*self.0 {
            let (reply, stopped) = oneshot::channel();
            if lane.send(Message::Stop(reply)).await.is_ok() {
                let _ = stopped.await;
            }
        }
    }
}

impl Catalog {
    /// Makes `change` in the next transaction of its lane and returns what it gave once that is on disk.
    ///
    /// # Errors
    /// The change's own error, or why the commit failed. Nothing of it was kept, unless the database went away during
    /// the commit itself, when nobody can tell.
    pub(super) async fn make<C: Change>(&self, change: C) -> Result<C::Answer, CatalogError> {
        let (reply, answer) = oneshot::channel();
        let lane = self.writer.lane(change.repository_id())?;
        let waiting = Waiting { change, result: None, reply };
        lane.send(Message::Change(Box::new(waiting))).await.map_err(|_| CatalogError::Closed)?;
        answer.await.map_err(|_| CatalogError::Closed)?
    }
}
