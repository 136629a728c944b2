//! How far a copy is. Rule: a blob that begins anew is counted back, so that done never exceeds what is to do.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::client::push::OnSent;

/// How far a copy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// How many bytes of blobs are there, those included that were there before.
    pub bytes_done: u64,
    /// How many bytes of blobs there are in all; it grows while manifests are read.
    pub bytes_total: u64,
}

/// Hears how far a copy is.
pub type OnProgress = Arc<dyn Fn(Progress) + Send + Sync>;

/// What counts.
pub(super) struct Meter {
    done: AtomicU64,
    total: AtomicU64,
    listener: OnProgress,
}

impl Meter {
    pub(super) fn new(listener: OnProgress) -> Self {
        Self { done: AtomicU64::new(0), total: AtomicU64::new(0), listener }
    }

    /// Adds a blob to what is to do.
    pub(super) fn expect(&self, bytes: u64) {
        self.total.fetch_add(bytes, Ordering::Relaxed);
        self.tell();
    }

    /// Returns what hears how much of one blob is done.
    pub(super) fn of_blob(self: &Arc<Self>) -> OnSent {
        let (meter, before) = (Arc::clone(self), AtomicU64::new(0));
        Arc::new(move |now| {
            let before = before.swap(now, Ordering::Relaxed);
            // Wrapping both ways: less than before takes away.
            meter.done.fetch_add(now.wrapping_sub(before), Ordering::Relaxed);
            meter.tell();
        })
    }

    fn tell(&self) {
        let (bytes_done, bytes_total) =
            (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed));
        (self.listener)(Progress { bytes_done, bytes_total });
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Meter")
            .field("done", &self.done)
            .field("total", &self.total)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn a_blob_that_begins_anew_is_counted_back() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let listener: OnProgress = {
            let heard = Arc::clone(&heard);
            Arc::new(move |progress: Progress| {
                heard.lock().unwrap().push((progress.bytes_done, progress.bytes_total))
            })
        };
        let meter = Arc::new(Meter::new(listener));
        let (first, second) = (meter.of_blob(), meter.of_blob());
        meter.expect(10);
        meter.expect(5);
        first(8);
        second(5);
        first(2);
        first(10);
        assert_eq!(*heard.lock().unwrap(), [(0, 10), (0, 15), (8, 15), (13, 15), (7, 15), (15, 15)]);
    }
}
