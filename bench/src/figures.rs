//! How figures are written in the report: three digits that count, with a unit.

use std::time::Duration;

/// Returns a number with three digits that count, thousands parted by commas.
pub(crate) fn number(value: f64) -> String {
    if !value.is_finite() {
        return "none".to_owned();
    }
    match value.abs() {
        size if size >= 100.0 => with_commas(value),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.01 => format!("{value:.2}"),
        0.0 => "0".to_owned(),
        _ => format!("{value:.4}"),
    }
}

/// Returns a rate per second.
pub(crate) fn rate(per_second: f64) -> String {
    format!("{}/s", number(per_second))
}

/// Returns a duration given in seconds, in the unit that suits it.
pub(crate) fn seconds(value: f64) -> String {
    match value.abs() {
        size if size >= 1.0 => format!("{} s", number(value)),
        size if size >= 0.001 => format!("{} ms", number(value * 1e3)),
        _ => format!("{} µs", number(value * 1e6)),
    }
}

/// Returns a duration in the unit that suits it.
pub(crate) fn duration(value: Duration) -> String {
    seconds(value.as_secs_f64())
}

/// Returns a size in the unit that suits it; a megabyte is a million bytes.
pub(crate) fn bytes(value: u64) -> String {
    let value = float(value);
    match value {
        size if size >= 1e6 => format!("{} MB", number(value / 1e6)),
        size if size >= 1e3 => format!("{} kB", number(value / 1e3)),
        _ => format!("{value} bytes"),
    }
}

/// Returns a count of versions in words of the report: `1k`, `50k`.
pub(crate) fn versions(count: usize) -> String {
    if count >= 1_000 && count.is_multiple_of(1_000) {
        format!("{}k", count / 1_000)
    } else {
        count.to_string()
    }
}

/// Returns a count as a number to calculate with.
#[expect(clippy::cast_precision_loss, reason = "no count or size here comes near 2^52")]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}

fn with_commas(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0.0 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_that_count() {
        for (value, expected) in [
            (0.0, "0"),
            (0.001_23, "0.0012"),
            (0.987, "0.99"),
            (12.34, "12.3"),
            (999.6, "1,000"),
            (1_234_567.0, "1,234,567"),
            (f64::NAN, "none"),
        ] {
            assert_eq!(number(value), expected);
        }
    }

    #[test]
    fn units_suit_the_size() {
        assert_eq!(seconds(0.000_25), "250 µs");
        assert_eq!(seconds(0.025), "25.0 ms");
        assert_eq!(seconds(2.5), "2.50 s");
        assert_eq!(bytes(43_000_000), "43.0 MB");
        assert_eq!(versions(50_000), "50k");
        assert_eq!(versions(100), "100");
    }
}
