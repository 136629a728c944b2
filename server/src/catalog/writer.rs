//! The one writer of the embedded catalog: changes that arrive together share one transaction, and so one sync.
//!
//! Each change runs in a savepoint of its own, so one that fails takes nothing with it; nobody is answered before
//! the commit that holds their change is on disk.

use std::future::Future;
use std::pin::Pin;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use super::CatalogError;

/// How many changes one transaction takes at most: bounds how long the first of them waits.
const LARGEST_BATCH: usize = 64;
/// How many changes may queue before callers wait to hand theirs over.
const QUEUE: usize = 256;

pub(super) type ChangeFuture<'c, T> = Pin<Box<dyn Future<Output = Result<T, CatalogError>> + Send + 'c>>;

#[derive(Clone)]
pub(super) struct Writer(mpsc::Sender<Message>);

enum Message {
    Change(Box<dyn Change>),
    Stop(oneshot::Sender<()>),
}

/// One queued change: run inside the transaction, answered after it.
trait Change: Send {
    fn run<'c>(
        &'c mut self,
        connection: &'c mut SqliteConnection,
    ) -> Pin<Box<dyn Future<Output = Effect> + Send + 'c>>;
    fn answer(self: Box<Self>, commit: Result<(), CatalogError>);
}

/// What a change left behind: rows to keep, or nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Effect {
    Keep,
    Undo,
}

/// What a change closure decides besides its result.
pub(super) enum Outcome<T> {
    /// Keep the rows written and give this back once they are on disk.
    Commit(T),
    /// Undo whatever was written; the answer stands by itself.
    Discard(T),
}

struct Queued<F, T> {
    change: Option<F>,
    result: Option<Result<T, CatalogError>>,
    reply: oneshot::Sender<Result<T, CatalogError>>,
}

impl<F, T> Change for Queued<F, T>
where
    F: for<'c> FnOnce(&'c mut SqliteConnection) -> ChangeFuture<'c, Outcome<T>> + Send,
    T: Send,
{
    fn run<'c>(
        &'c mut self,
        connection: &'c mut SqliteConnection,
    ) -> Pin<Box<dyn Future<Output = Effect> + Send + 'c>> {
        Box::pin(async move {
            let Some(change) = self.change.take() else { return Effect::Undo };
            let (result, effect) = match change(connection).await {
                Ok(Outcome::Commit(value)) => (Ok(value), Effect::Keep),
                Ok(Outcome::Discard(value)) => (Ok(value), Effect::Undo),
                Err(error) => (Err(error), Effect::Undo),
            };
            self.result = Some(result);
            effect
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
    /// Opens the writing connection and starts its task.
    pub(super) async fn start(options: SqliteConnectOptions) -> Result<Self, CatalogError> {
        let connection = options.connect().await?;
        let (sender, receiver) = mpsc::channel(QUEUE);
        tokio::spawn(write_batches(connection, options, receiver));
        Ok(Self(sender))
    }

    /// Runs `change` in the next transaction and returns what it gave once that transaction is on disk.
    ///
    /// # Errors
    /// The change's own error, or why the commit failed; in both cases nothing of it was kept.
    pub(super) async fn change<T, F>(&self, change: F) -> Result<T, CatalogError>
    where
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> ChangeFuture<'c, Outcome<T>> + Send + 'static,
        T: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let queued = Queued { change: Some(change), result: None, reply };
        self.0.send(Message::Change(Box::new(queued))).await.map_err(|_| CatalogError::Closed)?;
        answer.await.map_err(|_| CatalogError::Closed)?
    }

    /// Lets the changes already queued finish and closes the connection.
    pub(super) async fn stop(&self) {
        let (reply, stopped) = oneshot::channel();
        if self.0.send(Message::Stop(reply)).await.is_ok() {
            let _ = stopped.await;
        }
    }
}

async fn write_batches(
    mut connection: SqliteConnection,
    options: SqliteConnectOptions,
    mut receiver: mpsc::Receiver<Message>,
) {
    let mut batch = Vec::new();
    while let Some(message) = receiver.recv().await {
        let mut stop = None;
        take(message, &mut batch, &mut stop);
        while stop.is_none() && batch.len() < LARGEST_BATCH {
            let Ok(message) = receiver.try_recv() else { break };
            take(message, &mut batch, &mut stop);
        }
        let healthy = write_batch(&mut connection, std::mem::take(&mut batch)).await;
        if let Some(stopped) = stop {
            let _ = connection.close().await;
            let _ = stopped.send(());
            return;
        }
        if !healthy {
            // A connection that could not even roll back may still hold the lock: begin anew.
            match options.connect().await {
                Ok(fresh) => connection = fresh,
                Err(error) => tracing::error!(%error, "cannot reopen the catalog database"),
            }
        }
    }
}

fn take(message: Message, batch: &mut Vec<Box<dyn Change>>, stop: &mut Option<oneshot::Sender<()>>) {
    match message {
        Message::Change(change) => batch.push(change),
        Message::Stop(stopped) => *stop = Some(stopped),
    }
}

/// Runs one transaction and answers everybody in it; returns false when the connection is no longer to be trusted.
async fn write_batch(connection: &mut SqliteConnection, mut batch: Vec<Box<dyn Change>>) -> bool {
    if batch.is_empty() {
        return true;
    }
    let outcome = run_transaction(connection, &mut batch).await;
    let mut healthy = true;
    if outcome.is_err() {
        healthy = sqlx::query("ROLLBACK").execute(&mut *connection).await.is_ok();
    }
    let mut failure = outcome.err();
    for change in batch {
        match failure.take() {
            None => change.answer(Ok(())),
            Some(error) => {
                failure = Some(repeat(&error));
                change.answer(Err(CatalogError::from(error)));
            }
        }
    }
    healthy
}

/// Gives the same verdict to the next change of a failed transaction; the cause itself goes to the first.
fn repeat(error: &sqlx::Error) -> sqlx::Error {
    sqlx::Error::Protocol(format!("the shared transaction failed: {error}"))
}

async fn run_transaction(
    connection: &mut SqliteConnection,
    batch: &mut [Box<dyn Change>],
) -> sqlx::Result<()> {
    sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await?;
    if let [only] = batch {
        // Alone, the transaction itself is what a refusal undoes.
        let end = match only.run(connection).await {
            Effect::Keep => "COMMIT",
            Effect::Undo => "ROLLBACK",
        };
        sqlx::query(end).execute(&mut *connection).await?;
        return Ok(());
    }
    for change in batch {
        sqlx::query("SAVEPOINT change").execute(&mut *connection).await?;
        match change.run(connection).await {
            Effect::Keep => {}
            Effect::Undo => {
                sqlx::query("ROLLBACK TO change").execute(&mut *connection).await?;
            }
        }
        sqlx::query("RELEASE change").execute(&mut *connection).await?;
    }
    sqlx::query("COMMIT").execute(&mut *connection).await?;
    Ok(())
}
