//! Points in time, in microseconds since 1970 UTC: what a database column keeps and an index prints.
//!
//! A `Timestamp` lies in the years 0000 to 9999, so it always has an RFC 3339 text.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;
use time::UtcOffset;
use time::format_description::well_known::Rfc3339;

const FIRST_MICROSECOND: i64 = -62_167_219_200_000_000;
const LAST_MICROSECOND: i64 = 253_402_300_799_999_999;

/// A point in time with microsecond resolution. Prints and serialises as RFC 3339 in UTC.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Timestamp {
    micros: i64,
}

/// The text is not an RFC 3339 time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a time; write it as `2026-11-22T09:30:00Z` (RFC 3339)")]
pub struct InvalidTimestamp {
    /// The whole text as given.
    pub text: String,
}

impl Timestamp {
    /// Returns the point `micros` microseconds after the beginning of 1970 UTC; what lies outside the years
    /// 0000 to 9999 becomes the nearest point inside.
    pub fn from_micros(micros: i64) -> Self {
        Self { micros: micros.clamp(FIRST_MICROSECOND, LAST_MICROSECOND) }
    }

    /// Returns the microseconds since the beginning of 1970 UTC, negative before it.
    pub fn micros(self) -> i64 {
        self.micros
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    /// Parses any RFC 3339 time; digits beyond the microsecond are cut off.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidTimestamp { text: text.to_owned() };
        let time = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| invalid())?;
        let micros = time.unix_timestamp_nanos().div_euclid(1_000);
        i64::try_from(micros).map(Self::from_micros).map_err(|_| invalid())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = i128::from(self.micros) * 1_000;
        let time = OffsetDateTime::from_unix_timestamp_nanos(nanos).map_err(|_| fmt::Error)?;
        let text = time.to_offset(UtcOffset::UTC).format(&Rfc3339).map_err(|_| fmt::Error)?;
        formatter.pad(&text)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_is_utc_with_only_the_digits_it_needs() {
        for (given, printed) in [
            ("2026-11-22T09:30:00Z", "2026-11-22T09:30:00Z"),
            ("2026-11-22T18:30:00+09:00", "2026-11-22T09:30:00Z"),
            ("2026-11-22T09:30:00.500000Z", "2026-11-22T09:30:00.5Z"),
            ("2026-11-22T09:30:00.123456789Z", "2026-11-22T09:30:00.123456Z"),
            ("2019-01-01T00:00:00.000001-05:30", "2019-01-01T05:30:00.000001Z"),
            ("1969-12-31T23:59:59.9999999Z", "1969-12-31T23:59:59.999999Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
            ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
        ] {
            assert_eq!(given.parse::<Timestamp>().unwrap().to_string(), printed, "{given}");
        }
    }

    #[test]
    fn what_is_not_rfc_3339_is_refused() {
        for text in
            ["", "2026-11-22", "2026-11-22 09:30", "2026-11-22T09:30:00", "2026-13-01T00:00:00Z", "now", "0"]
        {
            assert_eq!(text.parse::<Timestamp>(), Err(InvalidTimestamp { text: text.to_owned() }));
        }
    }

    #[test]
    fn json_is_the_text() {
        let timestamp = Timestamp::from_micros(1_500_000);
        assert_eq!(serde_json::to_string(&timestamp).unwrap(), "\"1970-01-01T00:00:01.5Z\"");
        assert_eq!(serde_json::from_str::<Timestamp>("\"1970-01-01T00:00:01.5Z\"").unwrap(), timestamp);
        assert!(serde_json::from_str::<Timestamp>("\"\"").is_err());
    }

    #[test]
    fn times_beyond_four_digit_years_become_the_nearest() {
        assert_eq!(Timestamp::from_micros(i64::MIN).to_string(), "0000-01-01T00:00:00Z");
        assert_eq!(Timestamp::from_micros(i64::MAX).to_string(), "9999-12-31T23:59:59.999999Z");
        assert_eq!(
            "9999-12-31T23:59:59-01:00".parse::<Timestamp>().unwrap(),
            Timestamp::from_micros(i64::MAX)
        );
    }

    proptest! {
        #[test]
        fn printing_and_parsing_give_the_same_point(micros in FIRST_MICROSECOND..=LAST_MICROSECOND) {
            let timestamp = Timestamp::from_micros(micros);
            prop_assert_eq!(timestamp.micros(), micros);
            prop_assert_eq!(timestamp.to_string().parse::<Timestamp>().unwrap(), timestamp);
        }
    }
}
