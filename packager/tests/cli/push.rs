//! `chartpack push` as far as it goes without a server; the stories push to a real one.

use std::net::TcpListener;

use chart::testing::{ChartBuilder, provenance_text};

use crate::support::Workplace;

/// Returns the URL of a port that nobody listens on.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}/playcekube", listener.local_addr().unwrap())
}

#[test]
fn a_server_that_is_away_ends_with_3_and_is_named() {
    let place = Workplace::new();
    place.write("a-1.0.0.tgz", ChartBuilder::new("a", "1.0.0").build());
    let to = nobody();
    let host = to.trim_start_matches("http://").trim_end_matches("/playcekube");
    for extra in [&[][..], &["--dry-run"]] {
        let answer = place.run(&[&["push", "a-1.0.0.tgz", "--to", &to, "--retries", "0"], extra].concat());
        assert_eq!(answer.code, 3, "{answer:?}");
        assert!(
            answer.out.starts_with(&format!("failed: a 1.0.0: cannot reach `{host}`: ")),
            "{}",
            answer.out
        );
    }
    let answer = place.run(&["push", "a-1.0.0.tgz", "--to", &to, "--retries", "1"]);
    assert!(answer.err.contains("trying again in 0.5 s"), "{}", answer.err);
}

#[test]
fn bad_archives_are_reported_each_on_its_own() {
    let place = Workplace::new();
    let archive = ChartBuilder::new("a", "1.0.0").build();
    place.write("a-1.0.0.tgz", &archive);
    place.write("a-1.0.0.tgz.prov", provenance_text("a", "1.0.0", "a-1.0.0.tgz", b"other bytes"));
    place.write("b.tgz", "no archive");
    let to = nobody();
    let answer = place.run(&[
        "push",
        "a-1.0.0.tgz",
        "b.tgz",
        "c.tgz",
        "--to",
        &to,
        "--retries",
        "0",
        "--output",
        "json",
    ]);
    assert_eq!(answer.code, 1, "{answer:?}");
    let lines: serde_json::Value = serde_json::from_str(&answer.out).unwrap();
    let expected = [
        ("a-1.0.0.tgz", "`a-1.0.0.tgz.prov` does not belong to this archive"),
        ("b.tgz", "`b.tgz` is not a chart archive that Helm would load"),
        ("c.tgz", "cannot read `c.tgz`"),
    ];
    for (line, (archive, reason)) in lines.as_array().unwrap().iter().zip(expected) {
        assert_eq!((&line["archive"], &line["outcome"]), (&archive.into(), &"refused".into()));
        assert!(line["reason"].as_str().unwrap().contains(reason), "{line}");
    }
}

#[test]
fn a_file_without_authorities_is_refused() {
    let place = Workplace::new();
    place.write("a-1.0.0.tgz", ChartBuilder::new("a", "1.0.0").build());
    let answer = place.run(&["push", "a-1.0.0.tgz", "--to", "https://h/r", "--ca-file", "nowhere.pem"]);
    assert_eq!(answer.code, 1);
    assert!(answer.err.contains("cannot use `nowhere.pem`"), "{}", answer.err);
}

#[test]
fn no_secret_is_ever_printed() {
    let place = Workplace::new();
    place.write("a-1.0.0.tgz", ChartBuilder::new("a", "1.0.0").build());
    let to = nobody().replace("http://", "http://push:hunter2@");
    let answer = place.run_with(
        &["push", "a-1.0.0.tgz", "--to", &to, "--retries", "1"],
        &[("CHARTPACK_TOKEN", "very-secret-token")],
    );
    assert!(!format!("{answer:?}").contains("hunter2"), "{answer:?}");
    assert!(!format!("{answer:?}").contains("very-secret-token"), "{answer:?}");
}
