//! One lane of writers: takes what is queued, runs it as one transaction, answers everybody in it.

use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use super::super::CatalogError;
use super::super::connection::{Connection, on};
use super::super::store::Store;
use super::{Effect, Message, Queued};
use crate::faults::{self, Step};

/// How many changes one transaction takes at most: bounds how long the first of them waits.
const LARGEST_BATCH: usize = 64;
/// How often a transaction is run again when others crossed it.
const ATTEMPTS: u32 = 8;
/// How long the first of these waits; each later one up to twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(4);

pub(super) async fn run(store: Store, mut receiver: mpsc::Receiver<Message>) {
    let mut lane = Lane { store, connection: None };
    let mut batch = Vec::new();
    while let Some(message) = receiver.recv().await {
        let mut stop = None;
        take(message, &mut batch, &mut stop);
        while stop.is_none() && batch.len() < LARGEST_BATCH {
            let Ok(message) = receiver.try_recv() else { break };
            take(message, &mut batch, &mut stop);
        }
        lane.write(std::mem::take(&mut batch)).await;
        if let Some(stopped) = stop {
            drop(lane);
            let _ = stopped.send(());
            return;
        }
    }
}

fn take(message: Message, batch: &mut Vec<Box<dyn Queued>>, stop: &mut Option<oneshot::Sender<()>>) {
    match message {
        Message::Change(change) => batch.push(change),
        Message::Stop(stopped) => *stop = Some(stopped),
    }
}

struct Lane {
    store: Store,
    /// Kept from one transaction to the next while it is sound.
    connection: Option<Connection>,
}

/// How far a transaction came before it failed, and why it did.
enum Failed {
    /// Not even begun: the connection had broken since it was last used, or none was to be had.
    Beginning(CatalogError),
    /// Begun, and undone or cut off by now.
    Running(CatalogError),
}

impl From<Failed> for CatalogError {
    fn from(failed: Failed) -> Self {
        let (Failed::Beginning(error) | Failed::Running(error)) = failed;
        error
    }
}

impl Lane {
    async fn write(&mut self, mut batch: Vec<Box<dyn Queued>>) {
        if batch.is_empty() {
            return;
        }
        let outcome = self.write_patiently(&mut batch).await;
        let mut failure = outcome.err();
        for change in batch {
            let commit = match failure.take() {
                None => Ok(()),
                Some(error) => {
                    failure = Some(CatalogError::Shared(error.to_string()));
                    Err(error)
                }
            };
            change.answer(commit);
        }
    }

    /// Runs the transaction until it holds, as long as it is others' crossing or an old connection that stops it.
    async fn write_patiently(&mut self, batch: &mut [Box<dyn Queued>]) -> Result<(), CatalogError> {
        let mut pause = FIRST_PAUSE;
        for _ in 1..ATTEMPTS {
            let (was_open, began) = (self.connection.is_some(), Instant::now());
            match self.write_once(batch).await {
                Ok(()) => return Ok(()),
                // Postgres may have been restarted since the last change: a new connection will tell.
                Err(Failed::Beginning(_)) if was_open => {}
                Err(Failed::Running(error)) if error.is_worth_repeating() => {
                    tokio::time::sleep(pause + uneven(began, pause)).await;
                    pause *= 2;
                }
                Err(Failed::Beginning(error) | Failed::Running(error)) => return Err(error),
            }
        }
        self.write_once(batch).await.map_err(CatalogError::from)
    }

    async fn write_once(&mut self, batch: &mut [Box<dyn Queued>]) -> Result<(), Failed> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.store.writer().await.map_err(Failed::Beginning)?,
        };
        let work = run_transaction(&mut connection, self.store.begin(), batch);
        let outcome = tokio::time::timeout(self.store.transaction_deadline(), work).await;
        let outcome = outcome.unwrap_or(Err(Failed::Running(CatalogError::TimedOut)));
        let is_sound = match &outcome {
            Ok(()) => true,
            // What was never begun, or said nothing for so long, has nothing to roll back.
            Err(Failed::Beginning(_) | Failed::Running(CatalogError::TimedOut)) => false,
            Err(Failed::Running(_)) => roll_back(&mut connection, self.store.transaction_deadline()).await,
        };
        if is_sound {
            self.connection = Some(connection);
        } else {
            // It may still hold locks: the database frees them when it is gone.
            connection.give_up();
        }
        outcome
    }
}

/// Returns up to `pause` more, by the last digits of a measured time, so that two who crossed do not meet again.
fn uneven(began: Instant, pause: Duration) -> Duration {
    pause * (began.elapsed().subsec_nanos() % 1_000) / 1_000
}

async fn roll_back(connection: &mut Connection, deadline: Duration) -> bool {
    let rolled_back = tokio::time::timeout(deadline, say(connection, "ROLLBACK"));
    matches!(rolled_back.await, Ok(Ok(())))
}

async fn say(connection: &mut Connection, statement: &'static str) -> Result<(), CatalogError> {
    on!(connection, |database| sqlx::query(statement).execute(database).await.map(drop))
}

async fn run_transaction(
    connection: &mut Connection,
    begin: &'static str,
    batch: &mut [Box<dyn Queued>],
) -> Result<(), Failed> {
    say(connection, begin).await.map_err(Failed::Beginning)?;
    if let [only] = batch {
        // Alone, the transaction itself is what a refusal undoes.
        let end = match only.run(connection).await.map_err(Failed::Running)? {
            Effect::Keep => "COMMIT",
            Effect::Undo => "ROLLBACK",
        };
        return finish(connection, end).await;
    }
    for change in batch {
        say(connection, "SAVEPOINT change").await.map_err(Failed::Running)?;
        match change.run(connection).await.map_err(Failed::Running)? {
            Effect::Keep => {}
            Effect::Undo => {
                say(connection, "ROLLBACK TO SAVEPOINT change").await.map_err(Failed::Running)?;
            }
        }
        say(connection, "RELEASE SAVEPOINT change").await.map_err(Failed::Running)?;
    }
    finish(connection, "COMMIT").await
}

async fn finish(connection: &mut Connection, end: &'static str) -> Result<(), Failed> {
    faults::reach(Step::ChangesMade);
    say(connection, end).await.map_err(Failed::Running)?;
    faults::reach(Step::ChangesCommitted);
    Ok(())
}
