//! Draws a port for a program that takes no port 0, or that must find its port again after a restart.
//! Rule: below the ports of outgoing connections, so that none of these takes it while the program is away.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Result, bail};

const FIRST: u16 = 10_000;
// Linux gives outgoing connections 32768 and above.
const COUNT: u16 = 22_000;

/// Returns an address on loopback where nobody listens.
///
/// # Errors
/// When every port is taken.
pub fn free_address() -> Result<SocketAddr> {
    static DRAWN: AtomicU32 = AtomicU32::new(0);
    for _ in 0..COUNT {
        // Processes that draw at the same time begin far from each other.
        let begin = process::id().wrapping_mul(7919);
        let step = begin.wrapping_add(DRAWN.fetch_add(1, Ordering::Relaxed)) % u32::from(COUNT);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, FIRST + u16::try_from(step)?));
        if TcpListener::bind(address).is_ok() {
            return Ok(address);
        }
    }
    bail!("no free port from {FIRST} on");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_not_drawn() {
        let held: Vec<_> = (0..20).map(|_| TcpListener::bind(free_address().unwrap()).unwrap()).collect();
        let ports: Vec<u16> = held.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
        assert!(ports.iter().all(|port| (FIRST..FIRST + COUNT).contains(port)), "{ports:?}");
    }
}
