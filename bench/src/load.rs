//! Load on a server: connections that ask for the same paths over and over, for a while.
//! Rule: what is counted is body bytes and the server's own processor time, between the same two moments.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::figures::float;
use crate::http::{Connection, SharedBuffer, get};
use crate::server::Server;

/// Fills the buffers between client and server, so that bytes sent and bytes received are the same while counting.
const WARM_UP: Duration = Duration::from_millis(300);

/// What to ask for and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load<'a> {
    /// The paths, in turn; all of the same size.
    pub(crate) paths: &'a [String],
    /// The size of what is at each path.
    pub(crate) body_bytes: u64,
    /// How many connections ask at the same time.
    pub(crate) connections: usize,
    /// How long is counted.
    pub(crate) window: Duration,
}

/// What a server did under load.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Throughput {
    /// Answers a second, from the bytes received: answers of tens of megabytes are under way at either end.
    pub(crate) requests_per_second: f64,
    /// Seconds of the server's processor time for an answer.
    pub(crate) processor_seconds: f64,
}

impl Load<'_> {
    /// Puts the load on a server.
    ///
    /// # Errors
    /// When a request fails.
    pub(crate) async fn put_on(&self, server: &Server) -> Result<Throughput> {
        let requests: Rc<[Vec<u8>]> = self.paths.iter().map(|path| get(server.address(), path)).collect();
        let received = Rc::new(Cell::new(0));
        let buffer = SharedBuffer::new();
        let mut asking = JoinSet::new();
        for first in 0..self.connections {
            let connection = Connection::open(server.address(), buffer.clone()).await?;
            asking.spawn_local(ask_for_ever(connection, Rc::clone(&requests), first, Rc::clone(&received)));
        }
        wait(WARM_UP, &mut asking).await?;
        let (begun, processor_before, received_before) =
            (Instant::now(), server.process().processor_time()?, received.get());
        wait(self.window, &mut asking).await?;
        let (elapsed, processor, received) = (
            begun.elapsed().as_secs_f64(),
            server.process().processor_time()?.saturating_sub(processor_before),
            received.get() - received_before,
        );
        let requests = float(received) / float(self.body_bytes);
        Ok(Throughput {
            requests_per_second: requests / elapsed,
            processor_seconds: processor.as_secs_f64() / requests,
        })
    }
}

/// Asks until the task is dropped; returns only what went wrong.
async fn ask_for_ever(
    mut connection: Connection,
    requests: Rc<[Vec<u8>]>,
    first: usize,
    received: Rc<Cell<u64>>,
) -> Result<()> {
    for request in requests.iter().cycle().skip(first % requests.len().max(1)) {
        let count = |bytes: &[u8]| received.set(received.get() + bytes.len() as u64);
        let answer = connection.exchange(request, count).await.with_context(|| {
            let request = String::from_utf8_lossy(request);
            format!("the load broke off at {request:?}")
        })?;
        if answer.status != 200 {
            bail!("a request was answered with status {}", answer.status);
        }
    }
    Ok(())
}

/// Waits while the tasks go on; the first that ends has failed.
pub(crate) async fn wait(time: Duration, tasks: &mut JoinSet<Result<()>>) -> Result<()> {
    tokio::select! {
        () = sleep(time) => Ok(()),
        Some(ended) = tasks.join_next() => match ended? {
            Ok(()) => bail!("a connection had nothing to ask for"),
            Err(error) => Err(error),
        },
    }
}
