//! Keeps reading below a rate, so that the check leaves disk and network to those who need them.

use std::time::{Duration, Instant};

/// How fast something may go.
pub(super) struct Pace {
    bytes_per_second: Option<u64>,
    /// When what has been read until now may have been read at the earliest.
    due: Instant,
}

impl Pace {
    /// Begins now; without a rate nothing is ever held up.
    pub(super) fn new(bytes_per_second: Option<u64>) -> Self {
        Self { bytes_per_second, due: Instant::now() }
    }

    /// Waits until so many more bytes may have been read.
    pub(super) async fn spend(&mut self, bytes: u64) {
        let Some(wait) = self.owed(bytes, Instant::now()) else { return };
        tokio::time::sleep(wait).await;
    }

    fn owed(&mut self, bytes: u64, now: Instant) -> Option<Duration> {
        let rate = self.bytes_per_second?.max(1);
        // Time that passed unused is not saved up for a burst.
        self.due = self.due.max(now) + Duration::from_secs_f64(bytes as f64 / rate as f64);
        Some(self.due.saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_cost_their_time_and_idle_time_is_not_saved() {
        let begin = Instant::now();
        let mut pace = Pace { bytes_per_second: Some(100), due: begin };
        let seconds = |count| Some(Duration::from_secs(count));
        assert_eq!(pace.owed(200, begin), seconds(2));
        assert_eq!(pace.owed(100, begin), seconds(3));
        assert_eq!(pace.owed(100, begin + Duration::from_secs(10)), seconds(1));
        assert_eq!(Pace::new(None).owed(1 << 40, begin), None);
    }
}
