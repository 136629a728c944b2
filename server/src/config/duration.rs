//! Lengths of time as people write them: `30s`, `15m`, `24h`, `90d`, `1h30m`.

use std::time::Duration;

/// Units and their milliseconds; a year is 365 days. Two-letter units come first, so that `ms` is not read as `m`.
const UNITS: [(&str, u64); 7] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
    ("w", 604_800_000),
    ("y", 31_536_000_000),
];

/// The longest accepted length, so that adding it to a date can't overflow.
const LONGEST: Duration = Duration::from_secs(100 * 31_536_000);

/// Why a text is not a length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidDuration {
    /// Not a run of numbers with units.
    #[error(
        "`{text}` is not a length of time: write a whole number and a unit (ms, s, m, h, d, w, y), such as `30s` or `90d`"
    )]
    Malformed {
        /// The text at fault.
        text: String,
    },
    /// More than 100 years.
    #[error("`{text}` is too long a time: use at most `100y`")]
    TooLong {
        /// The text at fault.
        text: String,
    },
}

/// Returns the length of time that `text` names: one or more whole numbers, each with its unit.
///
/// # Errors
/// [`InvalidDuration`] for anything else, a missing unit included, and for more than 100 years.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, InvalidDuration> {
    let malformed = || InvalidDuration::Malformed { text: text.to_owned() };
    let too_long = || InvalidDuration::TooLong { text: text.to_owned() };
    if text.is_empty() {
        return Err(malformed());
    }
    let mut total: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) =
            rest.split_at_checked(digits).filter(|(number, _)| !number.is_empty()).ok_or_else(malformed)?;
        let (unit, milliseconds) =
            UNITS.iter().find(|(unit, _)| after.starts_with(unit)).ok_or_else(malformed)?;
        let number: u64 = number.parse().map_err(|_| too_long())?;
        total = number
            .checked_mul(*milliseconds)
            .and_then(|part| total.checked_add(part))
            .ok_or_else(too_long)?;
        rest = after.strip_prefix(unit).ok_or_else(malformed)?;
    }
    let total = Duration::from_millis(total);
    if total > LONGEST { Err(too_long()) } else { Ok(total) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_and_their_sums_are_read() {
        for (text, milliseconds) in [
            ("250ms", 250),
            ("30s", 30_000),
            ("15m", 900_000),
            ("24h", 86_400_000),
            ("90d", 7_776_000_000),
            ("2w", 1_209_600_000),
            ("1y", 31_536_000_000),
            ("1h30m", 5_400_000),
            ("0s", 0),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_an_example() {
        for text in ["", "30", "s", "-1s", "1.5h", "30 s", "1h30", "1M", "٣s"] {
            let refusal = parse_duration(text).unwrap_err();
            assert_eq!(refusal, InvalidDuration::Malformed { text: text.to_owned() });
            assert!(refusal.to_string().contains("such as `30s` or `90d`"));
        }
    }

    #[test]
    fn a_length_beyond_a_century_is_refused() {
        assert!(parse_duration("100y").is_ok());
        for text in ["101y", "99999999999999999999s", "18446744073709551615y"] {
            assert_eq!(parse_duration(text), Err(InvalidDuration::TooLong { text: text.to_owned() }));
        }
    }
}
