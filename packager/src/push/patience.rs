//! How long to wait before trying again, and whether to.
//!
//! Publishing the same bytes twice changes nothing, so whatever failed on the way may be tried again.

use std::time::{Duration, SystemTime};

/// The wait before the second try; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// The longest wait, whatever the server asks for: a push that sleeps for an hour looks like one that hangs.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// How often to try, counted down.
#[derive(Debug, Clone)]
pub(crate) struct Patience {
    tries_left: u32,
    next_wait: Duration,
}

impl Patience {
    /// Allows `retries` tries after the first.
    pub(crate) fn new(retries: u32) -> Self {
        Self { tries_left: retries, next_wait: FIRST_WAIT }
    }

    /// Returns how long to wait before the next try, or nothing when this was the last; `asked` is what the
    /// server asked for.
    pub(crate) fn wait(&mut self, asked: Option<Duration>) -> Option<Duration> {
        self.tries_left = self.tries_left.checked_sub(1)?;
        let own = self.next_wait;
        self.next_wait = (own * 2).min(LONGEST_WAIT);
        Some(asked.unwrap_or(own).min(LONGEST_WAIT))
    }
}

/// Returns whether a status says that the same request may succeed later.
pub(crate) fn is_temporary(status: u16) -> bool {
    matches!(status, 429 | 502 | 503 | 504)
}

/// Reads `Retry-After` (RFC 9110 §10.2.3): seconds, or a time. A time is measured against the answer's own
/// `Date`, since the two clocks need not agree.
pub(crate) fn retry_after(value: Option<&str>, date: Option<&str>) -> Option<Duration> {
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
    fn waits_double_until_the_tries_are_used_up() {
        let mut patience = Patience::new(3);
        let waits: Vec<_> = (0..4).map(|_| patience.wait(None)).collect();
        let expected = [500, 1000, 2000].map(|milliseconds| Some(Duration::from_millis(milliseconds)));
        assert_eq!(waits, [expected.as_slice(), &[None]].concat());
    }

    #[test]
    fn the_servers_wish_is_followed_within_reason() {
        let mut patience = Patience::new(9);
        assert_eq!(patience.wait(Some(Duration::from_secs(7))), Some(Duration::from_secs(7)));
        assert_eq!(patience.wait(Some(Duration::from_secs(7200))), Some(LONGEST_WAIT));
        assert_eq!(Patience::new(0).wait(None), None);
    }

    #[test]
    fn retry_after_is_seconds_or_a_time() {
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        let table = [
            (Some("120"), date, Some(120)),
            (Some("Sun, 06 Nov 1994 08:49:47 GMT"), date, Some(10)),
            (Some("Sun, 06 Nov 1994 08:00:00 GMT"), date, Some(0)),
            (Some("Sun, 06 Nov 1994 08:49:47 GMT"), None, None),
            (Some("soon"), date, None),
            (None, date, None),
        ];
        for (value, date, seconds) in table {
            assert_eq!(retry_after(value, date), seconds.map(Duration::from_secs), "{value:?}");
        }
    }

    #[test]
    fn only_busy_and_absent_servers_are_asked_again() {
        for status in [429, 502, 503, 504] {
            assert!(is_temporary(status));
        }
        for status in [201, 400, 401, 403, 404, 409, 413, 500, 507] {
            assert!(!is_temporary(status));
        }
    }
}
