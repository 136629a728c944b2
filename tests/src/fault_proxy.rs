//! A TCP proxy before a database or a store, which delays, cuts, withholds or refuses while a story runs.
//! Rule: it changes no byte and knows no protocol; a new mode is obeyed by open connections at once.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::port::free_address;

#[cfg(test)]
mod tests;

const PIECE: usize = 64 * 1024;

/// The way that bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// What the client sends.
    ToUpstream,
    /// What it is answered.
    ToClient,
}

/// What the proxy does with connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Passes everything on.
    Pass,
    /// Passes each piece of at most 64 KiB on after so long, both ways.
    Delay(Duration),
    /// Listens no more, and has cut what was open.
    Refuse,
    /// Cuts each connection after so many more bytes have gone one way.
    Cut {
        /// The way that is counted.
        way: Way,
        /// How many bytes still pass.
        after: u64,
    },
    /// Accepts and answers nothing. What was withheld is passed on in a later mode.
    BlackHole,
}

/// A proxy before one address; all its connections end when it is dropped.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    traffic: Arc<Traffic>,
    listener: Mutex<Option<JoinHandle<()>>>,
}

impl FaultProxy {
    /// Starts a proxy that passes everything on.
    ///
    /// # Errors
    /// When it cannot listen.
    pub fn start(upstream: SocketAddr) -> Result<Self> {
        let proxy = Self {
            address: free_address()?,
            traffic: Arc::new(Traffic::new(upstream)),
            listener: Mutex::new(None),
        };
        proxy.set(Mode::Pass)?;
        Ok(proxy)
    }

    /// Returns where it listens, now or after it has refused.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sets what happens from now on.
    ///
    /// # Errors
    /// When it cannot listen again.
    pub fn set(&self, mode: Mode) -> Result<()> {
        let mut listener = held(&self.listener);
        self.traffic.set(mode);
        if mode == Mode::Refuse {
            if let Some(running) = listener.take() {
                self.stop_listening(running);
            }
            self.cut();
        } else if listener.is_none() {
            let (socket, traffic) = (listen(self.address)?, Arc::clone(&self.traffic));
            traffic.closing.store(false, Ordering::SeqCst);
            *listener = Some(thread::spawn(move || traffic.accept_from(&socket)));
        }
        Ok(())
    }

    /// Returns how many connections a mode has cut so far.
    pub fn cuts(&self) -> u64 {
        self.traffic.cuts.load(Ordering::SeqCst)
    }

    /// Cuts the connections that are open now.
    pub fn cut(&self) {
        for streams in held(&self.traffic.open).values() {
            end(streams);
        }
    }

    fn stop_listening(&self, running: JoinHandle<()>) {
        self.traffic.closing.store(true, Ordering::SeqCst);
        // Accepting blocks: a connection of our own ends it.
        let _ = TcpStream::connect(self.address);
        let _ = running.join();
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        // Refusing never fails; it is starting to listen that may.
        let _ = self.set(Mode::Refuse);
    }
}

fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).with_context(|| format!("the proxy cannot listen on {address}"))
}

/// The client's stream, then the upstream's.
type Streams = [TcpStream; 2];

fn end(streams: &Streams) {
    for stream in streams {
        // It may have ended by itself.
        let _ = stream.shutdown(Shutdown::Both);
    }
}

/// What all connections share.
#[derive(Debug)]
struct Traffic {
    upstream: SocketAddr,
    mode: Mutex<Setting>,
    changed: Condvar,
    open: Mutex<BTreeMap<u64, Streams>>,
    closing: AtomicBool,
    cuts: AtomicU64,
}

/// A mode, and the how-manieth it is: counts begin anew with each.
#[derive(Debug, Clone, Copy)]
struct Setting {
    mode: Mode,
    number: u64,
}

/// What has gone one way of one connection in one setting.
#[derive(Debug, Clone, Copy, Default)]
struct Passed {
    setting: u64,
    bytes: u64,
}

impl Traffic {
    fn new(upstream: SocketAddr) -> Self {
        Self {
            upstream,
            mode: Mutex::new(Setting { mode: Mode::Pass, number: 0 }),
            changed: Condvar::new(),
            open: Mutex::default(),
            closing: AtomicBool::new(false),
            cuts: AtomicU64::new(0),
        }
    }

    fn set(&self, mode: Mode) {
        let mut setting = held(&self.mode);
        *setting = Setting { mode, number: setting.number + 1 };
        self.changed.notify_all();
    }

    fn accept_from(self: &Arc<Self>, listener: &TcpListener) {
        for (number, client) in (0..).zip(listener.incoming()) {
            if self.closing.load(Ordering::SeqCst) {
                return;
            }
            let (traffic, Ok(client)) = (Arc::clone(self), client) else { continue };
            thread::spawn(move || {
                // A client whose upstream refuses sees its connection end.
                let _ = traffic.carry(number, client);
            });
        }
    }

    fn carry(&self, number: u64, client: TcpStream) -> io::Result<()> {
        let streams = [client, TcpStream::connect(self.upstream)?];
        for stream in &streams {
            stream.set_nodelay(true)?;
        }
        let kept = [streams[0].try_clone()?, streams[1].try_clone()?];
        let mut open = held(&self.open);
        if held(&self.mode).mode == Mode::Refuse {
            return Ok(());
        }
        open.insert(number, kept);
        drop(open);
        let [client, upstream] = &streams;
        thread::scope(|scope| {
            scope.spawn(|| self.pump(client, upstream, Way::ToUpstream, &streams));
            self.pump(upstream, client, Way::ToClient, &streams);
        });
        held(&self.open).remove(&number);
        Ok(())
    }

    /// Passes bytes one way until an end or a cut; an orderly end is passed on too.
    fn pump(&self, mut from: &TcpStream, mut to: &TcpStream, way: Way, streams: &Streams) {
        let mut piece = vec![0; PIECE];
        let mut passed = Passed::default();
        loop {
            let Ok(count) = from.read(&mut piece) else { return end(streams) };
            let allowed = self.allowed(way, count, &mut passed);
            let through = piece.get(..allowed.unwrap_or(count)).unwrap_or_default();
            if allowed.is_some() {
                self.cuts.fetch_add(1, Ordering::SeqCst);
            }
            if to.write_all(through).is_err() || allowed.is_some() {
                return end(streams);
            }
            if count == 0 {
                // The other side may be gone already.
                let _ = to.shutdown(Shutdown::Write);
                return;
            }
        }
    }

    /// Waits as the mode wants. Returns nothing when all bytes may pass, or how many before the cut.
    fn allowed(&self, way: Way, count: usize, passed: &mut Passed) -> Option<usize> {
        let begun = Instant::now();
        let mut setting = held(&self.mode);
        loop {
            if passed.setting != setting.number {
                *passed = Passed { setting: setting.number, bytes: 0 };
            }
            match setting.mode {
                Mode::Pass => return None,
                Mode::Refuse => return Some(0),
                Mode::Cut { way: counted, after } => {
                    if way != counted {
                        return None;
                    }
                    let left = usize::try_from(after - passed.bytes).unwrap_or(usize::MAX);
                    passed.bytes += count as u64;
                    return (count >= left).then_some(left);
                }
                Mode::Delay(delay) => {
                    let left = delay.checked_sub(begun.elapsed())?;
                    let waited = self.changed.wait_timeout(setting, left);
                    setting = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
                Mode::BlackHole => {
                    setting = self.changed.wait(setting).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }
}

/// What these locks hold is whole at every moment, so a panic elsewhere spoils nothing.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
