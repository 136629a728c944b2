//! Numbers as Go prints them.

/// Returns a float as `strconv.FormatFloat(number, 'g', -1, 32)` prints it: rounded to 32 bits, the shortest
/// digits that read back the same, an exponent of at least two digits below 0.0001 and from a million on.
/// This is what Helm shows for `appVersion: 1.10` and friends.
pub(super) fn format_float(number: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "Go rounds to 32 bits too, beyond them to infinity")]
    let number = number as f32;
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() };
    }
    let scientific = format!("{number:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return format!("{number}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

/// Returns a float as a map key: like [`format_float`], but infinite and undefined ones as YAML writes them.
pub(super) fn format_key(number: f64) -> String {
    match format_float(number) {
        text if text == "+Inf" => ".inf".to_owned(),
        text if text == "-Inf" => "-.inf".to_owned(),
        text if text == "NaN" => ".nan".to_owned(),
        text => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_print_as_go_prints_them_in_32_bits() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.1, "1.1"),
            (100_000.0, "100000"),
            (999_999.0, "999999"),
            (1_000_000.0, "1e+06"),
            (123_456.5, "123456.5"),
            (1_234_567.5, "1.2345675e+06"),
            (16_777_217.0, "1.6777216e+07"),
            (0.0001, "0.0001"),
            (0.000_123_4, "0.0001234"),
            (0.000_01, "1e-05"),
            (-1.5e-7, "-1.5e-07"),
            (3.4e38, "3.4e+38"),
            (1e300, "+Inf"),
            (-1e300, "-Inf"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(format_float(number), text);
        }
    }

    #[test]
    fn keys_print_infinity_as_yaml_writes_it() {
        for (number, text) in
            [(1.5, "1.5"), (f64::INFINITY, ".inf"), (f64::NEG_INFINITY, "-.inf"), (f64::NAN, ".nan")]
        {
            assert_eq!(format_key(number), text);
        }
    }
}
