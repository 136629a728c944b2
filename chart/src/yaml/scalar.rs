//! What a scalar means: the resolver of `go.yaml.in/yaml` 2.4, which is YAML 1.1 with some of its own.
//!
//! Plain scalars are numbers, switches or null when they look like it; quoted ones are texts; a tag may
//! insist.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use super::error::YamlProblem;
use super::value::Value;

const TAG_PREFIX: &str = "tag:yaml.org,2002:";

/// A scalar as the parser found it.
pub(super) struct Scalar<'a> {
    /// The text without quotes, escapes resolved.
    pub(super) text: &'a str,
    /// Whether it is neither quoted nor tagged, or tagged with a lone `!`.
    pub(super) is_plain: bool,
    /// The full tag, empty when there is none.
    pub(super) tag: &'a str,
}

impl Scalar<'_> {
    /// Returns whether this scalar as a key asks for its value to be merged into the map.
    pub(super) fn is_merge_key(&self) -> bool {
        self.text == "<<" && (self.is_plain || self.tag == "tag:yaml.org,2002:merge")
    }

    /// Returns the value the scalar stands for.
    ///
    /// # Errors
    /// [`YamlProblem::Tag`] or [`YamlProblem::Binary`] when the text does not fit the tag.
    pub(super) fn resolve(&self) -> Result<Value, YamlProblem> {
        let misfit = || YamlProblem::Tag { tag: self.short_tag(), text: self.text.to_owned() };
        let fits = match self.tag.strip_prefix(TAG_PREFIX) {
            None if self.tag.is_empty() && self.is_plain => return Ok(resolve_plain(self.text)),
            Some("binary") => return decode_binary(self.text),
            Some("timestamp") => is_date(self.text).then(|| Value::String(self.text.to_owned())),
            Some("null") => Some(resolve_plain(self.text)).filter(|value| matches!(value, Value::Null)),
            Some("bool") => Some(resolve_plain(self.text)).filter(|value| matches!(value, Value::Bool(_))),
            Some("int") => {
                Some(resolve_plain(self.text)).filter(|value| matches!(value, Value::Int(_) | Value::Uint(_)))
            }
            Some("float") => to_float(resolve_plain(self.text)),
            Some(_) | None => Some(Value::String(self.text.to_owned())),
        };
        fits.ok_or_else(misfit)
    }

    fn short_tag(&self) -> String {
        match self.tag.strip_prefix(TAG_PREFIX) {
            Some(name) => format!("!!{name}"),
            None => self.tag.to_owned(),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "Go converts with the same loss")]
fn to_float(value: Value) -> Option<Value> {
    match value {
        Value::Float(_) => Some(value),
        Value::Int(number) => Some(Value::Float(number as f64)),
        Value::Null
        | Value::Bool(_)
        | Value::Uint(_)
        | Value::String(_)
        | Value::Sequence(_)
        | Value::Mapping(_) => None,
    }
}

fn resolve_plain(text: &str) -> Value {
    resolve_word(text).or_else(|| resolve_number(text)).unwrap_or_else(|| Value::String(text.to_owned()))
}

fn resolve_word(text: &str) -> Option<Value> {
    Some(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Value::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Value::Bool(false)
        }
        ".nan" | ".NaN" | ".NAN" => Value::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Value::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Value::Float(f64::NEG_INFINITY),
        _ => return None,
    })
}

fn resolve_number(text: &str) -> Option<Value> {
    match text.bytes().next()? {
        b'.' => strip_digit_separators(text).and_then(|digits| parse_float(&digits)),
        b'0'..=b'9' | b'+' | b'-' => {
            let digits = text.replace('_', "");
            parse_integer(&digits).or_else(|| parse_float(&digits)).or_else(|| parse_signed_binary(&digits))
        }
        _ => None,
    }
}

/// Removes underscores, each of which must stand between two digits: what Go's `strconv.ParseFloat` takes.
fn strip_digit_separators(text: &str) -> Option<String> {
    let is_digit = |part: Option<char>| part.is_some_and(|character| character.is_ascii_digit());
    let parts: Vec<&str> = text.split('_').collect();
    let are_between_digits = parts
        .iter()
        .zip(parts.iter().skip(1))
        .all(|(left, right)| is_digit(left.chars().next_back()) && is_digit(right.chars().next()));
    are_between_digits.then(|| parts.concat())
}

/// Parses as Go's `strconv.ParseInt` and `ParseUint` with base 0: a sign, then `0x`, `0o`, `0b` or a leading
/// `0` for octal, then digits that fit 64 bits.
fn parse_integer(text: &str) -> Option<Value> {
    let (is_negative, unsigned) = match text.strip_prefix('-') {
        Some(unsigned) => (true, unsigned),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (radix, digits) = match unsigned.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, unsigned.get(2..)?),
        [b'0', b'o' | b'O', ..] => (8, unsigned.get(2..)?),
        [b'0', b'b' | b'B', ..] => (2, unsigned.get(2..)?),
        [b'0', _, ..] => (8, unsigned.get(1..)?),
        _ => (10, unsigned),
    };
    if !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    if is_negative {
        return 0_i64.checked_sub_unsigned(magnitude).map(Value::Int);
    }
    match i64::try_from(magnitude) {
        Ok(number) => Some(Value::Int(number)),
        // Go reads what only fits without a sign as such, and then takes no `+` before it.
        Err(_) => (!text.starts_with('+')).then_some(Value::Uint(magnitude)),
    }
}

/// Parses `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`; what is too great for 64 bits is no number.
fn parse_float(text: &str) -> Option<Value> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.strip_prefix(['-', '+']).unwrap_or(exponent)),
        None => (unsigned, "0"),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let are_digits = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    let lacks_digits = exponent.is_empty() || whole.is_empty() && fraction.is_empty();
    if lacks_digits || !are_digits(whole) || !are_digits(fraction) || !are_digits(exponent) {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite()).map(Value::Float)
}

/// Parses a sign between `0b` and the digits, which Go lets through.
fn parse_signed_binary(text: &str) -> Option<Value> {
    let signed = text.strip_prefix("0b").filter(|rest| rest.starts_with(['-', '+']))?;
    i64::from_str_radix(signed, 2).ok().map(Value::Int)
}

/// Returns whether a text begins like a date with a year of four digits, which is all that `!!timestamp`
/// needs here: the value stays a text.
fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let mut is_number = |digits: std::ops::RangeInclusive<usize>| {
        parts.next().is_some_and(|part| {
            let length = part.bytes().take_while(u8::is_ascii_digit).count();
            digits.contains(&length)
        })
    };
    is_number(4..=4) && is_number(1..=2) && is_number(1..=2)
}

fn decode_binary(text: &str) -> Result<Value, YamlProblem> {
    let lenient =
        GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));
    let encoded = text.replace(['\r', '\n'], "");
    let bytes = lenient.decode(encoded).map_err(|_| YamlProblem::Binary)?;
    // Go's JSON puts one replacement character for each byte that is not UTF-8.
    let mut decoded = String::new();
    for chunk in bytes.utf8_chunks() {
        decoded.push_str(chunk.valid());
        decoded.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    Ok(Value::String(decoded))
}
