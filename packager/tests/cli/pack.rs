//! `chartpack pack`.

use std::fs;

use chart::testing::ChartBuilder;
use oci::Digest;

use crate::support::{Workplace, text_of};

#[test]
fn the_same_chart_gives_the_same_bytes_wherever_it_lies() {
    let place = Workplace::new();
    place.succeed(&["new", "a"]);
    place.succeed(&["new", "a", "--dir", "elsewhere/deep"]);
    for folder in ["a", "elsewhere/deep/a"] {
        place.succeed(&["pack", folder, "-o", &format!("{folder}-out")]);
    }
    let bytes = place.read("a-out/a-0.1.0.tgz");
    assert_eq!(bytes, place.read("elsewhere/deep/a-out/a-0.1.0.tgz"));
    let answer = place.run_with(&["pack", "a", "-o", "dated"], &[("SOURCE_DATE_EPOCH", "86400")]);
    assert_eq!(answer.code, 0);
    assert_ne!(bytes, place.read("dated/a-0.1.0.tgz"), "the entries' times are part of the bytes");
}

#[test]
fn the_report_names_path_and_digest() {
    let place = Workplace::new();
    place.succeed(&["new", "a"]);
    let said = place.succeed(&["pack", "a"]);
    let digest = Digest::sha256(&place.read("a-0.1.0.tgz"));
    assert_eq!(said, format!("a-0.1.0.tgz {digest}\n"));
    let json: serde_json::Value =
        serde_json::from_str(&place.succeed(&["pack", "a", "-o", "dist", "--output", "json"])).unwrap();
    assert_eq!(json[0]["archive"], "dist/a-0.1.0.tgz");
    assert_eq!(json[0]["digest"], digest.to_string());
    assert_eq!(json[0]["editedFiles"], serde_json::json!(["Chart.yaml"]));
    assert_eq!(
        (&json[0]["name"], &json[0]["version"], &json[0]["written"]),
        (&"a".into(), &"0.1.0".into(), &true.into())
    );
}

#[test]
fn a_dry_run_shows_the_edits_and_writes_nothing() {
    let place = Workplace::new();
    place.succeed(&["new", "a"]);
    let said = place.succeed(&["pack", "a", "-o", "dist", "--dry-run", "--version", "2.0.0"]);
    assert!(said.contains("--- a/Chart.yaml"), "{said}");
    assert!(said.contains("-version: 0.1.0\n+version: 2.0.0\n"), "{said}");
    assert!(said.contains("+  catalog.cattle.io/certified: playcekube\n"), "{said}");
    assert!(said.contains("would write dist/a-2.0.0.tgz sha256:"), "{said}");
    assert!(!place.exists("dist"));
}

#[test]
fn versions_on_the_command_line_win() {
    let place = Workplace::new();
    place.write("upstream.tgz", ChartBuilder::new("up", "1.2.3").app_version("9").build());
    place.succeed(&["pack", "upstream.tgz", "--version", "1.2.301", "--app-version", "9.1"]);
    let archive = place.archive("up-1.2.301.tgz");
    assert_eq!(archive.metadata().app_version, "9.1");
}

#[test]
fn an_archive_packs_to_itself_once_it_is_ours() {
    let place = Workplace::new();
    place.write(
        "upstream.tgz",
        ChartBuilder::new("up", "1.2.3").file("templates/x.yaml", "a: {{ .Values.b }}\n").build(),
    );
    place.succeed(&["pack", "upstream.tgz", "-o", "once"]);
    place.succeed(&["pack", "once/up-1.2.3.tgz", "-o", "twice"]);
    assert_eq!(place.read("once/up-1.2.3.tgz"), place.read("twice/up-1.2.3.tgz"));
    assert_eq!(text_of(&place.archive("once/up-1.2.3.tgz"), "templates/x.yaml"), "a: {{ .Values.b }}\n");
}

#[test]
fn nothing_is_written_unless_everything_packs() {
    let place = Workplace::new();
    place.succeed(&["new", "a"]);
    place.write("b/Chart.yaml", "apiVersion: v2\nname: b\nversion: one\n");
    let answer = place.run(&["pack", "a", "b", "-o", "dist"]);
    assert_eq!(answer.code, 1);
    assert!(answer.err.starts_with("chartpack: `b` cannot be packed"), "{}", answer.err);
    assert!(!place.exists("dist"));
}

#[test]
fn two_charts_for_one_file_are_refused() {
    let place = Workplace::new();
    place.succeed(&["new", "a"]);
    place.succeed(&["new", "a", "--dir", "other"]);
    let answer = place.run(&["pack", "a", "other/a", "-o", "dist"]);
    assert_eq!(answer.code, 1);
    assert!(
        answer.err.contains("`a` and `other/a` would both be written to `a-0.1.0.tgz`"),
        "{}",
        answer.err
    );
    assert!(!place.exists("dist"));
}

#[test]
fn what_is_no_chart_is_refused_by_name() {
    let place = Workplace::new();
    place.write("empty/x", "");
    place.write("a.tgz", "no archive");
    let table = [
        ("empty", "`empty` holds neither `recipe.yaml` nor `Chart.yaml`"),
        ("a.tgz", "`a.tgz` is not a chart archive that Helm would load"),
        ("nowhere", "cannot read `nowhere`"),
        ("nowhere.yaml", "cannot read `nowhere.yaml`"),
    ];
    for (source, reason) in table {
        let answer = place.run(&["pack", source]);
        assert_eq!(answer.code, 1, "{source}");
        assert!(answer.err.contains(reason), "{source}: {}", answer.err);
    }
}

#[test]
fn an_archive_that_is_there_already_is_left_alone() {
    let place = Workplace::new();
    place.succeed(&["new", "a"]);
    place.succeed(&["pack", "a"]);
    let changed = || fs::metadata(place.path("a-0.1.0.tgz")).unwrap().modified().unwrap();
    let before = changed();
    place.succeed(&["pack", "a"]);
    assert_eq!(changed(), before);
    assert_eq!(fs::read_dir(place.path(".")).unwrap().count(), 2, "no temporary file is left");
}
