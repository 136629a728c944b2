//! How long to wait before trying again, and whether to. Rule: many clients that failed together do not return together.

use std::time::{Duration, SystemTime};

/// The wait before the second try; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// The longest wait, whatever the registry asks for: a copy that sleeps for an hour looks like one that hangs.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Tries, counted down.
#[derive(Debug, Clone)]
pub(super) struct Patience {
    retries: u32,
    left: u32,
}

impl Patience {
    /// Allows `retries` tries after the first.
    pub(super) fn new(retries: u32) -> Self {
        Self { retries, left: retries }
    }

    /// Begins anew, after something moved on.
    pub(super) fn restore(&mut self) {
        self.left = self.retries;
    }

    /// Returns how long to wait before the next try, or nothing when this was the last; `asked` is what the registry
    /// asked for, and `random` is from 0 to 1.
    fn wait(&mut self, asked: Option<Duration>, random: f64) -> Option<Duration> {
        let tried = self.retries - self.left;
        self.left = self.left.checked_sub(1)?;
        let own = (FIRST_WAIT * 2_u32.saturating_pow(tried.min(10))).min(LONGEST_WAIT);
        let wait = match asked {
            Some(asked) => asked + own.mul_f64(random / 4.0),
            None => own.mul_f64((1.0 + random) / 2.0),
        };
        Some(wait.min(LONGEST_WAIT))
    }

    /// Waits before the next try. Returns whether there is one.
    pub(super) async fn rest(&mut self, asked: Option<Duration>) -> bool {
        let Some(wait) = self.wait(asked, rand::random()) else { return false };
        tokio::time::sleep(wait).await;
        true
    }
}

/// Returns whether a status says that the same request may succeed later.
pub(super) fn is_temporary(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}

/// Reads `Retry-After` (RFC 9110 §10.2.3): seconds, or a time. A time is measured against the answer's own `Date`,
/// since the two clocks need not agree.
pub(super) fn retry_after(value: Option<&str>, date: Option<&str>) -> Option<Duration> {
    let value = value?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let parse = |text: &str| httpdate::parse_http_date(text).ok();
    let (until, now): (SystemTime, SystemTime) = (parse(value)?, parse(date?)?);
    Some(until.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_are_spread() {
        let milliseconds = |random: f64| {
            let mut patience = Patience::new(3);
            let waits: Vec<_> = (0..4).map(|_| patience.wait(None, random)).collect();
            waits.into_iter().map(|wait| wait.map(|wait| wait.as_millis())).collect::<Vec<_>>()
        };
        assert_eq!(milliseconds(0.0), [Some(250), Some(500), Some(1000), None]);
        assert_eq!(milliseconds(1.0), [Some(500), Some(1000), Some(2000), None]);
    }

    #[test]
    fn the_registrys_wish_is_followed_within_reason() {
        let mut patience = Patience::new(2);
        assert_eq!(patience.wait(Some(Duration::from_secs(7)), 0.0), Some(Duration::from_secs(7)));
        assert_eq!(patience.wait(Some(Duration::from_secs(7200)), 0.0), Some(LONGEST_WAIT));
        assert_eq!(patience.wait(Some(Duration::ZERO), 0.0), None);
    }

    #[test]
    fn what_moves_on_is_tried_again_as_often_as_needed() {
        let mut patience = Patience::new(1);
        for _ in 0..5 {
            assert!(patience.wait(None, 0.0).is_some());
            patience.restore();
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_time() {
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        for (value, date, seconds) in [
            (Some("120"), date, Some(120)),
            (Some("Sun, 06 Nov 1994 08:49:47 GMT"), date, Some(10)),
            (Some("Sun, 06 Nov 1994 08:00:00 GMT"), date, Some(0)),
            (Some("Sun, 06 Nov 1994 08:49:47 GMT"), None, None),
            (Some("soon"), date, None),
            (None, date, None),
        ] {
            assert_eq!(retry_after(value, date), seconds.map(Duration::from_secs), "{value:?}");
        }
    }
}
