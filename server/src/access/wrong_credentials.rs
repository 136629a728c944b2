//! Counts wrong credentials by the address they come from, so that guessing is slow: an operator may have chosen a short
//! password.
//!
//! Requests without a credential are never counted: registry clients send one before each of their own accord.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use chart::Timestamp;
use quick_cache::sync::Cache;

/// How many wrong credentials an address may send at once.
const AT_ONCE: i64 = 100;
/// After how long one of them is forgotten.
const FORGOTTEN_AFTER_MICROS: i64 = 500_000;
/// How many addresses are remembered; of more, those that come seldom are forgotten.
const ADDRESSES: usize = 10_000;

/// The wrong credentials of late; clones share them.
#[derive(Clone)]
pub(crate) struct WrongCredentials(Arc<Cache<IpAddr, Arc<Mutex<Debt>>>>);

/// When the last of an address's wrong credentials will be forgotten.
#[derive(Default)]
struct Debt {
    forgotten_at_micros: i64,
}

impl WrongCredentials {
    /// Remembers nothing yet.
    pub(crate) fn new() -> Self {
        Self(Arc::new(Cache::new(ADDRESSES)))
    }

    /// Returns after how many seconds the address may send a credential again; `None` when it may now.
    pub(crate) fn wait_seconds(&self, address: IpAddr, now: Timestamp) -> Option<u64> {
        let debt = self.0.get(&guesser(address))?;
        let forgotten_at = debt.lock().unwrap_or_else(PoisonError::into_inner).forgotten_at_micros;
        let over = forgotten_at - now.micros() - (AT_ONCE - 1) * FORGOTTEN_AFTER_MICROS;
        (over > 0).then(|| over.unsigned_abs().div_ceil(1_000_000))
    }

    /// Notes a wrong credential.
    pub(crate) fn note(&self, address: IpAddr, now: Timestamp) {
        let address = guesser(address);
        let debt = self.0.get(&address).unwrap_or_else(|| {
            let fresh = Arc::new(Mutex::new(Debt::default()));
            self.0.insert(address, Arc::clone(&fresh));
            fresh
        });
        let mut debt = debt.lock().unwrap_or_else(PoisonError::into_inner);
        debt.forgotten_at_micros = debt.forgotten_at_micros.max(now.micros()) + FORGOTTEN_AFTER_MICROS;
    }
}

/// Returns the address that stands for all that one guesser has: of IPv6, a single line is given 2^64.
fn guesser(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::from((u128::from(address) >> 64 << 64).to_be_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_are_taken_and_then_two_a_second() {
        let wrong = WrongCredentials::new();
        let (guesser, other) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let at = |second: i64| Timestamp::from_micros(second * 1_000_000);
        for _ in 0..100 {
            assert_eq!(wrong.wait_seconds(guesser, at(100)), None);
            wrong.note(guesser, at(100));
        }
        assert_eq!(wrong.wait_seconds(guesser, at(100)), Some(1));
        assert_eq!(wrong.wait_seconds(other, at(100)), None);
        for _ in 0..2 {
            assert_eq!(wrong.wait_seconds(guesser, at(101)), None);
            wrong.note(guesser, at(101));
        }
        assert_eq!(wrong.wait_seconds(guesser, at(101)), Some(1));
        assert_eq!(wrong.wait_seconds(guesser, at(1_000)), None);
    }

    #[test]
    fn a_line_with_many_addresses_is_one_guesser() {
        let wrong = WrongCredentials::new();
        let now = Timestamp::from_micros(0);
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        for number in 0..100 {
            wrong.note(address(&format!("2001:db8:0:1::{number}")), now);
        }
        assert_eq!(wrong.wait_seconds(address("2001:db8:0:1:ffff::1"), now), Some(1));
        assert_eq!(wrong.wait_seconds(address("2001:db8:0:2::1"), now), None);
    }

    #[test]
    fn a_flood_of_addresses_takes_bounded_memory() {
        let wrong = WrongCredentials::new();
        for address in 0..50_000_u32 {
            wrong.note(IpAddr::from(address.to_be_bytes()), Timestamp::from_micros(0));
        }
        assert!(wrong.0.len() <= ADDRESSES);
    }
}
