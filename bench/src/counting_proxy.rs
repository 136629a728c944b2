//! A proxy before a store that counts what is asked of it, and how long it takes to answer.
//! Rule: it changes no byte. It runs on threads of its own, since the one of the clients waits for servers to start.

mod requests;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use requests::Requests;

const PIECE: usize = 64 * 1024;

/// What a request is to the proxy.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Protocol {
    /// A head of HTTP/1.1, by its method.
    Http,
    /// Whatever a client sends once it was answered: a round trip.
    RoundTrips,
}

/// A proxy before one address; it takes no new connection once it is dropped.
#[derive(Debug)]
pub(crate) struct CountingProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// What was asked so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    /// Requests, by method where the protocol has any.
    pub(crate) by_method: BTreeMap<String, u64>,
    /// From the first byte of each request to the first of its answer, all together.
    pub(crate) waited: Duration,
}

#[derive(Debug)]
struct Shared {
    upstream: SocketAddr,
    protocol: Protocol,
    counts: Mutex<Counts>,
    closing: AtomicBool,
}

impl CountingProxy {
    /// Starts a proxy before `ADDRESS:PORT`.
    ///
    /// # Errors
    /// When it cannot listen.
    pub(crate) fn start(protocol: Protocol, upstream: &str) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("there is no free port")?;
        let address = listener.local_addr()?;
        let upstream = upstream.parse().with_context(|| format!("`{upstream}` is no address"))?;
        let shared = Arc::new(Shared {
            upstream,
            protocol,
            counts: Mutex::default(),
            closing: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accepting.accept_from(&listener));
        Ok(Self { address, shared })
    }

    /// Returns `ADDRESS:PORT`.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Returns what was asked since this was last called.
    pub(crate) fn take_counts(&self) -> Counts {
        std::mem::take(&mut *held(&self.shared.counts))
    }
}

impl Drop for CountingProxy {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::SeqCst);
        // Accepting blocks: a connection of our own ends it.
        let _ = TcpStream::connect(self.address);
    }
}

impl Counts {
    /// Returns how many requests there were.
    pub(crate) fn total(&self) -> u64 {
        self.by_method.values().sum()
    }
}

impl Shared {
    fn accept_from(self: &Arc<Self>, listener: &TcpListener) {
        for client in listener.incoming() {
            if self.closing.load(Ordering::SeqCst) {
                return;
            }
            let (shared, Ok(client)) = (Arc::clone(self), client) else { continue };
            thread::spawn(move || {
                // A client whose upstream refuses sees its connection end.
                let _ = shared.carry(&client);
            });
        }
    }

    fn carry(&self, client: &TcpStream) -> Result<()> {
        let upstream = TcpStream::connect(self.upstream)?;
        client.set_nodelay(true)?;
        upstream.set_nodelay(true)?;
        let asked = Mutex::new(None);
        thread::scope(|scope| {
            scope.spawn(|| {
                let _ = self.carry_requests(client, &upstream, &asked);
                let _ = upstream.shutdown(Shutdown::Write);
            });
            let _ = self.carry_answers(&upstream, client, &asked);
            let _ = client.shutdown(Shutdown::Both);
        });
        Ok(())
    }

    fn carry_requests(
        &self,
        mut from: &TcpStream,
        mut to: &TcpStream,
        asked: &Mutex<Option<Instant>>,
    ) -> Result<()> {
        let (mut piece, mut requests) = (vec![0; PIECE], Requests::new());
        loop {
            let count = from.read(&mut piece)?;
            let bytes = piece.get(..count).unwrap_or_default();
            if bytes.is_empty() {
                return Ok(());
            }
            let methods = match self.protocol {
                Protocol::Http => requests.take(bytes)?,
                Protocol::RoundTrips if held(asked).is_none() => vec!["round trips".to_owned()],
                Protocol::RoundTrips => Vec::new(),
            };
            for method in methods {
                *held(&self.counts).by_method.entry(method).or_default() += 1;
                *held(asked) = Some(Instant::now());
            }
            to.write_all(bytes)?;
        }
    }

    fn carry_answers(
        &self,
        mut from: &TcpStream,
        mut to: &TcpStream,
        asked: &Mutex<Option<Instant>>,
    ) -> Result<()> {
        let mut piece = vec![0; PIECE];
        loop {
            let count = from.read(&mut piece)?;
            let bytes = piece.get(..count).unwrap_or_default();
            if bytes.is_empty() {
                return Ok(());
            }
            if let Some(begun) = held(asked).take() {
                held(&self.counts).waited += begun.elapsed();
            }
            to.write_all(bytes)?;
        }
    }
}

/// A thread that panicked leaves counts that are still counts.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_pass_and_are_counted_by_method() {
        let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = CountingProxy::start(Protocol::Http, &upstream.local_addr().unwrap().to_string());
        let proxy = proxy.unwrap();
        let mut client = TcpStream::connect(proxy.address()).unwrap();
        let (mut server, _) = upstream.accept().unwrap();
        let mut exchange = |request: &[u8]| {
            client.write_all(request).unwrap();
            let mut seen = vec![0; request.len()];
            server.read_exact(&mut seen).unwrap();
            assert_eq!(seen, request);
            server.write_all(b"!").unwrap();
            client.read_exact(&mut [0]).unwrap();
        };
        exchange(b"PUT /b/1 HTTP/1.1\r\nContent-Length: 4\r\n\r\nGET ");
        exchange(b"PUT /b/2 HTTP/1.1\r\nContent-Length: 1\r\n\r\nx");
        exchange(b"HEAD /b/2 HTTP/1.1\r\n\r\n");
        let counts = proxy.take_counts();
        assert_eq!(counts.by_method, [("HEAD".to_owned(), 1), ("PUT".to_owned(), 2)].into());
        assert!(counts.waited > Duration::ZERO);
        assert_eq!(proxy.take_counts().total(), 0);
    }

    #[test]
    fn what_is_sent_before_the_answer_is_one_round_trip() {
        let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = CountingProxy::start(Protocol::RoundTrips, &upstream.local_addr().unwrap().to_string());
        let proxy = proxy.unwrap();
        let mut client = TcpStream::connect(proxy.address()).unwrap();
        let (mut server, _) = upstream.accept().unwrap();
        for _ in 0..2 {
            for part in [b"a", b"b"] {
                client.write_all(part).unwrap();
                server.read_exact(&mut [0]).unwrap();
            }
            server.write_all(b"!").unwrap();
            client.read_exact(&mut [0]).unwrap();
        }
        assert_eq!(proxy.take_counts().total(), 2);
    }
}
