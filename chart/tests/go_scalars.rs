//! What a scalar becomes, without a target type and in a text field: the measured table of Go's
//! `sigs.k8s.io/yaml` 1.6.0. `Chart.yaml` is all text fields, so the last column is what Helm shows.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in its shared parts")]

use chart::yaml::{self, Budget, Value, YamlProblem};
use serde::Deserialize;
use serde_json::{Value as Json, json};

fn read(text: &str) -> Value {
    let document = format!("field: {text}\n");
    let value = yaml::parse(document.as_bytes(), &Budget::default())
        .unwrap_or_else(|error| panic!("{text}: {error}"));
    value.get("field").unwrap().clone()
}

fn as_text(value: &Value) -> String {
    Option::<String>::deserialize(value).unwrap().unwrap_or_default()
}

/// A scalar as written, as JSON, and as a text field.
type Row = (&'static str, Json, &'static str);

#[test]
fn whole_numbers_follow_go() {
    let rows: Vec<Row> = vec![
        ("0", json!(0), "0"),
        ("-0", json!(0), "0"),
        ("12", json!(12), "12"),
        ("+12", json!(12), "12"),
        ("-12", json!(-12), "-12"),
        ("1_000", json!(1000), "1000"),
        ("1__0_", json!(10), "10"),
        ("+_1", json!(1), "1"),
        ("0123", json!(83), "83"),
        ("0777", json!(511), "511"),
        ("0_7", json!(7), "7"),
        ("0o17", json!(15), "15"),
        ("0x1F", json!(31), "31"),
        ("0X1f", json!(31), "31"),
        ("-0x1f", json!(-31), "-31"),
        ("0b101", json!(5), "5"),
        ("0B1", json!(1), "1"),
        ("-0b11", json!(-3), "-3"),
        ("0b-1", json!(-1), "-1"),
        ("9223372036854775807", json!(i64::MAX), "9223372036854775807"),
        ("-9223372036854775808", json!(i64::MIN), "-9223372036854775808"),
        ("9223372036854775808", json!(9_223_372_036_854_775_808_u64), "9223372036854775808"),
        ("18446744073709551615", json!(u64::MAX), "18446744073709551615"),
        ("0xFFFFFFFFFFFFFFFF", json!(u64::MAX), "18446744073709551615"),
        ("!!int '12'", json!(12), "12"),
    ];
    check(rows);
}

#[test]
fn fractions_and_exponents_follow_go() {
    let rows: Vec<Row> = vec![
        ("1.10", json!(1.1), "1.1"),
        ("1.0", json!(1), "1"),
        ("1.", json!(1), "1"),
        (".5", json!(0.5), "0.5"),
        ("-.5", json!(-0.5), "-0.5"),
        (".1_5", json!(0.15), "0.15"),
        ("08", json!(8), "8"),
        ("09.5", json!(9.5), "9.5"),
        ("1e3", json!(1000), "1000"),
        ("1E3", json!(1000), "1000"),
        ("1e3.5", json!("1e3.5"), "1e3.5"),
        ("1.e5", json!(100_000), "100000"),
        ("1e6", json!(1_000_000), "1e+06"),
        ("999999.0", json!(999_999), "999999"),
        ("1234567.5", json!(1_234_567.5), "1.2345675e+06"),
        ("16777217.0", json!(16_777_217), "1.6777216e+07"),
        ("0.0001", json!(0.0001), "0.0001"),
        ("0.00001", json!(0.00001), "1e-05"),
        ("1.5e-7", json!(1.5e-7), "1.5e-07"),
        ("3.5e38", json!(3.5e38), "+Inf"),
        ("1e400", json!("1e400"), "1e400"),
        ("12345678901234567890123", json!(1.234_567_890_123_456_8e22), "1.2345679e+22"),
        ("18446744073709551616", json!(18_446_744_073_709_552_000.0), "1.8446744e+19"),
        ("-9223372036854775809", json!(-9_223_372_036_854_775_808.0), "-9.223372e+18"),
        ("!!float 1", json!(1), "1"),
    ];
    check(rows);
}

#[test]
fn switches_and_null_follow_yaml_1_1() {
    for text in ["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON", "!!bool yes"] {
        check(vec![(text, json!(true), "true")]);
    }
    for text in ["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"] {
        check(vec![(text, json!(false), "false")]);
    }
    for text in ["", "~", "null", "Null", "NULL", "!!null ~", "!!null ''", "&anchor"] {
        check(vec![(text, Json::Null, "")]);
    }
}

#[test]
fn what_looks_like_a_number_but_is_none_stays_text() {
    for text in [
        "12:30:45",
        "2022.05.08",
        "2022-05-08",
        "2001-12-14t21:59:43.10-05:00",
        "1.2.3",
        "0x",
        "0b",
        "0b2",
        "0o18",
        "_1",
        "+",
        ".",
        "-.",
        "+.",
        ".e1",
        "..5",
        "._5",
        "1e",
        "1e+",
        "e5",
        "0x1p4",
        "tRUE",
        "nUll",
        "NaN",
        "inf",
        "<<",
        "=",
        "0x1FFFFFFFFFFFFFFFFF",
        "1 2",
        "1,000",
        "v1.2",
        "1.2.x",
        "~1.2",
        "yes please",
    ] {
        check(vec![(text, json!(text), text)]);
    }
}

#[test]
fn quotes_and_tags_decide() {
    check(vec![
        ("'yes'", json!("yes"), "yes"),
        ("\"1.10\"", json!("1.10"), "1.10"),
        ("''", json!(""), ""),
        ("|-\n  1", json!("1"), "1"),
        ("!!str 123", json!("123"), "123"),
        ("!!str", json!(""), ""),
        ("!!str ~", json!("~"), "~"),
        ("! 123", json!("123"), "123"),
        ("!foo bar", json!("bar"), "bar"),
        ("!foo 123", json!("123"), "123"),
        ("!<tag:yaml.org,2002:int> 7", json!(7), "7"),
        ("!!map foo", json!("foo"), "foo"),
        ("!!binary aGk=", json!("hi"), "hi"),
        ("!!binary aGl=", json!("hi"), "hi"),
        ("!!binary /w==", json!("\u{fffd}"), "\u{fffd}"),
        ("!!timestamp 2020-01-01", json!("2020-01-01"), "2020-01-01"),
    ]);
}

#[test]
fn a_value_that_does_not_fit_its_tag_is_refused() {
    for (tag, text) in [
        ("!!int", "1.5"),
        ("!!int", "yes"),
        ("!!float", "x"),
        ("!!float", "18446744073709551615"),
        ("!!bool", "1"),
        ("!!null", "x"),
        ("!!timestamp", "foo"),
    ] {
        let document = format!("field: {tag} {text}\n");
        let error = yaml::parse(document.as_bytes(), &Budget::default()).unwrap_err();
        assert_eq!(error.problem, YamlProblem::Tag { tag: tag.to_owned(), text: text.to_owned() });
        assert_eq!((error.line, error.column), (1, 8));
    }
    for text in ["!!binary '@'", "!!binary aGk"] {
        let error = yaml::parse(text.as_bytes(), &Budget::default()).unwrap_err();
        assert_eq!(error.problem, YamlProblem::Binary);
    }
}

#[test]
fn infinite_and_undefined_numbers_exist_only_in_text_fields() {
    for (text, as_field) in [(".inf", "+Inf"), ("+.INF", "+Inf"), ("-.Inf", "-Inf"), (".nan", "NaN")] {
        assert_eq!(as_text(&read(text)), as_field);
        assert_eq!(read(text).to_json(), Json::Null);
        let error = Json::deserialize(&read(text)).unwrap_err();
        assert_eq!(error.to_string(), "the document is a number; it must be a finite one");
    }
}

#[test]
fn keys_become_text() {
    for (key, expected) in [
        ("1", "1"),
        ("0x10", "16"),
        ("1.50", "1.5"),
        ("1e300", ".inf"),
        ("1e3", "1000"),
        ("0.00001", "1e-05"),
        ("yes", "true"),
        ("Off", "false"),
        (".inf", ".inf"),
        ("-.inf", "-.inf"),
        (".nan", ".nan"),
        ("'1.50'", "1.50"),
        ("!!str 1", "1"),
        ("!!binary aGk=", "hi"),
        ("2020-01-01", "2020-01-01"),
    ] {
        let document = format!("{key}: value\n");
        let value = yaml::parse(document.as_bytes(), &Budget::default()).unwrap();
        assert_eq!(value.to_json(), json!({ expected: "value" }), "{key}");
    }
    for (key, kind) in [
        ("~", "null"),
        ("? [a]\n", "a list"),
        ("? {a: b}\n", "a map"),
        ("18446744073709551615", "a whole number of more than 63 bits"),
    ] {
        let document = format!("{key}: value\n");
        let error = yaml::parse(document.as_bytes(), &Budget::default()).unwrap_err();
        assert_eq!(error.problem, YamlProblem::Key(kind), "{key}");
    }
}

fn check(rows: Vec<Row>) {
    for (text, json, as_field) in rows {
        let value = read(text);
        assert_eq!(value.to_json(), json, "{text}");
        assert_eq!(as_text(&value), as_field, "{text}");
    }
}
